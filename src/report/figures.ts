/** Every figure of the validation, computed from what the run folder says of each sample. */
import type { Interval } from '../data/intervals.js';
import { torch } from '../torch/index.js';
import {
  ClassificationMetrics,
  type ClassReport,
  MultiLabelMetrics,
  type ReliabilityBin,
  wilson,
} from '../train/metrics.js';
import { argmax } from './numbers.js';
import { orderBySimilarity } from './order.js';
import type { Predicted } from './run-files.js';

/** A sample and what was said of it. */
export interface Said {
  readonly name: string;
  readonly target: number;
  readonly predicted: number;
  /** Probability of the class predicted. */
  readonly confidence: number;
  /** Probability of the class it has. */
  readonly ofTarget: number;
  /** The second most probable class, with its probability. */
  readonly second: number;
  readonly ofSecond: number;
}

/** Samples of one class that are taken for another. */
export interface Confusion {
  readonly target: number;
  readonly predicted: number;
  readonly count: number;
}

export interface Figures {
  readonly kind: 'one label';
  readonly count: number;
  readonly right: number;
  readonly accuracy: number;
  readonly top5?: number;
  readonly balancedAccuracy: number;
  readonly macroF1: number;
  readonly macroPrecision: number;
  readonly macroRecall: number;
  readonly logLoss: number;
  readonly calibrationError: number;
  readonly meanConfidence: number;
  /** Share of the most common class: what always naming it would give. */
  readonly mostCommon: number;
  readonly mostCommonClass: number;
  /** 95 %: Wilson's for accuracy and top-5, bootstrap for the rest. */
  readonly intervals: Readonly<Record<string, Interval>>;
  readonly reliability: readonly ReliabilityBin[];
  readonly perClass: readonly (ClassReport & { readonly recallInterval: Interval })[];
  /** Cells of the confusion matrix that are not 0: true class, predicted class, samples. */
  readonly cells: readonly (readonly [number, number, number])[];
  /** Class numbers so that those taken for each other stand side by side. */
  readonly order: readonly number[];
  /** Of the samples it is surest of, how many are right: shares answered, up to all. */
  readonly coverage: readonly { readonly threshold: number; readonly answered: number; readonly accuracy: number }[];
  /** The most frequent first. */
  readonly confusions: readonly Confusion[];
  /** Every mistake, the most confident first. */
  readonly mistakes: readonly Said[];
  /** Those whose two most probable classes are the closest, the closest first; right ones, too. */
  readonly unsure: readonly Said[];
}

export interface MultiLabelFigures {
  readonly kind: 'many labels';
  readonly count: number;
  readonly meanAveragePrecision: number;
  readonly microF1: number;
  readonly macroF1: number;
  readonly exactMatch: number;
  readonly perClass: readonly {
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
    readonly support: number;
    readonly averagePrecision: number;
  }[];
}

const unsureShown = 24;

/** What was said of a sample with one label. */
export function saidOf({ name, target, probabilities }: Predicted): Said {
  const predicted = argmax(probabilities);
  let second = predicted === 0 ? 1 : 0;
  for (let i = 0; i < probabilities.length; i++)
    if (i !== predicted && (probabilities[i] as number) > (probabilities[second] as number)) second = i;
  return {
    name,
    target: target as number,
    predicted,
    confidence: probabilities[predicted] as number,
    ofTarget: probabilities[target as number] as number,
    second,
    ofSecond: probabilities[second] as number,
  };
}

/** Mean probability that samples of one class get for another, both ways together: finer than counts where mistakes are few. */
function similarityOf(predicted: readonly Predicted[], classes: number): Float64Array {
  const sums = new Float64Array(classes * classes);
  const support = new Float64Array(classes);
  for (const { target, probabilities } of predicted) {
    const own = target as number;
    support[own] = (support[own] as number) + 1;
    for (let j = 0; j < classes; j++)
      sums[own * classes + j] = (sums[own * classes + j] as number) + (probabilities[j] as number);
  }
  const both = new Float64Array(classes * classes);
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < classes; j++)
      both[i * classes + j] =
        (sums[i * classes + j] as number) / Math.max(1, support[i] as number) +
        (sums[j * classes + i] as number) / Math.max(1, support[j] as number);
  return both;
}

