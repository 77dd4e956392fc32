/** The rest of a run, the same whether it is new or goes on: train, select after the fact, leave everything in the folder. */
import type { Split } from '../../data/split/index.js';
import { torch } from '../../torch/index.js';
import { writeFileAtomic } from '../../track/index.js';
import { RunError } from '../errors.js';
import type { TrainEvent } from '../events.js';
import { type Training, trainLoop } from '../loop.js';
import { trainingFile } from '../sample-losses.js';
import { calibrate } from './calibrate.js';
import type { RunResult } from './recipe.js';
import { portableWeights, type Selected, selectBest } from './select.js';

interface FinishOptions {
  readonly split: Split;
  readonly emit: (event: TrainEvent) => void;
}

/** Trains to the end, or to the stop; then puts the chosen weights and what they predict into the folder. */
export async function finish(training: Training, { split, emit }: FinishOptions): Promise<RunResult> {
  const { run, train, validation, stop, progress, plan } = training;
  try {
    const end = await trainThrough(training, emit);
    if (end === 'stopped') return await stopped(training, emit);
    const best = await selectBest(training);
    const selected = best && (await calibrate(training, best));
    if (selected === undefined) {
      if (stop.reason !== undefined) return await stopped(training, emit);
      throw new RunError(`${run.path}: no validation gave a number, so there are no best weights to choose.`);
    }
    emit({ kind: 'stage', stage: 'select', text: selected.text });
    await writeResult(training, selected, split);
    await training.recorder.tracking.end(training, selected.evaluation, selected.epoch);
    await training.recorder.flush();
    const { score, scoreName, loss, report } = selected.evaluation;
    const patience = end === 'patience' ? ` It ended ${plan.optimisation.patience} epochs after the best one.` : '';
    const text = `Everything is in ${run.path}: model.safetensors, metrics.jsonl, split.json.${patience}`;
    emit({ kind: 'stage', stage: 'report', text });
    await run.end('finished', {
      result: {
        metric: `validation ${scoreName}`,
        score,
        loss,
        epoch: selected.epoch,
        epochs: progress.epoch,
        checkpoints: selected.checkpoints,
        averaged: selected.averaged,
        seconds: progress.seconds,
        loggingSeconds: training.recorder.tracking.seconds,
        testUses: split.uses.length,
      },
    });
    emit({ kind: 'finished', folder: run.path, state: 'finished', resumable: false, text });
    return { folder: run.path, state: 'finished', score, report, epoch: selected.epoch };
  } finally {
    await Promise.all([train.close(), validation.close(), training.recorder.close()]);
  }
}

/** Trains until it ends, for whatever reason, with all checkpoints on the disk. */
export async function trainThrough(training: Training, emit: (event: TrainEvent) => void) {
  const loop = trainLoop(training);
  let next = await loop.next();
  while (!next.done) {
    emit(next.value);
    next = await loop.next();
  }
  await training.keeper.settled();
  return next.value;
}

export async function stopped(
  { run, progress, stop }: Training,
  emit: (event: TrainEvent) => void,
): Promise<RunResult> {
  const reason = stop.reason ?? 'asked to stop';
  await run.end('stopped', { reason });
  emit({
    kind: 'finished',
    folder: run.path,
    state: 'stopped',
    resumable: true,
    text: `Stopped (${reason}) after step ${progress.step}; everything is saved.`,
  });
  return { folder: run.path, state: 'stopped' };
}

/** The chosen weights, and what they say of each validation picture: all that reports and comparisons need. */
async function writeResult(training: Training, selected: Selected, split: Split): Promise<void> {
  const { run, model, plan, validation } = training;
  const { report, predictions, score, scoreName, loss } = selected.evaluation;
  await torch.save(portableWeights(model), run.file('model.safetensors'));
  const classes = plan.data.classes.length;
  const rows = [...predictions.index].map((position, row) => ({
    name: validation.dataset.sampleName(position),
    target: predictions.target[row],
    probabilities: [...predictions.probabilities.subarray(row * classes, (row + 1) * classes)].map((p) =>
      Number(p.toPrecision(7)),
    ),
  }));
  await writeFileAtomic(run.file('validation.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
  const learnt = training.samples?.lines() ?? [];
  if (learnt.length > 0)
    await writeFileAtomic(run.file(trainingFile), `${learnt.map((row) => JSON.stringify(row)).join('\n')}\n`);
  await writeFileAtomic(
    run.file('result.json'),
    `${JSON.stringify({ metric: scoreName, score, loss, validation: report, epoch: selected.epoch, checkpoints: selected.checkpoints, averaged: selected.averaged, ...(selected.calibration ? { calibration: selected.calibration } : {}), splitFingerprint: split.fingerprint }, null, 2)}\n`,
  );
}
