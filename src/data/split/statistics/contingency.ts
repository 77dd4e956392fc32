/** Are labels and parts independent? Pearson's χ² test, and the same statistic judged by permutations where counts are small. */
import { sampleRandom, streams } from '../../random.js';
import { chiSquaredSurvival } from './gamma.js';

export interface IndependenceTest {
  /** `chi2`: the χ² distribution; `permutation`: random reassignments. */
  readonly method: 'chi2' | 'permutation';
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  /** Probability of a statistic at least as large if rows and columns are independent. */
  readonly pValue: number;
  /** Smallest count that independence would lead one to expect. */
  readonly smallestExpected: number;
}

/** The table without rows and columns that are empty: they say nothing and would divide by zero. */
function withoutEmpty(table: readonly (readonly number[])[]): number[][] {
  const rows = table.filter((row) => row.some((count) => count > 0));
  const kept = (rows[0] ?? []).map((_, column) => rows.some((row) => (row[column] as number) > 0));
  return rows.map((row) => row.filter((_, column) => kept[column]));
}

/** Counts that independence would lead one to expect. */
export function expectedCounts(table: readonly (readonly number[])[]): number[][] {
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0));
  const columns = (table[0] ?? []).map((_, column) => table.reduce((sum, row) => sum + (row[column] as number), 0));
  const total = rows.reduce((a, b) => a + b, 0);
  return rows.map((row) => columns.map((column) => (row * column) / total));
}

/**
 * Pearson's χ² test of independence, as `scipy.stats.chi2_contingency`: with Yates' correction at one degree of freedom. Empty rows and
 * columns are left out.
 * @param table counts, for instance parts × classes
 */
export function chiSquaredTest(
  table: readonly (readonly number[])[],
  { correction = true }: { correction?: boolean } = {},
): IndependenceTest {
  const counts = withoutEmpty(table);
  const expected = expectedCounts(counts);
  const degreesOfFreedom = Math.max(0, (counts.length - 1) * ((counts[0]?.length ?? 0) - 1));
  const flat = expected.flat();
  const smallestExpected = flat.reduce((a, b) => Math.min(a, b), Infinity);
  if (degreesOfFreedom === 0) return { method: 'chi2', statistic: 0, degreesOfFreedom, pValue: 1, smallestExpected };
  const yates = correction && degreesOfFreedom === 1;
  let statistic = 0;
  counts.forEach((row, r) => {
    row.forEach((count, c) => {
      const e = (expected[r] as number[])[c] as number;
      const difference = Math.abs(count - e);
      const corrected = yates ? difference - Math.min(0.5, difference) : difference;
      statistic += (corrected * corrected) / e;
    });
  });
  const pValue = chiSquaredSurvival(statistic, degreesOfFreedom);
  return { method: 'chi2', statistic, degreesOfFreedom, pValue, smallestExpected };
}

/** Whether the χ² distribution may be trusted: no expected count below 1, at most a fifth of them below 5 (Cochran 1954). */
export function countsSuffice(table: readonly (readonly number[])[]): boolean {
  const expected = expectedCounts(withoutEmpty(table)).flat();
  return expected.every((e) => e >= 1) && expected.filter((e) => e < 5).length <= expected.length / 5;
}

/** Deals as large as the one at hand after which no more are made. */
const enough = 30;

export interface PermutationOptions {
  readonly permutations?: number;
  readonly seed?: number;
}

/**
 * The same question where the χ² distribution cannot be trusted: parts are dealt out anew at random, and the share of deals whose
 * statistic is at least as large is the p-value (Phipson and Smyth 2010: with the deal at hand counted in). Where 30 deals were as large the
 * answer is clear enough and the rest is saved (Besag and Clifford, "Sequential Monte Carlo p-values", Biometrika 1991).
 * @param labels labels of each unit; a unit is what was dealt as one: a sample, or a group that stays together. A label may repeat.
 * @param part part of each unit
 */
export function permutationTest(
  labels: readonly (readonly number[])[],
  part: ArrayLike<number>,
  { classes, parts, multiLabel = false }: { classes: number; parts: number; multiLabel?: boolean },
  { permutations = 1999, seed = 0 }: PermutationOptions = {},
): IndependenceTest {
  const dealt = Uint8Array.from(part);
  const count = (): number =>
    statisticOf(tableOf(labels, dealt, classes, parts), multiLabel ? partSizes(dealt, parts) : null);
  const statistic = count();
  const draws = sampleRandom(seed, 0, 0xfffffffe, streams.split);
  let asLarge = 0;
  let pValue = 1;
  for (let round = 0; round < permutations; round++) {
    for (let i = dealt.length - 1; i > 0; i--) {
      const j = draws.integer(i + 1);
      const other = dealt[j] as number;
      dealt[j] = dealt[i] as number;
      dealt[i] = other;
    }
    if (count() >= statistic - 1e-9 * Math.max(1, statistic)) asLarge++;
    pValue = (asLarge + 1) / (round + 2);
    if (asLarge === enough) {
      pValue = enough / (round + 1);
      break;
    }
  }
  const { degreesOfFreedom, smallestExpected } = chiSquaredTest(tableOf(labels, part, classes, parts));
  return { method: 'permutation', statistic, degreesOfFreedom, pValue, smallestExpected };
}

function partSizes(part: ArrayLike<number>, parts: number): number[] {
  const sizes = new Array<number>(parts).fill(0);
  for (let i = 0; i < part.length; i++) sizes[part[i] as number] = (sizes[part[i] as number] as number) + 1;
  return sizes;
}

/** Counts of labels, parts × classes. */
export function tableOf(
  labels: readonly (readonly number[])[],
  part: ArrayLike<number>,
  classes: number,
  parts: number,
): number[][] {
  const table = Array.from({ length: parts }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = table[part[i] as number] as number[];
    for (const label of labels[i] as readonly number[]) row[label] = (row[label] as number) + 1;
  }
  return table;
}

/** Pearson's statistic; for multi-label data the sum over labels of the statistic of (has it, has it not) × parts. */
function statisticOf(table: number[][], sizes: number[] | null): number {
  const columns = (table[0] ?? []).map((_, c) => table.reduce((sum, row) => sum + (row[c] as number), 0));
  let statistic = 0;
  if (sizes) {
    const total = sizes.reduce((a, b) => a + b, 0);
    columns.forEach((column, c) => {
      const share = column / total;
      if (share === 0 || share === 1) return;
      table.forEach((row, r) => {
        const size = sizes[r] as number;
        if (size > 0) statistic += ((row[c] as number) - size * share) ** 2 / (size * share * (1 - share));
      });
    });
    return statistic;
  }
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0));
  const total = rows.reduce((a, b) => a + b, 0);
  table.forEach((row, r) => {
    columns.forEach((column, c) => {
      const expected = ((rows[r] as number) * column) / total;
      if (expected > 0) statistic += ((row[c] as number) - expected) ** 2 / expected;
    });
  });
  return statistic;
}
