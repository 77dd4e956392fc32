/** Figures of a classifier whose samples may have any number of labels. */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';

export interface MultiLabelReport {
  readonly count: number;
  /** Average precision of each class; NaN where no sample has it. */
  readonly averagePrecision: readonly number[];
  /** Mean over the classes that occur. */
  readonly meanAveragePrecision: number;
  /** With a threshold of a half. */
  readonly perClass: readonly {
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
    readonly support: number;
  }[];
  readonly microF1: number;
  readonly macroF1: number;
  /** Share of samples with all labels right. */
  readonly exactMatch: number;
}

/**
 * Mean of the precision over the recall, as scikit-learn's `average_precision_score`: Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds.
 * @param labels 0 or 1 each
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i] ? 1 : 0;
  if (positives === 0) return Number.NaN;
  let [hits, area, before] = [0, 0, 0];
  for (let i = 0; i < order.length; i++) {
    hits += labels[order[i] as number] ? 1 : 0;
    // Equal scores fall together: the threshold cannot part them.
    if (i + 1 < order.length && scores[order[i + 1] as number] === scores[order[i] as number]) continue;
    area += ((hits - before) / positives) * (hits / (i + 1));
    before = hits;
  }
  return area;
}

/** Gathers scores batch by batch: classes × samples × 5 bytes. */
export class MultiLabelMetrics {
  readonly classes: number;
  readonly #logits: boolean;
  readonly #scores: Float64Array[] = [];
  readonly #labels: Uint8Array[] = [];
  #count = 0;

  constructor(options: { readonly classes: number; readonly input?: 'logits' | 'probabilities' }) {
    if (!Number.isInteger(options.classes) || options.classes < 1)
      throw new ArgumentError(`MultiLabelMetrics: 'classes' must be a positive integer, got ${options.classes}.`);
    this.classes = options.classes;
    this.#logits = (options.input ?? 'logits') === 'logits';
  }

  /** Takes a batch. @param output [N, classes] @param target 0 or 1, [N, classes] */
  update(output: Tensor, target: Tensor): void {
    const shape = `[${output.shape.join(', ')}]`;
    if (output.dim() !== 2 || output.shape[1] !== this.classes || shape !== `[${target.shape.join(', ')}]`)
      throw new ArgumentError(
        `MultiLabelMetrics: 'output' and 'target' must both be [N, ${this.classes}], got ${shape} and [${target.shape.join(', ')}].`,
      );
    const read = (tensor: Tensor) =>
      torch.scope(() => torch.noGrad(() => tensor.detach().cpu().double().toTypedArray() as Float64Array));
    this.#scores.push(read(output));
    this.#labels.push(Uint8Array.from(read(target), (value) => (value > 0.5 ? 1 : 0)));
    this.#count += output.shape[0] as number;
  }

  /** @throws ArgumentError when there are no samples */
  report(): MultiLabelReport {
    if (this.#count === 0) throw new ArgumentError('MultiLabelMetrics: there are no samples to report on.');
    const { classes } = this;
    const threshold = this.#logits ? 0 : 0.5;
    const column = (from: readonly ArrayLike<number>[], j: number): Float64Array => {
      const values = new Float64Array(this.#count);
      let at = 0;
      for (const batch of from) for (let i = j; i < batch.length; i += classes) values[at++] = batch[i] as number;
      return values;
    };
    const wrong = new Uint8Array(this.#count);
    const totals = { hits: 0, taken: 0, support: 0 };
    const precisions: number[] = [];
    const perClass = Array.from({ length: classes }, (_, j) => {
      const scores = column(this.#scores, j);
      const labels = column(this.#labels, j);
      precisions.push(averagePrecision(scores, labels));
      let [hits, taken, support] = [0, 0, 0];
      for (let i = 0; i < scores.length; i++) {
        const positive = (scores[i] as number) > threshold ? 1 : 0;
        hits += positive & (labels[i] as number);
        taken += positive;
        support += labels[i] as number;
        if (positive !== labels[i]) wrong[i] = 1;
      }
      totals.hits += hits;
      totals.taken += taken;
      totals.support += support;
      return {
        precision: taken === 0 ? 0 : hits / taken,
        recall: support === 0 ? 0 : hits / support,
        f1: taken + support === 0 ? 0 : (2 * hits) / (taken + support),
        support,
      };
    });
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const all = totals.taken + totals.support;
    return {
      count: this.#count,
      averagePrecision: precisions,
      meanAveragePrecision: mean(precisions.filter((value) => !Number.isNaN(value))),
      perClass,
      microF1: all === 0 ? 0 : (2 * totals.hits) / all,
      macroF1: mean(perClass.map((one) => one.f1)),
      exactMatch: wrong.filter((bad) => bad === 0).length / this.#count,
    };
  }
}
