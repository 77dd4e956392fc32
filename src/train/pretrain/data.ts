/** The pictures of a pre-training: with labels that are not learnt, or without any. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { exclusionsOf, readExclusions, withoutSamples } from '../../data/exclusions.js';
import { unlabelledPictures } from '../../data/sources/index.js';
import { type Split, splitDataset } from '../../data/split/index.js';
import type { Dataset, PictureDataset } from '../../data/types.js';
import type { TrainSettings } from '../config/schema.js';
import { RunError } from '../errors.js';
import { makeSplit, type OpenDataOptions, openData } from '../recipe/data.js';

export interface OpenedPictures {
  readonly dataset: PictureDataset;
  /** Whether their labels say anything. */
  readonly labelled: boolean;
}

/**
 * Opens pictures: as a training does where they have labels, else every picture of the folder, in any structure.
 * @throws DataError, RunError when there are none
 */
export async function openPictures(given: string | Dataset, options: OpenDataOptions = {}): Promise<OpenedPictures> {
  const place = typeof given === 'string' ? path.resolve(given) : '';
  const isFolder = place !== '' && existsSync(place) && statSync(place).isDirectory();
  let opened: Dataset;
  try {
    opened = await openData(given, options);
  } catch (error) {
    // Whatever a training misses there, labels most often: pictures are enough here.
    if (!isFolder) throw error;
    const all = unlabelledPictures(place);
    const list = options.exclude === 'off' ? undefined : (options.exclude ?? exclusionsOf(place));
    if (list === undefined) return { dataset: all, labelled: false };
    const names = readExclusions(path.resolve(list)).map(({ name }) => name);
    return { dataset: withoutSamples(all, names, list) as PictureDataset, labelled: false };
  }
  if (opened.kind !== 'pictures')
    throw new RunError(
      `${opened.root}: pre-training without labels takes pictures, and this is a data set of ${opened.kind}.`,
    );
  return { dataset: opened, labelled: !opened.multiLabel };
}

/**
 * Splits them: pictures with labels as a training with the same seed does, so that its test part stays unseen here too; others into
 * nine tenths to learn from and one to measure on.
 */
export async function splitPictures(
  { dataset, labelled }: OpenedPictures,
  settings: TrainSettings,
  onProgress: (done: number, all: number) => void,
): Promise<Split> {
  const split = labelled
    ? await makeSplit(dataset, settings, onProgress)
    : await splitDataset(dataset, {
        ...{ train: 0.9, validation: 0.1, test: 0, unlabelled: true, seed: settings.seed, onProgress },
        duplicates: settings.nearDuplicates ? 'near' : 'exact',
      });
  if (split.train.length < 8 || split.validation.length < 2)
    throw new RunError(
      `${dataset.root}: ${dataset.length} pictures are too few to learn from without labels; hundreds are the least, thousands better.`,
    );
  return split;
}
