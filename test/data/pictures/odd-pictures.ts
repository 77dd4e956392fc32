/** Pictures of many kinds, and what is wrong with some: made here, so that no file needs to be kept. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export const width = 90;
export const height = 60;

/** Left half red or dark, right half blue or green by the row: every corner has a colour of its own. */
export function cornerColours(): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      pixels.set([x < width / 2 ? 220 : 30, y < height / 2 ? 200 : 40, 90], (y * width + x) * 3);
  return pixels;
}

export const picture = (): Sharp => sharp(cornerColours(), { raw: { width, height, channels: 3 } });

function checksum(bytes: Uint8Array): number {
  // Node 20 before 20.15 has no crc32.
  if (typeof crc32 === 'function') return crc32(bytes);
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(checksum(body));
  return Buffer.concat([length, body, crc]);
}

/** A PNG of 8-bit RGB with a header that claims any size over any data. */
export function claimingPng(claimedWidth: number, claimedHeight: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(claimedWidth, 0);
  header.writeUInt32BE(claimedHeight, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(data)),
    chunk('IEND', new Uint8Array()),
  ]);
}

export interface BmpRecipe {
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32;
  readonly topDown?: boolean;
  /** 0 none, 1 RLE8, 2 RLE4, 3 bit fields. */
  readonly compression?: 0 | 1 | 2 | 3;
  readonly width: number;
  readonly height: number;
  /** Blue, green, red, 0 each. */
  readonly palette?: readonly (readonly number[])[];
  readonly masks?: readonly number[];
  /** Rows as stored, padding included. */
  readonly data: Uint8Array;
}

export function bmp(recipe: BmpRecipe): Buffer {
  const palette = Buffer.from((recipe.palette ?? []).flat());
  const masks = Buffer.alloc((recipe.masks ?? []).length * 4);
  recipe.masks?.forEach((mask, i) => {
    masks.writeUInt32LE(mask, i * 4);
  });
  const header = Buffer.alloc(54);
  const offset = 54 + masks.length + palette.length;
  header.write('BM');
  header.writeUInt32LE(offset + recipe.data.length, 2);
  header.writeUInt32LE(offset, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(recipe.width, 18);
  header.writeInt32LE(recipe.topDown ? -recipe.height : recipe.height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(recipe.bits, 28);
  header.writeUInt32LE(recipe.compression ?? 0, 30);
  header.writeUInt32LE(recipe.palette?.length ?? 0, 46);
  return Buffer.concat([header, masks, palette, recipe.data]);
}

/** Two frames: the corners, then white. */
export function frames(): Sharp {
  const both = Buffer.concat([cornerColours(), Buffer.alloc(width * height * 3, 255)]);
  return sharp(both, { raw: { width, height: height * 2, channels: 3, pageHeight: height } });
}
