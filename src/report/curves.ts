/** What a run measured over time: its curves, where they bend, and what they say of overfitting. */
import type { MetricsLine } from '../track/index.js';

/** Epochs count from 1: what was measured after so many. */
export interface Curves {
  readonly epoch: readonly number[];
  readonly trainLoss: readonly number[];
  readonly trainAccuracy: readonly number[];
  readonly validationLoss: readonly number[];
  readonly validationAccuracy: readonly number[];
  /** Seconds of training in each epoch, without its validation. */
  readonly seconds: readonly number[];
  /** Share of that spent waiting for data. */
  readonly waiting: readonly number[];
}

/** Values of single steps, thinned out where there are thousands. */
export interface StepCurves {
  readonly step: readonly number[];
  readonly loss: readonly number[];
  readonly learningRate: readonly number[];
  readonly gradientNorm: readonly number[];
  readonly spikes: readonly number[];
}

/** More points than a screen has pixels help nobody. */
const mostPoints = 1200;

const numbersOf = (lines: readonly MetricsLine[], field: string): number[] =>
  lines.map((line) => (typeof line[field] === 'number' ? (line[field] as number) : Number.NaN));

export function curvesOf(metrics: readonly MetricsLine[]): Curves {
  const lines = metrics.filter(({ kind }) => kind === 'epoch');
  return {
    epoch: lines.map(({ epoch = 0 }) => epoch + 1),
    trainLoss: numbersOf(lines, 'trainLoss'),
    trainAccuracy: numbersOf(lines, 'trainAccuracy'),
    validationLoss: numbersOf(lines, 'validationLoss'),
    validationAccuracy: numbersOf(lines, 'validationAccuracy'),
    seconds: numbersOf(lines, 'seconds'),
    waiting: numbersOf(lines, 'waiting'),
  };
}

export function stepCurvesOf(metrics: readonly MetricsLine[]): StepCurves {
  const all = metrics.filter(({ kind }) => kind === 'step');
  const every = Math.max(1, Math.ceil(all.length / mostPoints));
  const lines = all.filter((_, i) => i % every === 0 || i === all.length - 1);
  return {
    step: lines.map(({ step }) => step),
    loss: numbersOf(lines, 'loss'),
    learningRate: numbersOf(lines, 'learningRate'),
    gradientNorm: numbersOf(lines, 'gradientNorm'),
    spikes: all.filter(({ spike }) => spike === true).map(({ step }) => step),
  };
}

/** What the curves say of learning by heart. */
export interface Fit {
  /** Of the last epoch: validation loss less training loss. Training loss is that of changed pictures with smoothed labels. */
  readonly lossGap: number;
  readonly accuracyGap: number;
  /** Epoch with the least validation loss. */
  readonly leastLossEpoch: number;
  /** How much the validation loss rose from there to the end, as a share of it. */
  readonly rise: number;
  /** How much the training loss fell in the same time, as a share. */
  readonly trainFall: number;
  /** Validation accuracy of the last quarter of the epochs, its mean, less that of the quarter before. */
  readonly lateGain: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Undefined with fewer than two epochs. */
export function fitOf(curves: Curves): Fit | undefined {
  const { epoch, trainLoss, trainAccuracy, validationLoss, validationAccuracy } = curves;
  const count = epoch.length;
  if (count < 2) return undefined;
  let least = 0;
  for (let i = 1; i < count; i++) if ((validationLoss[i] as number) < (validationLoss[least] as number)) least = i;
  const last = count - 1;
  const quarter = Math.max(1, Math.floor(count / 4));
  return {
    lossGap: (validationLoss[last] as number) - (trainLoss[last] as number),
    accuracyGap: (trainAccuracy[last] as number) - (validationAccuracy[last] as number),
    leastLossEpoch: epoch[least] as number,
    rise: (validationLoss[last] as number) / (validationLoss[least] as number) - 1,
    trainFall: 1 - (trainLoss[last] as number) / (trainLoss[least] as number),
    lateGain:
      count < 4
        ? Number.NaN
        : mean(validationAccuracy.slice(-quarter)) - mean(validationAccuracy.slice(-2 * quarter, -quarter)),
  };
}
