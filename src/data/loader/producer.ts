/** Who puts batches together: this thread, or worker threads. */
import { type Job, Row } from './job.js';
import { PictureReader, type ReaderPlan } from './picture-reader.js';

/** What producers tell the loader besides finished batches. */
export interface ProducerEvents {
  /** A picture at this position of the data set turned out to be bad. */
  bad(position: number, reason: string): void;
  /** Decoding this picture ends the thread that does it. */
  killed(position: number, reason: string): void;
  /** Nothing is written to the cache any more. */
  cacheStopped(reason: string): void;
}

export interface Producer {
  /** Begins a job; one that was cancelled before has ended when this returns. */
  start(job: Job): Promise<void>;
  /** Waits until a batch of the job is complete. @throws what makes going on impossible */
  ready(batch: number): Promise<void>;
  /** Ends the job, at once for the caller. */
  cancel(): void;
  close(): Promise<void>;
}

/** Pictures decoded side by side; libuv, which runs the decoder, has four threads. */
const lanes = 4;

/** Puts batches together in this thread, each when it is asked for. */
export class InlineProducer implements Producer {
  readonly #plan: ReaderPlan;
  readonly #buffers: readonly Uint8Array[];
  readonly #events: ProducerEvents;
  #reader: PictureReader | null = null;
  #job: Job | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(plan: ReaderPlan, buffers: readonly SharedArrayBuffer[], events: ProducerEvents) {
    this.#plan = plan;
    this.#buffers = buffers.map((buffer) => new Uint8Array(buffer));
    this.#events = events;
  }

  async start(job: Job): Promise<void> {
    await this.#running.catch(() => undefined);
    this.#reader ??= new PictureReader(this.#plan);
    this.#job = job;
  }

  ready(batch: number): Promise<void> {
    const done = this.#fill(batch);
    this.#running = done;
    return done;
  }

  /** When one lane fails, the others still finish what they are writing. */
  async #fill(batch: number): Promise<void> {
    const ends = await Promise.allSettled(Array.from({ length: lanes }, () => this.#lane(batch)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #lane(batch: number): Promise<void> {
    const job = this.#job as Job;
    const reader = this.#reader as PictureReader;
    const { form } = this.#plan;
    const bytes = form.height * form.width * form.channels;
    const buffer = this.#buffers[job.bufferOf(batch)] as Uint8Array;
    const last = batch * job.memory.batchSize + job.rowsOf(batch);
    for (let ticket = job.drawBelow(last); ticket !== null && !job.cancelled; ticket = job.drawBelow(last)) {
      const row = ticket % job.memory.batchSize;
      const position = job.positions[ticket] as number;
      const outcome = await reader.read(position, buffer.subarray(row * bytes, (row + 1) * bytes));
      if (outcome.kind !== 'bad') job.count(outcome.kind);
      else if (outcome.reason !== null) this.#events.bad(position, outcome.reason);
      if (reader.failure !== null) this.#events.cacheStopped(reader.failure);
      job.finish(ticket, outcome.kind === 'bad' ? Row.bad : Row.good);
    }
  }

  cancel(): void {
    this.#job?.cancel();
  }

  async close(): Promise<void> {
    this.cancel();
    await this.#running.catch(() => undefined);
    this.#reader?.close();
    this.#reader = null;
  }
}
