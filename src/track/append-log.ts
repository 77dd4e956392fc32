/**
 * A file that grows during a run, written so that it can never hold the run up or end it: what is appended is gathered in memory and
 * written in the background; a full disk, a removed folder or a failing network drive costs one warning, and what could not be written
 * is kept, within a limit, until it can.
 */
import * as fs from 'node:fs';
import { toStderr, writeProblem } from './errors.js';

export interface AppendLogOptions {
  /** Gets one sentence when writing begins to fail, and one when it works again. Default: a line on stderr. */
  readonly onWarning?: (sentence: string) => void;
  /** Longest time that something appended waits in memory, milliseconds. Default 500. */
  readonly interval?: number;
  /** Bytes held back while writing fails; beyond, the oldest are dropped and counted. Default 4 MiB. */
  readonly limit?: number;
}

export interface AppendLogStatus {
  /** Records that are in the file, as far as the system said so. */
  readonly written: number;
  /** Records given up because writing failed for too long. */
  readonly dropped: number;
  /** Records in memory. */
  readonly waiting: number;
  /** Why the last write failed; undefined when it did not. */
  readonly problem: string | undefined;
}

/** Gathered up to so many bytes before a write is begun. */
const enough = 2 ** 16;
/** A write that failed is tried again after this long, then after twice that, up to the longest. Milliseconds. */
const firstRetry = 1000;
const longestRetry = 30_000;

export class AppendLog {
  readonly path: string;
  readonly #warn: (sentence: string) => void;
  readonly #interval: number;
  readonly #limit: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written = 0;
  #dropped = 0;
  #problem: string | undefined;
  #warned = false;
  #retry = firstRetry;
  #notBefore = 0;
  #oldest = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  /** Whether a torn record may lie at the end of the file, which must be cut off before the next. */
  #goodSize: number | undefined;
  #closed = false;

  constructor(path: string, options: AppendLogOptions = {}) {
    this.path = path;
    this.#warn = options.onWarning ?? toStderr;
    this.#interval = options.interval ?? 500;
    this.#limit = options.limit ?? 4 * 2 ** 20;
  }

  get status(): AppendLogStatus {
    return {
      written: this.#written,
      dropped: this.#dropped,
      waiting: this.#waiting.length,
      problem: this.#problem,
    };
  }

  /** Takes one record; returns at once and never throws. */
  append(record: string | Uint8Array): void {
    if (this.#closed) {
      this.#dropped++;
      return;
    }
    const bytes = typeof record === 'string' ? Buffer.from(record) : Buffer.from(record);
    const now = Date.now();
    if (this.#waiting.length === 0) this.#oldest = now;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    while (this.#waitingBytes > this.#limit && this.#waiting.length > 1) {
      this.#waitingBytes -= (this.#waiting.shift() as Buffer).byteLength;
      this.#dropped++;
    }
    // A loop of synchronous steps keeps timers from running; what is due is begun here.
    if (this.#waitingBytes >= enough || now - this.#oldest >= this.#interval) this.#begin(now);
    else this.#schedule(this.#interval);
  }

  #schedule(delay: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#begin(Date.now());
    }, delay);
    this.#timer.unref();
  }

  #begin(now: number): void {
    if (this.#writing !== undefined || this.#waiting.length === 0) return;
    if (now < this.#notBefore) {
      this.#schedule(this.#notBefore - now);
      return;
    }
    const records = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#write(records).finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 && !this.#closed) this.#schedule(this.#interval);
    });
  }

  async #write(records: Buffer[]): Promise<void> {
    const bytes = Buffer.concat(records);
    try {
      // Opened each time: twice a second costs nothing, and a folder that was removed and made again is found again.
      const file = await fs.promises.open(this.path, 'a');
      try {
        const { size } = await file.stat();
        if (this.#goodSize !== undefined && size > this.#goodSize) await file.truncate(this.#goodSize);
        this.#goodSize = this.#goodSize === undefined ? size : Math.min(size, this.#goodSize);
        await file.appendFile(bytes);
        this.#goodSize = undefined;
      } finally {
        await file.close();
      }
      this.#succeeded(records.length);
    } catch (error) {
      this.#failed(records, error);
    }
  }

  #succeeded(count: number): void {
    this.#written += count;
    if (this.#problem !== undefined) {
      const lost = this.#dropped === 0 ? 'nothing was lost' : `${this.#dropped} records were lost`;
      this.#tell(`${this.path} can be written again; ${lost}.`);
    }
    this.#problem = undefined;
    this.#warned = false;
    this.#retry = firstRetry;
    this.#notBefore = 0;
  }

  #failed(records: Buffer[], error: unknown): void {
    this.#waiting = [...records, ...this.#waiting];
    this.#waitingBytes = this.#waiting.reduce((sum, record) => sum + record.byteLength, 0);
    this.#problem = writeProblem(this.path, error);
    this.#notBefore = Date.now() + this.#retry;
    this.#retry = Math.min(longestRetry, this.#retry * 2);
    if (!this.#warned) {
      this.#warned = true;
      this.#tell(`${this.path} cannot be written: ${this.#problem}; the run goes on and tries again later.`);
    }
  }

  #tell(sentence: string): void {
    try {
      this.#warn(sentence);
    } catch {
      // A listener that fails must not end the run either.
    }
  }

  /** Resolves when everything appended so far is in the file or could not be written. Never rejects. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#notBefore = 0;
    this.#begin(Date.now());
    await this.#writing;
  }

  /** Like `flush`, at once, for the end of a process. What is being written in the background this moment is left to that. */
  flushSync(): void {
    if (this.#waiting.length === 0) return;
    const records = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      fs.appendFileSync(this.path, Buffer.concat(records));
      this.#succeeded(records.length);
    } catch (error) {
      this.#failed(records, error);
    }
  }

  /** Writes what is left and takes nothing more. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) {
      this.#tell(`${this.path}: ${this.#waiting.length} records could not be written and are lost.`);
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
  }
}
