/** What libvips says about a file, in plain words. */
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

/** Why a picture could not be decoded, in a few words. */
export function badReason(format: PictureFormat, cause: unknown): string {
  const text = message(cause);
  const name = names[format];
  if (/premature end|truncated|unexpected end|end of stream|not enough data|read error|out of data|EOF/i.test(text))
    return `truncated ${name}`;
  if (/pixel limit/i.test(text)) return `a ${name} that claims more pixels than are read (178956970)`;
  if (/timeout/i.test(text)) return `${name} that takes more than a minute to decode`;
  if (/CRC/i.test(text)) return `damaged ${name} (wrong checksum)`;
  const detail = text
    .split('\n')[0]
    ?.replace(/^.*?: /, '')
    .trim();
  return `damaged ${name}${detail ? ` (${detail})` : ''}`;
}
