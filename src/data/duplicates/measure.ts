/**
 * One look at each picture, small: its size, brightness and colour, a thumbnail and the hash of its file. Duplicates and drift between
 * parts are found from that. Decoding runs in libvips's threads; nothing here imports the engine.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import sharp from 'sharp';
import { BadSampleError } from '../errors.js';
import { readBmp } from '../pictures/bmp.js';
import { decodePicture, pixelLimit } from '../pictures/decode.js';
import { toForm } from '../pictures/fit.js';
import { readingFailed, readRaw } from '../pictures/raw.js';
import type { Pixels } from '../pictures/resample.js';
import { sniff } from '../pictures/sniff.js';
import { locationOf } from '../sources/sealing.js';
import type { PictureDataset, PictureForm, PictureLocation } from '../types.js';

/** Side of the grey thumbnail that duplicates are compared by. */
export const side = 32;
/** Pixels of it. */
export const area = side * side;

/** What was seen; one entry per sample. A picture that cannot be read has width 0. */
export interface PictureMeasurements {
  readonly length: number;
  /** As shown, the EXIF orientation applied. */
  readonly width: Uint32Array;
  readonly height: Uint32Array;
  /** Mean luma, 0…1. */
  readonly brightness: Float32Array;
  /** Mean of (largest − smallest channel), 0…1: 0 is grey. */
  readonly saturation: Float32Array;
  /** Mean of red − blue, −1…1. */
  readonly warmth: Float32Array;
  /** Grey thumbnails, side × side bytes each. */
  readonly grey: Uint8Array;
  /** SHA-1 of the file, or of the bare pixels; empty where unreadable. */
  readonly content: readonly string[];
  readonly unreadable: readonly Unreadable[];
}

export interface Unreadable {
  readonly index: number;
  readonly reason: string;
}

export interface MeasureOptions {
  /** Pictures in work at once. Default: twice the cores, at least four. */
  readonly concurrency?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const form: PictureForm = { height: side, width: side, channels: 3, fit: 'squash', decode: 'fast' };

/** A picture at 32 × 32 in colour. */
interface Small {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64');

/** Bare pixels, brought to size here. */
function fromPixels(pixels: Pixels, content: string): Small {
  return { data: toForm(pixels, form), width: pixels.width, height: pixels.height, content };
}

async function lookAt(location: PictureLocation): Promise<Small> {
  if (location.kind === 'raw') {
    const pixels = readRaw(location);
    return fromPixels(pixels, sha1(pixels.data));
  }
  const { path } = location;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new BadSampleError(path, readingFailed(cause), { cause });
  });
  const content = sha1(bytes);
  const kind = sniff(bytes);
  if ('instead' in kind) throw new BadSampleError(path, kind.instead);
  if (kind.format === 'bmp') return fromPixels(readBmp(path), content);
  try {
    const picture = sharp(bytes, {
      failOn: 'error',
      limitInputPixels: pixelLimit,
      sequentialRead: true,
      autoOrient: true,
    });
    const { autoOrient } = await picture.metadata();
    const data = await picture
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .resize(side, side, { fit: 'fill' })
      .raw({ depth: 'uchar' })
      .toBuffer();
    if (data.length === area * 3) return { data, width: autoOrient.width, height: autoOrient.height, content };
  } catch {}
  // What the quick way cannot do is decoded as for training, which also says what is wrong with a file.
  const data = await decodePicture(location, form);
  const { autoOrient } = await sharp(bytes, { failOn: 'none', limitInputPixels: pixelLimit }).metadata();
  return { data, width: autoOrient.width, height: autoOrient.height, content };
}

class Measurements implements PictureMeasurements {
  readonly width: Uint32Array;
  readonly height: Uint32Array;
  readonly brightness: Float32Array;
  readonly saturation: Float32Array;
  readonly warmth: Float32Array;
  readonly grey: Uint8Array;
  readonly content: string[];
  readonly unreadable: Unreadable[] = [];

  constructor(readonly length: number) {
    this.width = new Uint32Array(length);
    this.height = new Uint32Array(length);
    this.brightness = new Float32Array(length);
    this.saturation = new Float32Array(length);
    this.warmth = new Float32Array(length);
    this.grey = new Uint8Array(length * area);
    this.content = new Array<string>(length).fill('');
  }

  write(index: number, { data, width, height, content }: Small): void {
    this.width[index] = width;
    this.height[index] = height;
    this.content[index] = content;
    let luma = 0;
    let saturation = 0;
    let warmth = 0;
    for (let p = 0; p < area; p++) {
      const red = data[3 * p] as number;
      const green = data[3 * p + 1] as number;
      const blue = data[3 * p + 2] as number;
      const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
      this.grey[index * area + p] = grey + 0.5;
      luma += grey;
      saturation += Math.max(red, green, blue) - Math.min(red, green, blue);
      warmth += red - blue;
    }
    this.brightness[index] = luma / area / 255;
    this.saturation[index] = saturation / area / 255;
    this.warmth[index] = warmth / area / 255;
  }
}

const known = new WeakMap<PictureDataset, PictureMeasurements>();

/** Looks at all pictures of a data set. The result is kept as long as the data set is. Sealed pictures are looked at too: it shows no labels. */
export async function measurePictures(
  dataset: PictureDataset,
  { concurrency = Math.max(4, 2 * availableParallelism()), onProgress, signal }: MeasureOptions = {},
): Promise<PictureMeasurements> {
  const before = known.get(dataset);
  if (before) return before;
  const measured = new Measurements(dataset.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < dataset.length) {
      signal?.throwIfAborted();
      const index = next++;
      try {
        measured.write(index, await lookAt(locationOf(dataset, index)));
      } catch (error) {
        if (!(error instanceof BadSampleError)) throw error;
        measured.unreadable.push({ index, reason: error.reason });
      }
      onProgress?.(++done, dataset.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  measured.unreadable.sort((a, b) => a.index - b.index);
  known.set(dataset, measured);
  return measured;
}
