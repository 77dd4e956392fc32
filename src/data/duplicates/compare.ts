/**
 * Whether two thumbnails show the same picture: one is laid over the other, shifted and stretched until it fits best (a cropped copy is a
 * stretched one), and what is left of a difference is measured as 1 − correlation. Brightness and contrast do not count.
 * Source of the alignment: Lucas and Kanade (1981), as in Baker and Matthews, "Lucas-Kanade 20 years on" (IJCV 2004).
 */
import { area, side } from './measure.js';

/** Thumbnails whose grey levels deviate less than this show too little to be compared. */
export const leastDeviation = 4;

/** A thumbnail with mean 0 and deviation 1. */
export type Standard = Float32Array;

/** Mean 0, deviation 1; null where there is too little to see. */
export function standardise(grey: Uint8Array, index: number): Standard | null {
  const start = index * area;
  let sum = 0;
  for (let p = 0; p < area; p++) sum += grey[start + p] as number;
  const mean = sum / area;
  let squares = 0;
  for (let p = 0; p < area; p++) squares += ((grey[start + p] as number) - mean) ** 2;
  const deviation = Math.sqrt(squares / area);
  if (deviation < leastDeviation) return null;
  return Float32Array.from({ length: area }, (_, p) => ((grey[start + p] as number) - mean) / deviation);
}

/** Correlation as they lie. */
export function plainCorrelation(a: Standard, b: Standard): number {
  let sum = 0;
  for (let p = 0; p < area; p++) sum += (a[p] as number) * (b[p] as number);
  return sum / area;
}

/** Correlation when b is laid over a with x′ = sx·x + tx, y′ = sy·y + ty, and the step towards a better fit. */
function fitOnce(
  a: Standard,
  b: Standard,
  at: readonly number[],
): { correlation: number; covered: number; step: number[] | null } {
  const [sx, tx, sy, ty] = at as [number, number, number, number];
  const centre = (side - 1) / 2;
  let n = 0;
  let sumA = 0;
  let sumB = 0;
  let sumAA = 0;
  let sumBB = 0;
  let sumAB = 0;
  // Normal equations for (sx, tx, sy, ty) and the offset and gain that turn b into a, lower triangle, entry by entry: what aligning spends its
  // time on. The rows of offset and gain hold sums that are there already.
  let n00 = 0;
  let n10 = 0;
  let n11 = 0;
  let n20 = 0;
  let n21 = 0;
  let n22 = 0;
  let n30 = 0;
  let n31 = 0;
  let n32 = 0;
  let n33 = 0;
  let n40 = 0;
  let n41 = 0;
  let n42 = 0;
  let n43 = 0;
  let n50 = 0;
  let n51 = 0;
  let n52 = 0;
  let n53 = 0;
  let r0 = 0;
  let r1 = 0;
  let r2 = 0;
  let r3 = 0;
  let r4 = 0;
  let r5 = 0;
  for (let y = 0; y < side; y++) {
    const v = sy * (y - centre) + centre + ty;
    const y0 = Math.floor(v);
    if (y0 < 0 || y0 >= side - 1) continue;
    const fy = v - y0;
    for (let x = 0; x < side; x++) {
      const u = sx * (x - centre) + centre + tx;
      const x0 = Math.floor(u);
      if (x0 < 0 || x0 >= side - 1) continue;
      const fx = u - x0;
      const p = y0 * side + x0;
      const b00 = b[p] as number;
      const b01 = b[p + 1] as number;
      const b10 = b[p + side] as number;
      const b11 = b[p + side + 1] as number;
      const top = b00 + fx * (b01 - b00);
      const bottom = b10 + fx * (b11 - b10);
      const value = top + fy * (bottom - top);
      const dx = b01 - b00 + fy * (b11 - b10 - b01 + b00);
      const dy = bottom - top;
      const own = a[y * side + x] as number;
      n++;
      sumA += own;
      sumB += value;
      sumAA += own * own;
      sumBB += value * value;
      sumAB += own * value;
      const wx = dx * (x - centre);
      const wy = dy * (y - centre);
      const rest = own - value;
      n00 += wx * wx;
      n10 += dx * wx;
      n11 += dx * dx;
      n20 += wy * wx;
      n21 += wy * dx;
      n22 += wy * wy;
      n30 += dy * wx;
      n31 += dy * dx;
      n32 += dy * wy;
      n33 += dy * dy;
      n40 += wx;
      n41 += dx;
      n42 += wy;
      n43 += dy;
      n50 += value * wx;
      n51 += value * dx;
      n52 += value * wy;
      n53 += value * dy;
      r0 += wx * rest;
      r1 += dx * rest;
      r2 += wy * rest;
      r3 += dy * rest;
      r4 += rest;
      r5 += value * rest;
    }
  }
  const covered = n / area;
  const varianceA = sumAA - (sumA * sumA) / n;
  const varianceB = sumBB - (sumB * sumB) / n;
  const correlation = n < 16 ? 0 : (sumAB - (sumA * sumB) / n) / Math.sqrt(Math.max(1e-12, varianceA * varianceB));
  if (n < 16) return { correlation, covered, step: null };
  // biome-ignore format: a matrix
  const normal = [
    n00, 0, 0, 0, 0, 0,
    n10, n11, 0, 0, 0, 0,
    n20, n21, n22, 0, 0, 0,
    n30, n31, n32, n33, 0, 0,
    n40, n41, n42, n43, n, 0,
    n50, n51, n52, n53, sumB, sumBB,
  ];
  return { correlation, covered, step: solve(normal, [r0, r1, r2, r3, r4, r5]) };
}

