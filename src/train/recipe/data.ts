/** The recipe's first three stages: look, split, normalise. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../../data/errors.js';
import { type ChannelMeasurement, measureChannels } from '../../data/normalise/index.js';
import { openSource } from '../../data/open-source.js';
import { pictureFacts } from '../../data/pictures/facts.js';
import { datasetWarnings } from '../../data/sources/index.js';
import { loadSplit, type Split, splitDataset } from '../../data/split/index.js';
import type { Dataset, PictureDataset, PictureForm } from '../../data/types.js';
import type { TrainSettings } from '../config/schema.js';
import { RunError } from '../errors.js';
import { workersFor } from './resolve.js';

const grouped = (n: number): string => n.toLocaleString('en-GB');

export interface Look {
  readonly text: string;
  readonly warnings: readonly string[];
  /** Shorter side of the median picture of a sample; undefined for other data. */
  readonly side?: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Opens what the user pointed at. @throws DataError, RunError when nothing can be learnt from it */
export async function openData(given: string | Dataset): Promise<Dataset> {
  const dataset = typeof given === 'string' ? await openSource(path.resolve(given)) : given;
  if (dataset.length === 0) throw new DataError(`${dataset.root}: there is no picture in it to learn from.`);
  if (!dataset.multiLabel && dataset.classes.length < 2)
    throw new RunError(
      `${dataset.root}: there is one class only (${dataset.classes[0] ?? 'none'}), so there is nothing to tell apart; add a folder for each other class.`,
    );
  return dataset;
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

/** Counts, labels, sizes: what can be known without decoding. */
export async function firstFacts(dataset: Dataset): Promise<Look> {
  const counts = new Array<number>(dataset.classes.length).fill(0);
  for (let i = 0; i < dataset.length; i++)
    for (const label of dataset.labels(i)) counts[label] = (counts[label] as number) + 1;
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const kind = dataset.kind === 'pictures' ? 'pictures' : dataset.kind === 'text' ? 'texts' : 'rows';
  const parts = [
    `${grouped(dataset.length)} ${kind}, ${dataset.classes.length} classes of ${fewest === most ? `${grouped(most)} each` : `${grouped(fewest)} to ${grouped(most)}`}`,
  ];
  let side: number | undefined;
  if (dataset.kind === 'pictures') {
    const sizes = await sampleSizes(dataset);
    if (sizes.length === 0) throw new DataError(`${dataset.root}: none of the pictures looked at can be read.`);
    const sides = sizes.map(([height, width]) => Math.min(height, width)).sort((a, b) => a - b);
    side = sides[sides.length >> 1] as number;
    const [first = [0, 0]] = sizes;
    const same = sizes.every(([h, w]) => h === first[0] && w === first[1]);
    parts.push(same ? `all ${first[1]}×${first[0]} as far as looked at` : `about ${side} pixels on the shorter side`);
  }
  if (dataset.skipped.length > 0)
    parts.push(`${grouped(dataset.skipped.length)} other file${dataset.skipped.length === 1 ? '' : 's'} ignored`);
  const warnings = [...datasetWarnings(dataset)];
  if (fewest > 0 && most > 10 * fewest)
    warnings.push(
      `The largest class is ${Math.round(most / fewest)} times the smallest; look at the balanced accuracy, not only at the accuracy.`,
    );
  return {
    text: `${parts.join('; ')}.`,
    warnings,
    ...(side === undefined ? {} : { side }),
    facts: { counts, skipped: dataset.skipped.length },
  };
}

/** Sizes of up to 64 pictures, spread over the data; those that cannot be read are left out. */
async function sampleSizes(dataset: PictureDataset): Promise<[number, number][]> {
  const wanted = Math.min(64, dataset.length);
  const places = Array.from({ length: wanted }, (_, i) => Math.floor((i * dataset.length) / wanted));
  const found = await Promise.all(
    places.map(async (place): Promise<[number, number] | undefined> => {
      try {
        const { height, width } = await pictureFacts(dataset.location(place));
        return [height, width];
      } catch {
        return undefined;
      }
    }),
  );
  return found.filter((size): size is [number, number] => size !== undefined);
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
