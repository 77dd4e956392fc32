/** What libvips says about a file, in plain words. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { PictureFormat } from './sniff.js';

const names: Record<PictureFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  tiff: 'TIFF',
  gif: 'GIF',
  bmp: 'BMP',
  avif: 'AVIF',
};

const message = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Whether a warning is about something that leaves the pixels right. */
export function harmless(cause: unknown): boolean {
  return /extraneous bytes before marker|Invalid SOS parameters|Unknown Adobe|JFIF|iCCP|cHRM|gAMA|sRGB|unknown field|tag \d+/i.test(
    message(cause),
  );
}

/**
 * Whether libvips failed without a word of its own. It keeps its messages for all threads together, and another one's failure at the same
 * moment takes them away; it is worth asking again.
 */
export function speechless(cause: unknown): boolean {
  return /^Warning treated as error/.test(message(cause));
}

/** Why a picture could not be decoded, in a few words. */
export function badReason(path: string, format: PictureFormat, cause: unknown): string {
  const text = message(cause);
  const name = names[format];
  if (/pixel limit/i.test(text)) return `a ${name} that claims more pixels than are read (178956970)`;
  if (/timeout/i.test(text)) return `${name} that takes more than a minute to decode`;
  if (/premature end|unexpected end/i.test(text) || endsTooEarly(path, format)) return `truncated ${name}`;
  const detail = text
    .split('\n')
    .map((line) => line.replace(/^(Input file [^:]*:?|Input buffer [^:]*:?|\w+: )\s*/, '').trim())
    .find((line) => line !== '' && !line.includes('/') && !/^Warning treated as error|^error in tile/.test(line));
  if (format === 'png' && (!detail || /libpng read error/.test(detail)))
    return 'damaged PNG (its data or a checksum are wrong)';
  return `damaged ${name}${detail ? ` (${detail})` : ''}`;
}

/** Whether a file is shorter than it says itself; asked only when decoding has failed. */
export function endsTooEarly(path: string, format: PictureFormat): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const { size } = fstatSync(descriptor);
    const read = (from: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      readSync(descriptor as number, bytes, 0, length, from);
      return bytes;
    };
    switch (format) {
      case 'jpeg':
        // Anything may follow the marker of the end, so it is looked for in the last stretch.
        return !read(Math.max(0, size - 65536), Math.min(size, 65536)).includes(Buffer.from([0xff, 0xd9]));
      case 'png':
        return !read(Math.max(0, size - 65536), Math.min(size, 65536)).includes('IEND');
      case 'webp':
        return read(4, 4).readUInt32LE() + 8 > size;
      case 'tiff': {
        const head = read(0, 8);
        const directory = head[0] === 0x49 ? head.readUInt32LE(4) : head.readUInt32BE(4);
        return directory + 2 > size;
      }
      case 'avif': {
        let at = 0;
        while (at + 8 <= size) {
          const length = read(at, 4).readUInt32BE();
          if (length < 8) return false;
          at += length;
        }
        return at !== size;
      }
      default:
        return false;
    }
  } catch {
    // The file went away meanwhile: the first failure stands.
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
