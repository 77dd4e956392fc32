/** Evaluation: the model in eval mode, without gradients, over all batches of a loader. */
import type { DataLoader } from '../data/loader/index.js';
import { type Tensor, torch } from '../torch/index.js';
import { turn } from '../torch/turn.js';
import { type Classifier, logitsOf, lossOf, type Machine, placeInput } from './compute.js';
import {
  ClassificationMetrics,
  type ClassificationReport,
  type Interval,
  MultiLabelMetrics,
  type MultiLabelReport,
} from './metrics.js';
import type { StopSignal } from './stop.js';
import { averagedLogits, type Views } from './views.js';

export interface EvaluateOptions {
  readonly machine: Machine;
  readonly classes: readonly string[];
  /** Each class is a question of its own; targets are [N, classes]. */
  readonly multiLabel?: boolean;
  /** Test-time augmentation: average the answers to these views of each picture. */
  readonly views?: Views;
  /** Looked at after each batch. */
  readonly stop?: StopSignal;
  readonly onBatch?: (done: number, all: number) => void;
}

/** What was predicted for each sample, in the loader's order. */
export interface Predictions {
  /** Positions in the loader's data set. */
  readonly index: Int32Array;
  /** Class numbers; for multi-label data rows of zeros and ones. */
  readonly target: readonly (number | readonly number[])[];
  /** Softmax, or for multi-label data sigmoid, row by row: [N, classes]. */
  readonly probabilities: Float32Array;
}

export interface Evaluation {
  /** What weights are chosen by: accuracy, or for multi-label data the mean average precision. */
  readonly score: number;
  readonly scoreName: 'accuracy' | 'mean average precision';
  /** Mean loss, without label smoothing. */
  readonly loss: number;
  readonly report: ClassificationReport | MultiLabelReport;
  readonly predictions: Predictions;
  /** 95 %: Wilson's for the accuracy and top-5, from bootstrap samples for the rest; none for multi-label data. */
  readonly intervals: () => Readonly<Record<string, Interval>>;
}

function targetsOf(target: Tensor): (number | number[])[] {
  if (target.ndim === 1) return [...(target.cpu().toTypedArray() as BigInt64Array)].map(Number);
  const width = target.shape[1] as number;
  const values = target.cpu().contiguous().toTypedArray() as Float32Array;
  return Array.from({ length: target.shape[0] as number }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
}

/**
 * Metrics and predictions of a model over everything a loader gives, from its beginning.
 * @returns undefined when it was asked to stop
 */
export async function evaluate(
  model: Classifier,
  loader: DataLoader,
  options: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const { machine, classes, multiLabel = false } = options;
  const single = new ClassificationMetrics({ classes: Math.max(2, classes.length), input: 'logits' });
  const multiple = new MultiLabelMetrics({ classes: classes.length, input: 'logits' });
  const index: number[] = [];
  const target: (number | number[])[] = [];
  const rows: Float32Array[] = [];
  let losses = 0;
  // From the start: an evaluation before may have been stopped half-way.
  loader.setEpoch(0);
  model.eval();
  let done = 0;
  for await (const batch of loader) {
    if (options.stop?.reason !== undefined) return undefined;
    torch.scope(() =>
      torch.noGrad(() => {
        const input = placeInput(batch.input, machine);
        const { views } = options;
        const logits =
          views === undefined || input.ndim !== 4
            ? logitsOf(model, input, machine)
            : averagedLogits(model, input, machine, { views, multiLabel });
        const targets = batch.target.to({ device: machine.device });
        // Never smoothed: losses of validations are to be comparable.
        losses += (lossOf(logits, targets, { multiLabel }).item() as number) * (targets.shape[0] as number);
        (multiLabel ? multiple : single).update(logits, targets);
        const probabilities = (multiLabel ? logits.sigmoid() : logits.softmax(1)).cpu().contiguous();
        rows.push((probabilities.toTypedArray() as Float32Array).slice());
        target.push(...targetsOf(batch.target));
        for (const number of batch.index.toTypedArray() as BigInt64Array) index.push(Number(number));
      }),
    );
    done += 1;
    options.onBatch?.(done, loader.length);
    await turn();
  }
  const probabilities = new Float32Array(target.length * classes.length);
  for (let i = 0, offset = 0; i < rows.length; offset += (rows[i] as Float32Array).length, i++)
    probabilities.set(rows[i] as Float32Array, offset);
  const predictions = { index: Int32Array.from(index), target, probabilities };
  const loss = target.length === 0 ? Number.NaN : losses / target.length;
  if (multiLabel) {
    const report = multiple.report();
    return {
      score: report.meanAveragePrecision,
      scoreName: 'mean average precision',
      loss,
      report,
      predictions,
      intervals: () => ({}),
    };
  }
  const report = single.report();
  return {
    score: report.accuracy,
    scoreName: 'accuracy',
    loss,
    report,
    predictions,
    intervals: () => single.intervals(),
  };
}
