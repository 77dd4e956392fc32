/** A split: training and validation parts to work with, and a sealed test part. */

import { Groups } from '../duplicates/groups.js';
import { type Duplicates, findDuplicates, keepDuplicatesWithin, knownDuplicates } from '../duplicates/index.js';
import { DataError } from '../errors.js';
import { permutation, streams } from '../random.js';
import { canSeal, contentsOf, isSealed, sealSamples } from '../sources/sealing.js';
import { subset } from '../sources/subset.js';
import { type Dataset, type Part, parts } from '../types.js';
import { checkSplit } from './check.js';
import type { SplitFinding } from './findings.js';
import { type DatasetFingerprint, datasetFingerprint, sha256 } from './fingerprint.js';
import { fractionsOf, groupKeys, type SplitOptions, seedOf } from './options.js';
import { planSplit } from './plan.js';
import { keepSecrets, type SealEvent, type SealUse, secretsOf, usesOf } from './seal-events.js';

/** How a split was made; plain data. */
export interface SplitSettings {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
  readonly stratify: boolean;
  /** Whether groups other than copies were kept together. */
  readonly groups: boolean;
  readonly duplicates: 'exact' | 'near' | false;
  /** Whether parts that came with the data were kept. */
  readonly official: boolean;
}

/** What a split is made of; `splitDataset` and `loadSplit` put it together. */
export interface SplitParts {
  readonly dataset: Dataset;
  readonly parts: Readonly<Record<Part, readonly number[]>>;
  readonly settings: SplitSettings;
  readonly datasetFingerprint: DatasetFingerprint;
  readonly findings: readonly SplitFinding[];
  /** Groups of more than one sample that were kept together. */
  readonly together: readonly (readonly number[])[];
  /** Samples of each part and class: parts × classes. */
  readonly counts: Readonly<Record<Part, readonly number[]>>;
  readonly events: readonly SealEvent[];
}

export class Split<Kind extends Dataset = Dataset> {
  /** Name of the data set. */
  readonly name: string;
  readonly classes: readonly string[];
  /** For training. */
  readonly train: Kind;
  /** For choosing and tuning. */
  readonly validation: Kind;
  /** Training and validation part together: for k-fold validation, or for a last training with everything but the test. */
  readonly development: Kind;
  /**
   * For the one test at the end: its pictures can be decoded, but its names, labels and paths are sealed, here and in the data set that
   * was split. Its order is random, so that a position says nothing about the class.
   */
  readonly test: Kind;
  readonly settings: SplitSettings;
  readonly findings: readonly SplitFinding[];
  /** Samples of each class, by part. */
  readonly counts: Readonly<Record<Part, readonly number[]>>;
  readonly datasetFingerprint: DatasetFingerprint;
  /** Of the parts: which sample is where. */
  readonly fingerprint: string;

  /** @internal */
  constructor(made: SplitParts) {
    const source = made.dataset as Kind;
    const dataset = canSeal(source) ? source : subset(source, range(source.length));
    const contents = contentsOf(dataset);
    const { train, validation, test } = made.parts;
    this.name = source.name;
    this.classes = source.classes;
    this.settings = made.settings;
    this.findings = made.findings;
    this.counts = made.counts;
    this.datasetFingerprint = made.datasetFingerprint;
    const names = parts.map((part) => made.parts[part].map((index) => contents.name(index)));
    this.fingerprint = sha256(JSON.stringify([made.datasetFingerprint.all, names]));
    const development = [...train, ...validation].sort((a, b) => a - b);
    const mixed = permutation(test.length, made.settings.seed, 1, streams.split);
    this.train = subset(dataset, train, { name: `${source.name} (train)` });
    this.validation = subset(dataset, validation, { name: `${source.name} (validation)` });
    this.development = subset(dataset, development, { name: `${source.name} (train and validation)` });
    this.test = subset(
      dataset,
      [...mixed].map((i) => test[i] as number),
      { name: `${source.name} (test)` },
    );
    sealUpwards(dataset, test);
    keepSecrets(this, { dataset, parts: made.parts, together: made.together, events: [...made.events] });
  }

  /** Every time the test part was opened, oldest first. */
  get uses(): readonly SealUse[] {
    return usesOf(secretsOf(this).events);
  }

  /** What may be shown: no name, label or path of the test part. */
  toJSON(): object {
    return {
      name: this.name,
      samples: { train: this.train.length, validation: this.validation.length, test: this.test.length },
      classes: this.classes,
      counts: this.counts,
      settings: this.settings,
      findings: this.findings,
      datasetFingerprint: this.datasetFingerprint,
      fingerprint: this.fingerprint,
      uses: this.uses,
    };
  }

  /** `flowers: 3,022 train, 647 validation, 648 test (sealed)`. */
  toString(): string {
    const uses = this.uses.length;
    const [train, validation, test] = [this.train, this.validation, this.test].map((part) =>
      part.length.toLocaleString('en-GB'),
    );
    return `${this.name}: ${train} train, ${validation} validation, ${test} test (${uses === 0 ? 'sealed' : `opened ${uses}×`})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Split ${this.toString()}`;
  }
}

