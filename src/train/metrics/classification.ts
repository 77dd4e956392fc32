/** Figures of a classifier with one label per sample, gathered batch by batch. */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { bootstrapIntervals, type Interval, type IntervalOptions, wilson } from './intervals.js';

export interface ClassificationMetricsOptions {
  readonly classes: number;
  /** What `update` is given. Default `logits`. */
  readonly input?: 'logits' | 'probabilities';
  /** Bins of the calibration error. Default 15. */
  readonly bins?: number;
}

/** Figures of one class, as scikit-learn's `precision_recall_fscore_support` with `zero_division=0`. */
export interface ClassReport {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples of this class. */
  readonly support: number;
  /** Samples that were taken for this class. */
  readonly predicted: number;
}

/** Predictions whose confidence lies in (low, high]. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence; NaN when empty. */
  readonly confidence: number;
  /** Share that is right; NaN when empty. */
  readonly accuracy: number;
}

export interface ClassificationReport {
  /** Samples. */
  readonly count: number;
  readonly accuracy: number;
  /** Share whose class is among the five most probable; undefined with five classes or fewer, where it would say nothing. */
  readonly top5?: number;
  /** Mean recall of the classes that occur. */
  readonly balancedAccuracy: number;
  /** Mean F1 of the classes that occur or were predicted. */
  readonly macroF1: number;
  readonly macroPrecision: number;
  readonly macroRecall: number;
  /** Mean negative logarithm of the probability of the right class. */
  readonly logLoss: number;
  /** Expected calibration error over the confidence of the predicted class, in equal-width bins. */
  readonly calibrationError: number;
  readonly reliability: readonly ReliabilityBin[];
  readonly perClass: readonly ClassReport[];
  /** Rows: true classes; columns: predicted ones. */
  readonly confusion: readonly (readonly number[])[];
  /** Batches or samples with NaN in their outputs; their figures are NaN too. */
  readonly notFinite: number;
}

type Macro = Pick<ClassificationReport, 'accuracy' | 'balancedAccuracy' | 'macroF1' | 'macroPrecision' | 'macroRecall'>;

/** What follows from counts of (true, predicted) alone. @param counts row-major, classes × classes */
export function confusionReport(
  counts: ArrayLike<number>,
  classes: number,
): Macro & { readonly perClass: ClassReport[] } {
  const support = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  let right = 0;
  let count = 0;
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < classes; j++) {
      const n = counts[i * classes + j] as number;
      support[i] = (support[i] as number) + n;
      predicted[j] = (predicted[j] as number) + n;
      count += n;
      if (i === j) right += n;
    }
  const perClass = Array.from({ length: classes }, (_, i) => {
    const hits = counts[i * classes + i] as number;
    const [all, taken] = [support[i] as number, predicted[i] as number];
    return {
      precision: taken === 0 ? 0 : hits / taken,
      recall: all === 0 ? 0 : hits / all,
      f1: all + taken === 0 ? 0 : (2 * hits) / (all + taken),
      support: all,
      predicted: taken,
    };
  });
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const present = perClass.filter((one) => one.support > 0);
  // The labels that scikit-learn finds by itself: those that occur or were predicted.
  const seen = perClass.filter((one) => one.support + one.predicted > 0);
  return {
    accuracy: right / count,
    balancedAccuracy: mean(present.map((one) => one.recall)),
    macroF1: mean(seen.map((one) => one.f1)),
    macroPrecision: mean(seen.map((one) => one.precision)),
    macroRecall: mean(seen.map((one) => one.recall)),
    perClass,
  };
}

/** Numbers kept per sample, for intervals: enough for thousands of epochs' worth of memory not to matter. */
interface Kept {
  readonly target: number[];
  readonly predicted: number[];
  readonly loss: number[];
}

/**
 * Gathers predictions batch by batch and reports at the end. Memory: a matrix of classes × classes and some bytes per sample.
 * Equal to scikit-learn's figures; probabilities are computed in float64.
 */
export class ClassificationMetrics {
  readonly classes: number;
  readonly #input: 'logits' | 'probabilities';
  readonly #counts: Float64Array;
  readonly #binCount: Float64Array;
  readonly #binConfidence: Float64Array;
  readonly #binRight: Float64Array;
  readonly #kept: Kept = { target: [], predicted: [], loss: [] };
  #count = 0;
  #top5 = 0;
  #loss = 0;
  #notFinite = 0;

  constructor(options: ClassificationMetricsOptions) {
    const { classes, input = 'logits', bins = 15 } = options;
    if (!Number.isInteger(classes) || classes < 1)
      throw new ArgumentError(`ClassificationMetrics: 'classes' must be a positive integer, got ${classes}.`);
    if (!Number.isInteger(bins) || bins < 1)
      throw new ArgumentError(`ClassificationMetrics: 'bins' must be a positive integer, got ${bins}.`);
    this.classes = classes;
    this.#input = input;
    this.#counts = new Float64Array(classes * classes);
    this.#binCount = new Float64Array(bins);
    this.#binConfidence = new Float64Array(bins);
    this.#binRight = new Float64Array(bins);
  }

