/** Outlines of petals and leaves. */
import { round } from './svg.js';

export type PetalShape = 'oval' | 'pointed' | 'spatula' | 'heart' | 'fan' | 'toothed' | 'wheel' | 'frilled';

type Point = readonly [x: number, y: number];

/**
 * One side of a petal from base to tip, as cubic Bézier segments (control, control, end) of [half-width, length], each 1 at most or nearly so.
 * The other side is its mirror image.
 */
const sides: Readonly<Record<PetalShape, readonly (readonly [Point, Point, Point])[]>> = {
  oval: [
    [
      [0.4, 0.04],
      [1, 0.3],
      [1, 0.6],
    ],
    [
      [1, 0.86],
      [0.5, 1],
      [0, 1],
    ],
  ],
  pointed: [
    [
      [0.5, 0.1],
      [1, 0.28],
      [0.97, 0.52],
    ],
    [
      [0.92, 0.74],
      [0.32, 0.9],
      [0, 1],
    ],
  ],
  spatula: [
    [
      [0.34, 0.1],
      [0.72, 0.4],
      [0.95, 0.7],
    ],
    [
      [1.08, 0.94],
      [0.6, 1],
      [0, 1],
    ],
  ],
  heart: [
    [
      [0.4, 0.1],
      [1, 0.4],
      [1.05, 0.75],
    ],
    [
      [1.08, 1.04],
      [0.4, 1.08],
      [0, 0.9],
    ],
  ],
  fan: [
    [
      [0.6, 0],
      [1.15, 0.32],
      [1.16, 0.62],
    ],
    [
      [1.15, 0.84],
      [0.86, 0.86],
      [0.72, 0.95],
    ],
    [
      [0.5, 1.04],
      [0.3, 0.94],
      [0, 0.99],
    ],
  ],
  toothed: [
    [
      [0.3, 0.2],
      [0.55, 0.5],
      [1, 0.82],
    ],
    [
      [1.02, 0.9],
      [1, 0.95],
      [0.98, 1],
    ],
    [
      [0.85, 0.96],
      [0.7, 0.9],
      [0.55, 0.84],
    ],
    [
      [0.5, 0.92],
      [0.45, 1],
      [0.4, 1.06],
    ],
    [
      [0.28, 1],
      [0.14, 0.92],
      [0, 0.84],
    ],
  ],
  wheel: [
    [
      [0.2, 0.2],
      [0.6, 0.55],
      [1, 0.78],
    ],
    [
      [1, 0.96],
      [0.55, 1.02],
      [0, 0.94],
    ],
  ],
  frilled: [
    [
      [0.5, 0.1],
      [0.9, 0.3],
      [1.04, 0.6],
    ],
    [
      [1.14, 0.7],
      [0.92, 0.76],
      [0.96, 0.86],
    ],
    [
      [0.98, 0.96],
      [0.7, 0.88],
      [0.62, 0.98],
    ],
    [
      [0.5, 1.06],
      [0.36, 0.92],
      [0.24, 1],
    ],
    [
      [0.14, 1.04],
      [0.08, 0.98],
      [0, 1],
    ],
  ],
};

/** Where a petal sits: its base at `start` from the origin in direction `angle` (degrees, 0 = up, clockwise), its tip at `start` + `length`. */
export interface Placement {
  readonly angle: number;
  readonly start: number;
  readonly length: number;
  readonly halfWidth: number;
  /** Sideways bend of the tip in units of the length. */
  readonly bend: number;
  /** Where the origin lies; 0, 0 unless told. */
  readonly x?: number;
  readonly y?: number;
}

/** Maps (half-width, length) of a petal to the plane. */
function mapper({
  angle,
  start,
  length,
  halfWidth,
  bend,
  x: left = 0,
  y: top = 0,
}: Placement): (x: number, t: number) => string {
  const radians = (angle * Math.PI) / 180;
  const sine = Math.sin(radians);
  const cosine = Math.cos(radians);
  return (x, t) => {
    const across = x * halfWidth + bend * length * t * t;
    const along = start + t * length;
    return `${round(left + across * cosine + along * sine)} ${round(top + across * sine - along * cosine)}`;
  };
}

/** The side towards −x, base to tip. */
function leftSide(shape: PetalShape, at: (x: number, t: number) => string): string {
  return sides[shape].map(([a, b, c]) => `C${at(-a[0], a[1])} ${at(-b[0], b[1])} ${at(-c[0], c[1])}`).join('');
}

/** The outline of a petal, a closed path. */
export function petal(shape: PetalShape, placement: Placement): string {
  const at = mapper(placement);
  // The right side runs from the tip back to the base: segments and their controls in reverse.
  const segments = sides[shape];
  let right = '';
  for (let i = segments.length - 1; i >= 0; i--) {
    const [a, b] = segments[i] as readonly [Point, Point, Point];
    const end: Point = i === 0 ? [0, 0] : (segments[i - 1] as readonly [Point, Point, Point])[2];
    const flip = shape === 'wheel' ? 0.45 : 1;
    right += `C${at(b[0] * flip, b[1])} ${at(a[0] * flip, a[1])} ${at(end[0] * flip, end[1])}`;
  }
  return `M${at(0, 0)}${leftSide(shape, at)}${right}Z`;
}

/** One half of a petal, from its side to the middle line: laid over it in a darker tone it gives the petal a fold. */
export function halfPetal(shape: PetalShape, placement: Placement): string {
  const at = mapper(placement);
  const tip = sides[shape].at(-1) as readonly [Point, Point, Point];
  return `M${at(0, 0)}${leftSide(shape, at)}C${at(0.12, tip[2][1] * 0.7)} ${at(-0.1, 0.3)} ${at(0, 0)}Z`;
}

/** A line from the base along the petal: `side` −1…1 says how far from the middle it ends, `to` how far along. */
export function vein(placement: Placement, side: number, to: number): string {
  const at = mapper(placement);
  return `M${at(side * 0.1, 0.06)}Q${at(side * 0.7, to * 0.55)} ${at(side, to)}`;
}
