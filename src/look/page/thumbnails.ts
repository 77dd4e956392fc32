/** Small pictures for the page, as JPEG inside of it. */
import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { DataError } from '../../data/errors.js';
import { decodePicture } from '../../data/pictures/decode.js';
import sharp from '../../data/pictures/libvips.js';
import type { PictureDataset, PictureLocation } from '../../data/types.js';

/** Longer side. */
const side = 144;
/** Of all pictures of a page together, as they stand in it. */
const usualBytes = 4_600_000;
const atOnce = 6;

export interface Thumbnail {
  /** `data:image/jpeg;base64,…` */
  readonly url: string;
  /** Smaller than it is shown: to be enlarged in squares. */
  readonly tiny: boolean;
}

async function decoded(location: PictureLocation): Promise<Sharp> {
  if (location.kind === 'file') {
    try {
      const bytes = await readFile(location.path);
      const picture = sharp(bytes, { failOn: 'none', autoOrient: true });
      await picture.metadata();
      return picture;
    } catch {
      // What libvips does not read is decoded as for training.
    }
  }
  const [height, width] = location.kind === 'raw' ? [location.height, location.width] : [side, side];
  const data = await decodePicture(location, { height, width, channels: 3, fit: 'pad', decode: 'fast' });
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function thumbnailOf(location: PictureLocation): Promise<Thumbnail> {
  const picture = await decoded(location);
  const { data, info } = await picture
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 74 })
    .toBuffer({ resolveWithObject: true });
  return {
    url: `data:image/jpeg;base64,${data.toString('base64')}`,
    tiny: Math.max(info.width, info.height) < side / 2,
  };
}

/**
 * Thumbnails of samples, in the order given, until the page is full.
 * @param wanted with repetitions, as often as each is shown
 * @param mostBytes of all together
 */
export async function thumbnails(
  dataset: PictureDataset,
  wanted: readonly number[],
  mostBytes = usualBytes,
): Promise<Map<number, Thumbnail>> {
  const uses = new Map<number, number>();
  for (const index of wanted) uses.set(index, (uses.get(index) ?? 0) + 1);
  const found = new Map<number, Thumbnail>();
  const queue = [...uses];
  let bytes = 0;
  for (let start = 0; start < queue.length && bytes < mostBytes; start += atOnce) {
    const made = await Promise.all(
      queue.slice(start, start + atOnce).map(async ([index, times]) => {
        try {
          return { index, times, thumbnail: await thumbnailOf(dataset.location(index)) };
        } catch (error) {
          // A damaged picture has no thumbnail; its finding says why.
          if (error instanceof DataError || (error instanceof Error && /Input|pixel|VIPS|vips/i.test(error.message)))
            return null;
          throw error;
        }
      }),
    );
    for (const one of made) {
      if (!one) continue;
      bytes += one.thumbnail.url.length * one.times;
      if (bytes > mostBytes) break;
      found.set(one.index, one.thumbnail);
    }
  }
  return found;
}