  /** Samples so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes a batch.
   * @param output [N, classes], logits or probabilities, of any floating type, on any device
   * @param target integers [N]
   */
  update(output: Tensor, target: Tensor): void {
    const [rows, columns] = output.shape;
    if (output.dim() !== 2 || columns !== this.classes)
      throw new ArgumentError(
        `ClassificationMetrics: 'output' must be [N, ${this.classes}], got [${output.shape.join(', ')}].`,
      );
    if (target.dim() !== 1 || target.shape[0] !== rows)
      throw new ArgumentError(`ClassificationMetrics: 'target' must be [${rows}], got [${target.shape.join(', ')}].`);
    const values = torch.scope(() => torch.noGrad(() => output.detach().cpu().double().toTypedArray() as Float64Array));
    const labels = torch.scope(() => torch.noGrad(() => target.detach().cpu().double().toTypedArray() as Float64Array));
    for (const label of labels)
      if (!(label >= 0 && label < this.classes && Number.isInteger(label)))
        throw new ArgumentError(`ClassificationMetrics: a target is ${label}; classes are 0 to ${this.classes - 1}.`);
    for (let i = 0; i < labels.length; i++)
      this.#take(values.subarray(i * this.classes, (i + 1) * this.classes), labels[i] as number);
  }

  /**
   * Takes one sample without a tensor.
   * @param row logits or probabilities of all classes
   * @param label from 0
   */
  add(row: Float64Array, label: number): void {
    if (row.length !== this.classes || !(label >= 0 && label < this.classes && Number.isInteger(label)))
      throw new ArgumentError(
        `ClassificationMetrics: a sample has ${row.length} outputs and the target ${label}; there are ${this.classes} classes, from 0.`,
      );
    this.#take(row, label);
  }

  /** One sample. A loop of plain numbers is faster here than a dozen operators on small matrices. */
  #take(row: Float64Array, label: number): void {
    let best = 0;
    let ahead = 0;
    let finite = true;
    const own = row[label] as number;
    for (let j = 0; j < row.length; j++) {
      const value = row[j] as number;
      if (Number.isNaN(value)) finite = false;
      if (value > (row[best] as number)) best = j;
      // Of equals the lower index is ahead, as in a stable sort.
      if (value > own || (value === own && j < label)) ahead++;
    }
    const top = row[best] as number;
    let confidence: number;
    let loss: number;
    if (this.#input === 'logits') {
      let sum = 0;
      for (const value of row) sum += Math.exp(value - top);
      confidence = 1 / sum;
      loss = top + Math.log(sum) - own;
    } else {
      let sum = 0;
      for (const value of row) sum += value;
      confidence = top / sum;
      // scikit-learn cuts probabilities to what float64 can tell from 0.
      loss = -Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, own / sum)));
    }
    if (!finite || Number.isNaN(loss)) this.#notFinite++;
    this.#count++;
    this.#loss += loss;
    if (ahead < 5) this.#top5++;
    const cell = label * this.classes + best;
    this.#counts[cell] = (this.#counts[cell] as number) + 1;
    const bins = this.#binCount.length;
    // Bins are open below and closed above: (0, 1/15], (1/15, 2/15], …
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    if (!Number.isNaN(confidence)) {
      this.#binCount[bin] = (this.#binCount[bin] as number) + 1;
      this.#binConfidence[bin] = (this.#binConfidence[bin] as number) + confidence;
      this.#binRight[bin] = (this.#binRight[bin] as number) + (best === label ? 1 : 0);
    }
    this.#kept.target.push(label);
    this.#kept.predicted.push(best);
    this.#kept.loss.push(loss);
  }

  /** The figures so far. @throws ArgumentError when there are no samples */
  report(): ClassificationReport {
    if (this.#count === 0) throw new ArgumentError('ClassificationMetrics: there are no samples to report on.');
    const { classes } = this;
    const bins = this.#binCount.length;
    const reliability = Array.from(this.#binCount, (count, i) => ({
      low: i / bins,
      high: (i + 1) / bins,
      count,
      confidence: (this.#binConfidence[i] as number) / count,
      accuracy: (this.#binRight[i] as number) / count,
    }));
    return {
      count: this.#count,
      ...confusionReport(this.#counts, classes),
      ...(classes > 5 ? { top5: this.#top5 / this.#count } : {}),
      logLoss: this.#loss / this.#count,
      calibrationError: reliability.reduce(
        (sum, { count, confidence, accuracy }) =>
          count === 0 ? sum : sum + (count / this.#count) * Math.abs(confidence - accuracy),
        0,
      ),
      reliability,
      confusion: Array.from({ length: classes }, (_, i) => [...this.#counts.subarray(i * classes, (i + 1) * classes)]),
      notFinite: this.#notFinite,
    };
  }

  /** Confidence intervals: Wilson's for accuracy and top-5, percentile bootstrap for the rest. */
  intervals(options: IntervalOptions = {}): Record<
    'accuracy' | 'balancedAccuracy' | 'macroF1' | 'logLoss',
    Interval
  > & {
    readonly top5?: Interval;
  } {
    if (this.#count === 0) throw new ArgumentError('ClassificationMetrics: there are no samples to report on.');
    const { target, predicted, loss } = this.#kept;
    const { classes } = this;
    const right = target.reduce((sum, label, i) => sum + (label === predicted[i] ? 1 : 0), 0);
    const counts = new Float64Array(classes * classes);
    const drawn = bootstrapIntervals(
      this.#count,
      (positions) => {
        counts.fill(0);
        let sum = 0;
        for (const i of positions) {
          const cell = (target[i] as number) * classes + (predicted[i] as number);
          counts[cell] = (counts[cell] as number) + 1;
          sum += loss[i] as number;
        }
        const { balancedAccuracy, macroF1 } = confusionReport(counts, classes);
        return { balancedAccuracy, macroF1, logLoss: sum / positions.length };
      },
      options,
    );
    return {
      accuracy: wilson(right, this.#count, options.confidence),
      ...(classes > 5 ? { top5: wilson(this.#top5, this.#count, options.confidence) } : {}),
      ...drawn,
    };
  }
}
