/** How far a figure from a limited number of samples may lie from the truth. */
import { type Interval, wilson } from '../../data/intervals.js';
import { sampleRandom } from '../../data/random.js';

export { type Interval, wilson };

export interface IntervalOptions {
  /** Default 0.95. */
  readonly confidence?: number;
  /** Default 1000. */
  readonly resamples?: number;
  /** Default 0; same seed, same interval. */
  readonly seed?: number;
}

/** Draws of resampling come from a stream of their own. */
const bootstrapStream = 5;

/**
 * Percentile bootstrap: what figures come out when the samples are drawn again, with replacement, from those there are.
 * Source: Efron, "Bootstrap methods: another look at the jackknife" (1979)
 * @param count number of samples
 * @param figures computes all figures from a list of positions of samples; NaN where a figure has no value in that draw
 */
export function bootstrapIntervals<Name extends string>(
  count: number,
  figures: (positions: Uint32Array) => Readonly<Record<Name, number>>,
  options: IntervalOptions = {},
): Record<Name, Interval> {
  const { confidence = 0.95, resamples = 1000, seed = 0 } = options;
  const drawn = new Map<Name, number[]>();
  const positions = new Uint32Array(count);
  for (let i = 0; i < resamples; i++) {
    const draws = sampleRandom(seed, 0, i, bootstrapStream);
    for (let j = 0; j < count; j++) positions[j] = draws.integer(count);
    for (const [name, value] of Object.entries(figures(positions)) as [Name, number][]) {
      const values = drawn.get(name);
      if (values === undefined) drawn.set(name, [value]);
      else values.push(value);
    }
  }
  const result = {} as Record<Name, Interval>;
  for (const [name, values] of drawn) {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    const tail = (1 - confidence) / 2;
    result[name] = { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
  }
  return result;
}

/** Linear between neighbours, as NumPy's. */
function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}
