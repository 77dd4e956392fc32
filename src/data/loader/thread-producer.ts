/** Puts batches together in worker threads, which run ahead on their own; threads that die are replaced. */
import { DataError } from '../errors.js';
import { type Job, Row } from './job.js';
import type { ReaderPlan } from './picture-reader.js';
import type { Producer, ProducerEvents } from './producer.js';
import { Seats } from './seats.js';
import { borrowThread, type DecodingThread } from './thread-pool.js';
import type { WorkerMessage } from './worker.js';

/** A thread while it works here. */
interface Hand {
  readonly thread: DecodingThread;
  /** The job it was told of and has not reported the end of. */
  job: Job | null;
  /** Tickets of others that it was given to finish. */
  given: readonly number[];
  /** Hears that it has left. */
  onLeft: ((fresh: boolean) => void) | null;
}

/** Deaths in a row without a file to blame, after which the reason must lie elsewhere. */
const deathLimit = 3;

/** How long a thread may take to finish what it is at when the loader closes, in milliseconds, before it is ended. */
const leavingTime = 2000;

/** Threads of libuv, in which libvips decodes: https://docs.libuv.org/en/v1.x/threadpool.html */
const decodingThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4;

/** Pictures under way in each thread: a second one is decoded while the first is brought to size, where anything is free to decode it. */
const lanesOf = (workers: number): number => (workers <= decodingThreads ? 2 : 1);

