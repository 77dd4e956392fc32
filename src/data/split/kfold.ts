/** k-fold validation with the guarantees of a split. */
import { DataError } from '../errors.js';
import { subset } from '../sources/subset.js';
import type { Dataset } from '../types.js';
import { assignUnits } from './assign.js';
import { type SplitOptions, seedOf } from './options.js';
import { groupSamples, range, refuseSealed } from './split.js';

export interface KFoldOptions
  extends Pick<SplitOptions, 'seed' | 'stratify' | 'groups' | 'duplicates' | 'onProgress' | 'signal'> {
  /** How many folds, 2 or more. Default 5. */
  readonly folds?: number;
}

/** One of k: everything but one fold to train on, that fold to validate on. */
export interface Fold<Kind extends Dataset = Dataset> {
  /** From 1. */
  readonly number: number;
  readonly train: Kind;
  readonly validation: Kind;
}

/**
 * Deals a data set into k folds, each of which is the validation part once: stratified, copies and groups in one fold. Take
 * `split.development`, so that the test part stays out of it.
 * @throws DataError fewer groups than folds, a sealed sample
 */
export async function kFold<Kind extends Dataset>(dataset: Kind, options: KFoldOptions = {}): Promise<Fold<Kind>[]> {
  const folds = options.folds ?? 5;
  if (!Number.isInteger(folds) || folds < 2 || folds > 255)
    throw new DataError(`folds must be a whole number from 2 to 255, not ${String(options.folds)}`);
  refuseSealed(dataset, 'dealt into folds');
  const { groups } = await groupSamples(dataset, options);
  const units = groups.all();
  if (units.length < folds)
    throw new DataError(
      `${dataset.name} has ${units.length} separate samples or groups, too few for ${folds} folds; take fewer folds`,
    );
  const assigned = assignUnits(units, {
    fractions: new Array<number>(folds).fill(1 / folds),
    labels: (index) => dataset.labels(index),
    classes: dataset.classes.length,
    stratify: options.stratify ?? true,
    seed: seedOf(options.seed),
  });
  const foldOf = new Uint8Array(dataset.length);
  units.forEach((unit, u) => {
    for (const index of unit) foldOf[index] = assigned[u] as number;
  });
  return range(folds).map((fold) => {
    const everything = range(dataset.length);
    return {
      number: fold + 1,
      train: subset(
        dataset,
        everything.filter((index) => foldOf[index] !== fold),
        { name: `${dataset.name} (without fold ${fold + 1})` },
      ),
      validation: subset(
        dataset,
        everything.filter((index) => foldOf[index] === fold),
        { name: `${dataset.name} (fold ${fold + 1})` },
      ),
    };
  });
}
