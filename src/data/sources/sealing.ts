/**
 * Where data sets keep what a seal must be able to hide: names, labels, groups and paths lie in a WeakMap of this module, not in the
 * data set's own properties, so that neither a property, nor printing, nor JSON gives them away. Only `data/` and what opens the seal
 * (the test step) may import this module; it is not exported to the public.
 */
import { DataError } from '../errors.js';
import type { Dataset, PictureDataset, PictureLocation } from '../types.js';

/** What is known about the samples of a data set. */
export interface SampleContents {
  name(index: number): string;
  /** Ascending. */
  labels(index: number): readonly number[];
  group?(index: number): string | undefined;
  location?(index: number): PictureLocation;
  /** Whether a data set that this one is a view of has sealed the sample. */
  sealed?(index: number): boolean;
  /** The data set this one is a view of, and where each of its samples lies there. */
  readonly source?: { readonly dataset: Dataset; at(index: number): number };
}

interface Record {
  readonly contents: SampleContents;
  /** One byte per sample; made with the first seal. */
  sealed: Uint8Array | undefined;
}

const records = new WeakMap<object, Record>();

/** Gives a data set its contents; done once, by whoever makes the data set. */
export function keepContents(dataset: object, contents: SampleContents): void {
  if (records.has(dataset)) throw new DataError('the contents of a data set are given once');
  records.set(dataset, { contents, sealed: undefined });
}

function checkIndex(dataset: { readonly name: string; readonly length: number }, index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.length)
    throw new DataError(`${dataset.name} has samples 0 to ${dataset.length - 1}, there is no sample ${index}`);
}

/** Whether sample names, labels and paths of this data set can be sealed: those of Praxis's own sources and of `subset`. */
export function canSeal(dataset: Dataset): boolean {
  return records.has(dataset);
}

/**
 * Seals samples: from now on `target`, `labels`, `sampleName`, `group` and `location` throw for them, here and in every `subset` of it,
 * made before or after. There is no unsealing; `readSealed` is the one way past it.
 * @throws DataError for a data set of foreign making: take a `subset` of it and seal that
 */
export function sealSamples(dataset: Dataset, indices: Iterable<number>): void {
  const record = records.get(dataset);
  if (!record)
    throw new DataError(
      `${dataset.name} was not made by Praxis and cannot be sealed; take a subset() of it and seal that one`,
    );
  record.sealed ??= new Uint8Array(dataset.length);
  for (const index of indices) {
    checkIndex(dataset, index);
    record.sealed[index] = 1;
  }
}

/** Whether a sample is sealed. */
export function isSealed(dataset: Dataset, index: number): boolean {
  return isSealedIn(records.get(dataset), index);
}

function isSealedIn(record: Record | undefined, index: number): boolean {
  return record !== undefined && (record.sealed?.[index] === 1 || record.contents.sealed?.(index) === true);
}

/** All that is known of a sample. */
export interface SampleSecrets {
  readonly name: string;
  readonly labels: readonly number[];
  readonly group: string | undefined;
  readonly location: PictureLocation | undefined;
}

/** What is known of a sample, sealed or not. Not for public calls: the test step writes each use down. */
export function readSealed(dataset: Dataset, index: number): SampleSecrets {
  checkIndex(dataset, index);
  const contents = contentsOf(dataset);
  return {
    name: contents.name(index),
    labels: contents.labels(index),
    group: contents.group?.(index),
    location: contents.location?.(index),
  };
}

/** The contents of a data set, seal or no seal; those of foreign making answer by their public methods. */
export function contentsOf(dataset: Dataset): SampleContents {
  const record = records.get(dataset);
  if (record) return record.contents;
  return {
    name: (index) => dataset.sampleName(index),
    labels: (index) => dataset.labels(index),
    ...(dataset.group ? { group: (index: number) => dataset.group?.(index) } : {}),
    ...(dataset.kind === 'pictures' ? { location: (index: number) => dataset.location(index) } : {}),
  };
}

/** The data set that holds the samples of a view (of a view …), and where they lie there; any other data set is its own. */
export function originOf(dataset: Dataset): { readonly dataset: Dataset; at(index: number): number } {
  const source = records.get(dataset)?.contents.source;
  if (!source) return { dataset, at: (index) => index };
  const origin = originOf(source.dataset);
  return { dataset: origin.dataset, at: (index) => origin.at(source.at(index)) };
}

/** Where a picture lies, sealed or not: decoding needs the path, though a folder's name may tell the class. */
export function locationOf(dataset: PictureDataset, index: number): PictureLocation {
  const record = records.get(dataset);
  return record?.contents.location ? record.contents.location(index) : dataset.location(index);
}

/** The name of a sample, sealed or not, for fingerprints. */
export function nameOf(dataset: Dataset, index: number): string {
  const record = records.get(dataset);
  return record ? record.contents.name(index) : dataset.sampleName(index);
}

/** A name that may be shown: of a sealed sample only its number. */
export function shownName(dataset: Dataset, index: number): string {
  return isSealed(dataset, index) ? `sealed/${String(index).padStart(6, '0')}` : dataset.sampleName(index);
}

/** What the methods of a data set call before they answer. @throws DataError when the sample is sealed or does not exist */
export function openContents(
  dataset: { readonly name: string; readonly length: number },
  index: number,
  what: string,
): SampleContents {
  checkIndex(dataset, index);
  const record = records.get(dataset);
  if (!record) throw new DataError(`${dataset.name} has no contents yet`);
  if (isSealedIn(record, index))
    throw new DataError(
      `sample ${index} of ${dataset.name} belongs to the sealed test part: its ${what} is for the test at the very end (praxis test)`,
    );
  return record.contents;
}
