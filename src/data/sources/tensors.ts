/** A data set of tensors in memory. */
import type { Tensor } from '../../torch/index.js';
import { DataError } from '../errors.js';
import type { TensorDataset } from '../types.js';
import { TensorSamples } from './in-memory.js';

export interface TensorDatasetOptions {
  /** One sample per row: any shape [N, …]. */
  readonly input: Tensor;
  /** A class index per sample, or for multi-label data 0 and 1 of shape [N, classes]. */
  readonly target: Tensor | readonly number[];
  /** Names of the classes; by default `0`, `1`, … up to the highest label. */
  readonly classes?: readonly string[];
  /** Name of the data set; `tensors` by default. */
  readonly name?: string;
  /** Stable names of the samples; their numbers by default. */
  readonly names?: readonly string[];
}

function integers(target: Tensor | readonly number[]): number[] {
  const values = Array.isArray(target)
    ? (target as readonly number[])
    : Array.from((target as Tensor).toTypedArray(), Number);
  const wrong = values.findIndex((value) => !Number.isInteger(value) || value < 0);
  if (wrong >= 0)
    throw new DataError(`tensorDataset: target[${wrong}] is ${values[wrong]}: labels are class indices 0, 1, 2, …`);
  return [...values];
}

/**
 * A data set of the rows of `input` with a label each.
 * @throws DataError when numbers of samples differ or a label is no class
 */
export function tensorDataset(options: TensorDatasetOptions): TensorDataset {
  const { input, target } = options;
  const length = input.shape[0];
  if (length === undefined) throw new DataError('tensorDataset: input has no dimensions; [N, …] was expected');
  const shape = Array.isArray(target) ? [target.length] : (target as Tensor).shape;
  if (shape.length === 0 || shape.length > 2 || shape[0] !== length)
    throw new DataError(
      `tensorDataset: input has ${length} samples (shape [${input.shape.join(', ')}]) and target has shape [${shape.join(', ')}]; [${length}] or, for multi-label data, [${length}, classes] was expected`,
    );
  const values = integers(target);
  const multiLabel = shape.length === 2;
  const wide = multiLabel ? (shape[1] as number) : values.reduce((highest, value) => Math.max(highest, value + 1), 0);
  const classes = options.classes ?? Array.from({ length: wide }, (_, index) => String(index));
  const highest = multiLabel
    ? values.findIndex((value) => value > 1)
    : values.findIndex((value) => value >= classes.length);
  if (highest >= 0)
    throw new DataError(
      multiLabel
        ? `tensorDataset: multi-label targets are 0 or 1, not ${values[highest]}`
        : `tensorDataset: target[${highest}] is ${values[highest]}, but there are ${classes.length} classes`,
    );
  if (multiLabel && classes.length !== wide)
    throw new DataError(`tensorDataset: target has ${wide} columns, but there are ${classes.length} classes`);
  if (options.names && options.names.length !== length)
    throw new DataError(`tensorDataset: ${options.names.length} names for ${length} samples`);
  const labelsAt = (index: number): number[] => {
    if (!multiLabel) return [values[index] as number];
    const found: number[] = [];
    for (let label = 0; label < wide; label++) if (values[index * wide + label] === 1) found.push(label);
    return found;
  };
  const name = options.name ?? 'tensors';
  return new TensorSamples(
    { name, root: name, length, classes, multiLabel },
    { name: (index) => options.names?.[index] ?? String(index), labels: labelsAt },
    () => input,
  );
}
