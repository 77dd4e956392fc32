/** Going on with a run that was stopped or killed, as if it had never been: the same weights, bit for bit, at the end. */
import { existsSync } from 'node:fs';
import { loadSplit } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import { torch } from '../../torch/index.js';
import { RunFolder, readRecord } from '../../track/index.js';
import { hasCheckpoint, loadLast } from '../checkpoint.js';
import type { Classifier } from '../compute.js';
import { noteStudent } from '../ensemble/student-facts.js';
import { RunError } from '../errors.js';
import type { TrainEvent } from '../events.js';
import { forgetLater, putBack } from '../loop.js';
import { openPictures } from '../pretrain/data.js';
import { finishPretraining } from '../pretrain/finish.js';
import type { StopSignal } from '../stop.js';
import { openData } from './data.js';
import { finish } from './finish.js';
import { narrowed } from './part.js';
import { buildModel, buildTraining, startModel } from './rebuild.js';
import type { RunResult } from './recipe.js';
import { openOptionsOf, planOf, teacherOf } from './record.js';
import { readyParts } from './rows.js';
import { StageLog } from './stage-log.js';

export interface ResumeOptions {
  readonly folder: string;
  /** Where the data are now, if they have moved; or the data set itself, where the run was given one. */
  readonly data?: string | Dataset;
  /** The model itself, where the run was given one. */
  readonly model?: Classifier;
  readonly stop: StopSignal;
  readonly emit: (event: TrainEvent) => void;
  readonly command: string;
}

/** @throws RunError when there is nothing to go on with, the data have changed, or another process runs it */
export async function resumeRun(options: ResumeOptions): Promise<RunResult> {
  const { stop } = options;
  const log = new StageLog(options.emit);
  const { emit } = log;
  const plan = planOf(options.folder);
  const before = readRecord(options.folder);
  if (before.state === 'finished')
    throw new RunError(
      `${options.folder}: this run is finished (${before.finished?.slice(0, 16).replace('T', ' ') ?? 'long ago'}); there is nothing to go on with.`,
    );
  const warn = (text: string) => emit({ kind: 'warning', text });
  const source = options.data ?? plan.data.path;
  if (source === '')
    throw new RunError(
      `${options.folder}: this run was given its data as an object; give it again: resume(folder, { data }).`,
    );
  if (typeof source === 'string' && !existsSync(source))
    throw new RunError(
      `${options.folder}: its data are not at ${source} any more; say where they are now: praxis resume ${options.folder} --data PATH.`,
    );
  if (plan.model.name === '' && options.model === undefined)
    throw new RunError(
      `${options.folder}: this run was given its model as an object; give it again: resume(folder, { model }).`,
    );
  const run = await RunFolder.resume(options.folder, { command: options.command, onWarning: warn });
  log.into(run.path);
  try {
    // A kill just after the plan was written, and before the first checkpoint, leaves a training that is all to be done.
    const last = hasCheckpoint(run.checkpoints) ? await loadLast(run.checkpoints) : undefined;
    for (const sentence of last?.refused ?? []) warn(sentence);
    const exclusions = openOptionsOf(options.folder);
    const dataset =
      plan.contrastive === undefined
        ? await openData(source, exclusions)
        : (await openPictures(source, exclusions)).dataset;
    const split = await loadSplit(run.file('split.json'), dataset);
    const parts = readyParts(narrowed(split, plan.data.part), run.path);
    const training = buildTraining({
      ...{ plan, split: parts, run, stop },
      // A checkpoint brings all weights; without one those are needed that the run began with.
      model: options.model ?? (last === undefined ? await startModel(plan, run.path) : buildModel(plan)),
      teacher: await teacherOf(plan),
      fromStep: last?.state.step ?? 0,
    });
    torch.manualSeed(plan.seed);
    if (last !== undefined) putBack(training, last.state);
    await forgetLater(training);
    if (last !== undefined) await training.keeper.returnTo(last);
    const { step, epoch } = training.progress;
    emit({
      kind: 'stage',
      stage: 'train',
      text: `going on after step ${step.toLocaleString('en-GB')} of ${(plan.optimisation.epochs * plan.optimisation.batches).toLocaleString('en-GB')} (epoch ${epoch + 1} of ${plan.optimisation.epochs}).`,
    });
    if (plan.contrastive !== undefined) return await finishPretraining(training, parts, emit);
    const result = await finish(training, { split, emit });
    if (result.state === 'finished' && plan.distillation !== undefined)
      await noteStudent(result.folder, plan.distillation.teacher);
    return result;
  } catch (error) {
    if (run.writable) await run.end('failed', { reason: (error as Error).message });
    throw error;
  }
}
