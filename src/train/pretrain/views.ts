/** Two views of each picture: what is learnt from them, and how well the partners are found. */
import { type AugmentationSpec, buildAugmentation } from '../../data/augment/index.js';
import { DataLoader } from '../../data/loader/index.js';
import type { BatchTransform, Dataset } from '../../data/types.js';
import * as nn from '../../nn/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { type Classifier, logitsOf, lossOf, placeInput } from '../compute.js';
import type { Evaluation } from '../evaluate.js';
import { ClassificationMetrics } from '../metrics.js';
import type { TrainPlan } from '../plan.js';
import type { StopSignal } from '../stop.js';

/**
 * What makes views of a picture, as SimCLR has it: parts of at least a fifth of it, mirrored, other colours for four of five, none for one of five.
 * Blur is left out, as the paper does for small pictures. Source: Chen et al. 2020, appendix A and B.9
 */
export function viewsSpec(size: readonly [number, number], channels: number): AugmentationSpec {
  const jitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
  return {
    preset: 'simclr',
    steps: [
      { name: 'randomResizedCrop', options: { size: [...size], scale: [0.2, 1] } },
      { name: 'randomHorizontalFlip', options: { p: 0.5 } },
      { name: 'randomApply', options: { p: 0.8 }, steps: [{ name: 'colorJitter', options: jitter }] },
      ...(channels === 3 ? [{ name: 'randomGrayscale', options: { p: 0.2 } }] : []),
    ],
  };
}

/** Sets the draws of the second view apart from those of the first. */
const secondView = 0x9e3779b1;

/** A batch of n pictures to 2 n views, the second half those of the first; the target is where each view's partner is. */
export function twoViews(augment: BatchTransform): BatchTransform {
  return (batch, context) => {
    const first = augment(batch, context).input;
    const second = augment(batch, { ...context, seed: context.seed + secondView }).input;
    const rows = 2 * (batch.index.shape[0] as number);
    // A lone picture has nobody to be told from; whoever gets such a batch leaves it out.
    const target = rows < 4 ? torch.zeros([rows], { dtype: 'int64' }) : nn.functional.ntXentPartners(rows);
    return { input: torch.cat([first, second]), target: target.to({ device: first.device }), index: batch.index };
  };
}

/** Loaders of both parts of a pre-training. */
export function viewLoaders(
  split: { readonly train: Dataset; readonly validation: Dataset },
  plan: TrainPlan,
): { readonly train: DataLoader; readonly validation: DataLoader } {
  const { form, trainForm, statistics, workers, cache } = plan.data;
  const augment = buildAugmentation(plan.augmentation as AugmentationSpec, {
    ...(statistics === undefined ? {} : { statistics }),
  });
  const { batchSize } = plan.optimisation;
  const kept = trainForm ?? form;
  const shared = {
    ...{ workers, cache, batchSize, seed: plan.seed, device: plan.machine.device, transform: twoViews(augment) },
    ...(kept === undefined ? {} : { form: kept }),
  };
  return {
    train: new DataLoader({
      ...shared,
      dataset: split.train,
      shuffle: true,
      dropLast: split.train.length >= batchSize,
    }),
    validation: new DataLoader({ ...shared, dataset: split.validation }),
  };
}

/**
 * How many views of the validation part find their partner, and the loss. The same views each time.
 * @returns undefined when it was asked to stop
 */
export async function evaluateViews(
  model: Classifier,
  loader: DataLoader,
  plan: TrainPlan,
  stop?: StopSignal,
): Promise<Evaluation | undefined> {
  const metrics = new ClassificationMetrics({ classes: 2, input: 'probabilities' });
  let [losses, count] = [0, 0];
  loader.setEpoch(0);
  model.eval();
  for await (const batch of loader) {
    if (stop?.reason !== undefined) return undefined;
    const rows = batch.target.shape[0] as number;
    if (rows < 4) continue;
    torch.scope(() =>
      torch.noGrad(() => {
        const logits = logitsOf(model, placeInput(batch.input, plan.machine), plan.machine);
        const target = batch.target.to({ device: plan.machine.device });
        losses += rows * (lossOf(logits, target).item() as number);
        count += rows;
        // A question with two answers: the partner was found, or not.
        const found = logits.argmax(1).eq(target).to('float32').cpu() as Tensor;
        metrics.update(torch.stack([found, found.neg().add(1)], 1), torch.zeros([rows], { dtype: 'int64' }));
      }),
    );
    await turn();
  }
  const report = metrics.report();
  return {
    score: report.accuracy,
    scoreName: 'accuracy',
    loss: count === 0 ? Number.NaN : losses / count,
    report,
    predictions: { index: new Int32Array(0), target: [], probabilities: new Float32Array(0) },
    intervals: () => metrics.intervals(),
  };
}
