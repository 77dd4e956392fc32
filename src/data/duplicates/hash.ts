/**
 * Perceptual hash: 64 signs of the lowest frequencies of a grey thumbnail. It finds candidates; `compare.ts` decides.
 * Source: Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), §3.2.1 (DCT based).
 */
import { area, side } from './measure.js';

/** Frequencies used in each direction. */
const frequencies = 9;
/** Frequency `u` at pixel `x` is `cosines[x * frequencies + u]`. */
const cosines = Float64Array.from({ length: frequencies * side }, (_, i) => {
  const x = Math.floor(i / frequencies);
  return Math.cos(((2 * x + 1) * (i % frequencies) * Math.PI) / (2 * side));
});

/** Hashes of thumbnails: the lower and the upper 32 bits of each. */
export interface Hashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Frequencies (u, v) of the 64 bits: all up to 7, with (0, 8) in the place of the mean. */
const chosen = Array.from({ length: 64 }, (_, bit) => {
  const [u, v] = bit === 0 ? [8, 0] : [bit % 8, Math.floor(bit / 8)];
  return u * frequencies + v;
});

/** A cut: left, top, right and bottom edge as shares of the width and height. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * What a cut leaves, stretched to the whole (bilinear), and its cosines in one: for each frequency the weight of each pixel of a row or
 * column of the whole thumbnail. Cutting, stretching and transforming are all linear, so the cut is never made.
 */
function weightsOf(from: number, to: number): Float64Array {
  const weights = new Float64Array(frequencies * side);
  for (let x = 0; x < side; x++) {
    const place = Math.min(side - 1, Math.max(0, (from + ((x + 0.5) / side) * (to - from)) * side - 0.5));
    const first = Math.min(side - 2, Math.floor(place));
    const share = place - first;
    for (let u = 0; u < frequencies; u++) {
      const cosine = cosines[x * frequencies + u] as number;
      const at = first * frequencies + u;
      weights[at] = (weights[at] as number) + (1 - share) * cosine;
      weights[at + frequencies] = (weights[at + frequencies] as number) + share * cosine;
    }
  }
  return weights;
}

/**
 * Nine weighted sums of 32 numbers that lie `step` apart, written side by side. Unrolled: it is what hashing spends its time on.
 */
function transform(
  from: Uint8Array | Float64Array,
  start: number,
  step: number,
  weights: Float64Array,
  out: Float64Array,
  to: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  let s7 = 0;
  let s8 = 0;
  for (let i = 0, at = start, w = 0; i < side; i++, at += step, w += frequencies) {
    const value = from[at] as number;
    s0 += value * (weights[w] as number);
    s1 += value * (weights[w + 1] as number);
    s2 += value * (weights[w + 2] as number);
    s3 += value * (weights[w + 3] as number);
    s4 += value * (weights[w + 4] as number);
    s5 += value * (weights[w + 5] as number);
    s6 += value * (weights[w + 6] as number);
    s7 += value * (weights[w + 7] as number);
    s8 += value * (weights[w + 8] as number);
  }
  out[to] = s0;
  out[to + 1] = s1;
  out[to + 2] = s2;
  out[to + 3] = s3;
  out[to + 4] = s4;
  out[to + 5] = s5;
  out[to + 6] = s6;
  out[to + 7] = s7;
  out[to + 8] = s8;
}

/** The value in the middle: mean of the 32nd and 33rd of 64. Sorts them. */
function middle(values: Float64Array): number {
  // Insertion: faster for so few than a general sort, and nothing is allocated.
  for (let i = 1; i < 64; i++) {
    const own = values[i] as number;
    let at = i - 1;
    for (; at >= 0 && (values[at] as number) > own; at--) values[at + 1] = values[at] as number;
    values[at + 1] = own;
  }
  return ((values[31] as number) + (values[32] as number)) / 2;
}

/** Hashes the thumbnails of `grey`, or what a cut leaves of them. */
export function hashThumbnails(grey: Uint8Array, cut: Box = [0, 0, 1, 1]): Hashes {
  const [left, top, right, bottom] = cut;
  const across = weightsOf(left, right);
  const down = weightsOf(top, bottom);
  const count = grey.length / area;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  const rows = new Float64Array(side * frequencies);
  const both = new Float64Array(frequencies * frequencies);
  const values = new Float64Array(64);
  const sorted = new Float64Array(64);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < side; y++) transform(grey, n * area + y * side, 1, across, rows, y * frequencies);
    for (let u = 0; u < frequencies; u++) transform(rows, u, frequencies, down, both, u * frequencies);
    for (let bit = 0; bit < 64; bit++) values[bit] = both[chosen[bit] as number] as number;
    sorted.set(values);
    const median = middle(sorted);
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
