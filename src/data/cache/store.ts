/**
 * The packed pictures of one data set in one form: a data file with a slot for every sample, and a journal that says which slots hold a
 * picture and what its checksum is. Loaded by worker threads: no engine here.
 *
 * Nothing is locked and nothing needs to be: a picture is written first and noted in the journal afterwards, every process compares a
 * slot with its checksum before it uses it for the first time, and all processes write equal bytes to a slot. So a process that is killed
 * leaves slots nobody believes in, and a slot that was damaged is decoded anew.
 */
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { badLine, soundLine } from './journal.js';
import { type SampleTable, Status } from './sample-table.js';

/** What a thread needs to use the store; plain data. */
export interface StorePlan {
  readonly dataFile: string;
  readonly journalFile: string;
  /** Which file the data file is, where it is mapped: pictures are copied out of that, so what lies in another one counts for nothing. */
  readonly mapped: string | null;
  /** Bytes of a picture, and from one to the next. */
  readonly pictureBytes: number;
  readonly stride: number;
  /** Word 0 is set when writing failed: nobody writes from then on. */
  readonly stopped: SharedArrayBuffer;
}

/** What a file keeps while others come and go under its name. @throws a system error where there is none */
export function identityOf(file: string | number): string {
  const { dev, ino } = typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
  return `${dev}:${ino}`;
}

/** Whether the files of the store are still those that its plan was made for: a cache may be deleted, and made anew, at any time. */
export function isPresent({ dataFile, mapped }: StorePlan): boolean {
  try {
    return mapped === null || identityOf(dataFile) === mapped;
  } catch {
    return false;
  }
}

/** Bytes and time of last change of a source file. */
export interface Signature {
  readonly size: number;
  readonly modified: number;
}

/** One thread's view of the store. */
export class PictureStore {
  readonly #plan: StorePlan;
  readonly #table: SampleTable;
  readonly #stopped: Int32Array;
  /** Descriptors, null once it is closed: the system gives their numbers to the files that are opened next. */
  #data: number | null;
  /** Null also where nothing may be written. */
  #journal: number | null;
  /** Why writing stopped, if it stopped here. */
  failure: string | null = null;

  /** @throws an error when the data file cannot be opened for reading, or is not the one that is mapped */
  constructor(plan: StorePlan, table: SampleTable) {
    this.#plan = plan;
    this.#table = table;
    this.#stopped = new Int32Array(plan.stopped);
    let data: number | null = null;
    let journal: number | null = null;
    try {
      data = openSync(plan.dataFile, 'r+');
      journal = openSync(plan.journalFile, 'a');
    } catch {
      if (data !== null) closeSync(data);
      // A cache that may not be written to can still be read.
      data = openSync(plan.dataFile, 'r');
    }
    this.#data = data;
    this.#journal = journal;
    if (plan.mapped === null || identityOf(data) === plan.mapped) return;
    this.close();
    throw new Error(`${plan.dataFile} was made anew`);
  }

  /** Reads a picture that the journal notes. @returns false when it is not the picture that was noted */
  read(slot: number, into: Uint8Array): boolean {
    const { pictureBytes, stride } = this.#plan;
    const data = this.#data;
    if (data === null) return false;
    try {
      let done = 0;
      while (done < pictureBytes) {
        const count = readSync(data, into, done, pictureBytes - done, slot * stride + done);
        if (count === 0) return false;
        done += count;
      }
    } catch {
      // A disk that cannot read a block: the source still can be decoded.
      return false;
    }
    return crc32(into) === this.#table.checksum[slot];
  }

  /** Keeps a picture, its checksum and what its source file was like. @returns false when it could not be kept */
  write(slot: number, picture: Uint8Array, signature: Signature): boolean {
    const [data, journal] = [this.#data, this.#journal];
    if (data === null || journal === null || Atomics.load(this.#stopped, 0) === 1) return false;
    const checksum = crc32(picture);
    try {
      writeAll(data, picture, slot * this.#plan.stride);
      writeAll(journal, soundLine(slot, checksum, signature), null);
    } catch (error) {
      this.#stop(error);
      return false;
    }
    const table = this.#table;
    table.checksum[slot] = checksum;
    table.size[slot] = signature.size;
    table.modified[slot] = signature.modified;
    Atomics.store(table.status, slot, Status.sound);
    return true;
  }

  /** Remembers that a source file cannot be decoded. */
  writeBad(slot: number, signature: Signature, reason: string): void {
    if (this.#journal === null || Atomics.load(this.#stopped, 0) === 1) return;
    try {
      writeAll(this.#journal, badLine(slot, signature, reason), null);
    } catch (error) {
      this.#stop(error);
    }
  }

  #stop(error: unknown): void {
    this.failure = (error as Error).message;
    Atomics.store(this.#stopped, 0, 1);
  }

  close(): void {
    const open = [this.#data, this.#journal];
    this.#data = null;
    this.#journal = null;
    for (const descriptor of open) if (descriptor !== null) closeSync(descriptor);
  }
}

/** The system may take less than it is given. */
function writeAll(descriptor: number, bytes: Uint8Array, at: number | null): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, at === null ? null : at + done);
}
