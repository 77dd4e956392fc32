/**
 * Decoding threads, which outlive the loader that they work for: starting one takes a quarter of a second, and its code is compiled and
 * warm only after a while. Threads that nobody uses do not keep the process alive, and end by themselves.
 */
import type { Worker } from 'node:worker_threads';
import { startThread } from './start-thread.js';
import type { WorkerMessage, WorkerOrder } from './worker.js';

/** A thread needs little memory of its own: pictures lie outside of the JavaScript heap. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/** Most threads that are kept, and for how long, in milliseconds. */
const mostIdle = 16;
const idleTime = 30_000;

/** What whoever uses a thread hears of it. */
export interface ThreadEvents {
  message(message: WorkerMessage): void;
  /** It has ended by itself; `error` says why, where that is known. */
  exit(code: number, error: Error | null): void;
}

/** Milliseconds that a thread is given to load its code before it is ended. */
const startingTime = 10_000;

export class DecodingThread {
  readonly #worker: Worker;
  #events: ThreadEvents | null = null;
  #error: Error | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Whether its code was ever loaded. */
  started = false;
  #settle: () => void = () => {};
  /** Once its code is loaded, or it has ended. */
  readonly #settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });

  constructor() {
    const worker = startThread('worker', null, { name: 'praxis loader', resourceLimits });
    this.#worker = worker;
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'started') {
        this.started = true;
        this.#settle();
      }
      this.#events?.message(message);
    });
    worker.on('error', (error) => {
      this.#error = error;
    });
    worker.on('exit', (code) => {
      this.#settle();
      idle.delete(this);
      clearTimeout(this.#timer);
      const events = this.#events;
      this.#events = null;
      events?.exit(code, this.#error);
    });
    // Listening for messages has made it count again.
    worker.unref();
  }

  /** Gives it to a user, who hears of it from now on. */
  lend(events: ThreadEvents): void {
    clearTimeout(this.#timer);
    this.#events = events;
  }

  /** Takes it back into the pool; it must have nothing to do. */
  keep(): void {
    this.#events = null;
    this.#worker.unref();
    if (idle.size >= mostIdle) {
      void this.end();
      return;
    }
    idle.add(this);
    this.#timer = setTimeout(() => void this.end(), idleTime).unref();
  }

  send(order: WorkerOrder): void {
    this.#worker.postMessage(order);
  }

  /** Whether it keeps the process alive. */
  hold(alive: boolean): void {
    if (alive) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Ends it; its user hears nothing more. */
  async end(): Promise<void> {
    this.#events = null;
    idle.delete(this);
    // A thread that is ended while it loads its code may never end, nor the process: seen under Node 20 with a loader of TypeScript.
    this.#worker.ref();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#settled,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, startingTime);
      }),
    ]);
    clearTimeout(timer);
    await this.#worker.terminate();
  }

  /** Ends it as if it had ended by itself, for this reason. */
  abort(reason: Error): void {
    this.#error = reason;
    void this.#worker.terminate();
  }
}

const idle = new Set<DecodingThread>();

/** A thread from the pool, or a new one. */
export function borrowThread(events: ThreadEvents): DecodingThread {
  // The one that came back last is the warmest.
  const thread = [...idle].pop() ?? new DecodingThread();
  idle.delete(thread);
  thread.lend(events);
  return thread;
}
