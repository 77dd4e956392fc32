/** Batches of pictures: gathered from the mapped cache where that has all of a batch, put together by a producer where not. */
import { existsSync } from 'node:fs';
import { type Tensor, torch } from '../../torch/index.js';
import { SampleTable, Status } from '../cache/sample-table.js';
import { DataError } from '../errors.js';
import { locationOf, originOf, shownName } from '../sources/sealing.js';
import type { PictureDataset } from '../types.js';
import { BatchBuffers } from './batch-buffers.js';
import { Job, Row } from './job.js';
import { packLocations } from './location-table.js';
import type { LoaderSettings } from './options.js';
import type { ReaderPlan } from './picture-reader.js';
import { InlineProducer, type Producer } from './producer.js';
import type { RowSource, Rows, Skip } from './rows.js';
import { ThreadProducer } from './thread-producer.js';

/** Buffers that may be lent out as tensors while others are filled; beyond them batches are copied. */
const spareBuffers = 4;

export class PictureRows implements RowSource {
  readonly #settings: LoaderSettings;
  readonly #dataset: PictureDataset;
  readonly #table: SampleTable;
  readonly #plan: ReaderPlan;
  readonly #pictureBytes: number;
  /** Reasons of bad pictures, by index in the root data set. */
  readonly #reasons = new Map<number, string>();
  readonly #slots: Uint32Array;
  #buffers: BatchBuffers | null = null;
  #producer: Producer | null = null;
  #positions: Uint32Array = new Uint32Array(0);
  #taken = 0;
  /** The producer's job in this epoch, and how many of its batches were taken. */
  #job: Job | null = null;
  #jobTaken = 0;
  #jobs = 0;
  readonly #counts = { decoded: 0, fromCache: 0 };

  constructor(settings: LoaderSettings, dataset: PictureDataset) {
    this.#settings = settings;
    this.#dataset = dataset;
    const { form } = settings;
    this.#pictureBytes = form.height * form.width * form.channels;
    const origin = originOf(dataset);
    const slots = new SharedArrayBuffer(dataset.length * 4);
    this.#slots = new Uint32Array(slots);
    for (let i = 0; i < dataset.length; i++) this.#slots[i] = origin.at(i);
    this.#table = new SampleTable(origin.dataset.length);
    this.#plan = {
      locations: packLocations(dataset.length, (index) => locationOf(dataset, index), dataset.root),
      slots,
      samples: this.#table.memory,
      samplesLength: this.#table.length,
      form,
      store: null,
      decoder: settings.decoder,
      timeout: settings.timeout,
    };
  }

  async begin(positions: Uint32Array): Promise<void> {
    const { batchSize, prefetch } = this.#settings;
    this.#positions = positions;
    this.#taken = 0;
    this.#jobTaken = 0;
    this.#buffers ??= new BatchBuffers(prefetch, spareBuffers, batchSize * this.#pictureBytes);
    this.#producer ??= this.#makeProducer(this.#buffers.buffers);
    const job = Job.make(this.#jobs++, positions, batchSize, prefetch);
    for (let i = 0; i < prefetch; i++) job.setBuffer(i, i);
    await this.#producer.start(job);
    this.#job = job;
  }

  #makeProducer(buffers: readonly SharedArrayBuffer[]): Producer {
    const events = {
      bad: (position: number, reason: string) => {
        this.#reasons.set(this.#slots[position] as number, reason);
      },
      killed: (position: number, reason: string) => {
        const slot = this.#slots[position] as number;
        this.#reasons.set(slot, reason);
        Atomics.store(this.#table.status, slot, Status.bad);
      },
      cacheStopped: () => undefined,
    };
    const { workers } = this.#settings;
    return workers === 0
      ? new InlineProducer(this.#plan, buffers, events)
      : new ThreadProducer(this.#plan, buffers, events, workers);
  }

  async next(): Promise<Rows | null> {
    const positions = this.#positions.subarray(this.#taken, this.#taken + this.#settings.batchSize);
    this.#taken += positions.length;
    return this.#produced(positions);
  }

  /** A batch that the producer put together. */
  async #produced(positions: Uint32Array): Promise<Rows | null> {
    const job = this.#job as Job;
    const batch = this.#jobTaken++;
    await (this.#producer as Producer).ready(batch);
    const first = batch * job.memory.batchSize;
    const rows = job.rows.subarray(first, first + positions.length);
    const good = positions.filter((_, row) => rows[row] === Row.good);
    this.#counts.decoded = job.counted('decoded');
    this.#counts.fromCache = job.counted('fromCache');
    if (good.length < positions.length) this.#checkRoot();
    const buffers = this.#buffers as BatchBuffers;
    const buffer = job.bufferOf(batch);
    const { device } = this.#settings;
    if (good.length === 0) {
      job.consume(batch, buffer);
      return null;
    }
    if (good.length < positions.length || (device !== undefined && device !== 'cpu')) {
      // Copied anyway: the buffer never leaves this function.
      using shared = buffers.peek(buffer);
      const all = this.#shaped(shared.at(`:${positions.length * this.#pictureBytes}`), positions.length);
      const chosen =
        good.length === positions.length
          ? all
          : torch
              .indexSelect(
                all.permute([0, 2, 3, 1]),
                0,
                torch.tensor(Int32Array.from(positions.keys()).filter((row) => rows[row] === Row.good)),
              )
              .permute([0, 3, 1, 2]);
      const input = device === undefined ? chosen : chosen.to(device);
      job.consume(batch, buffer);
      return { input, positions: good };
    }
    const { tensor, next } = buffers.lend(buffer, positions.length * this.#pictureBytes);
    job.consume(batch, next);
    return { input: this.#shaped(tensor, positions.length), positions };
  }

  /** Interleaved pixels as [N, C, H, W] in channels-last memory. */
  #shaped(bytes: Tensor, count: number): Tensor {
    const { height, width, channels } = this.#settings.form;
    return bytes.view([count, height, width, channels]).permute([0, 3, 1, 2]);
  }

  /** Bad pictures may mean that the disk is gone: that is no reason to skip them all. */
  #checkRoot(): void {
    const { name, root } = this.#dataset;
    if (!existsSync(root)) throw new DataError(`${name}: ${root} is not there any more; bring it back, then go on.`);
  }

  end(): void {
    this.#producer?.cancel();
    this.#job = null;
  }

  skips(): Skip[] {
    const seen = new Set<number>();
    const found: Skip[] = [];
    for (const [position, slot] of this.#slots.entries()) {
      if (this.#table.status[slot] !== Status.bad || seen.has(slot)) continue;
      seen.add(slot);
      found.push({ name: shownName(this.#dataset, position), reason: this.#reasons.get(slot) ?? 'unreadable' });
    }
    return found;
  }

  counts() {
    return { ...this.#counts };
  }

  async close(): Promise<void> {
    await this.#producer?.close();
    this.#producer = null;
    this.#buffers = null;
  }
}
