/** Evaluation: the model in eval mode, without gradients, over all batches of a loader. */
import type { DataLoader } from '../data/loader/index.js';
import { torch } from '../torch/index.js';
import { type Classifier, classesOf, type LossOptions, logitsOf, lossOf, type Machine, placeInput } from './compute.js';
import { type ClassificationMetrics, MetricsCollector } from './metrics.js';
import type { StopSignal } from './stop.js';

export interface EvaluateOptions {
  readonly machine: Machine;
  readonly classes: readonly string[];
  readonly loss?: LossOptions;
  /** Looked at after each batch. */
  readonly stop?: StopSignal;
  readonly onBatch?: (done: number, all: number) => void;
}

/** What was predicted for each sample, in the loader's order. */
export interface Predictions {
  /** Positions in the loader's data set. */
  readonly index: Int32Array;
  readonly target: Int32Array;
  /** Softmax, row by row: [N, classes]. */
  readonly probabilities: Float32Array;
}

export interface Evaluation {
  readonly metrics: ClassificationMetrics;
  readonly predictions: Predictions;
}

/** Lets timers, signals and workers have their turn: an iterator that always has a batch ready would starve them. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Metrics and predictions of a model.
 * @returns undefined when it was asked to stop
 */
export async function evaluate(
  model: Classifier,
  loader: DataLoader,
  options: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const { machine, classes } = options;
  const collector = new MetricsCollector({ classes });
  const index: number[] = [];
  const target: number[] = [];
  const rows: Float32Array[] = [];
  // From the start, and in order: an evaluation before may have been stopped half-way.
  loader.setEpoch(0);
  model.eval();
  let done = 0;
  for await (const batch of loader) {
    if (options.stop?.reason !== undefined) return undefined;
    torch.scope(() =>
      torch.noGrad(() => {
        const logits = logitsOf(model, placeInput(batch.input, machine), machine);
        const targets = batch.target.to({ device: machine.device });
        // Never smoothed: the loss of a validation is to be comparable.
        const loss = lossOf(logits, targets, { multiLabel: options.loss?.multiLabel ?? false });
        const probabilities = logits.softmax(1).cpu().contiguous().toTypedArray() as Float32Array;
        const numbers = classesOf(batch.target).cpu().toTypedArray() as BigInt64Array;
        collector.add(probabilities, numbers, loss.item() as number);
        rows.push(probabilities.slice());
        for (const number of numbers) target.push(Number(number));
        for (const number of batch.index.toTypedArray() as BigInt64Array) index.push(Number(number));
      }),
    );
    done += 1;
    options.onBatch?.(done, loader.length);
    await turn();
  }
  const probabilities = new Float32Array(target.length * classes.length);
  let offset = 0;
  for (const row of rows) {
    probabilities.set(row, offset);
    offset += row.length;
  }
  return {
    metrics: collector.compute(),
    predictions: { index: Int32Array.from(index), target: Int32Array.from(target), probabilities },
  };
}
