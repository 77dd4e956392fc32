/**
 * Perceptual hash: 64 signs of the lowest frequencies of a grey thumbnail. It finds candidates; `compare.ts` decides.
 * Source: Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), §3.2.1 (DCT based).
 */
import { area, side } from './measure.js';

/** Frequencies used in each direction. */
const frequencies = 9;
const cosines = Float64Array.from({ length: frequencies * side }, (_, i) => {
  const u = Math.floor(i / side);
  return Math.cos(((2 * (i % side) + 1) * u * Math.PI) / (2 * side));
});

/** Hashes of thumbnails: the lower and the upper 32 bits of each. */
export interface Hashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Frequencies (u, v) of the 64 bits: all up to 7, with (0, 8) in the place of the mean. */
const chosen = Array.from({ length: 64 }, (_, bit) => (bit === 0 ? 8 : Math.floor(bit / 8) * frequencies + (bit % 8)));

/** A cut: left, top, right and bottom edge as shares of the width and height. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** What a cut leaves of a thumbnail, stretched to its size again (bilinear). */
function cutOut(grey: Uint8Array, start: number, [left, top, right, bottom]: Box, out: Float64Array): void {
  for (let y = 0; y < side; y++) {
    const v = Math.min(side - 1, Math.max(0, (top + ((y + 0.5) / side) * (bottom - top)) * side - 0.5));
    const y0 = Math.min(side - 2, Math.floor(v));
    for (let x = 0; x < side; x++) {
      const u = Math.min(side - 1, Math.max(0, (left + ((x + 0.5) / side) * (right - left)) * side - 0.5));
      const x0 = Math.min(side - 2, Math.floor(u));
      const p = start + y0 * side + x0;
      const upper = (grey[p] as number) + (u - x0) * ((grey[p + 1] as number) - (grey[p] as number));
      const lower =
        (grey[p + side] as number) + (u - x0) * ((grey[p + side + 1] as number) - (grey[p + side] as number));
      out[y * side + x] = upper + (v - y0) * (lower - upper);
    }
  }
}

/** Hashes the thumbnails of `grey`, or what a cut leaves of them. */
export function hashThumbnails(grey: Uint8Array, cut: Box = [0, 0, 1, 1]): Hashes {
  const pixels = new Float64Array(area);
  const count = grey.length / area;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  const rows = new Float64Array(side * frequencies);
  const values = new Float64Array(64);
  for (let n = 0; n < count; n++) {
    cutOut(grey, n * area, cut, pixels);
    for (let y = 0; y < side; y++)
      for (let u = 0; u < frequencies; u++) {
        let sum = 0;
        for (let x = 0; x < side; x++) sum += (pixels[y * side + x] as number) * (cosines[u * side + x] as number);
        rows[y * frequencies + u] = sum;
      }
    for (let bit = 0; bit < 64; bit++) {
      const at = chosen[bit] as number;
      const v = Math.floor(at / frequencies);
      const u = at % frequencies;
      let sum = 0;
      for (let y = 0; y < side; y++) sum += (rows[y * frequencies + u] as number) * (cosines[v * side + y] as number);
      values[bit] = sum;
    }
    const sorted = Float64Array.from(values).sort();
    const median = ((sorted[31] as number) + (sorted[32] as number)) / 2;
    let lower = 0;
    let upper = 0;
    for (let bit = 0; bit < 32; bit++) {
      if ((values[bit] as number) > median) lower |= 1 << bit;
      if ((values[bit + 32] as number) > median) upper |= 1 << bit;
    }
    low[n] = lower;
    high[n] = upper;
  }
  return { low, high };
}

/** How many bits of a 32-bit number are set. */
export function bits(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** In how many bits two hashes differ. */
export function hashDistance(hashes: Hashes, a: number, b: number): number {
  return (
    bits((hashes.low[a] as number) ^ (hashes.low[b] as number)) +
    bits((hashes.high[a] as number) ^ (hashes.high[b] as number))
  );
}
