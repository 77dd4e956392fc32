/** Opening data for the recipe, and two of its first stages: split and normalise. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../../data/errors.js';
import { type Exclusion, exclusionsOf, readExclusions, withoutSamples } from '../../data/exclusions.js';
import { type ChannelMeasurement, measureChannels } from '../../data/normalise/index.js';
import { openSource } from '../../data/open-source.js';
import { sampleSides } from '../../data/pictures/facts.js';
import { loadSplit, type Split, splitDataset } from '../../data/split/index.js';
import type { Dataset, PictureDataset, PictureForm } from '../../data/types.js';
import type { TrainSettings } from '../config/schema.js';
import { RunError } from '../errors.js';
import { workersFor } from './resolve.js';

const grouped = (n: number): string => n.toLocaleString('en-GB');

export interface OpenDataOptions {
  /** A list of samples to leave out; `off`: none. Default: the one that lies with the data, where there is one. */
  readonly exclude?: string | undefined;
}

/** Data, and what an exclusion list left out of them. */
export interface OpenedData {
  readonly dataset: Dataset;
  /** The list; undefined where there is none. */
  readonly list?: string;
  readonly exclusions: readonly Exclusion[];
  /** How many of the samples it names were there. */
  readonly leftOut: number;
}

/** Opens what the user pointed at, without what an exclusion list names. @throws DataError, RunError when nothing can be learnt from it */
export async function openWithExclusions(
  given: string | Dataset,
  { exclude }: OpenDataOptions = {},
): Promise<OpenedData> {
  const whole = typeof given === 'string' ? await openSource(path.resolve(given), { excludeFile: false }) : given;
  if (whole.length === 0) throw new DataError(`${whole.root}: there is no picture in it to learn from.`);
  if (!whole.multiLabel && whole.classes.length < 2)
    throw new RunError(
      `${whole.root}: there is one class only (${whole.classes[0] ?? 'none'}), so there is nothing to tell apart; add a folder for each other class.`,
    );
  const beside = typeof given === 'string' ? exclusionsOf(path.resolve(given)) : undefined;
  const list = exclude === 'off' ? undefined : exclude === undefined ? beside : path.resolve(exclude);
  if (list === undefined) return { dataset: whole, exclusions: [], leftOut: 0 };
  const exclusions = readExclusions(list);
  const dataset = withoutSamples(
    whole,
    exclusions.map(({ name }) => name),
    list,
  );
  return { dataset, list, exclusions, leftOut: whole.length - dataset.length };
}

/** The data alone. @throws DataError, RunError when nothing can be learnt from it */
export async function openData(given: string | Dataset, options: OpenDataOptions = {}): Promise<Dataset> {
  return (await openWithExclusions(given, options)).dataset;
}

/** Before anything takes time: the folder of the runs, or the nearest one above it that is there, must take files. @throws RunError */
export function requireWritable(folder: string): void {
  let place = path.resolve(folder);
  while (!existsSync(place) && path.dirname(place) !== place) place = path.dirname(place);
  try {
    accessSync(place, constants.W_OK);
  } catch {
    throw new RunError(
      `${place}: a run folder cannot be made there, it takes no files; choose another place with --out.`,
    );
  }
}

/** Shorter side of the median of up to 64 pictures, spread over the data, without decoding; undefined where none can be read. */
export async function sampledSide(dataset: PictureDataset): Promise<number | undefined> {
  const sides = (await sampleSides(dataset, 64)).map(({ side }) => side).sort((a, b) => a - b);
  return sides[sides.length >> 1];
}

/** A new split, or the one asked for. */
export async function makeSplit(
  dataset: Dataset,
  settings: TrainSettings,
  onProgress?: (done: number, all: number) => void,
): Promise<Split> {
  if (settings.splitFile !== undefined) return loadSplit(path.resolve(settings.splitFile), dataset);
  const [train, validation, test] = settings.split;
  const split = await splitDataset(dataset, {
    train,
    validation,
    test,
    seed: settings.seed,
    duplicates: dataset.kind === 'pictures' ? (settings.nearDuplicates ? 'near' : 'exact') : 'exact',
    ...(onProgress ? { onProgress } : {}),
  }).catch((error: Error) => {
    // A sentence about the samples does not say whose they are.
    if (!(error instanceof DataError) || error.message.includes(dataset.root)) throw error;
    throw new DataError(`${dataset.root}: ${error.message}`, { cause: error });
  });
  if (split.train.length === 0 || split.validation.length === 0)
    throw new RunError(
      `${dataset.root}: ${dataset.length} samples cannot be split into a training and a validation part; a few more in each class are needed.`,
    );
  return split;
}

/** `3,022 train · 647 validation · 648 test (sealed)`, and what was kept together and checked. */
export function describeSplit(split: Split): string {
  const sizes = [split.train.length, split.validation.length, split.test.length].map(grouped);
  const uses = split.uses.length;
  const seal = uses === 0 ? 'sealed' : `opened ${uses}×`;
  const bad = split.findings.filter((finding) => finding.severity === 'warning');
  const checks =
    bad.length > 0
      ? `${bad.length} warning${bad.length === 1 ? '' : 's'}`
      : `labels${split.train.kind === 'pictures' ? ', brightness, size and colour' : ''} alike in all parts`;
  const groups = split.findings.find((finding) => finding.check === 'leaks')?.evidence.groups;
  const copies =
    typeof groups === 'number' && groups > 0
      ? `; ${grouped(groups)} group${groups === 1 ? '' : 's'} of copies kept on one side`
      : '';
  return `${sizes[0]} train · ${sizes[1]} validation · ${sizes[2]} test (${seal}); seed ${split.settings.seed}, ${split.settings.stratify ? 'stratified' : 'random'}; ${checks}${copies}.`;
}

/** Statistics of the training part. */
export async function normalise(
  train: PictureDataset,
  form: PictureForm,
  settings: TrainSettings,
  onProgress?: (done: number, all: number) => void,
): Promise<ChannelMeasurement> {
  return measureChannels(train, {
    form,
    workers: workersFor(settings),
    cache: settings.cache,
    ...(onProgress ? { onProgress } : {}),
  });
}
