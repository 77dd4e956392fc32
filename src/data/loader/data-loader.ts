/** `DataLoader`: from a data set to batches. */
import { createHash } from 'node:crypto';
import { type Tensor, torch } from '../../torch/index.js';
import { DataError } from '../errors.js';
import { permutation } from '../random.js';
import { isSealed, nameOf, originOf, readSealed } from '../sources/sealing.js';
import type { Batch, BatchContext, Dataset, LoaderState } from '../types.js';
import { type DataLoaderOptions, type LoaderSettings, settle } from './options.js';
import { PictureRows } from './picture-rows.js';
import type { RowSource, Rows, Skip } from './rows.js';
import { maySeeSealed } from './sealed-access.js';
import { TensorRows } from './tensor-rows.js';

/** How a loader did in the epoch it is in, or the last one. */
export interface LoaderReport {
  /** Share of the time since the epoch began that the program waited for data, 0 to 1. */
  readonly waitShare: number;
  /** Pictures decoded, and taken from the cache. */
  readonly decoded: number;
  readonly fromCache: number;
  /** Samples found bad so far, in any epoch. */
  readonly skipped: readonly Skip[];
  /** Samples handed out per second. */
  readonly picturesPerSecond: number;
}

/** Loaders that are dropped without `close()` leave no threads behind. */
const abandoned = new FinalizationRegistry<RowSource>((rows) => void rows.close());

/**
 * Batches of a data set, epoch by epoch: `for await (const { input, target, index } of loader)` runs through the rest of the present
 * epoch (all of it, unless a state was restored or the loop before was left early) and moves on to the next one.
 *
 * The batches depend on the data, `batchSize`, `shuffle`, `dropLast`, `seed`, `form` and `transform`, and on nothing else: not on the
 * number of workers, the cache, or how often the run was interrupted.
 */
export class DataLoader implements AsyncIterable<Batch> {
  readonly #settings: LoaderSettings;
  readonly #rows: RowSource;
  readonly #seesSealed: boolean;
  readonly #sampleAt: (index: number) => number;
  #fingerprint: string | undefined;
  #seed: number;
  #epoch = 0;
  #step = 0;
  /** Changes whenever the position is set from outside, which ends iterations that are under way. */
  #generation = 0;
  #iterating = false;
  #closed = false;
  #clock = { begin: 0, waited: 0, end: 0, samples: 0 };

