/** The samples of a data set under the class numbers of another. */
import { TensorSamples } from '../../data/sources/in-memory.js';
import { PictureSamples } from '../../data/sources/samples.js';
import type { Dataset } from '../../data/types.js';

/** @param classes every class of the samples is among them, by name */
export function relabelled(dataset: Dataset, classes: readonly string[]): Dataset {
  if (dataset.classes.join('\n') === classes.join('\n')) return dataset;
  const numbers = dataset.classes.map((name) => classes.indexOf(name));
  const { name, root, length, multiLabel, skipped } = dataset;
  const head = { name, root, length, classes, multiLabel, skipped };
  const contents = {
    name: (index: number) => dataset.sampleName(index),
    labels: (index: number) =>
      dataset
        .labels(index)
        .map((label) => numbers[label] as number)
        .sort((a, b) => a - b),
  };
  if (dataset.kind === 'pictures')
    return new PictureSamples(head, { ...contents, location: (index) => dataset.location(index) });
  if (dataset.kind === 'tensors') return new TensorSamples(head, contents, () => dataset.input);
  return dataset;
}
