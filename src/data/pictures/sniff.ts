/** What kind of file this is, by its first bytes; names and extensions are not asked. */

/** Formats that are read. */
export const pictureFormats = ['jpeg', 'png', 'webp', 'tiff', 'gif', 'bmp', 'avif'] as const;
export type PictureFormat = (typeof pictureFormats)[number];

const text = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');

/** The format of a picture by its beginning (32 bytes are enough), or what it is instead, in words. */
export function sniff(bytes: Uint8Array): { readonly format: PictureFormat } | { readonly instead: string } {
  if (bytes.length === 0) return { instead: 'empty file' };
  const head = text(bytes, 0, 16);
  if (head.startsWith('\xff\xd8\xff')) return { format: 'jpeg' };
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { format: 'png' };
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return { format: 'gif' };
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return { format: 'webp' };
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return { format: 'tiff' };
  if (head.startsWith('BM') && bytes.length >= 18) return { format: 'bmp' };
  if (head.slice(4, 8) === 'ftyp') {
    const brands = text(bytes, 8, 32);
    if (/avi[fs]/.test(brands)) return { format: 'avif' };
    return {
      instead: /hei|hev|mif1/.test(brands) ? 'a HEIC picture, which is not read: convert it to JPEG' : 'a video',
    };
  }
  return { instead: otherKind(bytes, head) };
}

function otherKind(bytes: Uint8Array, head: string): string {
  if (bytes.every((byte) => byte === 0)) return 'not a picture (its beginning is all zeros)';
  if (head.startsWith('%PDF')) return 'a PDF document, not a picture';
  if (head.startsWith('PK\x03\x04')) return 'a zip archive, not a picture';
  if (head.startsWith('\x1f\x8b')) return 'a gzip archive, not a picture';
  if (head.startsWith('8BPS')) return 'a Photoshop document, which is not read: export it as PNG';
  if (head.startsWith('\xff\x0a') || head.startsWith('\0\0\0\x0cJXL '))
    return 'a JPEG XL picture, which is not read: convert it to PNG';
  if (head.startsWith('\0\0\0\x0cjP')) return 'a JPEG 2000 picture, which is not read: convert it to PNG';
  const begin = text(bytes, 0, 256).trimStart().toLowerCase();
  if (/^(<\?xml[^>]*>\s*)?(<!--.*-->\s*)?<svg/.test(begin)) return 'an SVG drawing, not a picture of pixels';
  if (/^(<!doctype html|<html|<head|<body)/.test(begin)) return 'a web page, not a picture (a download that failed?)';
  return 'not a picture in a known format';
}
