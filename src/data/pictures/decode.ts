/**
 * From an encoded picture to uint8 pixels of the size asked for. Decoding is libvips's (through sharp), resizing is Pillow's algorithm
 * (`resample.ts`). Runs in worker threads: nothing here imports the engine.
 *
 * What becomes of what: the EXIF orientation is applied; 16 bits become 8; grey becomes RGB; CMYK becomes sRGB through its embedded profile,
 * or a common one where there is none; profiles of RGB and grey pictures are not applied (as in torchvision); transparency is laid on white;
 * of animations and multi-page files the first page counts. The format is told by content, never by the file's extension.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import sharp, { type SharpOptions } from 'sharp';
import { BadSampleError, DataError } from '../errors.js';
import type { PictureForm, PictureLocation } from '../types.js';
import { badReason, harmless } from './bad-reason.js';
import { readBmp } from './bmp.js';
import { place, toForm } from './fit.js';
import { type JpegHeader, readJpegHeader } from './jpeg-header.js';
import { readingFailed, readRaw } from './raw.js';
import type { Pixels } from './resample.js';
import { type PictureFormat, sniff } from './sniff.js';

// libvips would keep what it decoded for the next call, but here every picture is decoded once; and one thread for each is enough, since
// pictures are decoded side by side.
sharp.cache(false);
sharp.concurrency(1);

/** Pictures that claim more are refused: the limit at which Pillow refuses too (`Image.MAX_IMAGE_PIXELS` × 2). */
export const pixelLimit = 178_956_970;

/** How long one picture may take, in seconds. */
const timeLimit = 60;

/** With `fast`, what a JPEG's decoder leaves is at least this much larger than the picture asked for. */
const fastMargin = 1.5;

/**
 * Decodes a picture and brings it to a form.
 * @returns exactly height × width × channels bytes, rows from top to bottom, channels interleaved
 * @throws BadSampleError when the file cannot be read as a picture, with the reason in plain words
 */
export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  checkForm(form);
  const pixels = location.kind === 'raw' ? readRaw(location) : await decodeFile(location.path, form);
  return toForm(pixels, form);
}

function checkForm(form: PictureForm): void {
  const { height, width } = form;
  for (const [name, side] of Object.entries({ height, width }))
    if (!Number.isInteger(side) || side < 1 || side > 16384)
      throw new DataError(`${name} of a picture is ${side}: an integer from 1 to 16384 was expected`);
}

/** The beginning of a file: its format, and for JPEG its header. */
interface Beginning {
  readonly format: PictureFormat;
  readonly jpeg: JpegHeader | null;
  readonly bytes: number;
}

const beginning = Buffer.allocUnsafe(65536);

/** Looks at the beginning of a file. @throws BadSampleError when it cannot be read or is no picture */
export function readBeginning(path: string): Beginning {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (!stat.isFile())
      throw new BadSampleError(path, stat.isDirectory() ? 'a directory, not a file' : 'not a regular file');
    let bytes = beginning.subarray(0, readSync(descriptor, beginning, 0, beginning.length, 0));
    const kind = sniff(bytes);
    if ('instead' in kind) throw new BadSampleError(path, kind.instead);
    let jpeg: JpegHeader | null = null;
    if (kind.format === 'jpeg') {
      jpeg = readJpegHeader(bytes);
      if (!jpeg && stat.size > bytes.length) {
        // Large profiles and thumbnails may come before the frame.
        const more = Buffer.allocUnsafe(Math.min(stat.size, 1 << 24));
        bytes = more.subarray(0, readSync(descriptor, more, 0, more.length, 0));
        jpeg = readJpegHeader(bytes);
      }
    }
    return { format: kind.format, jpeg, bytes: stat.size };
  } catch (cause) {
    if (cause instanceof BadSampleError) throw cause;
    throw new BadSampleError(path, readingFailed(cause), { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** By how much a JPEG's decoder may reduce: 1, 2, 4 or 8. */
function jpegReduction(header: JpegHeader, form: PictureForm): number {
  if (form.decode === 'exact') return 1;
  const turned = header.orientation >= 5;
  const width = turned ? header.height : header.width;
  const height = turned ? header.width : header.height;
  const placement = place(width, height, form);
  const { box } = placement;
  const reduction = Math.min((box.right - box.left) / placement.width, (box.bottom - box.top) / placement.height);
  for (const by of [8, 4, 2]) if (reduction >= by * fastMargin) return by;
  return 1;
}

async function decodeFile(path: string, form: PictureForm): Promise<Pixels> {
  const { format, jpeg } = readBeginning(path);
  if (format === 'bmp') return readBmp(path, pixelLimit);
  const by = jpeg ? jpegReduction(jpeg, form) : 1;
  if (jpeg && jpeg.width * jpeg.height > pixelLimit) throw new BadSampleError(path, tooLarge(jpeg.width, jpeg.height));
  // libvips takes options in brackets at the end of a name; giving one also keeps it from taking brackets of the name itself for options.
  const source = jpeg ? `${path}[shrink=${by}]` : `${path}[revalidate]`;
  try {
    return await decodeWith(source, { failOn: 'warning' }, jpeg?.components === 4);
  } catch (cause) {
    if (!harmless(cause)) throw new BadSampleError(path, badReason(format, cause), { cause });
  }
  try {
    return await decodeWith(source, { failOn: 'error' }, jpeg?.components === 4);
  } catch (cause) {
    throw new BadSampleError(path, badReason(format, cause), { cause });
  }
}

function tooLarge(width: number, height: number): string {
  return `claims ${width} × ${height} pixels, more than the ${pixelLimit} that are read`;
}

async function decodeWith(source: string, options: SharpOptions, cmyk: boolean): Promise<Pixels> {
  const pipeline = sharp(source, {
    ...options,
    limitInputPixels: pixelLimit,
    sequentialRead: true,
    ignoreIcc: !cmyk,
    autoOrient: true,
  })
    .timeout({ seconds: timeLimit })
    .flatten({ background: '#ffffff' });
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}
