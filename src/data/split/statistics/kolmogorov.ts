/**
 * The two-sample Kolmogorov–Smirnov test, with the p-values of `scipy.stats.ks_2samp`: exact up to 10,000 values in a sample, beyond that
 * from the distribution of the one-sample statistic.
 * Sources: Hodges, Arkiv för Matematik 3 (1958); Marsaglia, Tsang, Wang, J. Stat. Soft. 8 (2003); Pelz and Good, JRSS B 38 (1976);
 * choice between them: Simard and L'Ecuyer, J. Stat. Soft. 39 (2011).
 */
import { logGamma } from './gamma.js';

export interface KolmogorovTest {
  /** Largest distance between the two empirical distribution functions. */
  readonly statistic: number;
  readonly pValue: number;
}

const largestExact = 10000;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Do two samples come from one continuous distribution? */
export function kolmogorovTest(first: ArrayLike<number>, second: ArrayLike<number>): KolmogorovTest {
  const a = Float64Array.from(first).sort();
  const b = Float64Array.from(second).sort();
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) return { statistic: 0, pValue: 1 };
  let i = 0;
  let j = 0;
  let statistic = 0;
  while (i < n && j < m) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < n && (a[i] as number) <= value) i++;
    while (j < m && (b[j] as number) <= value) j++;
    statistic = Math.max(statistic, Math.abs(i / n - j / m));
  }
  if (Math.max(n, m) > largestExact)
    return { statistic, pValue: oneSampleSurvival(Math.round((n * m) / (n + m)), statistic) };
  const divisor = greatestCommonDivisor(n, m);
  const steps = Math.round(statistic * (n / divisor) * m);
  if (steps === 0) return { statistic, pValue: 1 };
  return { statistic, pValue: Math.min(1, Math.max(0, outsideProbability(n, m, divisor, steps))) };
}

/** Share of the lattice paths from (0, 0) to (n, m) that leave the band |mx − ny| / divisor < steps somewhere. */
function outsideProbability(first: number, second: number, divisor: number, steps: number): number {
  const n = Math.max(first, second);
  const m = Math.min(first, second);
  const across = n / divisor;
  const up = m / divisor;
  // share[j]: of the paths to (i, j), those that have been outside; points outside have 1.
  const share = new Float64Array(m + 1).fill(1);
  const inside = (i: number, j: number): boolean => Math.abs(up * i - across * j) < steps;
  for (let j = 0; j <= m && inside(0, j); j++) share[j] = 0;
  let low = 0;
  for (let i = 1; i <= n; i++) {
    while (low <= m && across * low <= up * i - steps) share[low++] = 1;
    const high = Math.min(m, Math.ceil((up * i + steps) / across) - 1);
    let left = low === 0 ? 0 : 1;
    for (let j = low; j <= high; j++) {
      left = ((share[j] as number) * i + left * j) / (i + j);
      share[j] = left;
    }
  }
  return share[m] as number;
}

/** Probability that the one-sample statistic of n values exceeds x. */
export function oneSampleSurvival(n: number, x: number): number {
  const t = n * x;
  if (x >= 1) return 0;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - Math.exp(logGamma(n + 1) - n * Math.log(n) + n * Math.log(2 * t - 1));
  if (t >= n - 1) return 2 * (1 - x) ** n;
  const scaled = t * x;
  if (scaled >= 370 && n > 140) return 0;
  if (x >= 0.5 || scaled > (n <= 140 ? 4 : 2.2)) return Math.min(1, 2 * oneSided(n, x));
  if (n <= 140 || (n <= 100000 && n * x ** 1.5 <= 1.4)) return clip(1 - durbin(n, x));
  return clip(1 - pelzGood(n, x));
}

const clip = (p: number): number => Math.min(1, Math.max(0, p));

/** Probability that the one-sided statistic exceeds x (Smirnov; Birnbaum and Tingey 1951). */
function oneSided(n: number, x: number): number {
  let sum = 0;
  for (let j = 0; j <= Math.floor(n * (1 - x)); j++) {
    const rest = 1 - x - j / n;
    if (rest <= 0) continue;
    const choose = logGamma(n + 1) - logGamma(j + 1) - logGamma(n - j + 1);
    sum += Math.exp(choose + (j - 1) * Math.log(x + j / n) + (n - j) * Math.log(rest));
  }
  return x * sum;
}

