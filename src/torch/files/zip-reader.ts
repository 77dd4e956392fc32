import { inflateRawSync } from 'node:zlib';
import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';
import type { ByteSource } from './source.js';

/** One entry of an archive, checked to lie within the file and to overlap no other. */
export interface ZipEntry {
  readonly name: string;
  /** Position of the stored bytes in the file. */
  readonly start: number;
  /** Bytes in the file. */
  readonly storedBytes: number;
  /** Bytes after unfolding; equal to `storedBytes` unless `compressed`. */
  readonly bytes: number;
  readonly compressed: boolean;
  readonly crc32: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64_LOCATOR = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const UNKNOWN_16 = 0xffff;
const UNKNOWN_32 = 0xffffffff;

interface Directory {
  readonly start: number;
  readonly bytes: number;
  readonly count: number;
}

/**
 * Lists a zip archive by its central directory. Sizes come from there only, so data descriptors need no care, as in PyTorch's own
 * reader. Positions are verified against the local headers.
 *
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.6–4.3.16 and 4.5.3.
 */
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const directory = findDirectory(source);
  const bytes = source.read(directory.start, directory.bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < directory.count; index++) {
    if (at + CENTRAL_BYTES > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) {
      throw new FileFormatError(source.name, `is a damaged zip archive: entry ${index} of its directory is broken`);
    }
    const nameBytes = bytes.readUInt16LE(at + 28);
    const extraBytes = bytes.readUInt16LE(at + 30);
    const next = at + CENTRAL_BYTES + nameBytes + extraBytes + bytes.readUInt16LE(at + 32);
    if (next > bytes.length)
      throw new FileFormatError(source.name, 'is a damaged zip archive: its directory is cut short');
    const entry = readEntry(source, bytes.subarray(at, next), nameBytes, extraBytes, directory.start);
    if (entries.has(entry.name)) {
      throw new FileFormatError(source.name, `is a damaged zip archive: it has two entries ${quote(entry.name)}`);
    }
    entries.set(entry.name, entry);
    at = next;
  }
  checkDisjoint(source, entries);
  return entries;
}

function findDirectory(source: ByteSource): Directory {
  const tailBytes = Math.min(source.size, END_BYTES + 0xffff);
  const tailStart = source.size - tailBytes;
  const tail = source.read(tailStart, tailBytes);
  let at = tail.length - END_BYTES;
  // The record ends with a comment of known length that must reach exactly to the end of the file.
  while (at >= 0 && !(tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length))
    at--;
  if (at < 0)
    throw new FileFormatError(source.name, 'is a zip archive that is cut short: the directory at its end is missing');
  let count = tail.readUInt16LE(at + 10);
  let bytes = tail.readUInt32LE(at + 12);
  let start = tail.readUInt32LE(at + 16);
  let limit = tailStart + at;
  const locatorAt = tailStart + at - END64_LOCATOR_BYTES;
  if (locatorAt >= 0) {
    const locator = source.read(locatorAt, END64_LOCATOR_BYTES);
    if (locator.readUInt32LE(0) === END64_LOCATOR) {
      const end64At = Number(locator.readBigUInt64LE(8));
      const end64 = source.read(end64At, END64_BYTES);
      if (end64.readUInt32LE(0) !== END64)
        throw new FileFormatError(source.name, 'is a damaged zip archive (zip64 record)');
      count = Number(end64.readBigUInt64LE(32));
      bytes = Number(end64.readBigUInt64LE(40));
      start = Number(end64.readBigUInt64LE(48));
      limit = end64At;
    }
  }
  if (start + bytes > limit || count > bytes / CENTRAL_BYTES) {
    throw new FileFormatError(source.name, 'is a damaged zip archive: its directory does not fit into the file');
  }
  if (count > LIMITS.zipEntries || bytes > LIMITS.zipDirectoryBytes) {
    throw new FileFormatError(
      source.name,
      `is a zip archive of ${count} entries with a directory of ${bytes} bytes; more than ${LIMITS.zipEntries} entries or ` +
        `${LIMITS.zipDirectoryBytes} bytes are refused`,
    );
  }
  return { start, bytes, count };
}

