/** The base of Praxis's own data sets: their names and labels lie in `sealing.ts`, where a seal can hide them. */
import { DataError } from '../errors.js';
import type { Part, PictureDataset, PictureLocation, Skipped } from '../types.js';
import { keepContents, openContents, type SampleContents } from './sealing.js';

/** What a data set says about itself as a whole. */
export interface SamplesHead {
  readonly name: string;
  /** Absolute path. */
  readonly root: string;
  readonly length: number;
  readonly classes: readonly string[];
  readonly multiLabel?: boolean;
  readonly skipped?: readonly Skipped[];
  readonly officialParts?: Readonly<Record<Part, readonly number[]>> | undefined;
}

/** A data set with everything but its input. */
export abstract class Samples {
  readonly name: string;
  readonly root: string;
  readonly length: number;
  readonly classes: readonly string[];
  readonly multiLabel: boolean;
  readonly skipped: readonly Skipped[];
  declare readonly officialParts?: Readonly<Record<Part, readonly number[]>>;

  constructor(head: SamplesHead, contents: SampleContents) {
    this.name = head.name;
    this.root = head.root;
    this.length = head.length;
    this.classes = head.classes;
    this.multiLabel = head.multiLabel ?? false;
    this.skipped = head.skipped ?? [];
    if (head.officialParts) this.officialParts = head.officialParts;
    keepContents(this, contents);
  }

  /** Name of a sample, stable across machines. @throws DataError when the sample is sealed */
  sampleName(index: number): string {
    return openContents(this, index, 'name').name(index);
  }

  /** Label of a sample that has one. @throws DataError when the sample is sealed or the data set is multi-label */
  target(index: number): number {
    if (this.multiLabel)
      throw new DataError(`${this.name} is multi-label: its samples have labels(i), not one target(i)`);
    return openContents(this, index, 'label').labels(index)[0] as number;
  }

  /** Labels of a sample, ascending. @throws DataError when the sample is sealed */
  labels(index: number): readonly number[] {
    return openContents(this, index, 'label').labels(index);
  }

  /** What must stay on one side of a split, where that is known. @throws DataError when the sample is sealed */
  group(index: number): string | undefined {
    return openContents(this, index, 'group').group?.(index);
  }
}

/** Pictures that lie in files. */
export class PictureSamples extends Samples implements PictureDataset {
  readonly kind = 'pictures';

  constructor(head: SamplesHead, contents: SampleContents & Required<Pick<SampleContents, 'location'>>) {
    super(head, contents);
  }

  /** Where a picture lies. @throws DataError when the sample is sealed: its path may tell its class */
  location(index: number): PictureLocation {
    const { location } = openContents(this, index, 'path');
    if (!location) throw new DataError(`${this.name} has no pictures`);
    return location(index);
  }
}
