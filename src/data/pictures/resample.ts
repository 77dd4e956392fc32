/**
 * Resizing of 8-bit pictures with a triangle filter that widens with the reduction, so that it also smooths (antialiasing): the algorithm of
 * Pillow's `Image.resize(size, Image.BILINEAR)`, which is what `torchvision.transforms.Resize` does with pictures, in the same fixed-point
 * arithmetic, bit for bit. Source: Pillow, `src/libImaging/Resample.c`.
 */

import { resampleWithVectors } from './resample-simd.js';

/** Bits behind the point of a coefficient; 8 for a pixel and 2 for sums slightly above 1 are left of 32. */
const precision = 32 - 8 - 2;

/** For each output position: where its inputs begin, how many there are, and their weights. */
export interface Taps {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  /** Room per position in `weights`. */
  readonly stride: number;
}

/** @param from first input position that counts, may lie between two; @param to end of the input that counts */
function makeTaps(input: number, from: number, to: number, output: number): Taps {
  // Pillow keeps the box in single precision.
  const begin = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - begin) / output;
  const filterScale = Math.max(scale, 1);
  const support = filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(output);
  const count = new Int32Array(output);
  const weights = new Int32Array(output * stride);
  const exact = new Float64Array(stride);
  const inverse = 1 / filterScale;
  for (let position = 0; position < output; position++) {
    const centre = begin + (position + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(input, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let i = first; i < last; i++) {
      const distance = Math.abs((i - centre + 0.5) * inverse);
      const weight = distance < 1 ? 1 - distance : 0;
      exact[i - first] = weight;
      sum += weight;
    }
    for (let i = 0; i < last - first; i++) {
      const weight = sum === 0 ? (exact[i] as number) : (exact[i] as number) / sum;
      weights[position * stride + i] = Math.trunc(0.5 + weight * 2 ** precision);
    }
    start[position] = first;
    count[position] = last - first;
  }
  return { start, count, weights, stride };
}

/** Data sets mostly hold few sizes: the taps of the last ones are kept. */
const kept = new Map<string, Taps>();

function taps(input: number, from: number, to: number, output: number): Taps {
  const key = `${input} ${from} ${to} ${output}`;
  let found = kept.get(key);
  if (!found) {
    found = makeTaps(input, from, to, output);
    if (kept.size >= 64) kept.delete(kept.keys().next().value as string);
    kept.set(key, found);
  }
  return found;
}

const half = 1 << (precision - 1);

/** The part of a picture to resize, in its pixels; may begin and end between pixels, and up to a pixel outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Rows of 8-bit pixels, channels interleaved. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Where the whole picture lies, if its last fractions of a pixel are not among these. */
  readonly extent?: Box;
}

function horizontal(pixels: Pixels, firstRow: number, rows: number, width: number, box: Box, out: Uint8Array): void {
  const { data, channels } = pixels;
  const { start, count, weights, stride } = taps(pixels.width, box.left, box.right, width);
  const rowBytes = pixels.width * channels;
  let to = 0;
  if (channels === 3) {
    for (let row = 0; row < rows; row++) {
      const base = (firstRow + row) * rowBytes;
      for (let x = 0; x < width; x++) {
        let red = half;
        let green = half;
        let blue = half;
        let at = base + (start[x] as number) * 3;
        let k = x * stride;
        for (const end = k + (count[x] as number); k < end; k++) {
          const weight = weights[k] as number;
          red = (red + (data[at] as number) * weight) | 0;
          green = (green + (data[at + 1] as number) * weight) | 0;
          blue = (blue + (data[at + 2] as number) * weight) | 0;
          at += 3;
        }
        // Weights are never negative, so a sum cannot fall below 0, nor, their sum being 1 within a few units of 2^-22, pass 255.
        out[to] = red >> precision;
        out[to + 1] = green >> precision;
        out[to + 2] = blue >> precision;
        to += 3;
      }
    }
    return;
  }
  for (let row = 0; row < rows; row++) {
    const base = (firstRow + row) * rowBytes;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = half;
        let at = base + (start[x] as number) * channels + channel;
        let k = x * stride;
        for (const end = k + (count[x] as number); k < end; k++) {
          sum = (sum + (data[at] as number) * (weights[k] as number)) | 0;
          at += channels;
        }
        out[to++] = sum >> precision;
      }
    }
  }
}

/** @param firstRow the row of the whole picture that `pixels` begins with */
function vertical(pixels: Pixels, height: number, along: Taps, firstRow: number, out: Uint8Array): void {
  const { data } = pixels;
  const { start, count, weights, stride } = along;
  const rowBytes = pixels.width * pixels.channels;
  for (let y = 0; y < height; y++) {
    const from = ((start[y] as number) - firstRow) * rowBytes;
    const first = y * stride;
    const end = first + (count[y] as number);
    const to = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) {
      let sum = half;
      let at = from + x;
      for (let k = first; k < end; k++) {
        sum = (sum + (data[at] as number) * (weights[k] as number)) | 0;
        at += rowBytes;
      }
      out[to + x] = sum >> precision;
    }
  }
}

/**
 * Resizes (a part of) a picture as Pillow's `resize((width, height), BILINEAR, box)`.
 * @param options vectors: false does without WebAssembly, for tests
 * @returns height × width × channels
 */
export function resample(
  pixels: Pixels,
  width: number,
  height: number,
  box?: Box,
  options: { readonly vectors?: boolean } = {},
): Uint8Array {
  const part = box ?? { left: 0, top: 0, right: pixels.width, bottom: pixels.height };
  const { channels } = pixels;
  const needHorizontal = width !== pixels.width || part.left !== 0 || part.right !== width;
  const needVertical = height !== pixels.height || part.top !== 0 || part.bottom !== height;
  const along = taps(pixels.height, part.top, part.bottom, height);
  if (needHorizontal && needVertical && options.vectors !== false) {
    const done = resampleWithVectors(pixels, taps(pixels.width, part.left, part.right, width), along);
    if (done) return done;
  }
  let current = pixels;
  let firstRow = 0;
  if (needHorizontal) {
    // Only the rows that the vertical pass will read.
    let end = pixels.height;
    if (needVertical) {
      firstRow = along.start[0] as number;
      end = (along.start[height - 1] as number) + (along.count[height - 1] as number);
    }
    const data = new Uint8Array((end - firstRow) * width * channels);
    horizontal(pixels, firstRow, end - firstRow, width, part, data);
    current = { data, width, height: end - firstRow, channels };
  }
  if (!needVertical) return needHorizontal ? current.data : current.data.slice();
  const out = new Uint8Array(height * width * channels);
  vertical(current, height, along, firstRow, out);
  return out;
}
