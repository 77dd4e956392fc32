/** Ranks in place of values, for columns so skewed that no logarithm helps: quantiles of the training part, then the normal distribution's. */

/** Closer to the ends than this is the end (scikit-learn's `BOUNDS_THRESHOLD`). */
const threshold = 1e-7;

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

/**
 * Quantile of the standard normal distribution, to about 1e-16.
 * Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (Applied Statistics 37, 1988), PPND16.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(middle.above, r)) / polynomial(middle.below, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  if (r === Number.POSITIVE_INFINITY) return q < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const { above, below, from } = r <= 5 ? near : far;
  const size = polynomial(above, r - from) / polynomial(below, r - from);
  return q < 0 ? -size : size;
}

const middle = {
  above: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  below: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
};
const near = {
  from: 1.6,
  above: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  below: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const far = {
  from: 5,
  above: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  below: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

/** `numpy.quantile` of ascending values, with straight lines between them. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  const share = place - below;
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}

/** As many quantiles of ascending values as they allow, at most `count`, evenly spaced from 0 to 1. */
export function quantilesOf(sorted: ArrayLike<number>, count = 1000): number[] {
  const number = Math.min(count, sorted.length);
  return Array.from({ length: number }, (_, i) => quantileOf(sorted, number === 1 ? 0 : i / (number - 1)));
}

/** How many of the ascending `values` are below `x` (or, `orEqual`, not above it). */
function rank(values: readonly number[], x: number, orEqual: boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const half = (low + high) >> 1;
    const value = values[half] as number;
    if (value < x || (orEqual && value === x)) low = half + 1;
    else high = half;
  }
  return low;
}

/** Straight lines through (quantiles[i], i / (n − 1)); among equal quantiles the last counts, or the first. */
function share(quantiles: readonly number[], x: number, last: boolean): number {
  const n = quantiles.length - 1;
  const above = rank(quantiles, x, last);
  if (above === 0) return 0;
  if (above > n) return 1;
  const [low, high] = [quantiles[above - 1] as number, quantiles[above] as number];
  return (above - 1 + (x - low) / (high - low)) / n;
}

/** What lies at the very ends: about ±5.2. */
const end = -normalQuantile(threshold - Number.EPSILON);

/**
 * A value as the normal distribution's quantile of its rank among `quantiles` (ascending).
 * Source: scikit-learn's `QuantileTransformer(output_distribution='normal')`, with which it agrees up to 1e-7 of a column's range at its ends.
 */
export function rankToNormal(quantiles: readonly number[], x: number): number {
  const [lowest, highest] = [quantiles[0] as number, quantiles[quantiles.length - 1] as number];
  // Relative to the range where that is small: scikit-learn sends all of a column of tiny numbers to the ends.
  const margin = threshold * Math.min(1, highest - lowest);
  if (x - margin < lowest) return -end;
  if (x + margin > highest) return end;
  // Equal values lie in the middle of the ranks they share.
  const place = 0.5 * (share(quantiles, x, true) + share(quantiles, x, false));
  return Math.min(end, Math.max(-end, normalQuantile(place)));
}