export class ThreadProducer implements Producer {
  readonly #plan: ReaderPlan;
  readonly #buffers: readonly SharedArrayBuffer[];
  readonly #events: ProducerEvents;
  readonly #lanes: number;
  readonly #seats: Seats;
  readonly #hands: (Hand | null)[];
  #job: Job | null = null;
  #failure: Error | null = null;
  #blamelessDeaths = 0;
  /** How often a picture of this job was being decoded when its thread died. */
  readonly #deaths = new Map<number, number>();
  #waiting = 0;
  readonly #sleepers = new Set<() => void>();
  /** Lets everyone who waits look again. */
  readonly #wake = (): void => {
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const wake of sleepers) wake();
  };
  #closed = false;

  constructor(plan: ReaderPlan, buffers: readonly SharedArrayBuffer[], events: ProducerEvents, workers: number) {
    this.#plan = plan;
    this.#buffers = buffers;
    this.#events = events;
    this.#lanes = lanesOf(workers);
    this.#seats = Seats.make(workers * this.#lanes);
    this.#hands = Array.from({ length: workers }, () => null);
  }

  async start(job: Job): Promise<void> {
    this.#job = null;
    this.#failure = null;
    // Threads may still be writing into the buffers of a job that was cancelled.
    await this.#until(() => this.#hands.every((hand) => hand === null || hand.job === null));
    this.#job = job;
    this.#deaths.clear();
    const useful = Math.min(this.#hands.length, job.length);
    for (let place = 0; place < useful; place++) this.#give(place, []);
  }

  /** Gives a thread the present job, and gets a thread where there is none. */
  #give(place: number, first: readonly number[]): void {
    const job = this.#job as Job;
    const hand = this.#hands[place] ?? this.#hire(place);
    hand.job = job;
    hand.given = first;
    hand.thread.send({ kind: 'job', memory: job.memory, first });
  }

  #hire(place: number): Hand {
    const thread = borrowThread({
      message: (message) => this.#hear(hand, message),
      exit: (code, error) => this.#lost(place, hand, error?.message ?? `it ended with code ${code}`),
    });
    const hand: Hand = { thread, job: null, given: [], onLeft: null };
    this.#hands[place] = hand;
    const [seats, lanes] = [this.#seats.memory, this.#lanes];
    const about = { plan: this.#plan, buffers: this.#buffers, seats, seat: place * lanes, lanes };
    thread.send({ kind: 'enter', place: about });
    if (this.#waiting > 0) thread.hold(true);
    return hand;
  }

  #hear(hand: Hand, message: WorkerMessage): void {
    if (message.kind === 'bad') this.#events.bad(message.position, message.reason);
    else if (message.kind === 'cacheStopped') this.#events.cacheStopped(message.reason);
    else if (message.kind === 'idle') hand.job = null;
    else if (message.kind === 'failed' && message.job === this.#job?.memory.number) this.#fail(message.message);
    else if (message.kind === 'left') hand.onLeft?.(message.fresh);
    this.#wake();
  }

  #fail(message: string): void {
    this.#failure ??= new DataError(message);
    this.#job?.cancel();
  }

  #seatsOf(place: number): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => place * this.#lanes + lane);
  }

  /** A thread has ended: unless that was wanted, another takes its place and its tickets. */
  #lost(place: number, hand: Hand, why: string): void {
    this.#hands[place] = null;
    const job = this.#job;
    const seats = this.#seatsOf(place);
    const drawn = seats.map((seat) => this.#seats.ticket(seat)).filter((ticket) => ticket !== null);
    const decoding = new Set(
      seats.filter((seat) => this.#seats.looksAt(seat) !== null).map((seat) => this.#seats.ticket(seat)),
    );
    for (const seat of seats) this.#seats.take(seat, null);
    if (!this.#closed && job !== null && hand.job === job && !job.cancelled) {
      const pending = [...new Set([...drawn, ...hand.given])].filter((ticket) => job.rows[ticket] === Row.pending);
      const suspects = pending.filter((ticket) => decoding.has(ticket));
      this.#replace(place, job, { pending, suspects, why, started: hand.thread.started });
    }
    hand.onLeft?.(false);
    this.#wake();
  }

  #replace(
    place: number,
    job: Job,
    death: { pending: number[]; suspects: number[]; why: string; started: boolean },
  ): void {
    const { pending, suspects, why, started } = death;
    if (suspects.length > 0) this.#blamelessDeaths = 0;
    else if (++this.#blamelessDeaths >= deathLimit) {
      const what = started ? 'keep ending' : 'cannot start';
      this.#fail(`DataLoader: its worker threads ${what}: ${why}; workers: 0 does without them.`);
      return;
    }
    // Of several that were under way nobody knows which did it. They are tried again one by one, so that the second death is the culprit's.
    for (const ticket of suspects) this.#blame(job, ticket, why);
    this.#give(
      place,
      pending.filter((ticket) => job.rows[ticket] === Row.pending),
    );
  }

  #blame(job: Job, ticket: number, why: string): void {
    const position = job.positions[ticket] as number;
    const deaths = (this.#deaths.get(ticket) ?? 0) + 1;
    this.#deaths.set(ticket, deaths);
    if (deaths < 2) return;
    this.#events.killed(position, `its decoding ended the thread twice (${why})`);
    job.finish(ticket, Row.bad);
  }

  async ready(batch: number): Promise<void> {
    const job = this.#job as Job;
    await this.#until(() => job.isComplete(batch));
  }

  /** Waits, and keeps the process alive for that long. @throws what made a thread give up */
  async #until(done: () => boolean): Promise<void> {
    if (done()) return;
    this.#waiting++;
    for (const hand of this.#hands) hand?.thread.hold(true);
    const watch = setInterval(() => this.#endHung(), 1000);
    try {
      while (!done()) {
        if (this.#failure !== null) throw this.#failure;
        if (this.#closed) throw new DataError('DataLoader: it was closed while a loop over it was under way.');
        await new Promise<void>((resolve) => {
          this.#sleepers.add(resolve);
        });
      }
    } finally {
      clearInterval(watch);
      this.#waiting--;
      for (const hand of this.#hands) hand?.thread.hold(false);
    }
  }

  /** Ends threads that do not come back, not even to notice that time is up. */
  #endHung(): void {
    this.#seats.look();
    // There is a look each second at most; the thread itself, if it can, gives up first.
    const limit = this.#plan.timeout + 5;
    for (const [place, hand] of this.#hands.entries()) {
      const longest = Math.max(...this.#seatsOf(place).map((seat) => this.#seats.looksAt(seat) ?? 0));
      if (hand !== null && longest >= limit)
        hand.thread.abort(new Error(`it was not done after ${this.#plan.timeout} seconds`));
    }
  }

  cancel(): void {
    this.#job?.cancel();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.cancel();
    const hands = this.#hands.splice(0).filter((hand) => hand !== null);
    this.#wake();
    await Promise.all(hands.map((hand) => this.#dismiss(hand)));
  }

  /** Back to the pool, if it soon has nothing to do; a decoder of the user's own may leave anything behind. */
  async #dismiss(hand: Hand): Promise<void> {
    const { thread } = hand;
    let fresh = false;
    if (this.#plan.decoder === null) {
      thread.hold(true);
      let timer: NodeJS.Timeout | undefined;
      fresh = await new Promise<boolean>((resolve) => {
        hand.onLeft = resolve;
        timer = setTimeout(() => resolve(false), leavingTime);
        thread.send({ kind: 'leave' });
      });
      clearTimeout(timer);
    }
    if (fresh) thread.keep();
    else await thread.end();
  }
}
