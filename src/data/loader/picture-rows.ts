/** Batches of pictures: gathered from the mapped cache where that has all of a batch, put together by a producer where not. */
import { existsSync } from 'node:fs';
import { type Tensor, torch } from '../../torch/index.js';
import { type OpenCache, openCache } from '../cache/open.js';
import { SampleTable, Status } from '../cache/sample-table.js';
import { isPresent } from '../cache/store.js';
import { DataError } from '../errors.js';
import { locationOf, originOf, shownName } from '../sources/sealing.js';
import type { PictureDataset } from '../types.js';
import { BatchBuffers } from './batch-buffers.js';
import { Job, Row } from './job.js';
import { packLocations } from './location-table.js';
import { MappedCache } from './mapped-cache.js';
import type { LoaderSettings } from './options.js';
import { PictureReader, type ReaderPlan } from './picture-reader.js';
import { InlineProducer, type Producer, type ProducerEvents } from './producer.js';
import type { RowSource, Rows, Skip } from './rows.js';
import { ThreadProducer } from './thread-producer.js';

/** Buffers that may be lent out as tensors while others are filled; beyond them batches are copied. */
const spareBuffers = 4;

export class PictureRows implements RowSource {
  readonly #settings: LoaderSettings;
  readonly #dataset: PictureDataset;
  readonly #root: PictureDataset;
  readonly #table: SampleTable;
  readonly #pictureBytes: number;
  /** Index of each picture in the root data set; shared with threads. */
  readonly #slots: Uint32Array;
  /** Reasons of bad pictures, by slot. */
  readonly #reasons = new Map<number, string>();
  #opened = false;
  #cache: OpenCache | null = null;
  #map: MappedCache | null = null;
  #plan: ReaderPlan | null = null;
  #buffers: BatchBuffers | null = null;
  #producer: Producer | null = null;
  #positions: Uint32Array = new Uint32Array(0);
  #taken = 0;
  /** Which batches of this epoch the producer puts together, in a job of their own, and how many of them were taken. */
  #produces: boolean[] = [];
  #job: Job | null = null;
  #jobTaken = 0;
  #jobs = 0;
  /** Pictures that this thread took from the map, and decoded itself, in this epoch. */
  #gathered = 0;
  #decodedHere = 0;
  /** For what this thread reads itself. */
  #reader: PictureReader | null = null;
  /** What that is at, or was at last. */
  #reading: Promise<unknown> = Promise.resolve();
  readonly #scratch: Uint8Array;
  #closed = false;

  constructor(settings: LoaderSettings, dataset: PictureDataset) {
    this.#settings = settings;
    this.#dataset = dataset;
    const { form } = settings;
    this.#pictureBytes = form.height * form.width * form.channels;
    this.#scratch = new Uint8Array(this.#pictureBytes);
    const origin = originOf(dataset);
    this.#root = origin.dataset as PictureDataset;
    this.#slots = new Uint32Array(new SharedArrayBuffer(dataset.length * 4));
    for (let i = 0; i < dataset.length; i++) this.#slots[i] = origin.at(i);
    this.#table = new SampleTable(this.#root.length);
  }

