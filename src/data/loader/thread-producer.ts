/** Puts batches together in worker threads, which run ahead on their own; threads that die are replaced. */
import type { Worker } from 'node:worker_threads';
import { DataError } from '../errors.js';
import { type Job, Row } from './job.js';
import type { ReaderPlan } from './picture-reader.js';
import type { Producer, ProducerEvents } from './producer.js';
import { Seats } from './seats.js';
import { startThread } from './start-thread.js';
import type { WorkerMessage, WorkerOrder, WorkerStart } from './worker.js';

interface Thread {
  readonly worker: Worker;
  started: boolean;
  /** The job it was told of and has not reported the end of. */
  job: Job | null;
  error: Error | null;
}

/** Deaths in a row without a file to blame, after which the reason must lie elsewhere. */
const deathLimit = 3;

/** A thread needs little memory of its own: pictures lie outside of the JavaScript heap. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

export class ThreadProducer implements Producer {
  readonly #plan: ReaderPlan;
  readonly #buffers: readonly SharedArrayBuffer[];
  readonly #events: ProducerEvents;
  readonly #seats: Seats;
  readonly #threads: (Thread | null)[];
  #job: Job | null = null;
  #failure: Error | null = null;
  #blamelessDeaths = 0;
  /** How often a picture was being decoded when its thread died. */
  readonly #deaths = new Map<number, number>();
  #waiting = 0;
  #wake: () => void = () => undefined;
  #closed = false;

  constructor(plan: ReaderPlan, buffers: readonly SharedArrayBuffer[], events: ProducerEvents, workers: number) {
    this.#plan = plan;
    this.#buffers = buffers;
    this.#events = events;
    this.#seats = Seats.make(workers);
    this.#threads = Array.from({ length: workers }, () => null);
  }

  async start(job: Job): Promise<void> {
    this.#job = null;
    this.#failure = null;
    // Threads may still be writing into the buffers of a job that was cancelled.
    await this.#until(() => this.#threads.every((thread) => thread === null || thread.job === null));
    this.#job = job;
    const useful = Math.min(this.#threads.length, job.length);
    for (let seat = 0; seat < useful; seat++) this.#give(seat, null);
  }

  /** Gives a thread the present job, and makes the thread where there is none. */
  #give(seat: number, first: number | null): void {
    const job = this.#job as Job;
    const thread = this.#threads[seat] ?? this.#spawn(seat);
    thread.job = job;
    thread.worker.postMessage({ memory: job.memory, first } satisfies WorkerOrder);
  }

  #spawn(seat: number): Thread {
    const start: WorkerStart = { plan: this.#plan, buffers: this.#buffers, seats: this.#seats.memory, seat };
    const worker = startThread('worker', start, { name: `praxis loader ${seat}`, resourceLimits });
    const thread: Thread = { worker, started: false, job: null, error: null };
    this.#threads[seat] = thread;
    worker.on('message', (message: WorkerMessage) => this.#hear(thread, message));
    worker.on('error', (error) => {
      thread.error = error;
    });
    worker.on('exit', (code) => this.#lost(seat, thread, code));
    // Listening for messages has made it count again.
    if (this.#waiting === 0) worker.unref();
    return thread;
  }

  #hear(thread: Thread, message: WorkerMessage): void {
    if (message.kind === 'started') thread.started = true;
    else if (message.kind === 'bad') this.#events.bad(message.position, message.reason);
    else if (message.kind === 'cacheStopped') this.#events.cacheStopped(message.reason);
    else if (message.kind === 'idle') thread.job = null;
    else if (message.kind === 'failed' && message.job === this.#job?.memory.number) this.#fail(message.message);
    this.#wake();
  }

  #fail(message: string): void {
    this.#failure ??= new DataError(message);
    this.#job?.cancel();
  }

  /** A thread has ended: unless that was wanted, another takes its place and its ticket. */
  #lost(seat: number, thread: Thread, code: number): void {
    if (this.#threads[seat] !== thread) return;
    this.#threads[seat] = null;
    const job = this.#job;
    if (!this.#closed && job !== null && thread.job === job && !job.cancelled) this.#replace(seat, thread, code, job);
    else this.#seats.take(seat, null);
    this.#wake();
  }

  #replace(seat: number, thread: Thread, code: number, job: Job): void {
    const why = thread.error?.message ?? `it ended with code ${code}`;
    const ticket = this.#seats.ticket(seat);
    const decoding = this.#seats.decodingFor(seat) !== null;
    this.#seats.take(seat, null);
    let first = ticket !== null && job.rows[ticket] === Row.pending ? ticket : null;
    if (first !== null && decoding) {
      this.#blamelessDeaths = 0;
      const position = job.positions[first] as number;
      const deaths = (this.#deaths.get(position) ?? 0) + 1;
      this.#deaths.set(position, deaths);
      if (deaths > 1) {
        this.#events.killed(position, `its decoding ended the thread twice (${why})`);
        job.finish(first, Row.bad);
        first = null;
      }
    } else if (++this.#blamelessDeaths >= deathLimit) {
      const what = thread.started ? 'keep ending' : 'cannot start';
      this.#fail(`DataLoader: its worker threads ${what}: ${why}; workers: 0 does without them.`);
      return;
    }
    this.#give(seat, first);
  }

  async ready(batch: number): Promise<void> {
    const job = this.#job as Job;
    await this.#until(() => job.isComplete(batch));
  }

  /** Waits, and keeps the process alive for that long. @throws what made a thread give up */
  async #until(done: () => boolean): Promise<void> {
    if (done()) return;
    this.#waiting++;
    for (const thread of this.#threads) thread?.worker.ref();
    const watch = setInterval(() => this.#endHung(), 1000);
    try {
      while (!done()) {
        if (this.#failure !== null) throw this.#failure;
        if (this.#closed) throw new DataError('DataLoader: it was closed while a loop over it was under way.');
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearInterval(watch);
      this.#waiting--;
      for (const thread of this.#threads) thread?.worker.unref();
    }
  }

  /** Ends threads that do not come back, not even to notice that time is up. */
  #endHung(): void {
    const limit = this.#plan.timeout + 5;
    for (const [seat, thread] of this.#threads.entries()) {
      const seconds = this.#seats.decodingFor(seat);
      if (thread === null || seconds === null || seconds < limit) continue;
      thread.error = new Error(`it was not done after ${this.#plan.timeout} seconds`);
      void thread.worker.terminate();
    }
  }

  cancel(): void {
    this.#job?.cancel();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.cancel();
    const threads = this.#threads.filter((thread) => thread !== null);
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
    this.#wake();
  }
}
