/** Bare pixels inside a file (CIFAR, MNIST), which may be gzip-compressed as a whole. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { BadSampleError, DataError } from '../errors.js';
import type { PictureLocation } from '../types.js';
import type { Pixels } from './resample.js';

type RawLocation = Extract<PictureLocation, { kind: 'raw' }>;

/** What an unpacked file may take: CIFAR's files are 31 MB, MNIST's 47 MB. */
const unpackedLimit = 1 << 30;

/** The few files a data set is made of stay open; the least recently used one is closed. */
const openFiles = new Map<string, number>();
/** Unpacked gzip files. */
const unpacked = new Map<string, Uint8Array>();

function recent<Value>(
  cache: Map<string, Value>,
  key: string,
  limit: number,
  make: () => Value,
  drop: (old: Value) => void,
) {
  const found = cache.get(key);
  const value = found ?? make();
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > limit) {
    const [oldest, old] = cache.entries().next().value as [string, Value];
    cache.delete(oldest);
    drop(old);
  }
  return value;
}

/** Closes the files and frees the memory that reading bare pixels keeps. */
export function closePictureFiles(): void {
  for (const descriptor of openFiles.values()) closeSync(descriptor);
  openFiles.clear();
  unpacked.clear();
}

/** The pixels of one picture, channels interleaved. @throws BadSampleError */
export function readRaw(location: RawLocation): Pixels {
  const { path, offset, height, width, channels } = location;
  const file = `${path}#${offset}`;
  const size = height * width * channels;
  if (![offset, height, width].every((n) => Number.isSafeInteger(n) && n >= 0) || size === 0)
    throw new DataError(`${file}: a raw picture of ${height} × ${width} × ${channels} cannot be`);
  let bytes: Uint8Array;
  try {
    bytes = location.gzip ? fromGzip(path, offset, size) : fromFile(path, offset, size);
  } catch (cause) {
    throw new BadSampleError(file, readingFailed(cause), { cause });
  }
  if (bytes.length < size) throw new BadSampleError(file, `the file ends ${size - bytes.length} bytes too early`);
  return {
    data: location.layout === 'planes' && channels > 1 ? interleave(bytes, channels) : bytes,
    height,
    width,
    channels,
  };
}

function fromFile(path: string, offset: number, size: number): Uint8Array {
  const descriptor = recent(openFiles, path, 16, () => openSync(path, 'r'), closeSync);
  const bytes = new Uint8Array(size);
  let read = 0;
  while (read < size) {
    const more = readSync(descriptor, bytes, read, size - read, offset + read);
    if (more === 0) return bytes.subarray(0, read);
    read += more;
  }
  return bytes;
}

function fromGzip(path: string, offset: number, size: number): Uint8Array {
  const all = recent(
    unpacked,
    path,
    4,
    () => gunzipSync(readFileSync(path), { maxOutputLength: unpackedLimit }) as Uint8Array,
    () => {},
  );
  return all.slice(offset, offset + size);
}

function interleave(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  const out = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < area; i++) out[i * channels + channel] = planes[channel * area + i] as number;
  return out;
}

/** Why a file could not be read, in a few words. */
export function readingFailed(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EISDIR':
      return 'a directory, not a file';
    case 'EACCES':
    case 'EPERM':
      return 'not readable: permission denied';
    case 'ELOOP':
      return 'a symbolic link that leads round in a circle';
    case 'ENAMETOOLONG':
      return 'its name is too long for this file system';
    case 'EMFILE':
      return 'too many open files';
    case 'ERR_BUFFER_TOO_LARGE':
      return 'unpacks to more than 1 GB';
    case 'Z_BUF_ERROR':
      return 'truncated gzip file';
    default:
      if (code?.startsWith('Z_')) return 'damaged gzip file';
      return cause instanceof Error ? cause.message : String(cause);
  }
}
