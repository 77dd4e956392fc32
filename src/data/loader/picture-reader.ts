/** Gets one picture: from the cache where it is there and true, else from its file. Loaded by worker threads: no engine here. */
import { statSync } from 'node:fs';
import { SampleTable, Status } from '../cache/sample-table.js';
import { PictureStore, type Signature, type StorePlan } from '../cache/store.js';
import { type BadSampleError, DataError } from '../errors.js';
import type { PictureForm, PictureLocation } from '../types.js';
import { Locations, type LocationTable } from './location-table.js';

export type Decode = (location: PictureLocation, form: PictureForm) => Promise<Uint8Array>;

/** All that a thread needs to get the pictures of a data set; plain data over shared memory. */
export interface ReaderPlan {
  readonly locations: LocationTable;
  /** Where each picture lies in the table of samples and in the cache: its index in the root data set. */
  readonly slots: SharedArrayBuffer;
  readonly samples: SharedArrayBuffer;
  readonly samplesLength: number;
  readonly form: PictureForm;
  readonly store: StorePlan | null;
  /** Module with a `decodePicture` of its own, or null for Praxis's. */
  readonly decoder: string | null;
  /** Seconds after which a picture counts as unreadable. */
  readonly timeout: number;
}

export type Outcome =
  | { readonly kind: 'decoded' | 'fromCache' }
  | { readonly kind: 'bad'; readonly reason: string | null };

/**
 * The time for a picture is counted in ticks, in milliseconds: those between which nothing could run count for little, and no timer is set
 * for longer than it can wait (24 days).
 */
const longestTick = 1000;
const leastTicks = 8;

export class PictureReader {
  readonly #plan: ReaderPlan;
  #decode: Decode | undefined;
  readonly #locations: Locations;
  readonly #slots: Uint32Array;
  readonly #table: SampleTable;
  readonly #store: PictureStore | null;
  /** Pictures that took too long and are, for all that is known, still being decoded. */
  unfinished = 0;

  constructor(plan: ReaderPlan) {
    this.#plan = plan;
    this.#locations = new Locations(plan.locations);
    this.#slots = new Uint32Array(plan.slots);
    this.#table = new SampleTable(plan.samplesLength, plan.samples);
    this.#store = openStore(plan.store, this.#table);
  }

  /** Why nothing is written to the cache any more, if that was found here. */
  get failure(): string | null {
    return this.#store?.failure ?? null;
  }

  /**
   * Puts a picture into `into`.
   * @returns where it came from; for a bad one the reason, null when it was known before
   * @throws DataError when something else than the picture is wrong
   */
  async read(position: number, into: Uint8Array): Promise<Outcome> {
    const slot = this.#slots[position] as number;
    const table = this.#table;
    const status = Atomics.load(table.status, slot);
    if (status === Status.bad) return { kind: 'bad', reason: null };
    const store = this.#store;
    if (status === Status.sound && store?.read(slot, into)) return { kind: 'fromCache' };
    const location = this.#locations.at(position);
    const signature = signatureOf(location.path);
    if (signature !== null && signature.size === table.size[slot] && signature.modified === table.modified[slot]) {
      if (status === Status.noted && store?.read(slot, into)) {
        Atomics.store(table.status, slot, Status.sound);
        return { kind: 'fromCache' };
      }
      if (status === Status.notedBad) {
        Atomics.store(table.status, slot, Status.bad);
        return { kind: 'bad', reason: null };
      }
    }
    try {
      const picture = await this.#decodeInTime(location);
      into.set(picture);
      if (signature !== null) store?.write(slot, picture, signature);
      return { kind: 'decoded' };
    } catch (error) {
      const reason = this.#badReason(error, location);
      Atomics.store(table.status, slot, Status.bad);
      // A file that took too long may be faster the next time.
      if (signature !== null && !(error instanceof TooSlowError)) store?.writeBad(slot, signature, reason);
      return { kind: 'bad', reason };
    }
  }

  async #decodeInTime(location: PictureLocation): Promise<Uint8Array> {
    const { form, timeout, decoder } = this.#plan;
    // Only now: where the cache has all pictures, nothing is ever decoded.
    this.#decode ??= await loadDecoder(decoder);
    const decoding = this.#decode(location, form);
    const limit = timeout * 1000;
    const tick = Math.min(longestTick, limit / leastTicks);
    let passed = 0;
    let last = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const count = (): void => {
        const now = performance.now();
        // While the process was stopped or suspended, or this thread was blocked, time passed but nothing could be delivered.
        passed += Math.min(now - last, 2 * tick);
        last = now;
        if (passed < limit) return;
        clearInterval(timer);
        const giveUp = (): void => reject(new TooSlowError(`not decoded after ${timeout} seconds`));
        // Timers come first in a turn of the event loop: what is done by now is delivered in the rest of it.
        setImmediate(() => setImmediate(giveUp));
      };
      timer = setInterval(count, tick);
    });
    try {
      return await Promise.race([decoding, tooLate]);
    } catch (error) {
      if (error instanceof TooSlowError) this.#awaitLate(decoding);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  #awaitLate(decoding: Promise<unknown>): void {
    const done = (): void => {
      this.unfinished--;
    };
    this.unfinished++;
    decoding.then(done, done);
  }

  /** The reason why this picture is bad, if it is the picture. */
  #badReason(error: unknown, location: PictureLocation): string {
    // A decoder of one's own may have been given another copy of the class.
    if ((error as Error).name === 'BadSampleError') return (error as BadSampleError).reason;
    if (error instanceof TooSlowError) return error.message;
    throw new DataError(`${location.path} could not be decoded: ${(error as Error).message}`, { cause: error });
  }

  close(): void {
    this.#store?.close();
  }
}

async function loadDecoder(decoder: string | null): Promise<Decode> {
  const url = decoder ?? new URL(`../pictures/decode${import.meta.url.slice(-3)}`, import.meta.url).href;
  const { decodePicture } = (await import(url)) as { readonly decodePicture?: Decode };
  if (typeof decodePicture !== 'function') throw new DataError(`${url} exports no function decodePicture`);
  return decodePicture;
}

class TooSlowError extends Error {}

function openStore(plan: StorePlan | null, table: SampleTable): PictureStore | null {
  if (plan === null) return null;
  try {
    return new PictureStore(plan, table);
  } catch {
    // The folder was deleted meanwhile, or made anew: go on without it.
    return null;
  }
}

function signatureOf(file: string): Signature | null {
  try {
    const { size, mtimeMs } = statSync(file);
    return { size, modified: mtimeMs };
  } catch {
    return null;
  }
}
