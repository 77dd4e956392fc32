/** A run's folder: its record, its metrics and where its other files lie. Nothing here loads the engine. */
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AppendLog } from './append-log.js';
import { removeTemporaries, writeFileAtomic } from './atomic.js';
import { errorCode, RunError, toStderr, writeError } from './errors.js';
import { commandLine, machineFacts } from './facts.js';
import { stringifyPlain } from './json.js';
import { bornOf, FolderLock, isHeld, nameOf, readLock } from './lock.js';
import { type MetricsLine, readMetrics, truncateMetrics } from './metrics-log.js';
import { parseRecord, type RunRecord, type RunState } from './record.js';

/** What a run notes down of itself when it begins; all of it can be changed later with `update`. */
export type RunFacts = Partial<Omit<RunRecord, 'version' | 'name' | 'created' | 'heartbeat' | 'state' | 'sessions'>>;

export interface WriteOptions {
  /** The command line for the record. Default: this process's. */
  readonly command?: string;
  /** Gets one sentence for each kind of trouble that the run survives. Default: stderr. */
  readonly onWarning?: (sentence: string) => void;
}

export interface CreateRunOptions extends WriteOptions {
  /** What is trained on what: `flowers-convnet`. */
  readonly name: string;
  readonly facts?: RunFacts;
  /** Day for the folder's name. Default: today, in local time. */
  readonly date?: Date;
}

/** A sign of life is given this often, milliseconds. */
const heartbeatInterval = 10_000;

/** A name as part of a folder's name: lower case, words joined by `-`. */
export function folderName(name: string): string {
  const slug = name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}._]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  // Names are limited in bytes; a letter may take four.
  return (slug === '' ? 'run' : slug).slice(0, 60);
}

