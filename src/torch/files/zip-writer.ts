import { crc32 } from 'node:zlib';
import type { AtomicFile } from './atomic.js';

const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1980-01-01, the zip epoch: equal contents give equal files. */
const DATE = 0x0021;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** Id of the padding field; the same as PyTorch's writer uses. */
const PADDING_FIELD = 0x4246;

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly bytes: number;
  readonly headerAt: number;
}

/**
 * Writes a zip archive of stored entries whose data begin at multiples of 64 bytes, so that a reader can map them, as PyTorch's
 * writer does. Sizes of 4 GiB and more use zip64.
 */
export class ZipWriter {
  readonly #file: AtomicFile;
  readonly #written: Written[] = [];
  /** From this size on 64-bit fields are used; lower only in tests. */
  readonly #wide: number;

  constructor(file: AtomicFile, wideFrom: number = MAX_32) {
    this.#file = file;
    this.#wide = wideFrom;
  }

  /** Writes one entry of known size; `pieces` must add up to it. */
  write(name: string, bytes: number, pieces: Iterable<Uint8Array>): void {
    const encoded = Buffer.from(name, 'utf8');
    const headerAt = this.#file.position;
    const header = this.#localHeader(encoded, bytes, headerAt);
    let crc = 0;
    let seen = 0;
    for (const piece of pieces) {
      crc = crc32(piece, crc);
      // An entry of one piece, as nearly all are, has its checksum before its header is written.
      if (seen === 0) this.#file.write(withChecksum(header, crc));
      this.#file.write(piece);
      seen += piece.byteLength;
      if (seen > piece.byteLength) this.#file.patch(withChecksum(header, crc), headerAt);
    }
    if (bytes === 0) this.#file.write(header);
    if (seen !== bytes) throw new Error(`zip entry ${name} got ${seen} bytes instead of ${bytes}`);
    this.#written.push({ name: encoded, crc, bytes, headerAt });
  }

  /** Writes the directory; nothing may follow. */
  finish(): void {
    const start = this.#file.position;
    for (const entry of this.#written) this.#file.write(this.#centralHeader(entry));
    const bytes = this.#file.position - start;
    const count = this.#written.length;
    const wide = count >= MAX_16 || start >= this.#wide || bytes >= this.#wide;
    if (wide) this.#file.write(end64(start, bytes, count, this.#file.position));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50);
    end.writeUInt16LE(wide ? MAX_16 : count, 8);
    end.writeUInt16LE(wide ? MAX_16 : count, 10);
    end.writeUInt32LE(wide ? MAX_32 : bytes, 12);
    end.writeUInt32LE(wide ? MAX_32 : start, 16);
    this.#file.write(end);
  }

  #localHeader(name: Buffer, bytes: number, headerAt: number): Buffer {
    const wide = bytes >= this.#wide ? wideField([bytes, bytes]) : Buffer.alloc(0);
    const fixed = LOCAL_BYTES + name.length + wide.length + 4;
    const padding = (ALIGNMENT - ((headerAt + fixed) % ALIGNMENT)) % ALIGNMENT;
    const header = Buffer.alloc(fixed + padding, 'Z');
    header.fill(0, 0, LOCAL_BYTES);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt16LE(wide.length > 0 ? 45 : 20, 4);
    header.writeUInt16LE(FLAGS, 6);
    header.writeUInt16LE(DATE, 12);
    header.writeUInt32LE(wide.length > 0 ? MAX_32 : bytes, 18);
    header.writeUInt32LE(wide.length > 0 ? MAX_32 : bytes, 22);
    header.writeUInt16LE(name.length, 26);
    header.writeUInt16LE(wide.length + 4 + padding, 28);
    name.copy(header, LOCAL_BYTES);
    wide.copy(header, LOCAL_BYTES + name.length);
    header.writeUInt16LE(PADDING_FIELD, fixed - 4);
    header.writeUInt16LE(padding, fixed - 2);
    return header;
  }

  #centralHeader({ name, crc, bytes, headerAt }: Written): Buffer {
    const wideSize = bytes >= this.#wide;
    const wideAt = headerAt >= this.#wide;
    const fields = [...(wideSize ? [bytes, bytes] : []), ...(wideAt ? [headerAt] : [])];
    const extra = fields.length > 0 ? wideField(fields) : Buffer.alloc(0);
    const header = Buffer.alloc(46 + name.length + extra.length);
    header.writeUInt32LE(0x02014b50);
    header.writeUInt16LE(extra.length > 0 ? 45 : 20, 4);
    header.writeUInt16LE(extra.length > 0 ? 45 : 20, 6);
    header.writeUInt16LE(FLAGS, 8);
    header.writeUInt16LE(DATE, 14);
    header.writeUInt32LE(crc, 16);
    header.writeUInt32LE(wideSize ? MAX_32 : bytes, 20);
    header.writeUInt32LE(wideSize ? MAX_32 : bytes, 24);
    header.writeUInt16LE(name.length, 28);
    header.writeUInt16LE(extra.length, 30);
    header.writeUInt32LE(wideAt ? MAX_32 : headerAt, 42);
    name.copy(header, 46);
    extra.copy(header, 46 + name.length);
    return header;
  }
}

function withChecksum(header: Buffer, crc: number): Buffer {
  header.writeUInt32LE(crc, 14);
  return header;
}

function wideField(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(0x0001);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}

/** The zip64 end record and the locator that points to it. */
function end64(start: number, bytes: number, count: number, at: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(at), 64);
  record.writeUInt32LE(1, 72);
  return record;
}