/** Distribution function by powers of Durbin's matrix. */
function durbin(n: number, x: number): number {
  const k = Math.ceil(n * x);
  const h = k - n * x;
  const m = 2 * k - 1;
  let matrix = new Float64Array(m * m);
  const factorials = Float64Array.from({ length: m + 2 });
  factorials[0] = 1;
  for (let i = 1; i <= m + 1; i++) factorials[i] = (factorials[i - 1] as number) / i;
  for (let r = 0; r < m; r++)
    for (let c = 0; c < m; c++) if (r - c + 1 >= 0) matrix[r * m + c] = factorials[r - c + 1] as number;
  for (let i = 0; i < m; i++) {
    const cut = h ** (i + 1) * (factorials[i + 1] as number);
    matrix[i * m] = (matrix[i * m] as number) - cut;
    matrix[(m - 1) * m + (m - 1 - i)] = (matrix[(m - 1) * m + (m - 1 - i)] as number) - cut;
  }
  if (2 * h - 1 > 0)
    matrix[(m - 1) * m] = (matrix[(m - 1) * m] as number) + (2 * h - 1) ** m * (factorials[m] as number);
  const product = (a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> => {
    const result = new Float64Array(m * m);
    for (let r = 0; r < m; r++)
      for (let l = 0; l < m; l++) {
        const value = a[r * m + l] as number;
        if (value === 0) continue;
        for (let c = 0; c < m; c++)
          result[r * m + c] = (result[r * m + c] as number) + value * (b[l * m + c] as number);
      }
    return result;
  };
  const middle = (k - 1) * m + k - 1;
  let power = new Float64Array(m * m);
  for (let i = 0; i < m; i++) power[i * m + i] = 1;
  let exponent = 0;
  let matrixExponent = 0;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = product(power, matrix);
      exponent += matrixExponent;
    }
    matrix = product(matrix, matrix);
    matrixExponent *= 2;
    if ((matrix[middle] as number) > 1e40) {
      matrix = matrix.map((value) => value * 1e-40);
      matrixExponent += 40;
    }
  }
  let p = power[middle] as number;
  for (let i = 1; i <= n; i++) {
    p = (p * i) / n;
    if (p < 1e-140) {
      p *= 1e140;
      exponent -= 140;
    }
  }
  return Math.exp(Math.log(p) + exponent * Math.LN10);
}

/** Distribution function of many values. */
function pelzGood(n: number, x: number): number {
  const z = Math.sqrt(n) * x;
  const pi2 = Math.PI ** 2;
  const z2 = z ** 2;
  const z4 = z ** 4;
  const z6 = z ** 6;
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  const terms = Math.ceil((16 * z) / Math.PI);
  for (let k = terms; k > 0; k--) {
    const m2 = (2 * k - 1) ** 2;
    const weight = Math.exp((-pi2 * m2) / (8 * z2));
    sums[0] += weight;
    sums[1] += weight * (-z2 + (pi2 / 4) * m2);
    sums[2] +=
      weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * m2) / 4 + (pi2 ** 2 * (1 - 2 * z2) * m2 ** 2) / 16);
    sums[3] +=
      weight *
      (-30 * z6 -
        90 * z ** 8 +
        (pi2 * (135 * z4 - 96 * z6) * m2) / 4 +
        (pi2 ** 2 * (-60 * z2 + 212 * z4) * m2 ** 2) / 16 +
        (pi2 ** 3 * (5 - 30 * z2) * m2 ** 3) / 64);
  }
  const root = Math.sqrt(2 * Math.PI);
  const scales = [z, 6 * z4, 72 * z ** 7, 6480 * z ** 10];
  const result = sums.map((sum, i) => (sum * root) / (scales[i] as number));
  let second = 0;
  let third = 0;
  for (let k = terms; k > 0; k--) {
    const weight = Math.exp((-pi2 * k * k) / (2 * z2));
    second += k * k * weight;
    third += (3 * z2 - pi2 * k * k) * k * k * weight;
  }
  result[2] = (result[2] as number) - (second * pi2 * root) / (36 * z ** 3);
  result[3] = (result[3] as number) + (third * pi2 * root) / (216 * z6);
  return result.reduce((sum, value, i) => sum + value / n ** (i / 2), 0);
}

/** Holm's correction: p-values of several tests at once, so that the chance of any false alarm stays at the level (Holm 1979). */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, (pValues.length - rank) * (pValues[index] as number));
    adjusted[index] = Math.min(1, largest);
  });
  return adjusted;
}