/** Seals samples of a data set and of those it is a view of: otherwise the labels could be read there. */
function sealUpwards(dataset: Dataset, indices: readonly number[]): void {
  sealSamples(dataset, indices);
  const { source } = contentsOf(dataset);
  if (source && canSeal(source.dataset)) sealUpwards(source.dataset, indices.map(source.at));
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Samples of each class in each part. */
export function countLabels(
  made: Readonly<Record<Part, readonly number[]>>,
  labels: (index: number) => readonly number[],
  classes: number,
): Record<Part, number[]> {
  const counts: Record<Part, number[]> = { train: [], validation: [], test: [] };
  for (const part of parts) {
    const row = new Array<number>(classes).fill(0);
    for (const index of made[part]) for (const label of labels(index)) row[label] = (row[label] as number) + 1;
    counts[part] = row;
  }
  return counts;
}

/** @throws DataError when a sample is sealed: nobody may deal anew with labels that must not be read */
export function refuseSealed(dataset: Dataset, what: string): void {
  let sealed = 0;
  for (let i = 0; i < dataset.length; i++) if (isSealed(dataset, i)) sealed++;
  if (sealed > 0)
    throw new DataError(
      `${dataset.name} has ${sealed} samples in a sealed test part, so it cannot be ${what}; take split.development, or read the data anew for another split`,
    );
}

/** What a split keeps together, and the copies behind it. */
export async function groupSamples(
  dataset: Dataset,
  options: SplitOptions,
): Promise<{ groups: Groups; duplicates: Duplicates | null; named: boolean }> {
  const groups = new Groups(dataset.length);
  const key = groupKeys(dataset, options.groups);
  let named = false;
  groups.joinByKey((index) => {
    const own = key(index);
    if (own === undefined) return undefined;
    if (typeof own !== 'string') throw new DataError(`the group of sample ${index} must be a text or undefined`);
    named = true;
    return own;
  });
  // A sample that is listed twice is one sample.
  const contents = contentsOf(dataset);
  groups.joinByKey((index) => contents.name(index));
  const wanted = options.duplicates ?? (dataset.kind === 'pictures' ? 'near' : 'exact');
  let duplicates: Duplicates | null = null;
  if (wanted !== false && dataset.kind !== 'tensors') {
    duplicates =
      typeof wanted === 'object'
        ? wanted
        : (knownDuplicates(dataset, wanted) ??
          (await findDuplicates(dataset, { level: wanted, onProgress: options.onProgress, signal: options.signal })));
    for (const { members } of duplicates.groups)
      for (const member of members) groups.join(members[0] as number, member);
  }
  return { groups, duplicates, named };
}

/**
 * Splits a data set into training, validation and test part: random without replacement, stratified, with copies and groups on one side,
 * and seals the test part. Each class has its share of every part, rounded down or up so that the parts' sizes come right too (largest
 * remainders), and at least one sample in each where it has three separate ones.
 *
 * Parts that came with the data are kept; where validation (or test) is missing, it is carved from the training part.
 * @throws DataError shares that do not sum to 1, one class only, a data set that has a sealed part already
 */
export async function splitDataset<Kind extends Dataset>(
  dataset: Kind,
  options: SplitOptions = {},
): Promise<Split<Kind>> {
  const fractions = fractionsOf(options);
  const seed = seedOf(options.seed);
  refuseSealed(dataset, 'split again');
  const officialParts = options.official === false ? undefined : dataset.officialParts;
  const { groups, duplicates, named } = await groupSamples(dataset, options);
  const stratify = options.stratify ?? true;
  const labels = (index: number): readonly number[] => dataset.labels(index);
  const { length, classes, multiLabel } = dataset;
  const { unlabelled = false } = options;
  const deal = { length, classes, multiLabel, labels, groups, fractions, stratify, seed, officialParts, unlabelled };
  const plan = planSplit(deal);
  const findings = [...plan.findings];
  if (options.check !== false)
    findings.push(
      ...(await checkSplit(dataset, plan.parts, {
        groups,
        duplicates,
        seed,
        ...pick(options),
        fromOutside: plan.official,
      })),
    );
  const split = new Split<Kind>({
    dataset,
    parts: plan.parts,
    settings: {
      ...fractions,
      seed,
      stratify,
      groups: named,
      duplicates: duplicates?.level ?? false,
      official: plan.official,
    },
    datasetFingerprint: await datasetFingerprint(dataset),
    findings,
    together: groups.all().filter((group) => group.length > 1),
    counts: countLabels(plan.parts, labels, classes.length),
    events: [],
  });
  if (duplicates) {
    const { train, validation } = plan.parts;
    keepDuplicatesWithin(split.train, train, duplicates);
    keepDuplicatesWithin(split.validation, validation, duplicates);
    keepDuplicatesWithin(
      split.development,
      [...train, ...validation].sort((a, b) => a - b),
      duplicates,
    );
  }
  return split;
}

function pick({ onProgress, signal }: SplitOptions): Pick<SplitOptions, 'onProgress' | 'signal'> {
  return { onProgress, signal };
}
