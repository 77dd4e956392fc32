import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileFormatError } from './errors.js';

/** Largest piece for one write call; the kernel takes at most 2 GiB at a time. */
const PIECE = 2 ** 30;

/** Small writes are gathered up to this size. */
const GATHER = 2 ** 18;

/**
 * A file that appears whole or not at all. It is written under a temporary name in the same folder, flushed to the disk and then
 * renamed over the old one; whoever has the old one open or mapped keeps it.
 *
 * Writing is synchronous on purpose: what is saved is what the tensors hold when `save` is called, not what a training loop makes
 * of them while the disk is busy. Waiting for the disk, which takes longest, is asynchronous.
 */
export class AtomicFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  readonly #gathered = Buffer.allocUnsafe(GATHER);
  #gatheredBytes = 0;
  #position = 0;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.tmp`);
    try {
      this.#descriptor = openSync(this.#temporary, 'wx', 0o666);
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      const problem = missing ? `there is no folder ${dirname(path)}` : (cause as Error).message;
      throw new FileFormatError(path, `cannot be written: ${problem}`, { cause });
    }
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position;
  }

  write(bytes: Uint8Array): void {
    if (this.#gatheredBytes + bytes.byteLength > GATHER) this.#flush();
    if (bytes.byteLength > GATHER) {
      this.#put(bytes, this.#position);
    } else {
      this.#gathered.set(bytes, this.#gatheredBytes);
      this.#gatheredBytes += bytes.byteLength;
    }
    this.#position += bytes.byteLength;
  }

  /** Replaces bytes that were written before. */
  patch(bytes: Uint8Array, at: number): void {
    this.#flush();
    this.#put(bytes, at);
  }

  /** Flushes and closes the file and gives it its name. */
  async commit(): Promise<void> {
    try {
      this.#flush();
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#close();
    try {
      await flush(this.#temporary, 'r+');
      await rename(this.#temporary, this.#path);
    } catch (error) {
      await unlink(this.#temporary).catch(() => undefined);
      throw error;
    }
    // The new name is on the disk once the folder is; some file systems cannot flush folders.
    await flush(dirname(this.#path), 'r').catch(() => undefined);
  }

  /** Leaves no trace, after an error. */
  abandon(): void {
    this.#close();
    unlinkSync(this.#temporary);
  }

  #close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  /** Writes what was gathered; it ends at the current position. */
  #flush(): void {
    this.#put(this.#gathered.subarray(0, this.#gatheredBytes), this.#position - this.#gatheredBytes);
    this.#gatheredBytes = 0;
  }

  #put(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.byteLength; ) {
      done += writeSync(this.#descriptor, bytes, done, Math.min(PIECE, bytes.byteLength - done), at + done);
    }
  }
}

async function flush(path: string, mode: 'r' | 'r+'): Promise<void> {
  const file = await open(path, mode);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
