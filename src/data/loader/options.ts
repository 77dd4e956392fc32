/** Options of the loader, checked. */
import { availableParallelism } from 'node:os';
import type { DeviceString } from '../../torch/index.js';
import type { CacheOptions } from '../cache/open.js';
import { DataError } from '../errors.js';
import type { BatchTransform, Dataset, PictureDataset, PictureForm, TensorDataset } from '../types.js';

export interface DataLoaderOptions {
  /** Pictures, or tensors. */
  readonly dataset: Dataset;
  /** Samples in a batch; default 32. */
  readonly batchSize?: number;
  /** A new random order in every epoch, decided by `seed`; default false. */
  readonly shuffle?: boolean;
  /** Threads that decode: 0 decodes in this thread. Default `auto`: one per processor, at most 16, and one for 64 samples. */
  readonly workers?: number | 'auto';
  /** Leave out the last batch of an epoch where it is smaller than the others; default false. */
  readonly dropLast?: boolean;
  /** An integer of up to 53 bits; default 0. */
  readonly seed?: number;
  /** Done to every batch, e.g. normalisation and augmentation. */
  readonly transform?: BatchTransform;
  /** Where batches are wanted; they are moved as uint8, before the transform. */
  readonly device?: DeviceString | (string & {});
  /** Size and form of pictures. Default: 128 × 128, squashed, 3 channels, fast decoding. */
  readonly form?: Partial<PictureForm>;
  /** Keep decoded pictures on disk, so that only the first epoch decodes. Default true. */
  readonly cache?: boolean | CacheOptions;
  /** Batches prepared ahead. Default: about 64 MB of them, 2 to 16. */
  readonly prefetch?: number;
  /** Seconds after which a picture that is still not decoded counts as bad; default 120, and Infinity sets no limit. */
  readonly timeout?: number;
  /** URL of a module whose `decodePicture(location, form)` is used in place of Praxis's own. Each thread loads it. */
  readonly decoder?: string | URL;
}

/** Options with everything decided. */
export interface LoaderSettings {
  readonly dataset: PictureDataset | TensorDataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly workers: number;
  readonly dropLast: boolean;
  readonly seed: number;
  readonly transform: BatchTransform | undefined;
  readonly device: string | undefined;
  readonly form: PictureForm;
  readonly cache: CacheOptions | null;
  readonly prefetch: number;
  readonly timeout: number;
  readonly decoder: string | null;
}

const known: readonly (keyof DataLoaderOptions)[] = [
  'dataset',
  'batchSize',
  'shuffle',
  'workers',
  'dropLast',
  'seed',
  'transform',
  'device',
  'form',
  'cache',
  'prefetch',
  'timeout',
  'decoder',
];

const defaultForm: PictureForm = { height: 128, width: 128, channels: 3, fit: 'squash', decode: 'fast' };

function integer(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new DataError(
      `DataLoader: ${name} must be an integer from ${least}${most === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${most}`}, got ${String(value)}.`,
    );
  return value;
}

function oneOf<Value>(name: string, value: Value, values: readonly Value[]): Value {
  if (!values.includes(value))
    throw new DataError(`DataLoader: ${name} must be one of ${values.join(', ')}, got ${String(value)}.`);
  return value;
}

function formOf(given: Partial<PictureForm>): PictureForm {
  const wrong = Object.keys(given).find((key) => !(key in defaultForm));
  if (wrong !== undefined)
    throw new DataError(`DataLoader: form has no '${wrong}'; there are ${Object.keys(defaultForm).join(', ')}.`);
  const form = { ...defaultForm, ...given };
  integer('form.height', form.height, 1, 16384);
  integer('form.width', form.width, 1, 16384);
  oneOf('form.channels', form.channels, [1, 3]);
  oneOf('form.fit', form.fit, ['squash', 'crop', 'pad']);
  oneOf('form.decode', form.decode, ['fast', 'exact']);
  // In this order, whatever the order given: what the cache is called depends on it.
  const { height, width, channels, fit, decode } = form;
  return { height, width, channels, fit, decode };
}

/** One per processor, but none that has hardly anything to do. */
function automaticWorkers(samples: number): number {
  return Math.min(16, availableParallelism(), Math.ceil(samples / 64));
}

/** @throws DataError naming the option that cannot be */
export function settle(options: DataLoaderOptions): LoaderSettings {
  if (typeof options !== 'object' || options === null)
    throw new DataError('DataLoader: expected options, at least { dataset }.');
  const wrong = Object.keys(options).find((key) => !(known as readonly string[]).includes(key));
  if (wrong !== undefined)
    throw new DataError(`DataLoader: there is no option '${wrong}'; there are ${known.join(', ')}.`);
  const { dataset } = options;
  if (dataset?.kind !== 'pictures' && dataset?.kind !== 'tensors')
    throw new DataError(
      dataset?.kind === undefined
        ? 'DataLoader: dataset must be a data set, e.g. that of imageFolder().'
        : `DataLoader: ${dataset.name} is a data set of kind ${dataset.kind}; normalise it first, which makes tensors of it.`,
    );
  if (dataset.length === 0) throw new DataError(`DataLoader: ${dataset.name} has no samples.`);
  const form = formOf(options.form ?? {});
  const batchSize = integer('batchSize', options.batchSize ?? 32, 1);
  const bytes = batchSize * form.height * form.width * form.channels;
  const ahead = Math.min(16, Math.max(2, Math.ceil(2 ** 26 / bytes)));
  const { workers = 'auto', cache = true, timeout = 120, transform } = options;
  if (transform !== undefined && typeof transform !== 'function')
    throw new DataError(
      `DataLoader: transform must be a function of a batch and its context, got ${typeof transform}.`,
    );
  if (!(typeof timeout === 'number' && timeout > 0))
    throw new DataError(`DataLoader: timeout must be a number of seconds above 0, got ${String(timeout)}.`);
  return {
    dataset,
    batchSize,
    shuffle: oneOf('shuffle', options.shuffle ?? false, [true, false]),
    workers: workers === 'auto' ? automaticWorkers(dataset.length) : integer('workers', workers, 0, 256),
    dropLast: oneOf('dropLast', options.dropLast ?? false, [true, false]),
    seed: integer('seed', options.seed ?? 0, 0),
    transform,
    device: options.device,
    form,
    cache: cache === false ? null : cache === true ? {} : cache,
    prefetch: integer('prefetch', options.prefetch ?? ahead, 1, 1024),
    timeout,
    decoder: options.decoder === undefined ? null : String(options.decoder),
  };
}
