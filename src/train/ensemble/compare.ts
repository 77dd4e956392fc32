/** What averaging gains: members and their mean on the same validation pictures, with intervals that honour the pairing. */
import { ArgumentError, torch } from '../../torch/index.js';
import {
  averagePrecision,
  bootstrapIntervals,
  ClassificationMetrics,
  type ClassificationReport,
  type Interval,
  MultiLabelMetrics,
  type MultiLabelReport,
} from '../metrics.js';
import { chanceCalibrationError, crossFitTemperature } from './temperature.js';

/** What one model said of each picture. */
export interface Opinion {
  readonly name: string;
  /** [N, classes], row by row. */
  readonly probabilities: ArrayLike<number>;
}

/** The pictures that all members were asked about. */
export interface Question {
  readonly classes: number;
  /** Class numbers; for multi-label data rows of zeros and ones. */
  readonly target: readonly (number | readonly number[])[];
  readonly multiLabel?: boolean;
}

export interface Scored {
  readonly name: string;
  /** Accuracy, or for multi-label data the mean average precision. */
  readonly score: number;
  /** Mean negative logarithm of the probability of the right class; NaN for multi-label data. */
  readonly logLoss: number;
  /** Expected calibration error; NaN for multi-label data. */
  readonly calibrationError: number;
}

export interface Gain {
  /** Difference of scores: 0.015 are 1.5 points. */
  readonly value: number;
  /** 95 %, by a paired bootstrap over the pictures. */
  readonly interval: Interval;
}

export interface Disagreement {
  /** Share of pictures on which two members name different classes, mean over all pairs. */
  readonly pairs: number;
  /** Share of pictures on which all members name the same class. */
  readonly unanimous: number;
  /** Of those, the share that is right; NaN where there are none. */
  readonly rightWhereUnanimous: number;
  /** Share of pictures that every member gets wrong: no average can mend these. */
  readonly allWrong: number;
  /** Share of pictures that at least one member gets right. */
  readonly anyRight: number;
}

export interface EnsembleComparison {
  readonly scoreName: 'accuracy' | 'mean average precision';
  readonly samples: number;
  readonly members: readonly Scored[];
  /** Mean of the members' scores. */
  readonly meanScore: number;
  /** Place of the best member. */
  readonly best: number;
  readonly ensemble: Scored;
  readonly overMean: Gain;
  /** The best is chosen on these very pictures and so looks better than it is: the true gain is rather larger. */
  readonly overBest: Gain;
  /** None for multi-label data. */
  readonly disagreement?: Disagreement;
  readonly calibration: {
    /** Fitted to all samples; 1 for multi-label data and where there are too few samples. */
    readonly temperature: number;
    readonly before: number;
    /** Measured on samples that the temperature was not fitted to (cross-fitting). */
    readonly after: number;
    /** What a perfectly calibrated model would show on so many samples, by chance: an error near it is none. */
    readonly chance: number;
    readonly logLossBefore: number;
    readonly logLossAfter: number;
    /** Parts of the cross-fitting; 0 where no temperature was fitted. */
    readonly folds: number;
  };
}

/** The mean of several sets of probabilities. @param weights one each, summing to 1; equal by default */
export function averageProbabilities(
  opinions: readonly Pick<Opinion, 'probabilities'>[],
  weights: readonly number[] = opinions.map(() => 1 / opinions.length),
): Float64Array {
  const [first] = opinions;
  if (first === undefined) throw new ArgumentError('averageProbabilities: there is nothing to average.');
  const mean = new Float64Array(first.probabilities.length);
  for (const [k, { probabilities }] of opinions.entries()) {
    if (probabilities.length !== mean.length)
      throw new ArgumentError('averageProbabilities: the members speak of different numbers of samples or classes.');
    const weight = weights[k] as number;
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + weight * (probabilities[i] as number);
  }
  return mean;
}

/** The most probable class of each row; of equals the first. */
export function mostProbable(probabilities: ArrayLike<number>, classes: number): Uint32Array {
  const best = new Uint32Array(probabilities.length / classes);
  for (let row = 0; row < best.length; row++) {
    let place = 0;
    for (let j = 1; j < classes; j++)
      if ((probabilities[row * classes + j] as number) > (probabilities[row * classes + place] as number)) place = j;
    best[row] = place;
  }
  return best;
}

/** All figures of probabilities against targets. */
export function reportOf(
  probabilities: ArrayLike<number>,
  question: Question,
): ClassificationReport | MultiLabelReport {
  const { classes, target, multiLabel = false } = question;
  const shape = [target.length, classes];
  return torch.scope(() => {
    const output = torch.tensor(Float64Array.from(probabilities)).view(shape);
    if (multiLabel) {
      const metrics = new MultiLabelMetrics({ classes, input: 'probabilities' });
      metrics.update(output, torch.tensor(Float64Array.from(target.flat())).view(shape));
      return metrics.report();
    }
    const metrics = new ClassificationMetrics({ classes: Math.max(2, classes), input: 'probabilities' });
    metrics.update(output, torch.tensor(BigInt64Array.from(target as number[], BigInt)));
    return metrics.report();
  });
}

/** What probabilities [N, classes], row by row, are worth. @internal */
export function scored(name: string, probabilities: ArrayLike<number>, question: Question): Scored {
  const report = reportOf(probabilities, question);
  if ('accuracy' in report)
    return { name, score: report.accuracy, logLoss: report.logLoss, calibrationError: report.calibrationError };
  return { name, score: report.meanAveragePrecision, logLoss: Number.NaN, calibrationError: Number.NaN };
}

