/** One look at one picture: decoded once, small; everything else is found from that. Runs in threads; nothing here imports the engine. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { BadSampleError } from '../errors.js';
import { readBmp } from '../pictures/bmp.js';
import { decodePicture, pixelLimit } from '../pictures/decode.js';
import { featureLength, pictureFeatures } from '../pictures/features.js';
import { toForm } from '../pictures/fit.js';
import sharp from '../pictures/libvips.js';
import { pictureQuality, qualitySide } from '../pictures/quality.js';
import { quickFacts } from '../pictures/quick-facts.js';
import { readingFailed, readRaw } from '../pictures/raw.js';
import type { Pixels } from '../pictures/resample.js';
import { type PictureFormat, sniff } from '../pictures/sniff.js';
import type { PictureForm, PictureLocation } from '../types.js';
import { area, type Columns, side, type Words } from './measurements.js';

const form: PictureForm = { height: side, width: side, channels: 3, fit: 'squash', decode: 'fast' };
/** What a picture is decoded to where the quick way fails. */
const whole: PictureForm = { ...form, height: qualitySide, width: qualitySide };

/** What is stored, apart from the pixels. */
interface Stored extends Words {
  /** As shown. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly orientation: number;
  readonly pages: number;
}

/** A picture in colour, its longer side `qualitySide` at most. */
interface Small extends Stored {
  readonly small: Pixels;
}

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64');

/** All of a file. Without waiting: the promises of four steps each cost as much as decoding a small picture. */
function readWhole(path: string): Buffer {
  let descriptor: number | undefined;
  try {
    // A named pipe would be waited for.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(descriptor);
    if (!stat.isFile())
      throw new BadSampleError(path, stat.isDirectory() ? 'a directory, not a file' : 'not a regular file');
    const bytes = Buffer.allocUnsafe(stat.size);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(descriptor, bytes, read, bytes.length - read, read);
      if (more === 0) break;
      read += more;
    }
    return bytes.subarray(0, read);
  } catch (cause) {
    if (cause instanceof BadSampleError) throw cause;
    throw new BadSampleError(path, readingFailed(cause), { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Bare pixels, brought to size here. */
function fromPixels(pixels: Pixels, stored: Omit<Stored, 'width' | 'height' | 'orientation' | 'pages'>): Small {
  const { width, height } = pixels;
  const scale = Math.min(1, qualitySide / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const same = scale === 1 && pixels.channels === 3 && pixels.extent === undefined;
  const small = same ? pixels : { data: toForm(pixels, { ...form, ...size }), ...size, channels: 3 as const };
  return { ...stored, small, width, height, orientation: 1, pages: 1 };
}

async function lookAt(location: PictureLocation): Promise<Small> {
  if (location.kind === 'raw') {
    const pixels = readRaw(location);
    const mode = pixels.channels === 1 ? 'b-w' : 'srgb';
    return fromPixels(pixels, { bytes: pixels.data.length, content: sha1(pixels.data), format: 'raw', mode });
  }
  const { path } = location;
  const bytes = readWhole(path);
  const content = sha1(bytes);
  const kind = sniff(bytes);
  if ('instead' in kind) throw new BadSampleError(path, kind.instead);
  const { format } = kind;
  if (format === 'bmp') return fromPixels(readBmp(path), { bytes: bytes.length, content, format, mode: 'srgb' });
  // What the quick way cannot do, or has doubts about, is decoded as for training, which also says what is wrong with a file.
  const small = (await decodeQuickly(bytes)) ?? {
    data: await decodePicture(location, whole),
    width: qualitySide,
    height: qualitySide,
    channels: 3,
  };
  return { small, bytes: bytes.length, content, format, ...(await factsOf(bytes, format)) };
}

/** Size, mode, orientation and pages: from the header where that is plain, or else from libvips, which takes as long as decoding. */
async function factsOf(
  bytes: Buffer,
  format: PictureFormat,
): Promise<Pick<Stored, 'width' | 'height' | 'mode' | 'orientation' | 'pages'>> {
  const quick = quickFacts(bytes, format);
  if (quick) return { ...quick, pages: 1 };
  const facts = await sharp(bytes, { failOn: 'none', limitInputPixels: pixelLimit }).metadata();
  const { width, height } = facts.autoOrient;
  return {
    width,
    height: facts.pageHeight ?? height,
    mode: facts.hasAlpha ? `${facts.space} + alpha` : facts.space,
    orientation: facts.orientation ?? 1,
    pages: facts.pages ?? 1,
  };
}

/** Decoded small, or null where anything at all was remarkable. */
async function decodeQuickly(bytes: Buffer): Promise<Pixels | null> {
  try {
    const { data, info } = await sharp(bytes, {
      failOn: 'warning',
      limitInputPixels: pixelLimit,
      sequentialRead: true,
      autoOrient: true,
    })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .resize(qualitySide, qualitySide, { fit: 'inside', withoutEnlargement: true })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return info.channels === 3 ? { data, width: info.width, height: info.height, channels: 3 } : null;
  } catch {
    return null;
  }
}

const luma = new Float32Array(qualitySide * qualitySide);

/**
 * Looks at a picture and writes what is seen into the columns.
 * @throws BadSampleError when it cannot be read; then only its size in bytes is written
 */
export async function measurePicture(location: PictureLocation, columns: Columns, index: number): Promise<Words> {
  let seen: Small;
  try {
    seen = await lookAt(location);
  } catch (error) {
    if (error instanceof BadSampleError)
      columns.bytes[index] = statSync(error.file, { throwIfNoEntry: false })?.size ?? 0;
    throw error;
  }
  const { small, content, format, mode } = seen;
  for (const name of ['width', 'height', 'bytes', 'orientation', 'pages'] as const) columns[name][index] = seen[name];
  const quality = pictureQuality(small.data, small.width, small.height, luma);
  for (const name of ['darkest', 'lightest', 'entropy', 'contrast', 'sharpness', 'colour'] as const)
    columns[name][index] = quality[name];
  columns.moments.set(quality.mean, 6 * index);
  columns.moments.set(quality.squares, 6 * index + 3);
  const features = columns.features.subarray(featureLength * index, featureLength * (index + 1));
  pictureFeatures(small.data, luma, small.width, small.height, features);
  writeThumbnail(columns, index, toForm(small, form));
  return { content, format, mode };
}

function writeThumbnail(columns: Columns, index: number, data: Uint8Array): void {
  let sum = 0;
  let saturation = 0;
  let warmth = 0;
  for (let p = 0; p < area; p++) {
    const red = data[3 * p] as number;
    const green = data[3 * p + 1] as number;
    const blue = data[3 * p + 2] as number;
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    columns.grey[index * area + p] = grey + 0.5;
    sum += grey;
    saturation += Math.max(red, green, blue) - Math.min(red, green, blue);
    warmth += red - blue;
  }
  columns.brightness[index] = sum / area / 255;
  columns.saturation[index] = saturation / area / 255;
  columns.warmth[index] = warmth / area / 255;
}
