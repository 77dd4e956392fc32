/** The rest of a pre-training, the same whether it is new or goes on: train, measure the features, leave the network without its projection. */
import { sha256Of } from '../../data/known/checksum.js';
import { torch } from '../../torch/index.js';
import { writeFileAtomic } from '../../track/index.js';
import { placeModel } from '../compute.js';
import type { Evaluation } from '../evaluate.js';
import type { TrainEvent } from '../events.js';
import type { Training } from '../loop.js';
import { stopped, trainThrough } from '../recipe/finish.js';
import { buildBody } from '../recipe/rebuild.js';
import type { RunResult } from '../recipe/recipe.js';
import type { ReadyParts } from '../recipe/rows.js';
import { portableWeights } from '../recipe/select.js';
import { type HeadStart, headStart } from '../transfer/head-start.js';
import type { ContrastiveNet } from './network.js';
import { evaluateViews } from './views.js';

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** What the features are worth, with labels that were not learnt from. */
export interface PretrainingFigures {
  /** Validation accuracy of a linear layer on the frozen features. */
  readonly probe: number;
  /** Of the nearest neighbours. */
  readonly neighbours: number;
  /** The same of the network as it was drawn. */
  readonly random: { readonly probe: number; readonly neighbours: number };
}

/** A pre-training's result. */
export type PretrainingResult = RunResult & { readonly figures?: PretrainingFigures };

/** Trains to the end, or to the stop. The last weights are kept: nothing that is measured on the way says which are best for another task. */
export async function finishPretraining(
  training: Training,
  parts: ReadyParts,
  emit: (event: TrainEvent) => void,
): Promise<PretrainingResult> {
  const { run, train, validation, stop, progress, plan } = training;
  const { body } = training.model as unknown as ContrastiveNet;
  try {
    if ((await trainThrough(training, emit)) === 'stopped') return await stopped(training, emit);
    const last = await evaluateViews(training.model, validation, plan, stop);
    if (last === undefined) return await stopped(training, emit);
    const file = run.file('model.safetensors');
    await torch.save(portableWeights(body), file);
    const labelled = plan.contrastive?.labelled === true;
    const figures = labelled ? await measure(training, parts, file, emit) : undefined;
    if (labelled && figures === undefined) return await stopped(training, emit);
    const { score, loss } = last as Evaluation;
    const result = { metric: 'partners found', score, loss, ...(figures === undefined ? {} : figures) };
    await writeFileAtomic(run.file('result.json'), `${JSON.stringify(result, null, 2)}\n`);
    const text = `Everything is in ${run.path}: model.safetensors holds the network without its projection.`;
    emit({ kind: 'stage', stage: 'report', text });
    await run.end('finished', {
      result: {
        ...{ metric: 'validation partners found', score, loss, epochs: progress.epoch, seconds: progress.seconds },
        ...(figures === undefined ? {} : figures),
      },
    });
    emit({ kind: 'finished', folder: run.path, state: 'finished', resumable: false, text });
    return {
      ...{ folder: run.path, state: 'finished', score, epoch: progress.epoch },
      ...(figures === undefined ? {} : { figures }),
    };
  } finally {
    await Promise.all([train.close(), validation.close(), training.recorder.close()]);
  }
}

/**
 * A linear probe and the nearest neighbours, on what was learnt and on what the network knew when it was drawn.
 * @returns undefined when it was asked to stop
 */
async function measure(
  { plan, model, stop }: Training,
  parts: ReadyParts,
  file: string,
  emit: (event: TrainEvent) => void,
): Promise<PretrainingFigures | undefined> {
  const { body } = model as unknown as ContrastiveNet;
  const drawn = buildBody(plan);
  placeModel(drawn, plan.machine);
  const ask = async (network: typeof body, sha256: string): Promise<HeadStart> =>
    headStart({
      ...{ model: network, plan, parts, sha256 },
      onProgress: (share) => emit({ kind: 'working', stage: 'head start', text: 'features', share }),
    });
  const before = await ask(drawn, `drawn with seed ${plan.seed}`);
  if (stop.reason !== undefined) return undefined;
  const after = await ask(body, await sha256Of(file));
  emit({
    kind: 'stage',
    stage: 'head start',
    text: `with the labels, a linear probe on the ${after.width} frozen features reaches ${percent(after.probe)} on the validation part (${percent(before.probe)} before the pre-training), ${after.k} nearest neighbours ${percent(after.neighbours)} (${percent(before.neighbours)}).`,
  });
  return {
    probe: after.probe,
    neighbours: after.neighbours,
    random: { probe: before.probe, neighbours: before.neighbours },
  };
}