  /** @throws DataError for options that cannot be */
  constructor(options: DataLoaderOptions) {
    const settings = settle(options);
    this.#seesSealed = maySeeSealed(options);
    this.#settings = settings;
    this.#seed = settings.seed;
    const { dataset, batchSize, device } = settings;
    this.#sampleAt = originOf(dataset).at;
    this.#rows =
      dataset.kind === 'pictures' ? new PictureRows(settings, dataset) : new TensorRows(dataset, batchSize, device);
    abandoned.register(this, this.#rows);
  }

  /** Batches in an epoch, from its beginning. */
  get length(): number {
    const { dataset, batchSize, dropLast } = this.#settings;
    return dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
  }

  get batchSize(): number {
    return this.#settings.batchSize;
  }

  get dataset(): Dataset {
    return this.#settings.dataset;
  }

  /** The epoch that the next batch belongs to, from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Goes to the beginning of an epoch. */
  setEpoch(epoch: number): void {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new DataError(`DataLoader: an epoch is an integer from 0 on, got ${String(epoch)}.`);
    this.#epoch = epoch;
    this.#step = 0;
    this.#generation++;
  }

  /** How many samples of the data set were found bad so far and are left out of their batches. */
  get samplesSkipped(): number {
    return this.#rows.skips().length;
  }

  /** Where the loader is: behind the last batch it handed out. Plain data, good for JSON. */
  state(): LoaderState {
    return {
      epoch: this.#epoch,
      step: this.#step,
      seed: this.#seed,
      batchSize: this.#settings.batchSize,
      dataset: this.#datasetFingerprint(),
    };
  }

  /**
   * Goes where a state says, with its seed; the next batch is the one after it, whatever process the state comes from.
   * @throws DataError when the state is of other data or another batch size
   */
  restore(state: LoaderState): void {
    const { epoch, step, seed, batchSize, dataset } = state;
    if (![epoch, step, seed].every((value) => Number.isSafeInteger(value) && value >= 0) || step > this.length)
      throw new DataError('DataLoader: this is not the state of a loader of these data; give what state() gave.');
    if (batchSize !== this.#settings.batchSize)
      throw new DataError(
        `DataLoader: the state is of batches of ${batchSize}, this loader makes batches of ${this.#settings.batchSize}; use the same batchSize.`,
      );
    if (dataset !== this.#datasetFingerprint())
      throw new DataError(
        `DataLoader: the state is of other data than ${this.#settings.dataset.name} holds now: samples were added, removed or renamed, or the split is another.`,
      );
    this.#epoch = epoch;
    this.#step = step;
    this.#seed = seed;
    this.#generation++;
  }

  #datasetFingerprint(): string {
    if (this.#fingerprint === undefined) {
      const { dataset } = this.#settings;
      const hash = createHash('sha256').update(`${dataset.length}\n`);
      for (let i = 0; i < dataset.length; i++) hash.update(`${nameOf(dataset, i)}\n`);
      this.#fingerprint = hash.digest('hex').slice(0, 32);
    }
    return this.#fingerprint;
  }

  report(): LoaderReport {
    const { begin, waited, end, samples } = this.#clock;
    const elapsed = begin === 0 ? 0 : (end === 0 ? performance.now() : end) - begin;
    return {
      waitShare: elapsed === 0 ? 0 : waited / elapsed,
      ...this.#rows.counts(),
      skipped: this.#rows.skips(),
      picturesPerSecond: elapsed === 0 ? 0 : (1000 * samples) / elapsed,
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    if (this.#closed) throw new DataError('DataLoader: it was closed; make a new one.');
    if (this.#iterating)
      throw new DataError(
        'DataLoader: another loop over this loader is under way; one loader has one position, so use two loaders.',
      );
    this.#refuseSealed();
    this.#iterating = true;
    const generation = this.#generation;
    this.#clock = { begin: performance.now(), waited: 0, end: 0, samples: 0 };
    try {
      await this.#waiting(() => this.#rows.begin(this.#remaining()));
      while (this.#step < this.length) {
        const rows = await this.#waiting(() => this.#rows.next());
        if (this.#closed) throw new DataError('DataLoader: it was closed while a loop over it was under way.');
        const batch = rows === null ? null : this.#batchOf(rows);
        this.#step++;
        if (batch === null) continue;
        this.#clock.samples += (rows as Rows).positions.length;
        yield batch;
        if (generation !== this.#generation)
          throw new DataError(
            'DataLoader: its position was set while a loop over it was under way; leave the loop first.',
          );
      }
      if (this.#clock.samples === 0) this.#refuseEmptyEpoch();
      this.#epoch++;
      this.#step = 0;
    } finally {
      this.#rows.end();
      this.#clock.end = performance.now();
      this.#iterating = false;
    }
  }

  /** Before anything is read: a decoder would see paths, which may tell labels. */
  #refuseSealed(): void {
    const { dataset } = this.#settings;
    if (this.#seesSealed) return;
    for (let i = 0; i < dataset.length; i++)
      // Its message says what is sealed and what opens it.
      if (isSealed(dataset, i)) dataset.labels(i);
  }

  async #waiting<Result>(work: () => Promise<Result>): Promise<Result> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#clock.waited += performance.now() - start;
    }
  }

  /** Positions of the samples of the batches that are still to come in this epoch. */
  #remaining(): Uint32Array {
    const { dataset, batchSize, shuffle } = this.#settings;
    const order = shuffle
      ? permutation(dataset.length, this.#seed, this.#epoch)
      : Uint32Array.from({ length: dataset.length }, (_, i) => i);
    return order.subarray(this.#step * batchSize, Math.min(dataset.length, this.length * batchSize));
  }

  #refuseEmptyEpoch(): void {
    const first = this.#rows.skips()[0];
    if (first !== undefined && this.samplesSkipped === this.#settings.dataset.length)
      throw new DataError(
        `DataLoader: none of the ${this.#settings.dataset.length} pictures of ${this.#settings.dataset.name} could be read; the first is ${first.name}: ${first.reason}.`,
      );
  }

  #batchOf({ input, positions }: Rows): Batch {
    const { dataset, transform, device } = this.#settings;
    const here = (tensor: Tensor): Tensor => (device === undefined ? tensor : tensor.to(device));
    const batch = {
      input,
      target: here(this.#targetsOf(positions)),
      index: here(torch.tensor(BigInt64Array.from(positions, BigInt))),
    };
    if (transform === undefined) return batch;
    const context: BatchContext = {
      seed: this.#seed,
      epoch: this.#epoch,
      samples: Array.from(positions, this.#sampleAt),
      classes: dataset.classes.length,
    };
    return transform(batch, context);
  }

  /** int64 [N], or float [N, classes] with ones where a sample has the label. */
  #targetsOf(positions: Uint32Array): Tensor {
    const { dataset } = this.#settings;
    const labelsOf = (position: number): readonly number[] =>
      this.#seesSealed ? readSealed(dataset, position).labels : dataset.labels(position);
    if (!dataset.multiLabel)
      return torch.tensor(BigInt64Array.from(positions, (position) => BigInt(labelsOf(position)[0] as number)));
    const classes = dataset.classes.length;
    const values = new Float32Array(positions.length * classes);
    for (const [row, position] of positions.entries())
      for (const label of labelsOf(position)) values[row * classes + label] = 1;
    return torch.tensor(values).view([positions.length, classes]);
  }

  /** Ends its threads and closes its files. A loader that is simply dropped does not keep the process alive either. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#rows.close();
  }
}
