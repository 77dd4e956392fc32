/** The beginning of a file: what it is, and for JPEG its header. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BadSampleError } from '../errors.js';
import { type JpegHeader, readJpegHeader } from './jpeg-header.js';
import { readingFailed } from './raw.js';
import { type PictureFormat, sniff } from './sniff.js';

export interface Beginning {
  readonly format: PictureFormat;
  /** Null for other formats, and for a JPEG without a frame header. */
  readonly jpeg: JpegHeader | null;
  /** Size of the file. */
  readonly bytes: number;
  /** The first bytes: a view that the next call overwrites. */
  readonly head: Uint8Array;
}

const buffer = Buffer.allocUnsafe(65536);

/** Looks at the beginning of a file. @throws BadSampleError when it cannot be read or is no picture */
export function readBeginning(path: string): Beginning {
  let descriptor: number | undefined;
  try {
    // Without waiting: opening a named pipe would block until somebody writes into it.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(descriptor);
    if (!stat.isFile())
      throw new BadSampleError(path, stat.isDirectory() ? 'a directory, not a file' : 'not a regular file');
    let head = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0));
    const kind = sniff(head);
    if ('instead' in kind) throw new BadSampleError(path, kind.instead);
    let jpeg: JpegHeader | null = null;
    if (kind.format === 'jpeg') {
      jpeg = readJpegHeader(head);
      if (!jpeg && stat.size > head.length) {
        // Large profiles and thumbnails may come before the frame.
        const more = Buffer.allocUnsafe(Math.min(stat.size, 1 << 24));
        head = more.subarray(0, readSync(descriptor, more, 0, more.length, 0));
        jpeg = readJpegHeader(head);
      }
    }
    return { format: kind.format, jpeg, bytes: stat.size, head };
  } catch (cause) {
    if (cause instanceof BadSampleError) throw cause;
    throw new BadSampleError(path, readingFailed(cause), { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
