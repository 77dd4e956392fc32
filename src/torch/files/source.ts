import { closeSync, fstatSync, openSync, read, readSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ArgumentError } from '../errors.js';
import { FileFormatError } from './errors.js';

const readAsync = promisify(read);

/** Largest piece for one read call; the kernel takes at most 2 GiB at a time. */
const PIECE = 2 ** 30;

/** Bytes to read from: a file, or memory. All offsets are checked against `size`, which is taken once, when it is opened. */
export interface ByteSource {
  /** How error messages call it. */
  readonly name: string;
  /** Path of the file when it can be mapped, else null. */
  readonly path: string | null;
  readonly size: number;
  /** Whether the bytes are in memory already. */
  readonly inMemory: boolean;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Buffer;
  /** Fills `target` with the bytes from `offset`, without blocking the event loop where the source is a file. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Whether `path` still names the file that is being read: another may have been put in its place. */
  isInPlace(): boolean;
  close(): void;
}

function checkRange(source: ByteSource, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new FileFormatError(source.name, `holds an impossible position (${length} bytes at ${offset})`);
  }
  if (offset + length > source.size) {
    throw new FileFormatError(
      source.name,
      `is cut short or damaged: ${length} bytes are wanted at ${offset}, but the file has ${source.size}`,
    );
  }
}

class FileSource implements ByteSource {
  readonly inMemory = false;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.name = path;
    this.path = path;
    this.#descriptor = openSync(path, 'r');
    const status = fstatSync(this.#descriptor);
    if (!status.isFile()) {
      closeSync(this.#descriptor);
      throw new FileFormatError(path, status.isDirectory() ? 'is a folder, not a file' : 'is not an ordinary file');
    }
    this.size = status.size;
  }

  read(offset: number, length: number): Buffer {
    checkRange(this, offset, length);
    const target = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const got = readSync(this.#descriptor, target, done, Math.min(PIECE, length - done), offset + done);
      if (got === 0) throw this.#shrunk();
      done += got;
    }
    return target;
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    checkRange(this, offset, target.byteLength);
    for (let done = 0; done < target.byteLength; ) {
      const length = Math.min(PIECE, target.byteLength - done);
      const { bytesRead } = await readAsync(this.#descriptor, target, done, length, offset + done);
      if (bytesRead === 0) throw this.#shrunk();
      done += bytesRead;
    }
  }

  isInPlace(): boolean {
    const opened = fstatSync(this.#descriptor, { bigint: true });
    const named = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #shrunk(): FileFormatError {
    return new FileFormatError(this.name, 'became shorter while it was being read');
  }
}

class MemorySource implements ByteSource {
  readonly inMemory = true;
  readonly name = 'the given bytes';
  readonly path = null;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
  }

  read(offset: number, length: number): Buffer {
    checkRange(this, offset, length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + offset, length);
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    checkRange(this, offset, target.byteLength);
    target.set(this.#bytes.subarray(offset, offset + target.byteLength));
  }

  isInPlace(): boolean {
    return false;
  }

  close(): void {}
}

/** Opens a path, a `file:` URL, or bytes in memory. Close it when done. */
export function openSource(source: string | URL | Uint8Array): ByteSource {
  if (source instanceof Uint8Array) return new MemorySource(source);
  if (!(source instanceof URL) && typeof source !== 'string') {
    throw new ArgumentError(
      `A file is given by its path, a file: URL or its bytes (Uint8Array), got ${typeof source}.`,
    );
  }
  return new FileSource(source instanceof URL ? fileURLToPath(source) : source);
}
