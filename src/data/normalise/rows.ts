/** What normalised tables and texts have in common: a data set of tensors with the names, labels and seals of what it was made of. */
import { torch } from '../../torch/index.js';
import { DataError } from '../errors.js';
import { TensorSamples } from '../sources/in-memory.js';
import { contentsOf, isSealed } from '../sources/sealing.js';
import type { Dataset, TensorDataset } from '../types.js';

/** Numbers in one tensor of rows; 4 GB of float32. */
const most = 2 ** 30;

/**
 * The rows of `values` (float32 [N, features]) as inputs of the samples of `dataset`: a view of it, so that what is or will be sealed there
 * is sealed here too.
 */
export function withInput(dataset: Dataset, values: Float32Array, features: number): TensorDataset {
  const contents = contentsOf(dataset);
  const input = torch.tensor(values).view([dataset.length, features]);
  return new TensorSamples(
    {
      name: dataset.name,
      root: dataset.root,
      length: dataset.length,
      classes: dataset.classes,
      multiLabel: dataset.multiLabel,
      skipped: dataset.skipped,
      officialParts: dataset.officialParts,
    },
    {
      name: (index) => contents.name(index),
      labels: (index) => contents.labels(index),
      sealed: (index) => isSealed(dataset, index),
      source: { dataset, at: (index) => index },
      ...(contents.group ? { group: (index: number) => contents.group?.(index) } : {}),
    },
    () => input,
  );
}

/** Room for the features of all samples. @throws DataError when they would not fit */
export function roomFor(dataset: Dataset, features: number, remedy: string): Float32Array {
  if (dataset.length * features > most)
    throw new DataError(
      `${dataset.name}: ${dataset.length} samples of ${features} features would take ${Math.round((dataset.length * features * 4) / 2 ** 30)} GB of memory; ${remedy}.`,
    );
  return new Float32Array(dataset.length * features);
}

/** What is fitted must not have seen the test part. @throws DataError when a sample is sealed, or there is none */
export function checkTrainingPart(dataset: Dataset, what: string): void {
  if (dataset.length === 0) throw new DataError(`${what}: ${dataset.name} has no samples to measure.`);
  for (let i = 0; i < dataset.length; i++)
    if (isSealed(dataset, i))
      throw new DataError(
        `${what}: sample ${i} of ${dataset.name} belongs to the sealed test part, and nothing may be measured on it; give the training part (split.train).`,
      );
}
