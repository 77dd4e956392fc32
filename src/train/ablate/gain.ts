/** What a change gains, from trainings paired by their seed, and how far chance may be behind it. */
import type { Interval } from '../metrics.js';

/** Scores of one training, and which validation samples it got right. */
export interface Outcome {
  readonly score: number;
  /** By sample, in one order for all; empty for multi-label data. */
  readonly right: ArrayLike<number>;
}

/** A change and the baseline, trained from the same seed. */
export interface Pair {
  readonly seed: number;
  readonly base: Outcome;
  readonly changed: Outcome;
}

export interface ChangeGain {
  /** Mean difference of the scores: 0.01 is one point. */
  readonly value: number;
  /** 95 %; NaN where there are no two seeds anywhere to tell noise by. */
  readonly interval: Interval;
  readonly seeds: number;
  readonly verdict: 'helps' | 'hurts' | 'within noise';
}

/** Two-sided 95 % point of Student's distribution. Source: Hill, "Algorithm 396" (1970), in its expansion about the normal's */
export function studentPoint(freedom: number): number {
  if (freedom < 1) return Number.POSITIVE_INFINITY;
  const exact = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
  if (freedom <= exact.length) return exact[Math.round(freedom) - 1] as number;
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Gains of several changes. Two or three seeds say little of how much seeds matter, so that is told from all changes together: the variance
 * of the differences around each change's own mean, pooled. To it comes what other validation samples of the same number would do.
 */
export function gainsOf(changes: readonly (readonly Pair[])[]): ChangeGain[] {
  const differences = changes.map((pairs) => pairs.map(({ base, changed }) => changed.score - base.score));
  let [squares, freedom] = [0, 0];
  for (const values of differences) {
    if (values.length < 2) continue;
    const middle = mean(values);
    squares += values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    freedom += values.length - 1;
  }
  const seedVariance = freedom === 0 ? Number.NaN : squares / freedom;
  return changes.map((pairs, i) => {
    const values = differences[i] as number[];
    if (values.length === 0)
      return { value: Number.NaN, interval: { low: Number.NaN, high: Number.NaN }, seeds: 0, verdict: 'within noise' };
    const value = mean(values);
    const error = Math.sqrt(seedVariance / pairs.length + sampleVariance(pairs));
    const within = studentPoint(freedom) * error;
    const interval = { low: value - within, high: value + within };
    const verdict = interval.low > 0 ? 'helps' : interval.high < 0 ? 'hurts' : 'within noise';
    return { value, interval, seeds: pairs.length, verdict };
  });
}

/** Variance of the mean difference over draws of the validation samples; the trainings as they are. */
function sampleVariance(pairs: readonly Pair[]): number {
  const [first] = pairs;
  const count = first?.base.right.length ?? 0;
  if (count < 2) return 0;
  const each = Array.from({ length: count }, (_, row) =>
    mean(pairs.map(({ base, changed }) => (changed.right[row] as number) - (base.right[row] as number))),
  );
  const middle = mean(each);
  return each.reduce((sum, value) => sum + (value - middle) ** 2, 0) / count / count;
}
