/**
 * Temperature scaling: probabilities p become p^(1/T), made to sum to 1 again. Which class is most probable stays; how sure the model says
 * it is becomes what it should be. Source: Guo et al., "On calibration of modern neural networks" (2017); that an average is calibrated
 * after averaging: Rahaman & Thiery, "Uncertainty quantification and deep ensembles" (2021)
 */
import { permutation, sampleRandom } from '../../data/random.js';
import { ArgumentError } from '../../torch/index.js';

/** Smallest and largest temperature: where the likelihood would go on for ever, as where everything is right, it ends. */
export const temperatureLimits = { low: 0.05, high: 20 } as const;

/** Below this many samples a temperature is guesswork. */
export const leastSamples = 20;

/** The order in which samples are dealt into the parts of cross-fitting; a stream of its own. */
const foldStream = 7;

/** Logarithms of probabilities, row by row; what is 0 counts as the smallest number that float32 tells from 0. */
const logarithms = (probabilities: ArrayLike<number>): Float64Array =>
  Float64Array.from(probabilities, (p) => Math.log(Math.max(p, 1e-37)));

/** Slope and curvature of the mean negative log-likelihood in 1/T, over some rows. */
function slopeAt(
  logs: Float64Array,
  target: ArrayLike<number>,
  classes: number,
  rows: ArrayLike<number>,
  inverse: number,
) {
  let [slope, curvature] = [0, 0];
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k] as number;
    const start = row * classes;
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < classes; j++) top = Math.max(top, logs[start + j] as number);
    let [sum, first, second] = [0, 0, 0];
    for (let j = 0; j < classes; j++) {
      const log = logs[start + j] as number;
      const weight = Math.exp(inverse * (log - top));
      sum += weight;
      first += weight * log;
      second += weight * log * log;
    }
    const mean = first / sum;
    slope += mean - (logs[start + (target[row] as number)] as number);
    curvature += second / sum - mean * mean;
  }
  return { slope: slope / rows.length, curvature: curvature / rows.length };
}

/** The most likely temperature for some rows: the likelihood has one top in 1/T, found by Newton's steps within brackets. */
function fit(logs: Float64Array, target: ArrayLike<number>, classes: number, rows: ArrayLike<number>): number {
  let low = 1 / temperatureLimits.high;
  let high = 1 / temperatureLimits.low;
  let inverse = 1;
  for (let i = 0; i < 60 && high - low > 1e-9; i++) {
    const { slope, curvature } = slopeAt(logs, target, classes, rows, inverse);
    if (Math.abs(slope) < 1e-10) break;
    if (slope > 0) high = inverse;
    else low = inverse;
    const step = inverse - slope / curvature;
    inverse = step > low && step < high ? step : Math.sqrt(low * high);
  }
  return 1 / inverse;
}

/**
 * The temperature under which the targets are most likely.
 * @param probabilities [N, classes], row by row
 * @param target class numbers [N]
 */
export function fitTemperature(
  probabilities: ArrayLike<number>,
  target: ArrayLike<number>,
  classes: number,
  rows: ArrayLike<number> = Uint32Array.from({ length: target.length }, (_, i) => i),
): number {
  if (probabilities.length !== target.length * classes)
    throw new ArgumentError(
      `fitTemperature: ${target.length} targets of ${classes} classes need ${target.length * classes} probabilities, got ${probabilities.length}.`,
    );
  return rows.length === 0 ? 1 : fit(logarithms(probabilities), target, classes, rows);
}

/** Probabilities at a temperature, row by row. */
export function atTemperature(
  probabilities: ArrayLike<number>,
  classes: number,
  temperature: number | ((row: number) => number),
): Float64Array {
  const logs = logarithms(probabilities);
  const result = new Float64Array(logs.length);
  for (let row = 0; row * classes < logs.length; row++) {
    const t = typeof temperature === 'number' ? temperature : temperature(row);
    const own = logs.subarray(row * classes, (row + 1) * classes);
    const top = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let j = 0; j < classes; j++) {
      const value = Math.exp(((own[j] as number) - top) / t);
      result[row * classes + j] = value;
      sum += value;
    }
    for (let j = 0; j < classes; j++) result[row * classes + j] = (result[row * classes + j] as number) / sum;
  }
  return result;
}

export interface CrossFitted {
  /** Fitted to all samples: what the model is given. */
  readonly temperature: number;
  /** Each row at the temperature that the samples of the *other* parts gave, so that figures of these say what will hold for new pictures. */
  readonly probabilities: Float64Array;
  /** Into how many parts the samples were dealt. */
  readonly folds: number;
}

/**
 * A temperature, and honest probabilities to measure it by: fitted and measured on the same samples any calibration looks better than it is.
 * With fewer than 20 samples there is none: T is 1.
 */
export function crossFitTemperature(
  probabilities: ArrayLike<number>,
  target: ArrayLike<number>,
  classes: number,
  options: { readonly folds?: number; readonly seed?: number } = {},
): CrossFitted {
  const { folds = 5, seed = 0 } = options;
  const count = target.length;
  if (count < leastSamples) return { temperature: 1, probabilities: Float64Array.from(probabilities), folds: 0 };
  const temperature = fitTemperature(probabilities, target, classes);
  const logs = logarithms(probabilities);
  const order = permutation(count, seed, 0, foldStream);
  const foldOf = new Uint8Array(count);
  for (const [place, row] of order.entries()) foldOf[row] = place % folds;
  const temperatures = Array.from({ length: folds }, (_, fold) =>
    fit(
      logs,
      target,
      classes,
      [...order].filter((row) => foldOf[row] !== fold),
    ),
  );
  return {
    temperature,
    probabilities: atTemperature(probabilities, classes, (row) => temperatures[foldOf[row] as number] as number),
    folds,
  };
}

/** Draws of labels for what chance does to the calibration error; a stream of their own. */
const chanceStream = 10;

/**
 * The calibration error that a *perfectly* calibrated model with these probabilities would show on so many samples: its answers are right as
 * often as it says, but only so many are counted in each bin. An error near it is none. Mean of 200 draws.
 */
export function chanceCalibrationError(probabilities: ArrayLike<number>, classes: number, bins = 15): number {
  const count = probabilities.length / classes;
  const confidence = Float64Array.from({ length: count }, (_, row) => {
    let top = 0;
    for (let j = 0; j < classes; j++) top = Math.max(top, probabilities[row * classes + j] as number);
    return top;
  });
  // As in ClassificationMetrics: open below, closed above.
  const binOf = Uint16Array.from(confidence, (p) => Math.min(bins - 1, Math.max(0, Math.ceil(p * bins) - 1)));
  let total = 0;
  const draws = 200;
  for (let draw = 0; draw < draws; draw++) {
    const random = sampleRandom(0, 0, draw, chanceStream);
    const off = new Float64Array(bins);
    for (let row = 0; row < count; row++) {
      const p = confidence[row] as number;
      const bin = binOf[row] as number;
      off[bin] = (off[bin] as number) + p - (random.chance(p) ? 1 : 0);
    }
    total += off.reduce((sum, x) => sum + Math.abs(x), 0) / count;
  }
  return total / draws;
}
