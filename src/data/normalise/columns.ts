/** What becomes of each column of a table, settled on the training part. Plain data: it is stored with the model. */
import { quantilesOf, rankToNormal } from './quantiles.js';

/**
 * What straightens a column before it is centred: nothing, log(1 + x), its form for both signs sign(x)·log(1 + |x|), or the normal
 * distribution's quantile of the rank.
 */
export type Straightening = 'none' | 'log' | 'signed-log' | 'rank';

/** A column of numbers: what is missing becomes the median, then it is straightened, then (x − mean) / deviation. */
export interface NumericColumnPlan {
  readonly kind: 'numeric';
  readonly name: string;
  readonly straighten: Straightening;
  /** In place of missing values. */
  readonly median: number;
  /** Of the training part, filled in and straightened; the deviation is that of the population, as scikit-learn's. */
  readonly mean: number;
  readonly std: number;
  /** For ranks: ascending, evenly spaced from the lowest to the highest value. */
  readonly quantiles?: readonly number[];
  /** Whether a feature says where values are missing: only where some are in the training part. */
  readonly missing: boolean;
  /** False where all values that are there are equal, so that only their being there tells anything. */
  readonly value: boolean;
  /** Why it is treated so, in a few words. */
  readonly why: string;
}

/** A column of categories: a feature 0 or 1 for each, and one for all others. */
export interface CategoricalColumnPlan {
  readonly kind: 'categorical';
  readonly name: string;
  /** Those of the training part, in order of their code points. */
  readonly categories: readonly string[];
  readonly missing: boolean;
  readonly why: string;
}

/** A column that tells nothing. */
export interface DroppedColumnPlan {
  readonly kind: 'dropped';
  readonly name: string;
  readonly why: string;
}

export type ColumnPlan = NumericColumnPlan | CategoricalColumnPlan | DroppedColumnPlan;

export const percent = (part: number, all: number): string => {
  const share = (100 * part) / all;
  return `${share > 0 && share < 1 ? '< 1' : Math.round(share)} %`;
};

interface Moments {
  readonly mean: number;
  readonly std: number;
  readonly skewness: number;
}

/** Mean, deviation and skewness of the population, in two passes. */
export function momentsOf(values: ArrayLike<number>): Moments {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i] as number;
  const mean = sum / n;
  let [squares, cubes, rest] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const away = (values[i] as number) - mean;
    rest += away;
    squares += away * away;
    cubes += away ** 3;
  }
  // What the first pass rounded off is put back.
  const variance = (squares - (rest * rest) / n) / n;
  const std = Math.sqrt(variance);
  // Equal values that are no sum of powers of two differ from their mean by its rounding.
  if (!(std > 1e-12 * Math.abs(mean))) return { mean, std: 0, skewness: 0 };
  return { mean: mean + rest / n, std, skewness: cubes / n / std ** 3 };
}

/** The value, straightened. */
export function straighten(
  x: number,
  plan: Pick<NumericColumnPlan, 'straighten'> & { readonly quantiles?: readonly number[] },
): number {
  switch (plan.straighten) {
    case 'none':
      return x;
    case 'log':
      // Below −1, which the training part does not have, there is no logarithm.
      return Math.log1p(Math.max(x, -1 + 1e-9));
    case 'signed-log':
      return Math.sign(x) * Math.log1p(Math.abs(x));
    case 'rank':
      return rankToNormal(plan.quantiles as readonly number[], x);
  }
}

/** More skewed than this, either way, and the tail holds most of the deviation; an exponential distribution has 2. */
const skewed = 1;
/** Fewer rows than this have no ranks worth the name. */
const enoughForRanks = 100;

const inWords = (skewness: number): string => (Math.abs(skewness) < 0.05 ? '0' : skewness.toFixed(1));

interface Straightened {
  readonly straighten: Straightening;
  readonly quantiles?: readonly number[];
  readonly why: string;
}

