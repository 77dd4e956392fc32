/**
 * One look at each picture, small: its size, format, quality and colours, a thumbnail and the hash of its file. Duplicates, drift between
 * parts, and most of what `praxis look` says are found from that. Decoding runs in libvips's threads; nothing here imports the engine.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import sharp from 'sharp';
import { BadSampleError } from '../errors.js';
import { readBmp } from '../pictures/bmp.js';
import { decodePicture, pixelLimit } from '../pictures/decode.js';
import { featureLength, pictureFeatures } from '../pictures/features.js';
import { toForm } from '../pictures/fit.js';
import { pictureQuality, qualitySide } from '../pictures/quality.js';
import { readingFailed, readRaw } from '../pictures/raw.js';
import type { Pixels } from '../pictures/resample.js';
import { type PictureFormat, sniff } from '../pictures/sniff.js';
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
  /** Size of the file, unreadable ones too; of the pixels where many share a file. */
  readonly bytes: Float64Array;
  /** By content; `raw` for bare pixels, empty where unreadable. */
  readonly format: readonly (PictureFormat | 'raw' | '')[];
  /** How colour is stored: `srgb`, `b-w`, `cmyk` …, with ` + alpha` where there is transparency. */
  readonly mode: readonly string[];
  /** EXIF orientation, 1…8. */
  readonly orientation: Uint8Array;
  /** Pages or frames, of which the first is read. */
  readonly pages: Uint32Array;
  /** See `PictureQuality`. */
  readonly darkest: Float32Array;
  readonly lightest: Float32Array;
  readonly entropy: Float32Array;
  readonly contrast: Float32Array;
  readonly sharpness: Float32Array;
  readonly colour: Float32Array;
  /** Mean and mean of the squares per channel, 0…1: six numbers each. */
  readonly moments: Float32Array;
  /** See `pictureFeatures`: `featureLength` bytes each. */
  readonly features: Uint8Array;
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
/** What a picture is decoded to where the quick way fails. */
const whole: PictureForm = { ...form, height: qualitySide, width: qualitySide };

/** What is stored, apart from the pixels. */
interface Stored {
  /** As shown. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly content: string;
  readonly format: PictureFormat | 'raw';
  readonly mode: string;
  readonly orientation: number;
  readonly pages: number;
}

/** A picture in colour, its longer side `qualitySide` at most. */
interface Small extends Stored {
  readonly small: Pixels;
}

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64');

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
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new BadSampleError(path, readingFailed(cause), { cause });
  });
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
  const facts = await sharp(bytes, { failOn: 'none', limitInputPixels: pixelLimit }).metadata();
  const { width, height } = facts.autoOrient;
  return {
    small,
    width,
    height: facts.pageHeight ?? height,
    bytes: bytes.length,
    content,
    format,
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

class Measurements implements PictureMeasurements {
  readonly width: Uint32Array;
  readonly height: Uint32Array;
  readonly brightness: Float32Array;
  readonly saturation: Float32Array;
  readonly warmth: Float32Array;
  readonly grey: Uint8Array;
  readonly content: string[];
  readonly bytes: Float64Array;
  readonly format: (PictureFormat | 'raw' | '')[];
  readonly mode: string[];
  readonly orientation: Uint8Array;
  readonly pages: Uint32Array;
  readonly darkest: Float32Array;
  readonly lightest: Float32Array;
  readonly entropy: Float32Array;
  readonly contrast: Float32Array;
  readonly sharpness: Float32Array;
  readonly colour: Float32Array;
  readonly moments: Float32Array;
  readonly features: Uint8Array;
  readonly unreadable: Unreadable[] = [];
  private readonly luma = new Float32Array(qualitySide * qualitySide);

  constructor(readonly length: number) {
    this.width = new Uint32Array(length);
    this.height = new Uint32Array(length);
    this.brightness = new Float32Array(length);
    this.saturation = new Float32Array(length);
    this.warmth = new Float32Array(length);
    this.grey = new Uint8Array(length * area);
    this.content = new Array<string>(length).fill('');
    this.bytes = new Float64Array(length);
    this.format = new Array<PictureFormat | 'raw' | ''>(length).fill('');
    this.mode = new Array<string>(length).fill('');
    this.orientation = new Uint8Array(length).fill(1);
    this.pages = new Uint32Array(length);
    this.darkest = new Float32Array(length);
    this.lightest = new Float32Array(length);
    this.entropy = new Float32Array(length);
    this.contrast = new Float32Array(length);
    this.sharpness = new Float32Array(length);
    this.colour = new Float32Array(length);
    this.moments = new Float32Array(6 * length);
    this.features = new Uint8Array(featureLength * length);
  }

  write(index: number, { small, ...stored }: Small): void {
    this.width[index] = stored.width;
    this.height[index] = stored.height;
    this.content[index] = stored.content;
    this.bytes[index] = stored.bytes;
    this.format[index] = stored.format;
    this.mode[index] = stored.mode;
    this.orientation[index] = stored.orientation;
    this.pages[index] = stored.pages;
    const quality = pictureQuality(small.data, small.width, small.height, this.luma);
    this.darkest[index] = quality.darkest;
    this.lightest[index] = quality.lightest;
    this.entropy[index] = quality.entropy;
    this.contrast[index] = quality.contrast;
    this.sharpness[index] = quality.sharpness;
    this.colour[index] = quality.colour;
    this.moments.set([...quality.mean, ...quality.squares], 6 * index);
    const features = this.features.subarray(featureLength * index, featureLength * (index + 1));
    pictureFeatures(small.data, this.luma, small.width, small.height, features);
    this.writeThumbnail(index, toForm(small, form));
  }

  private writeThumbnail(index: number, data: Uint8Array): void {
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
        measured.bytes[index] = statSync(error.file, { throwIfNoEntry: false })?.size ?? 0;
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
