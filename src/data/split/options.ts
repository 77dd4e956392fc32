/** What can be asked of a split, and what of it cannot be done. */

import type { Duplicates } from '../duplicates/index.js';
import { DataError } from '../errors.js';
import type { Dataset, Part } from '../types.js';

export interface SplitOptions {
  /** Shares; they sum to 1. Default: 0.7, 0.15 and 0.15. Where two are given, the third is what is left. */
  readonly train?: number;
  readonly validation?: number;
  readonly test?: number;
  /** Same data, same seed, same split. Default 0. */
  readonly seed?: number;
  /** Whether every part gets the same mix of labels. Default true. */
  readonly stratify?: boolean;
  /** What must stay on one side: a key for each sample, or false to ignore the groups that the data set knows. */
  readonly groups?: ((index: number) => string | undefined) | readonly (string | undefined)[] | false;
  /**
   * Which copies stay on one side. `near` (default for pictures): also rescaled, recompressed, slightly cropped or brightened ones; `exact`
   * (default for texts and tables): equal ones; or what `findDuplicates` found before.
   */
  readonly duplicates?: 'exact' | 'near' | false | Duplicates;
  /** Samples that nobody has named: one class is then enough. Default false. */
  readonly unlabelled?: boolean;
  /** Whether to keep to the parts that came with the data. Default true. */
  readonly official?: boolean;
  /** Whether to run the checks. Default true. */
  readonly check?: boolean;
  /** Hears of the pictures looked at. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Shares of the three parts. */
export type Fractions = Readonly<Record<Part, number>>;

/** The shares asked for. @throws DataError when they make no sense */
export function fractionsOf({ train, validation, test }: SplitOptions): Fractions {
  const given = { train, validation, test };
  for (const [part, share] of Object.entries(given))
    if (share !== undefined && !(typeof share === 'number' && share >= 0 && share <= 1))
      throw new DataError(`the share of the ${part} part must lie between 0 and 1, not ${String(share)}`);
  const known = Object.values(given).filter((share): share is number => share !== undefined);
  if (known.length === 0) return { train: 0.7, validation: 0.15, test: 0.15 };
  const sum = known.reduce((a, b) => a + b, 0);
  const rest = Math.max(0, Math.round((1 - sum) * 1e12) / 1e12);
  let result: Fractions;
  if (known.length === 1) {
    // One share alone: the others keep their usual proportion.
    if (train !== undefined) result = { train, validation: rest / 2, test: rest / 2 };
    else if (validation !== undefined) result = { train: (rest * 14) / 17, validation, test: (rest * 3) / 17 };
    else result = { train: (rest * 14) / 17, validation: (rest * 3) / 17, test: test as number };
  } else result = { train: train ?? rest, validation: validation ?? rest, test: test ?? rest };
  const total = result.train + result.validation + result.test;
  if (Math.abs(total - 1) > 1e-6)
    throw new DataError(
      `the shares of train, validation and test must sum to 1; ${result.train} + ${result.validation} + ${result.test} is ${Number(total.toFixed(6))}`,
    );
  if (result.train === 0) throw new DataError('the training part needs a share above 0');
  return result;
}

/** The seed asked for. @throws DataError */
export function seedOf(seed: number | undefined): number {
  const value = seed ?? 0;
  if (!Number.isSafeInteger(value) || value < 0)
    throw new DataError(`the seed of a split must be a whole number from 0 to 2^53 − 1, not ${String(seed)}`);
  return value;
}

/** The group of each sample as asked for or as the data set knows it. */
export function groupKeys(dataset: Dataset, groups: SplitOptions['groups']): (index: number) => string | undefined {
  if (groups === false) return () => undefined;
  if (typeof groups === 'function') return groups;
  if (groups !== undefined) {
    if (groups.length !== dataset.length)
      throw new DataError(
        `groups has ${groups.length} entries and ${dataset.name} ${dataset.length} samples; give one for each`,
      );
    return (index) => groups[index];
  }
  return (index) => dataset.group?.(index);
}
