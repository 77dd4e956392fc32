/**
 * BMP, which the libvips that comes with sharp does not read: 1, 2, 4, 8, 16, 24 and 32 bits, palettes, bit fields, RLE4 and RLE8, rows from
 * the bottom or from the top. Source: Microsoft, "Bitmap Storage" (BITMAPCOREHEADER to BITMAPV5HEADER).
 */
import { readFileSync } from 'node:fs';
import { BadSampleError } from '../errors.js';
import { readRunLengths } from './bmp-rle.js';
import { readingFailed } from './raw.js';
import type { Pixels } from './resample.js';

/** Larger ones are refused: their pixels lie in memory at once. */
const bmpPixelLimit = 2 ** 26;

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the pixels begin. */
  readonly offset: number;
  /** Size of the header, after the 14 bytes of the file's. */
  readonly size: number;
  readonly coloursUsed: number;
}

/** @returns the header, or why it is not right */
export function readBmpHeader(bytes: Uint8Array): BmpHeader | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 26) return 'truncated BMP';
  const offset = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  let header: BmpHeader;
  if (size === 12) {
    header = {
      width: view.getUint16(18, true),
      height: view.getUint16(20, true),
      topDown: false,
      bits: view.getUint16(24, true),
      compression: 0,
      offset,
      size,
      coloursUsed: 0,
    };
  } else {
    if (![40, 52, 56, 64, 108, 124].includes(size)) return 'damaged BMP (unknown header)';
    if (bytes.length < 54) return 'truncated BMP';
    const height = view.getInt32(22, true);
    header = {
      width: view.getInt32(18, true),
      height: Math.abs(height),
      topDown: height < 0,
      bits: view.getUint16(28, true),
      compression: view.getUint32(30, true),
      offset,
      size,
      coloursUsed: view.getUint32(46, true),
    };
  }
  const { width, height, bits, compression } = header;
  if (width <= 0 || height <= 0) return `damaged BMP (${width} × ${height} pixels)`;
  if (compression === 4 || compression === 5) return 'a BMP with a JPEG or PNG inside, which is not read';
  const allowed: Readonly<Record<number, readonly number[]>> = {
    0: [1, 2, 4, 8, 16, 24, 32],
    1: [8],
    2: [4],
    3: [16, 32],
    6: [16, 32],
  };
  if (!allowed[compression]?.includes(bits)) return `damaged BMP (${bits} bits with compression ${compression})`;
  return header;
}

/** @throws BadSampleError */
export function readBmp(path: string): Pixels {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new BadSampleError(path, readingFailed(cause), { cause });
  }
  const pixels = decodeBmp(bytes);
  if (typeof pixels === 'string') throw new BadSampleError(path, pixels);
  return pixels;
}

/** @returns RGB pixels from top to bottom, or what is wrong with the file */
export function decodeBmp(bytes: Uint8Array): Pixels | string {
  const header = readBmpHeader(bytes);
  if (typeof header === 'string') return header;
  const { width, height, bits, compression } = header;
  if (width * height > bmpPixelLimit)
    return `claims ${width} × ${height} pixels, more than the ${bmpPixelLimit} that are read of a BMP`;
  if (header.offset < 14 + header.size || header.offset > bytes.length)
    return 'damaged BMP (pixels begin outside of the file)';
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  const runs = compression === 1 || compression === 2;
  // The last row may lack its padding.
  if (!runs && header.offset + rowBytes * (height - 1) + Math.ceil((width * bits) / 8) > bytes.length)
    return 'truncated BMP';
  const data = new Uint8Array(width * height * 3);
  const palette = bits <= 8 ? readPalette(bytes, header) : null;
  if (palette) {
    const indices = runs ? readRunLengths(bytes.subarray(header.offset), width, height, bits) : null;
    if (indices === 'truncated') return 'truncated BMP';
    for (let row = 0; row < height; row++) {
      const from = header.offset + row * rowBytes;
      let to = (header.topDown ? row : height - 1 - row) * width * 3;
      for (let x = 0; x < width; x++, to += 3) {
        const index = indices ? (indices[row * width + x] as number) : packedIndex(bytes, from, x, bits);
        data.set(palette.subarray(index * 3, index * 3 + 3), to);
      }
    }
    return { data, width, height, channels: 3 };
  }
  const masks = channelMasks(bytes, header);
  if (!masks) return 'truncated BMP';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let row = 0; row < height; row++) {
    let from = header.offset + row * rowBytes;
    let to = (header.topDown ? row : height - 1 - row) * width * 3;
    for (let x = 0; x < width; x++, to += 3) {
      if (bits === 24) {
        data[to] = bytes[from + 2] as number;
        data[to + 1] = bytes[from + 1] as number;
        data[to + 2] = bytes[from] as number;
        from += 3;
        continue;
      }
      const value = bits === 16 ? view.getUint16(from, true) : view.getUint32(from, true);
      from += bits / 8;
      const alpha = masks[3] ? scaled(value, masks[3]) : 255;
      // As everywhere, transparency is laid on white.
      for (let channel = 0; channel < 3; channel++)
        data[to + channel] = Math.round((scaled(value, masks[channel] as number) * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { data, width, height, channels: 3 };
}

function packedIndex(bytes: Uint8Array, from: number, x: number, bits: number): number {
  const bit = x * bits;
  return ((bytes[from + (bit >> 3)] as number) >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
}

/** 256 colours as RGB; those that the file lacks are black. */
function readPalette(bytes: Uint8Array, header: BmpHeader): Uint8Array {
  const entry = header.size === 12 ? 3 : 4;
  const start = 14 + header.size;
  const room = Math.floor((header.offset - start) / entry);
  const count = Math.min(room, header.coloursUsed || 1 << header.bits, 256);
  const palette = new Uint8Array(256 * 3);
  for (let i = 0; i < count; i++)
    for (let channel = 0; channel < 3; channel++)
      palette[i * 3 + channel] = bytes[start + i * entry + 2 - channel] as number;
  return palette;
}

/** Masks of red, green, blue and alpha (0: none). */
function channelMasks(bytes: Uint8Array, header: BmpHeader): readonly number[] | null {
  if (header.compression === 0)
    return header.bits === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0x00ff0000, 0x0000ff00, 0x000000ff, 0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const withAlpha = header.compression === 6 || header.size >= 56;
  if (bytes.length < 14 + 40 + (withAlpha ? 16 : 12)) return null;
  return [0, 1, 2, 3].map((i) => (i < 3 || withAlpha ? view.getUint32(54 + i * 4, true) : 0));
}

/** The bits under a mask as 0…255. */
function scaled(value: number, mask: number): number {
  if (mask === 0) return 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const highest = mask >>> shift;
  return Math.round((((value & mask) >>> shift) * 255) / highest);
}
