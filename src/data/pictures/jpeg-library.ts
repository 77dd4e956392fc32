/**
 * JPEG through the system's libjpeg (`native/jpeg.cc`), where set-up could build that: the same pixels as libvips's, to the bit, in less
 * than two fifths of the time, since nothing is set up for each picture and the file is opened once. Anything unusual is left to libvips.
 */
import { createRequire } from 'node:module';
import { currentEngine } from '../../torch/engine.js';

interface JpegLibrary {
  /** Whether the picture is sound and lies in `rows`: ⌊height / by⌋ × ⌊width / by⌋ × channels bytes. */
  decode(bytes: Uint8Array, by: 1 | 2 | 4 | 8, channels: 1 | 3, rows: Uint8Array): boolean;
  /** Name and version. */
  readonly library: string;
}

let known: JpegLibrary | null | undefined;

/** The library, or null where there is none; `PRAXIS_JPEG=libvips` does without it. */
export function jpegLibrary(): JpegLibrary | null {
  if (known !== undefined) return known;
  known = null;
  const addon = process.env.PRAXIS_JPEG === 'libvips' ? null : currentEngine()?.jpeg;
  if (typeof addon === 'string')
    try {
      known = createRequire(import.meta.url)(addon) as JpegLibrary;
    } catch {
      // The library was removed after set-up, or it was built for another Node: libvips does it.
    }
  return known;
}