/** Solves the symmetric system whose lower triangle is given (Cholesky); null when it is singular. */
function solve(matrix: readonly number[], right: readonly number[]): number[] | null {
  const l = Float64Array.from(matrix);
  for (let i = 0; i < 6; i++) l[i * 6 + i] = (l[i * 6 + i] as number) * 1.001 + 1e-6;
  for (let j = 0; j < 6; j++) {
    for (let k = 0; k < j; k++)
      for (let i = j; i < 6; i++)
        l[i * 6 + j] = (l[i * 6 + j] as number) - (l[i * 6 + k] as number) * (l[j * 6 + k] as number);
    const pivot = l[j * 6 + j] as number;
    if (!(pivot > 0)) return null;
    const root = Math.sqrt(pivot);
    for (let i = j; i < 6; i++) l[i * 6 + j] = (l[i * 6 + j] as number) / root;
  }
  const x = [...right];
  for (let i = 0; i < 6; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - (l[i * 6 + k] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (l[i * 6 + i] as number);
  }
  for (let i = 5; i >= 0; i--) {
    for (let k = i + 1; k < 6; k++) x[i] = (x[i] as number) - (l[k * 6 + i] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (l[i * 6 + i] as number);
  }
  return x;
}

/** How much may be cropped away (as a stretch) and shifted, in pixels of the thumbnail. */
const stretch = 1.25;
const shift = 4;

/** Copies come to lie over each other quickly: what fits no better than this after so many rounds is none, and is given up. */
const givenUp: readonly (readonly [round: number, correlation: number])[] = [
  [1, 0.5],
  [2, 0.7],
  [4, 0.85],
];

/** Correlation of two thumbnails where they fit best, from −1 to 1; a lower bound of it where they are no copies. */
export function alignedCorrelation(a: Standard, b: Standard): number {
  let at = [1, 0, 1, 0];
  let best = plainCorrelation(a, b);
  for (let round = 0; round < 10; round++) {
    const { correlation, covered, step } = fitOnce(a, b, at);
    if (covered > 0.6) best = Math.max(best, correlation);
    if (!step || givenUp.some(([after, least]) => round >= after && best < least)) break;
    const next = at.map((value, i) => value + (step[i] as number));
    const [sx, tx, sy, ty] = next as [number, number, number, number];
    const allowed = [sx, sy].every((s) => s > 1 / stretch && s < stretch) && [tx, ty].every((t) => Math.abs(t) < shift);
    if (!allowed) break;
    at = next;
    if (step.slice(0, 4).every((s, i) => Math.abs(s) < (i % 2 === 0 ? 3e-4 : 5e-3))) break;
  }
  return best;
}