/** Settles what straightens the values that are there. `sorted` is ascending. */
function chooseStraightening(sorted: Float64Array, wanted: Straightening | undefined): Straightened {
  const { skewness } = momentsOf(sorted);
  const [lowest, highest] = [sorted[0] as number, sorted[sorted.length - 1] as number];
  const said = `skewness ${inWords(skewness)}`;
  const log: Straightening = lowest >= 0 ? 'log' : 'signed-log';
  const after = (how: Straightened): number => momentsOf(sorted.map((x) => straighten(x, how))).skewness;
  if (wanted !== undefined) {
    const quantiles = wanted === 'rank' ? { quantiles: quantilesOf(sorted) } : {};
    return { straighten: wanted, ...quantiles, why: `${said}; ${wanted}, as asked for` };
  }
  if (Math.abs(skewness) <= skewed) return { straighten: 'none', why: said };
  if (sorted.every((x) => x === lowest || x === highest))
    return { straighten: 'none', why: `${said}, but it has two values only` };
  const logged = after({ straighten: log, why: '' });
  const helps = Math.abs(logged) < 0.5 * Math.abs(skewness);
  if (helps && Math.abs(logged) <= skewed)
    return { straighten: log, why: `${said}, ${inWords(logged)} after the logarithm` };
  // A value that many rows share at an end would be sent far out.
  const shared = Math.max(
    sorted.findIndex((x) => x > lowest),
    sorted.length - sorted.findIndex((x) => x >= highest),
  );
  if (sorted.length >= enoughForRanks && shared <= 0.02 * sorted.length) {
    const quantiles = quantilesOf(sorted);
    return {
      straighten: 'rank',
      quantiles,
      why: `${said}, still ${inWords(logged)} after the logarithm, so ranks: ${inWords(after({ straighten: 'rank', quantiles, why: '' }))}`,
    };
  }
  if (helps) return { straighten: log, why: `${said}, ${inWords(logged)} after the logarithm` };
  return { straighten: 'none', why: `${said}, and neither logarithm nor ranks would help` };
}

/** Whether these are whole numbers that grow from row to row, as a row's number does: they tell a row's place, and nothing of new rows. */
function numbersRows(values: readonly number[]): boolean {
  if (values.length < 20) return false;
  return values.every((x, i) => Number.isInteger(x) && (i === 0 || x > (values[i - 1] as number)));
}

/** Settles a column of numbers; null is a missing value. */
export function planNumeric(
  name: string,
  cells: readonly (number | null)[],
  wanted: Straightening | undefined,
): ColumnPlan {
  const there = Float64Array.from(cells.filter((cell): cell is number => cell !== null)).sort();
  if (there.length === 0) return { kind: 'dropped', name, why: 'no value in the training part' };
  const gaps = cells.length - there.length;
  const share = gaps === 0 ? '' : `; ${percent(gaps, cells.length)} missing`;
  if (there[0] === there[there.length - 1]) {
    const why = `the value ${there[0]} wherever there is one`;
    if (gaps === 0) return { kind: 'dropped', name, why: `the same value everywhere, ${there[0]}` };
    const nothing = { straighten: 'none', mean: there[0] as number, std: 1, missing: true, value: false } as const;
    return { kind: 'numeric', name, ...nothing, median: there[0] as number, why: `${why}${share}` };
  }
  if (gaps === 0 && wanted === undefined && numbersRows(cells as readonly number[]))
    return { kind: 'dropped', name, why: 'it only numbers the rows' };
  const half = there.length >> 1;
  const median =
    there.length % 2 === 1 ? (there[half] as number) : ((there[half - 1] as number) + (there[half] as number)) / 2;
  const how = chooseStraightening(there, wanted);
  const { mean, std } = momentsOf(Float64Array.from(cells, (cell) => straighten(cell ?? median, how)));
  const missing = gaps > 0;
  return { kind: 'numeric', name, ...how, median, mean, std, missing, value: true, why: `${how.why}${share}` };
}

/** Order of code points, as Python's, and not of UTF-16 units. */
export function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) as number) - (right[i]?.codePointAt(0) as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Settles a column of categories; null is a missing value. */
export function planCategorical(name: string, cells: readonly (string | null)[], most: number): ColumnPlan {
  const counts = new Map<string, number>();
  let gaps = 0;
  for (const cell of cells)
    if (cell === null) gaps++;
    else counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (counts.size === 0) return { kind: 'dropped', name, why: 'no value in the training part' };
  if (counts.size === 1 && gaps === 0)
    return { kind: 'dropped', name, why: `the same value everywhere, ${[...counts.keys()][0]}` };
  if (counts.size > most && counts.size > 0.5 * cells.length)
    return {
      kind: 'dropped',
      name,
      why: `${counts.size} different values in ${cells.length} rows: a name or a number of the row, not a category`,
    };
  const byCount = [...counts].sort(([a, x], [b, y]) => y - x || byCodePoint(a, b));
  const kept = byCount.slice(0, most).map(([category]) => category);
  const rest = counts.size - kept.length;
  return {
    kind: 'categorical',
    name,
    categories: kept.sort(byCodePoint),
    missing: gaps > 0,
    why: `${kept.length} categories${rest > 0 ? `, the ${rest} rarest together` : ''}${gaps > 0 ? `; ${percent(gaps, cells.length)} missing` : ''}`,
  };
}