/** Steps of the curve of coverage. */
const coverageSteps = 50;

/** Accuracy among the surest samples, for shares of them up to all. */
function coverageOf(all: readonly Said[]): Figures['coverage'] {
  const sorted = all.toSorted((a, b) => b.confidence - a.confidence || (a.name < b.name ? -1 : 1));
  const ends = new Set(
    Array.from({ length: coverageSteps }, (_, i) => Math.ceil(((i + 1) * all.length) / coverageSteps)),
  );
  let right = 0;
  return sorted.flatMap((one, i) => {
    if (one.predicted === one.target) right++;
    if (!ends.has(i + 1)) return [];
    return [{ threshold: one.confidence, answered: (i + 1) / all.length, accuracy: right / (i + 1) }];
  });
}

/** Figures of data with one label per sample. @param predicted at least one */
export function figuresOf(predicted: readonly Predicted[], classes: number): Figures {
  const metrics = new ClassificationMetrics({ classes, input: 'probabilities' });
  for (const { target, probabilities } of predicted) metrics.add(probabilities, target as number);
  const { confusion, perClass, reliability, notFinite: _, ...plain } = metrics.report();
  const all = predicted.map(saidOf);
  const right = all.filter((one) => one.predicted === one.target).length;
  const cells = confusion.flatMap((row, i) => row.flatMap((count, j) => (count === 0 ? [] : [[i, j, count] as const])));
  const mostCommonClass = argmax(perClass.map(({ support }) => support));
  return {
    kind: 'one label',
    ...plain,
    right,
    meanConfidence: all.reduce((sum, { confidence }) => sum + confidence, 0) / all.length,
    mostCommon: (perClass[mostCommonClass]?.support ?? 0) / all.length,
    mostCommonClass,
    // A thousand classes times a thousand draws would take minutes.
    intervals: metrics.intervals({ resamples: classes > 300 ? 100 : 1000 }) as Readonly<Record<string, Interval>>,
    reliability,
    perClass: perClass.map((one, i) => ({
      ...one,
      recallInterval: wilson((confusion[i] as number[])[i] as number, one.support),
    })),
    cells,
    order: orderBySimilarity(similarityOf(predicted, classes), classes),
    coverage: coverageOf(all),
    confusions: cells
      .filter(([target, guess]) => target !== guess)
      .map(([target, guess, count]) => ({ target, predicted: guess, count }))
      .sort((a, b) => b.count - a.count || a.target - b.target || a.predicted - b.predicted),
    mistakes: all
      .filter((one) => one.predicted !== one.target)
      .sort((a, b) => b.confidence - a.confidence || (a.name < b.name ? -1 : 1)),
    unsure: all
      .toSorted((a, b) => a.confidence - a.ofSecond - (b.confidence - b.ofSecond) || (a.name < b.name ? -1 : 1))
      .slice(0, unsureShown),
  };
}

/** Figures of data with any number of labels per sample. @param predicted at least one */
export function multiLabelFiguresOf(predicted: readonly Predicted[], classes: number): MultiLabelFigures {
  const metrics = new MultiLabelMetrics({ classes, input: 'probabilities' });
  torch.scope(() =>
    metrics.update(
      torch.tensor(
        predicted.map(({ probabilities }) => [...probabilities]),
        { dtype: 'float64' },
      ),
      torch.tensor(
        predicted.map(({ target }) => [...(target as readonly number[])]),
        { dtype: 'float64' },
      ),
    ),
  );
  const { averagePrecision, perClass, ...plain } = metrics.report();
  return {
    kind: 'many labels',
    ...plain,
    perClass: perClass.map((one, i) => ({ ...one, averagePrecision: averagePrecision[i] as number })),
  };
}