function readEntry(source: ByteSource, record: Buffer, nameBytes: number, extraBytes: number, limit: number): ZipEntry {
  const name = record.toString('utf8', CENTRAL_BYTES, CENTRAL_BYTES + nameBytes);
  const fail = (problem: string) => new FileFormatError(source.name, `zip entry ${quote(name)} ${problem}`);
  const flags = record.readUInt16LE(8);
  const method = record.readUInt16LE(10);
  if ((flags & 0x2041) !== 0) throw fail('is encrypted');
  if (method !== 0 && method !== 8)
    throw fail(`uses compression method ${method}; only stored and deflated entries are read`);
  const wide = wideFields(record.subarray(CENTRAL_BYTES + nameBytes, CENTRAL_BYTES + nameBytes + extraBytes));
  const field = (at: number): number => {
    const value = record.readUInt32LE(at);
    if (value !== UNKNOWN_32) return value;
    const next = wide.shift();
    if (next === undefined) throw fail('lacks its zip64 sizes');
    return next;
  };
  const bytes = field(24);
  const storedBytes = field(20);
  const headerAt = field(42);
  if (record.readUInt16LE(34) !== 0 && record.readUInt16LE(34) !== UNKNOWN_16) throw fail('lies in another volume');
  if (method === 0 && bytes !== storedBytes) throw fail('is stored, but its two sizes differ');
  if (headerAt + LOCAL_BYTES > limit) throw fail('lies outside the file');
  const local = source.read(headerAt, LOCAL_BYTES);
  if (local.readUInt32LE(0) !== LOCAL) throw fail('has no header where the directory says');
  const start = headerAt + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + storedBytes > limit) throw fail('is longer than the file');
  return { name, start, storedBytes, bytes, compressed: method === 8, crc32: record.readUInt32LE(16) };
}

/** The 8-byte numbers of a zip64 extra field, in order; they stand for those 32-bit fields that hold all ones. */
function wideFields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 0x0001) {
      const values: number[] = [];
      for (let field = at + 4; field + 8 <= Math.min(extra.length, at + 4 + length); field += 8) {
        values.push(Number(extra.readBigUInt64LE(field)));
      }
      return values;
    }
    at += 4 + length;
  }
  return [];
}

/** Entries over the same bytes are the classic zip bomb: a small file that unfolds to many copies. */
function checkDisjoint(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): void {
  let end = 0;
  for (const entry of [...entries.values()].sort((a, b) => a.start - b.start || a.storedBytes - b.storedBytes)) {
    if (entry.start < end)
      throw new FileFormatError(source.name, `zip entry ${quote(entry.name)} overlaps another one`);
    end = entry.start + entry.storedBytes;
  }
}

/** Reads whole entries; keeps count of what compressed ones unfold to. */
export class ZipContents {
  readonly #source: ByteSource;
  #inflated = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** The bytes of an entry, of which there may be at most `limit`. */
  read(entry: ZipEntry, limit: number): Buffer {
    const fail = (problem: string) =>
      new FileFormatError(this.#source.name, `zip entry ${quote(entry.name)} ${problem}`);
    if (entry.bytes > limit) throw fail(`has ${entry.bytes} bytes; more than ${limit} are refused`);
    const stored = this.#source.read(entry.start, entry.storedBytes);
    if (!entry.compressed) return stored;
    this.#inflated += entry.bytes;
    if (this.#inflated > LIMITS.inflatedBytes) {
      throw fail(
        `brings the unfolded bytes above ${LIMITS.inflatedBytes}; save the file again without compression, as torch.save does`,
      );
    }
    let bytes: Buffer;
    try {
      // maxOutputLength must be positive; one byte more than announced shows entries that unfold to too much.
      bytes = inflateRawSync(stored, { maxOutputLength: entry.bytes + 1 });
    } catch {
      throw fail('cannot be decompressed');
    }
    if (bytes.length !== entry.bytes) throw fail(`unfolds to ${bytes.length} bytes instead of ${entry.bytes}`);
    return bytes;
  }
}
