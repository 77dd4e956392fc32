/** What can be known of a picture without decoding it. */
import { readFileSync } from 'node:fs';
import { BadSampleError, DataError } from '../errors.js';
import type { PictureDataset, PictureLocation } from '../types.js';
import { badReason } from './bad-reason.js';
import { readBeginning } from './beginning.js';
import { readBmpHeader } from './bmp.js';
import sharp from './libvips.js';
import { pixelLimit } from './limits.js';
import type { PictureFormat } from './sniff.js';

export interface PictureFacts {
  /** By content; `raw` for bare pixels. */
  readonly format: PictureFormat | 'raw';
  /** Size as stored. */
  readonly storedWidth: number;
  readonly storedHeight: number;
  /** Size as seen, after the orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** Channels as stored, with alpha: 1, 2, 3 or 4. */
  readonly channels: number;
  readonly alpha: boolean;
  /** `srgb`, `b-w`, `cmyk`, `rgb16`, `grey16` … as libvips calls them. */
  readonly space: string;
  /** Bits per channel. */
  readonly depth: number;
  /** EXIF orientation, 1…8. */
  readonly orientation: number;
  /** Pages or frames, of which the first is read. */
  readonly pages: number;
  /** Whether it has an embedded colour profile. */
  readonly profile: boolean;
  /** Size of the file; of the pixels where many share a file. */
  readonly bytes: number;
}

const depths: Readonly<Record<string, number>> = {
  uchar: 8,
  char: 8,
  ushort: 16,
  short: 16,
  uint: 32,
  int: 32,
  float: 32,
  double: 64,
};

/** Facts from the headers of a picture. @throws BadSampleError when the file is no picture */
export async function pictureFacts(location: PictureLocation): Promise<PictureFacts> {
  if (location.kind === 'raw') {
    const { width, height, channels } = location;
    const size = { storedWidth: width, storedHeight: height, width, height };
    const space = channels === 1 ? 'b-w' : 'srgb';
    return {
      format: 'raw',
      ...size,
      channels,
      alpha: false,
      space,
      depth: 8,
      orientation: 1,
      pages: 1,
      profile: false,
      bytes: width * height * channels,
    };
  }
  const { path } = location;
  const { format, bytes, head } = readBeginning(path);
  if (format === 'bmp') {
    const header = readBmpHeader(head);
    if (typeof header === 'string') throw new BadSampleError(path, header);
    const { width, height } = header;
    const size = { storedWidth: width, storedHeight: height, width, height };
    return {
      format,
      ...size,
      channels: 3,
      alpha: false,
      space: 'srgb',
      depth: 8,
      orientation: 1,
      pages: 1,
      profile: false,
      bytes,
    };
  }
  try {
    const found = await sharp(path.endsWith(']') ? readFileSync(path) : path, {
      limitInputPixels: pixelLimit,
    }).metadata();
    const orientation =
      found.orientation !== undefined && found.orientation >= 1 && found.orientation <= 8 ? found.orientation : 1;
    const storedHeight = found.pageHeight ?? found.height;
    const turned = orientation >= 5;
    return {
      format,
      storedWidth: found.width,
      storedHeight,
      width: turned ? storedHeight : found.width,
      height: turned ? found.width : storedHeight,
      channels: found.channels,
      alpha: found.hasAlpha,
      space: found.space,
      depth: found.bitsPerSample ?? depths[found.depth] ?? 8,
      orientation,
      pages: found.pages ?? 1,
      profile: found.hasProfile,
      bytes,
    };
  } catch (cause) {
    throw new BadSampleError(path, badReason(path, format, cause), { cause });
  }
}

/** A picture by its place in the data set, and its shorter side in pixels. */
export interface SizedPicture {
  readonly index: number;
  readonly side: number;
}

/** The shorter sides of at most `count` pictures, spread over the data set, from their headers; those that are no pictures are left out. */
export async function sampleSides(dataset: PictureDataset, count: number): Promise<readonly SizedPicture[]> {
  const wanted = Math.min(count, dataset.length);
  const places = Array.from({ length: wanted }, (_, i) => Math.floor((i * dataset.length) / wanted));
  const found = await Promise.all(
    places.map(async (index): Promise<SizedPicture[]> => {
      try {
        const { height, width } = await pictureFacts(dataset.location(index));
        return [{ index, side: Math.min(height, width) }];
      } catch (error) {
        if (error instanceof DataError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