function localDay(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Why nothing can be made below the first folder that is there: Node says ENOENT where that folder is read-only. */
function realReason(folder: string): unknown {
  for (let place = path.dirname(folder); ; place = path.dirname(place)) {
    if (!fs.existsSync(place) && place !== path.dirname(place)) continue;
    try {
      fs.accessSync(place, fs.constants.W_OK);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

/** Makes a new folder for a run; a second one of the same name and day gets `-2`. */
function makeFolder(parent: string, base: string): string {
  try {
    fs.mkdirSync(parent, { recursive: true });
  } catch (error) {
    throw writeError(parent, realReason(parent) ?? error);
  }
  for (let count = 1; ; count++) {
    const folder = path.join(parent, count === 1 ? base : `${base}-${count}`);
    try {
      // Not recursive: of two runs that begin at once, one gets the name.
      fs.mkdirSync(folder);
      return folder;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw writeError(folder, error);
    }
  }
}

/** Reads `run.json`. @throws RunError naming the folder and what is wrong */
export function readRecord(folder: string): RunRecord {
  const file = path.join(folder, 'run.json');
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const there = fs.existsSync(folder);
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR')
      throw new RunError(
        there
          ? `${folder} is not a run folder: it has no run.json; 'praxis runs' lists the runs.`
          : `There is no run ${folder}; 'praxis runs' lists the runs.`,
      );
    throw new RunError(`${file} cannot be read: ${(error as Error).message}.`);
  }
  const record = parseRecord(text);
  if (typeof record === 'string') throw new RunError(`${file} cannot be read: ${record}.`);
  return record;
}

/** State of a run as its readers see it: a run that says it is running but has no living process was interrupted. */
export function stateOf(folder: string, record: RunRecord): RunState | 'interrupted' {
  if (record.state !== 'running') return record.state;
  const lock = path.join(folder, 'run.lock');
  const holder = readLock(lock);
  return holder !== undefined && isHeld(lock, holder) ? 'running' : 'interrupted';
}

/**
 * One run's folder. `create` and `resume` give one that this process alone may write, `open` one to read.
 *
 * Nothing that happens to the folder during the run ends it: `log` and `update` never throw; a full disk or a removed folder costs a
 * warning, and what could not be written is written when it can be.
 */
export class RunFolder {
  /** Absolute path. */
  readonly path: string;
  #record: RunRecord;
  readonly #lock: FolderLock | undefined;
  readonly #onWarning: (sentence: string) => void;
  readonly #warnings: string[] = [];
  readonly #metrics: AppendLog;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #unsaved = false;
  #closed = false;
  /** Whether another process was seen to have taken the folder over: nothing of it is written any more. */
  #lost = false;
  readonly #atExit = () => this.#metrics.flushSync();

  private constructor(folder: string, record: RunRecord, lock: FolderLock | undefined, options: WriteOptions) {
    this.path = folder;
    this.#record = record;
    this.#lock = lock;
    this.#onWarning = options.onWarning ?? toStderr;
    this.#metrics = new AppendLog(this.file('metrics.jsonl'), { onWarning: (sentence) => this.warn(sentence) });
    if (lock === undefined) return;
    this.#timer = setInterval(() => this.#beat(), heartbeatInterval);
    this.#timer.unref();
    process.once('exit', this.#atExit);
  }

  /**
   * Makes `PARENT/2026-11-22-NAME/` with its `run.json`, locked for this process.
   * @param parent folder of the runs, made where missing
   * @throws FileWriteError when the folder or the record cannot be written
   */
  static async create(parent: string, options: CreateRunOptions): Promise<RunFolder> {
    const date = options.date ?? new Date();
    const folder = makeFolder(path.resolve(parent), `${localDay(date)}-${folderName(options.name)}`);
    const lock = FolderLock.acquire(path.join(folder, 'run.lock'), `The run ${folder}`);
    const now = new Date().toISOString();
    const record: RunRecord = {
      version: 1,
      name: options.name,
      created: now,
      heartbeat: now,
      state: 'running',
      sessions: [sessionNow(options, now)],
      configuration: {},
      machine: machineFacts(),
      ...options.facts,
    };
    try {
      await writeFileAtomic(path.join(folder, 'run.json'), text(record));
      fs.mkdirSync(path.join(folder, 'checkpoints'), { recursive: true });
    } catch (error) {
      lock.release();
      throw writeError(path.join(folder, 'run.json'), error);
    }
    return new RunFolder(folder, record, lock, options);
  }

  /** A run to read; others may be writing it. With `write`, locked for this process, its state unchanged. @throws RunError */
  static async open(folder: string, options: WriteOptions & { readonly write?: boolean } = {}): Promise<RunFolder> {
    const place = path.resolve(folder);
    let record = readRecord(place);
    let lock: FolderLock | undefined;
    if (options.write === true) {
      lock = FolderLock.acquire(path.join(place, 'run.lock'), `The run ${place}`);
      // Whoever had the lock until now may have written.
      record = readRecord(place);
    }
    return new RunFolder(place, record, lock, options);
  }

  /**
   * Takes up a run that was stopped or killed: locks it, clears away what a kill left half-written, notes a new session.
   * Cut the metrics with `truncateAfter(step)` before logging.
   * @throws RunError when there is no such run, or another process is running it
   */
  static async resume(folder: string, options: WriteOptions & { readonly fromStep?: number } = {}): Promise<RunFolder> {
    const run = await RunFolder.open(folder, { ...options, write: true });
    removeTemporaries(run.path);
    removeTemporaries(run.checkpoints);
    const now = new Date().toISOString();
    const last = run.#record.sessions.at(-1);
    if (last !== undefined && last.ended === undefined) last.ended = run.#record.heartbeat;
    run.#record.sessions.push({ ...sessionNow(options, now), fromStep: options.fromStep });
    delete run.#record.finished;
    delete run.#record.reason;
    await run.update({ state: 'running' });
    return run;
  }

  /** A copy of the record as it is now. */
  get record(): RunRecord {
    return structuredClone(this.#record);
  }

  get state(): RunState | 'interrupted' {
    return this.#lock === undefined ? stateOf(this.path, this.#record) : this.#record.state;
  }

  /** Whether this process may write here. */
  get writable(): boolean {
    return this.#lock !== undefined && !this.#closed;
  }

  /** Every warning so far. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Path of a file in this folder. */
  file(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  get checkpoints(): string {
    return this.file('checkpoints');
  }

  /** Passes a warning on and remembers it. */
  warn(sentence: string): void {
    this.#warnings.push(sentence);
    try {
      this.#onWarning(sentence);
    } catch {
      // A run does not end because whoever hears of its warnings fails.
    }
  }

  /**
   * Changes the record and writes it, whole. Never throws for the disk's sake: a record that cannot be written is tried again with
   * the next update and every ten seconds. Resolves when written or given up.
   */
  update(changes: Partial<Omit<RunRecord, 'version'>>): Promise<void> {
    this.#mayWrite();
    this.#record = { ...this.#record, ...changes, heartbeat: new Date().toISOString() };
    return this.#save();
  }

  #save(): Promise<void> {
    // Updates that come while one is being written are written together.
    this.#queued ??= this.#saving.then(async () => {
      this.#queued = undefined;
      if (this.#isLost()) return;
      try {
        await writeFileAtomic(this.file('run.json'), text(this.#record));
        this.#unsaved = false;
      } catch (error) {
        if (!this.#unsaved)
          this.warn(`${(error as Error).message.replace(/\.$/, '')}; the run goes on and tries again.`);
        this.#unsaved = true;
      }
    });
    this.#saving = this.#queued;
    return this.#queued;
  }

  /**
   * Makes sure that the folder is still this process's: one that was suspended for minutes may have been given up by another machine.
   * @throws RunError naming the process that has taken it over
   */
  requireOurs(): void {
    const other = this.#lock?.takenBy;
    if (other === undefined) return;
    this.#lost = true;
    throw new RunError(
      `The run ${this.path} was taken over by ${nameOf(other)} at ${other.since}, as this one gave no sign for minutes; it ends here and writes nothing more.`,
    );
  }

  #isLost(): boolean {
    this.#lost ||= this.#lock?.takenBy !== undefined;
    return this.#lost;
  }

  #beat(): void {
    if (this.#isLost()) return;
    this.#lock?.touch();
    if (this.#unsaved) void this.#save();
  }

  /** Adds a line to `metrics.jsonl`, in the background. Never throws and never waits. */
  log(line: MetricsLine): void {
    this.#mayWrite();
    if (this.#lost) return;
    let record: string;
    try {
      record = stringifyPlain(line);
    } catch (error) {
      this.warn(`A line for metrics.jsonl at step ${line.step} is no JSON: ${(error as Error).message}.`);
      return;
    }
    this.#metrics.append(`${record}\n`);
  }

  /** Lines written, waiting and lost. */
  get logStatus(): AppendLog['status'] {
    return this.#metrics.status;
  }

  /** The lines of `metrics.jsonl`, those just logged included. */
  async metrics(): Promise<MetricsLine[]> {
    await this.flush();
    const lines: MetricsLine[] = [];
    for await (const line of readMetrics(this.file('metrics.jsonl'))) lines.push(line);
    return lines;
  }

  /**
   * Cuts the metrics back to a step, so that a resumed run does not tell steps twice.
   * @param isBeyond tells of lines of that very step whether they, too, will be logged again
   * @returns lines cut off
   */
  async truncateAfter(step: number, isBeyond?: (line: MetricsLine) => boolean): Promise<number> {
    this.#mayWrite();
    await this.flush();
    return truncateMetrics(this.file('metrics.jsonl'), step, isBeyond);
  }

  /** Waits until what was logged is in the file, or cannot be. Never rejects. */
  async flush(): Promise<void> {
    if (this.#lock !== undefined) await this.#metrics.flush();
  }

  /** Notes how the run ended, and leaves the folder. */
  async end(
    state: Exclude<RunState, 'running'>,
    more: { readonly reason?: string; readonly result?: Record<string, unknown> } = {},
  ): Promise<void> {
    const now = new Date().toISOString();
    const last = this.#record.sessions.at(-1);
    if (last !== undefined) last.ended = now;
    await this.#metrics.flush();
    await this.update({ state, finished: now, ...more });
    await this.close();
  }

  /** Writes what is waiting and lets others in. The record stays as it is. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#lock === undefined) return;
    clearInterval(this.#timer);
    process.off('exit', this.#atExit);
    await this.#metrics.close();
    await this.#saving;
    this.#lock.release();
  }

  #mayWrite(): void {
    if (this.#lock === undefined)
      throw new RunError(`The run ${this.path} is open for reading; open it with { write: true } to change it.`);
    if (this.#closed) throw new RunError(`The run ${this.path} is closed.`);
  }
}

const text = (record: RunRecord) => `${stringifyPlain(record, 2)}\n`;

function sessionNow(options: WriteOptions, now: string): RunRecord['sessions'][number] {
  return {
    command: options.command ?? commandLine(),
    pid: process.pid,
    host: os.hostname(),
    born: bornOf(process.pid),
    started: now,
  };
}
