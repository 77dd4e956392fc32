/**
 * A power law through a learning curve: error(n) = floor + factor · n^(−exponent).
 * Source: Hestness et al., "Deep learning scaling is predictable, empirically" (2017); Cortes et al., "Learning curves: asymptotic values and
 * rate of convergence" (1994)
 */
import { sampleRandom } from '../../data/random.js';
import type { Interval } from '../metrics.js';

export interface PowerLaw {
  /** Error that would stay with any number of samples. */
  readonly floor: number;
  readonly factor: number;
  /** How fast the error falls; above 0. */
  readonly exponent: number;
}

/** A training on `samples` samples, and its error. */
export interface CurvePoint {
  readonly samples: number;
  readonly error: number;
}

export const errorAt = ({ floor, factor, exponent }: PowerLaw, samples: number): number =>
  floor + factor * samples ** -exponent;

/** The best floor and factor for an exponent: least squares, neither below 0. */
function linear(points: readonly CurvePoint[], exponent: number): PowerLaw & { readonly loss: number } {
  const x = points.map(({ samples }) => samples ** -exponent);
  const count = points.length;
  const meanX = x.reduce((a, b) => a + b, 0) / count;
  const meanY = points.reduce((sum, { error }) => sum + error, 0) / count;
  let [covariance, variance] = [0, 0];
  for (const [i, { error }] of points.entries()) {
    covariance += ((x[i] as number) - meanX) * (error - meanY);
    variance += ((x[i] as number) - meanX) ** 2;
  }
  let factor = variance === 0 ? 0 : Math.max(0, covariance / variance);
  let floor = meanY - factor * meanX;
  if (floor < 0) {
    // Through the origin.
    factor =
      points.reduce((sum, { error }, i) => sum + error * (x[i] as number), 0) / x.reduce((sum, v) => sum + v * v, 0);
    floor = 0;
  }
  const loss = points.reduce((sum, { error }, i) => sum + (error - floor - factor * (x[i] as number)) ** 2, 0);
  return { floor, factor, exponent, loss };
}

/** The law with the least squares; exponents from 0.05 to 2 are tried, which covers what is met in practice. */
export function fitPowerLaw(points: readonly CurvePoint[]): PowerLaw {
  let best = linear(points, 0.05);
  for (let i = 1; i <= 195; i++) {
    const law = linear(points, 0.05 + i * 0.01);
    if (law.loss < best.loss - 1e-15) best = law;
  }
  const { floor, factor, exponent } = best;
  return { floor, factor, exponent };
}

const stream = 9;

/**
 * What the law says of a number of samples, and how sure that is: laws through points whose residuals are dealt out anew, each widened by
 * the points' own noise, which fitting three numbers to a few points hides in part.
 */
export function predictError(
  points: readonly CurvePoint[],
  samples: number,
  options: { readonly resamples?: number; readonly seed?: number } = {},
): { readonly law: PowerLaw; readonly error: number; readonly interval: Interval; readonly draws: readonly number[] } {
  const { resamples = 500, seed = 0 } = options;
  const law = fitPowerLaw(points);
  const sizes = new Set(points.map((point) => point.samples)).size;
  const scale = Math.sqrt(points.length / Math.max(1, points.length - Math.min(3, sizes)));
  const residuals = points.map((point) => (point.error - errorAt(law, point.samples)) * scale);
  const draws = Array.from({ length: resamples }, (_, i) => {
    const random = sampleRandom(seed, 0, i, stream);
    const shaken = points.map((point) => ({
      samples: point.samples,
      error: errorAt(law, point.samples) + (residuals[random.integer(residuals.length)] as number),
    }));
    return errorAt(fitPowerLaw(shaken), samples);
  }).sort((a, b) => a - b);
  const at = (share: number): number => draws[Math.min(draws.length - 1, Math.floor(share * draws.length))] as number;
  return { law, error: errorAt(law, samples), interval: { low: at(0.025), high: at(0.975) }, draws };
}
