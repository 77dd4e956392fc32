/** What the header of a plain JPEG or PNG tells, in the words of libvips and without asking it. */
import { readJpegHeader } from './jpeg-header.js';
import type { PictureFormat } from './sniff.js';

export interface QuickFacts {
  /** As shown, the orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  readonly orientation: number;
}

/** Chunks before the pixels of a PNG that change neither its size nor its mode. */
const plainChunks = new Set(['gAMA', 'cHRM', 'sRGB', 'sBIT', 'bKGD', 'pHYs', 'tIME', 'tEXt', 'PLTE']);

/** @returns null where there is anything that only a library should judge */
export function quickFacts(bytes: Uint8Array, format: PictureFormat): QuickFacts | null {
  if (format === 'jpeg') return jpegFacts(bytes);
  return format === 'png' ? pngFacts(bytes) : null;
}

function jpegFacts(bytes: Uint8Array): QuickFacts | null {
  const header = readJpegHeader(bytes);
  if (!header || (header.components !== 1 && header.components !== 3)) return null;
  const { width, height, components, orientation } = header;
  const turned = orientation >= 5;
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    mode: components === 1 ? 'b-w' : 'srgb',
    orientation,
  };
}

function pngFacts(bytes: Uint8Array): QuickFacts | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) return null;
  const depth = bytes[24] as number;
  const colour = bytes[25] as number;
  // Only 8 bits of grey or colour, with or without an alpha channel: palettes and 16 bits have words of their own.
  if (depth !== 8 || ![0, 2, 4, 6].includes(colour)) return null;
  for (let at = 33; ; ) {
    if (at + 8 > bytes.length) return null;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === 'IDAT') break;
    if (!plainChunks.has(type)) return null;
    at += 12 + view.getUint32(at);
  }
  const mode = colour === 0 || colour === 4 ? 'b-w' : 'srgb';
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    mode: colour >= 4 ? `${mode} + alpha` : mode,
    orientation: 1,
  };
}
