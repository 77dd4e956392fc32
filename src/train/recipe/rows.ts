/** Tables and texts in the recipe: they become tensors by what the training part says, in a new run, on going on and in the test. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyRows, fitRows, type RowNormaliser, rowNormaliserFrom } from '../../data/normalise/index.js';
import type { Dataset } from '../../data/types.js';
import { modelSpec } from '../../models/index.js';
import { writeFileAtomic } from '../../track/index.js';
import { ConfigError, RunError } from '../errors.js';

/** The name of the file in a run folder that says how inputs are normalised. */
export const normalisationFile = 'normalisation.json';

/** The two parts that training works with, ready for a loader. */
export interface ReadyParts {
  readonly train: Dataset;
  readonly validation: Dataset;
}

export interface PreparedRows {
  readonly parts: ReadyParts;
  /** A sentence for the stage of normalisation. */
  readonly text: string;
}

/**
 * Measures the training part and normalises both; the file for what comes later is written. Pictures and tensors stay as they are.
 * @param measured what is measured, where that is more than what is trained on
 */
export async function prepareRows(
  { train, validation }: ReadyParts,
  folder: string,
  measured: Dataset = train,
): Promise<PreparedRows> {
  if (train.kind !== 'table' && train.kind !== 'text')
    return { parts: { train, validation }, text: 'the rows are taken as they are.' };
  const normaliser = fitRows(measured as typeof train);
  const json = { ...normaliser.toJSON(), features: normaliser.features, classes: train.classes };
  await writeFileAtomic(path.join(folder, normalisationFile), `${JSON.stringify(json)}\n`);
  const parts = { train: applyRows(normaliser, train), validation: applyRows(normaliser, validation) };
  return { parts, text: `${normaliser.describe()}.` };
}

/** What the run folder says of its inputs. */
export function readNormaliser(folder: string): RowNormaliser {
  const file = path.join(folder, normalisationFile);
  try {
    return rowNormaliserFrom(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new RunError(
      `${file} cannot be used (${(cause as Error).message.replace(/\.$/, '')}); restore it from a copy, or train anew.`,
      { cause },
    );
  }
}

/**
 * What makes of a run's data set, or of parts of it, what its network takes: tables and texts normalised as the training part had it, all
 * else as it is. The folder is read at once, so that it is told before anything else happens if it cannot be.
 */
export function readier(dataset: Dataset, folder: string): (part: Dataset) => Dataset {
  if (dataset.kind !== 'table' && dataset.kind !== 'text') return (part) => part;
  const normaliser = readNormaliser(folder);
  return (part) => applyRows(normaliser, part);
}

/** The parts of a run that goes on. */
export function readyParts(split: ReadyParts, folder: string): ReadyParts {
  const ready = readier(split.train, folder);
  return { train: ready(split.train), validation: ready(split.validation) };
}

/** A training part as its network takes it, for who only wants to know: nothing is written. */
export function readyTrain(train: Dataset): Dataset {
  return train.kind === 'table' || train.kind === 'text' ? applyRows(fitRows(train), train) : train;
}

/** What one sample is called. */
export function sampleNoun(dataset: Dataset): 'picture' | 'text' | 'row' {
  return dataset.kind === 'pictures' ? 'picture' : dataset.kind === 'text' ? 'text' : 'row';
}

/** Shape of one row. @throws RunError for data that has no rows */
export function rowShape(dataset: Dataset): number[] {
  if (dataset.kind === 'tensors') return dataset.input.shape.slice(1);
  throw new RunError(`${dataset.root}: a network takes pictures or tensors; this is a data set of ${dataset.kind}.`);
}

/** What a named model must know of its input: that of pictures in tensors has three dimensions, other rows enter as one channel of one line. */
export function inputOptions(dataset: Dataset): { channels: number; size: readonly [number, number] } {
  const shape = rowShape(dataset);
  if (shape.length === 3) return { channels: shape[0] as number, size: [shape[1] as number, shape[2] as number] };
  return { channels: 1, size: [1, shape.reduce((product, length) => product * length, 1)] };
}

/** Before anything is measured. @throws ConfigError when the settings name a model that cannot take these data */
export function checkModelTakes(dataset: Dataset, model: string): void {
  if (dataset.kind === 'pictures' || model === 'auto' || modelSpec(model).name === 'mlp') return;
  if (dataset.kind === 'tensors' && dataset.input.shape.length === 4) return;
  throw new ConfigError(
    `model: ${modelSpec(model).name} takes pictures, and ${dataset.name} holds ${dataset.kind === 'text' ? 'texts' : 'rows'}; mlp takes those, or a model of your own.`,
  );
}
