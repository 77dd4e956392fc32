/**
 * A decoding thread. It works through jobs on its own, however long the main thread is busy; no engine is loaded here. Several pictures
 * are under way at a time: while libvips decodes some in threads of its own, another is brought to size here.
 */
import { parentPort } from 'node:worker_threads';
import { Job, type JobMemory, Row } from './job.js';
import { PictureReader, type ReaderPlan } from './picture-reader.js';
import { Seats } from './seats.js';

/** Whom a thread works for, until it is told `leave`. */
export interface WorkerPlace {
  readonly plan: ReaderPlan;
  readonly buffers: readonly SharedArrayBuffer[];
  readonly seats: SharedArrayBuffer;
  /** Its seats, one for each picture that may be under way. */
  readonly seat: number;
  readonly lanes: number;
}

/** What it is told. */
export type WorkerOrder =
  | { readonly kind: 'enter'; readonly place: WorkerPlace }
  | {
      readonly kind: 'job';
      readonly memory: JobMemory;
      /** Tickets that a thread drew and did not finish: done first and one at a time, since one of them may have ended that thread. */
      readonly first: readonly number[];
    }
  | { readonly kind: 'leave' };

/** What it says. */
export type WorkerMessage =
  | { readonly kind: 'started' }
  | { readonly kind: 'batch' }
  | { readonly kind: 'bad'; readonly position: number; readonly reason: string }
  | { readonly kind: 'cacheStopped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly job: number; readonly message: string }
  | { readonly kind: 'idle'; readonly job: number }
  /** It has left its place; `fresh` says whether nothing of what it did there goes on. */
  | { readonly kind: 'left'; readonly fresh: boolean };

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread.');
const say = (message: WorkerMessage): void => port.postMessage(message);

class Workplace {
  readonly #views: readonly Uint8Array[];
  readonly #seats: Seats;
  readonly #bytes: number;
  readonly #reader: PictureReader;
  #told = false;
  /** Pictures that are being decoded. */
  readonly #underWay = new Set<Promise<void>>();
  /** Seats at which nothing is under way. */
  #free: number[] = [];

  constructor(readonly place: WorkerPlace) {
    const { height, width, channels } = place.plan.form;
    this.#views = place.buffers.map((buffer) => new Uint8Array(buffer));
    this.#seats = new Seats(place.seats);
    this.#bytes = height * width * channels;
    this.#reader = new PictureReader(place.plan);
    this.#freeSeats();
  }

  async work(job: Job, first: readonly number[]): Promise<void> {
    // Kept, not thrown where it happens: a picture may fail while nobody waits for it, or in the same turn as another one ends.
    const failures: unknown[] = [];
    try {
      for (const ticket of first)
        if (job.waitForRoom(job.batchOf(ticket))) await this.#read(job, ticket, this.place.seat);
      for (let ticket = job.draw(); ticket !== null; ticket = job.draw()) {
        const seat = this.#free.pop() as number;
        this.#seats.take(seat, ticket);
        const batch = job.batchOf(ticket);
        // The thread must not stand still while pictures are under way: room may come of these alone.
        while (failures.length === 0 && !job.hasRoom(batch) && !job.cancelled) {
          if (this.#underWay.size > 0) await Promise.race(this.#underWay);
          else job.waitForRoom(batch);
        }
        if (failures.length > 0 || job.cancelled) break;
        const done: Promise<void> = this.#read(job, ticket, seat)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => {
            this.#underWay.delete(done);
            this.#free.push(seat);
          });
        this.#underWay.add(done);
        while (this.#free.length === 0) await Promise.race(this.#underWay);
      }
    } finally {
      // Also when one has failed, the others still finish what they are writing.
      await Promise.all(this.#underWay);
      this.#freeSeats();
    }
    if (failures.length > 0) throw failures[0];
  }

  async #read(job: Job, ticket: number, seat: number): Promise<void> {
    const seats = this.#seats;
    const reader = this.#reader;
    seats.take(seat, ticket);
    seats.begin(seat);
    const batch = job.batchOf(ticket);
    const row = ticket - batch * job.memory.batchSize;
    const buffer = this.#views[job.bufferOf(batch)] as Uint8Array;
    const position = job.positions[ticket] as number;
    const outcome = await reader.read(position, buffer.subarray(row * this.#bytes, (row + 1) * this.#bytes));
    if (outcome.kind !== 'bad') job.count(outcome.kind);
    else if (outcome.reason !== null) say({ kind: 'bad', position, reason: outcome.reason });
    if (reader.failure !== null && !this.#told) {
      this.#told = true;
      say({ kind: 'cacheStopped', reason: reader.failure });
    }
    if (job.finish(ticket, outcome.kind === 'bad' ? Row.bad : Row.good)) say({ kind: 'batch' });
    seats.take(seat, null);
  }

  #freeSeats(): void {
    const { seat, lanes } = this.place;
    this.#free = Array.from({ length: lanes }, (_, lane) => seat + lane);
    for (const one of this.#free) this.#seats.take(one, null);
  }

  /** @returns whether nothing goes on */
  leave(): boolean {
    this.#reader.close();
    return this.#reader.unfinished === 0;
  }
}

let workplace: Workplace | null = null;

async function follow(order: WorkerOrder): Promise<void> {
  if (order.kind === 'enter') workplace = new Workplace(order.place);
  else if (order.kind === 'leave') {
    const fresh = workplace?.leave() ?? true;
    workplace = null;
    say({ kind: 'left', fresh });
  } else if (workplace !== null) {
    const job = new Job(order.memory);
    try {
      await workplace.work(job, order.first);
    } catch (error) {
      say({ kind: 'failed', job: order.memory.number, message: (error as Error).message });
    }
    say({ kind: 'idle', job: order.memory.number });
  }
}

/** One order after the other: nobody leaves before the work is done. */
let orders = Promise.resolve();
port.on('message', (order: WorkerOrder) => {
  orders = orders.then(() => follow(order));
});
say({ kind: 'started' });