/** Mean average precision over the samples at some positions. */
function precisionAt(probabilities: ArrayLike<number>, question: Question, positions: Uint32Array): number {
  const { classes, target } = question;
  let [sum, count] = [0, 0];
  for (let j = 0; j < classes; j++) {
    const scores = Float64Array.from(positions, (row) => probabilities[row * classes + j] as number);
    const labels = Uint8Array.from(positions, (row) => (target[row] as readonly number[])[j] as number);
    const precision = averagePrecision(scores, labels);
    if (Number.isNaN(precision)) continue;
    sum += precision;
    count += 1;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** A function of drawn positions that gives a model's score on them. */
function scorer(probabilities: ArrayLike<number>, question: Question): (positions: Uint32Array) => number {
  if (question.multiLabel === true) return (positions) => precisionAt(probabilities, question, positions);
  const right = rightOf(probabilities, question);
  return (positions) => {
    let sum = 0;
    for (const row of positions) sum += right[row] as number;
    return sum / positions.length;
  };
}

const rightOf = (probabilities: ArrayLike<number>, { classes, target }: Question): Uint8Array =>
  Uint8Array.from(mostProbable(probabilities, classes), (name, row) => (name === target[row] ? 1 : 0));

/** How members differ. */
export function disagreementOf(opinions: readonly Opinion[], question: Question): Disagreement {
  const named = opinions.map(({ probabilities }) => mostProbable(probabilities, question.classes));
  const count = question.target.length;
  let [differ, pairs, unanimous, right, allWrong] = [0, 0, 0, 0, 0];
  for (const [a, first] of named.entries())
    for (const second of named.slice(a + 1)) {
      pairs += 1;
      differ += first.reduce((sum, name, row) => sum + (name === second[row] ? 0 : 1), 0) / count;
    }
  for (let row = 0; row < count; row++) {
    const [first, ...others] = named.map((names) => names[row]);
    if (others.every((name) => name === first)) {
      unanimous += 1;
      if (first === question.target[row]) right += 1;
    }
    if (named.every((names) => names[row] !== question.target[row])) allWrong += 1;
  }
  return {
    pairs: pairs === 0 ? 0 : differ / pairs,
    unanimous: unanimous / count,
    rightWhereUnanimous: right / unanimous,
    allWrong: allWrong / count,
    anyRight: 1 - allWrong / count,
  };
}

/** What one model gains over another on the same samples, by a paired bootstrap over them. */
export function gainOver(better: Opinion, other: Opinion, question: Question): Gain {
  const [own, against] = [better, other].map(({ probabilities }) => scorer(probabilities, question)) as [
    (positions: Uint32Array) => number,
    (positions: Uint32Array) => number,
  ];
  const { gain } = bootstrapIntervals(
    question.target.length,
    (positions) => ({ gain: own(positions) - against(positions) }),
    { resamples: question.multiLabel === true ? 200 : 2000 },
  );
  const all = Uint32Array.from(question.target, (_, row) => row);
  return { value: own(all) - against(all), interval: gain };
}

export interface CompareOptions {
  /** Fit a temperature. Default true. */
  readonly temperature?: boolean;
  /** Of each member in the mean; equal by default. */
  readonly weights?: readonly number[];
}

/** Compares the mean of several models with each of them. @throws ArgumentError when they speak of different samples */
export function compareEnsemble(
  opinions: readonly Opinion[],
  question: Question,
  options: CompareOptions = {},
): EnsembleComparison & { readonly probabilities: Float64Array } {
  const { classes, target, multiLabel = false } = question;
  if (target.length === 0) throw new ArgumentError('compareEnsemble: there are no samples to compare on.');
  const mean = averageProbabilities(opinions, options.weights);
  const members = opinions.map(({ name, probabilities }) => scored(name, probabilities, question));
  const ensemble = scored('ensemble', mean, question);
  const best = members.reduce((place, one, i) => (one.score > (members[place] as Scored).score ? i : place), 0);
  const meanScore = members.reduce((sum, { score }) => sum + score, 0) / members.length;
  const scoreOf = { ensemble: scorer(mean, question), members: opinions.map((o) => scorer(o.probabilities, question)) };
  const intervals = bootstrapIntervals(
    target.length,
    (positions) => {
      const each = scoreOf.members.map((score) => score(positions));
      const all = scoreOf.ensemble(positions);
      return { overMean: all - each.reduce((a, b) => a + b, 0) / each.length, overBest: all - (each[best] as number) };
    },
    { resamples: multiLabel ? 200 : 2000 },
  );
  const fitted =
    multiLabel || options.temperature === false
      ? { temperature: 1, probabilities: mean, folds: 0 }
      : crossFitTemperature(mean, target as number[], classes);
  const after = scored('ensemble', fitted.probabilities, question);
  return {
    scoreName: multiLabel ? 'mean average precision' : 'accuracy',
    samples: target.length,
    members,
    meanScore,
    best,
    ensemble,
    overMean: { value: ensemble.score - meanScore, interval: intervals.overMean },
    overBest: { value: ensemble.score - (members[best] as Scored).score, interval: intervals.overBest },
    ...(multiLabel ? {} : { disagreement: disagreementOf(opinions, question) }),
    calibration: {
      temperature: fitted.temperature,
      before: ensemble.calibrationError,
      after: after.calibrationError,
      chance: multiLabel ? Number.NaN : chanceCalibrationError(fitted.probabilities, classes),
      logLossBefore: ensemble.logLoss,
      logLossAfter: after.logLoss,
      folds: fitted.folds,
    },
    probabilities: fitted.probabilities,
  };
}