  async begin(positions: Uint32Array): Promise<void> {
    if (!this.#opened) this.#open();
    const store = this.#plan?.store ?? null;
    const present = store !== null && isPresent(store);
    // The journal of a cache that was made anew tells of another file than the one that is mapped.
    if (present) this.#cache?.journal.update();
    this.#positions = positions;
    this.#taken = 0;
    this.#jobTaken = 0;
    this.#gathered = 0;
    this.#decodedHere = 0;
    this.#job = null;
    const { batchSize, prefetch } = this.#settings;
    this.#produces = [];
    const produced: number[] = [];
    for (let first = 0; first < positions.length; first += batchSize) {
      const batch = positions.subarray(first, first + batchSize);
      const ready = this.#map !== null && batch.every((position) => this.#isSettled(position, present));
      this.#produces.push(!ready);
      if (!ready) for (const position of batch) produced.push(position);
    }
    if (produced.length === 0) {
      // All pictures lie in the cache: threads and buffers have done their work.
      await this.#dismiss();
      this.#refuseClosed();
      return;
    }
    this.#buffers ??= new BatchBuffers(prefetch, spareBuffers, batchSize * this.#pictureBytes);
    this.#producer ??= this.#makeProducer(this.#buffers.buffers);
    const job = Job.make(this.#jobs++, Uint32Array.from(produced), batchSize, prefetch);
    for (const [place, buffer] of this.#buffers.filling.entries()) job.setBuffer(place, buffer);
    await this.#producer.start(job);
    this.#refuseClosed();
    this.#job = job;
  }

  /** The loader may be closed wherever a loop over it waits; what it works with is gone then. */
  #refuseClosed(): void {
    if (this.#closed) throw new DataError('DataLoader: it was closed while a loop over it was under way.');
  }

  #open(): void {
    this.#opened = true;
    const { form, cache, decoder, timeout } = this.#settings;
    if (cache !== null)
      try {
        this.#cache = openCache(this.#root, form, decoder, this.#table, cache);
        this.#map = MappedCache.open(this.#cache.plan, this.#root.length, this.#dataset.length, form);
      } catch (error) {
        warn(`Decoded pictures are not kept: ${(error as Error).message}. Every epoch decodes anew.`);
      }
    this.#plan = {
      locations: packLocations(this.#dataset.length, (index) => locationOf(this.#dataset, index), this.#dataset.root),
      slots: this.#slots.buffer as SharedArrayBuffer,
      samples: this.#table.memory,
      samplesLength: this.#table.length,
      form,
      store: this.#cache === null ? null : { ...this.#cache.plan, mapped: this.#map?.identity ?? null },
      decoder,
      timeout,
    };
  }

  /** Whether a picture needs no producer: it is in the cache, or known to be bad. What the journal alone tells needs its cache to be there. */
  #isSettled(position: number, present: boolean): boolean {
    const status = this.#table.status[this.#slots[position] as number];
    return present ? status !== Status.unknown : status === Status.sound || status === Status.bad;
  }

  #makeProducer(buffers: readonly SharedArrayBuffer[]): Producer {
    const events: ProducerEvents = {
      bad: (position, reason) => {
        this.#reasons.set(this.#slots[position] as number, reason);
      },
      killed: (position, reason) => {
        const slot = this.#slots[position] as number;
        this.#reasons.set(slot, reason);
        Atomics.store(this.#table.status, slot, Status.bad);
      },
      cacheStopped: (reason) => {
        if (!this.#warned)
          warn(
            `Decoded pictures are not kept any more: ${reason}. What is missing in the cache is decoded in every epoch.`,
          );
        this.#warned = true;
      },
    };
    const { workers } = this.#settings;
    const plan = this.#plan as ReaderPlan;
    return workers === 0
      ? new InlineProducer(plan, buffers, events)
      : new ThreadProducer(plan, buffers, events, workers);
  }
  #warned = false;

  async next(): Promise<Rows | null> {
    this.#refuseClosed();
    const { batchSize } = this.#settings;
    const batch = this.#taken++;
    const positions = this.#positions.subarray(batch * batchSize, (batch + 1) * batchSize);
    return this.#produces[batch] === true ? this.#produced(positions) : this.#fromMap(positions);
  }

  /** Compares what the journal tells of these pictures with cache and files, once in each process. */
  async #verify(positions: Uint32Array): Promise<void> {
    for (const position of positions) {
      const status = this.#table.status[this.#slots[position] as number];
      if (status !== Status.sound && status !== Status.bad) await this.#read(position, this.#scratch);
    }
  }

  async #fromMap(positions: Uint32Array): Promise<Rows | null> {
    await this.#verify(positions);
    const statusOf = (position: number) => this.#table.status[this.#slots[position] as number];
    if (positions.some((position) => statusOf(position) !== Status.sound && statusOf(position) !== Status.bad))
      return this.#readHere(positions);
    const good = positions.filter((position) => statusOf(position) === Status.sound);
    if (good.length < positions.length) await this.#lookAtBad(positions);
    this.#refuseClosed();
    if (good.length === 0) return null;
    this.#gathered += good.length;
    const slots = Int32Array.from(good, (position) => this.#slots[position] as number);
    const input = (this.#map as MappedCache).gather(slots);
    const { device } = this.#settings;
    return { input: device === undefined ? input : input.to(device), positions: good };
  }

  /** A batch picture by picture: for what turned out not to be in the cache after all, and cannot be written to it. */
  async #readHere(positions: Uint32Array): Promise<Rows | null> {
    const memory = new Uint8Array(new SharedArrayBuffer(positions.length * this.#pictureBytes));
    const good: number[] = [];
    for (const position of positions) {
      const at = good.length * this.#pictureBytes;
      if (await this.#read(position, memory.subarray(at, at + this.#pictureBytes))) good.push(position);
    }
    if (good.length === 0) return null;
    const input = this.#shaped(torch.fromBuffer(memory.subarray(0, good.length * this.#pictureBytes)));
    const { device } = this.#settings;
    return { input: device === undefined ? input : input.to(device), positions: Uint32Array.from(good) };
  }

  async #read(position: number, into: Uint8Array): Promise<boolean> {
    this.#refuseClosed();
    this.#reader ??= new PictureReader(this.#plan as ReaderPlan);
    const reading = this.#reader.read(position, into);
    this.#reading = reading;
    const outcome = await reading;
    this.#refuseClosed();
    if (outcome.kind === 'decoded') this.#decodedHere++;
    if (outcome.kind === 'bad' && outcome.reason !== null)
      this.#reasons.set(this.#slots[position] as number, outcome.reason);
    return outcome.kind !== 'bad';
  }

  /** A batch that the producer put together. */
  async #produced(positions: Uint32Array): Promise<Rows | null> {
    const job = this.#job as Job;
    const batch = this.#jobTaken++;
    await (this.#producer as Producer).ready(batch);
    const first = batch * job.memory.batchSize;
    const good = Int32Array.from(positions.keys()).filter((row) => job.rows[first + row] === Row.good);
    if (good.length < positions.length) await this.#lookAtBad(positions);
    this.#refuseClosed();
    const buffers = this.#buffers as BatchBuffers;
    const place = batch % job.memory.ring;
    const input = this.#take(buffers, place, positions.length, good);
    job.consume(batch, buffers.filling[place] as number);
    if (input === null) return null;
    return { input, positions: positions.filter((_, row) => job.rows[first + row] === Row.good) };
  }

  #take(buffers: BatchBuffers, place: number, count: number, good: Int32Array): Tensor | null {
    if (good.length === 0) return null;
    const { device } = this.#settings;
    const bytes = count * this.#pictureBytes;
    if (good.length === count && (device === undefined || device === 'cpu'))
      return this.#shaped(buffers.lend(place, bytes));
    // Copied anyway: what lies over the buffer never leaves this function.
    const rows = buffers.peek(place, bytes).view([count, this.#pictureBytes]);
    const chosen = good.length === count ? rows : torch.indexSelect(rows, 0, torch.tensor(good));
    return this.#shaped(device === undefined ? chosen : chosen.to(device));
  }

  /** Interleaved pixels as [N, C, H, W] in channels-last memory. */
  #shaped(bytes: Tensor): Tensor {
    const { height, width, channels } = this.#settings.form;
    return bytes.view([-1, height, width, channels]).permute([0, 3, 1, 2]);
  }

  /** Bad pictures may mean that the disk is gone: that is no reason to skip them all. */
  async #lookAtBad(positions: Uint32Array): Promise<void> {
    const { name, root } = this.#dataset;
    if (!existsSync(root)) throw new DataError(`${name}: ${root} is not there any more; bring it back, then go on.`);
    // The reasons were sent before the batch was complete, but messages come in with the next turns of the event loop.
    const unexplained = (): boolean =>
      positions.some((position) => {
        const slot = this.#slots[position] as number;
        return this.#table.status[slot] === Status.bad && this.#reasonOf(slot) === undefined;
      });
    for (let turn = 0; turn < 20 && unexplained(); turn++) await new Promise(setImmediate);
  }

  #reasonOf(slot: number): string | undefined {
    return this.#reasons.get(slot) ?? this.#cache?.journal.reasons.get(slot);
  }

  end(): void {
    this.#producer?.cancel();
  }

  skips(): Skip[] {
    const seen = new Set<number>();
    const found: Skip[] = [];
    for (const [position, slot] of this.#slots.entries()) {
      if (this.#table.status[slot] !== Status.bad || seen.has(slot)) continue;
      seen.add(slot);
      found.push({ name: shownName(this.#dataset, position), reason: this.#reasonOf(slot) ?? 'unreadable' });
    }
    return found;
  }

  counts() {
    const job = this.#job;
    return {
      decoded: (job?.counted('decoded') ?? 0) + this.#decodedHere,
      // What was decoded here was gathered afterwards.
      fromCache: (job?.counted('fromCache') ?? 0) + Math.max(0, this.#gathered - this.#decodedHere),
    };
  }

  async #dismiss(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    this.#buffers = null;
    await producer?.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#dismiss();
    // A picture that is still being decoded goes into the cache: its files must be open until then.
    await this.#reading.catch(() => undefined);
    this.#reader?.close();
    this.#reader = null;
    this.#map?.close();
    this.#map = null;
    this.#cache?.close();
    this.#cache = null;
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'PraxisWarning');
}
