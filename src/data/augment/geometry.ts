/** Random rotation, affine maps and perspective. Names and defaults are torchvision's. */
import { ArgumentError } from '../../torch/index.js';
import type { Draws } from '../random.js';
import { roundHalfEven } from './crop.js';
import { pictureShape } from './functional/blocks.js';
import {
  type AffineParameters,
  affine,
  type Corners,
  perspective,
  perspectiveCoefficients,
  rotate,
  type WarpOptions,
} from './functional/warp.js';
import { angles, choice, known, number, probability, type Range, range } from './options.js';
import { type Augmentation, augmentation, onRows, withInput } from './transform.js';

const interpolations = ['nearest', 'bilinear'] as const;

interface CheckedWarp {
  readonly interpolation: 'nearest' | 'bilinear';
  readonly fill: number | readonly number[];
  readonly center?: readonly [number, number];
}

function warpOptions(title: string, given: CenteredOptions, usual: 'nearest' | 'bilinear'): CheckedWarp {
  const fill = given.fill ?? 0;
  for (const value of typeof fill === 'number' ? [fill] : fill)
    number(title, 'fill', value, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const interpolation = choice(title, 'interpolation', given.interpolation ?? usual, interpolations);
  if (given.center === undefined) return { interpolation, fill };
  if (!Array.isArray(given.center) || given.center.length !== 2 || !given.center.every(Number.isFinite))
    throw new ArgumentError(`${title}: center must be [x, y] in pixels, got ${JSON.stringify(given.center)}.`);
  return { interpolation, fill, center: given.center };
}

interface CenteredOptions {
  /** `nearest` keeps hard edges, `bilinear` is smooth. */
  readonly interpolation?: 'nearest' | 'bilinear';
  /** What comes in from outside, in the pictures' units: a number or one per channel; default 0. */
  readonly fill?: number | readonly number[];
  /** What stays in place: [x, y] in pixels from the top left; default the middle. */
  readonly center?: readonly [number, number];
}

export interface RandomRotationOptions extends CenteredOptions {
  /** ± degrees, or a range. */
  readonly degrees: number | Range;
}

/** Turns each picture by a random angle; its size stays. Interpolation: `nearest` by default. */
export function randomRotation(options: RandomRotationOptions): Augmentation {
  const title = 'randomRotation()';
  const given = known(title, options, ['degrees', 'interpolation', 'fill', 'center']);
  const degrees = angles(title, 'degrees', given.degrees);
  const warp = warpOptions(title, given, 'nearest');
  return augmentation('randomRotation', { degrees, ...warp }, (batch, draws) => {
    const { count } = pictureShape(batch.input, title);
    const turns = Array.from({ length: count }, (_, row) => draws(row).uniform(degrees[0], degrees[1]));
    return withInput(batch, rotate(batch.input, turns, warp));
  });
}

export interface RandomAffineOptions extends CenteredOptions {
  /** ± degrees, or a range. */
  readonly degrees: number | Range;
  /** Largest share of width and height to move by; default none. */
  readonly translate?: Range;
  /** Range of factors; default 1. */
  readonly scale?: Range;
  /** ± degrees along x, a range, or ranges for x and y. */
  readonly shear?: number | Range | readonly [number, number, number, number];
}

function shearRanges(title: string, shear: RandomAffineOptions['shear']): [Range, Range] {
  if (shear === undefined)
    return [
      [0, 0],
      [0, 0],
    ];
  if (typeof shear !== 'number' && shear.length === 4)
    return [angles(title, 'shear', shear.slice(0, 2)), angles(title, 'shear', shear.slice(2))];
  return [angles(title, 'shear', shear), [0, 0]];
}

/** Turns, moves, scales and shears each picture by random amounts. Interpolation: `nearest` by default. */
export function randomAffine(options: RandomAffineOptions): Augmentation {
  const title = 'randomAffine()';
  const names = ['degrees', 'translate', 'scale', 'shear', 'interpolation', 'fill', 'center'];
  const given = known(title, options, names);
  const degrees = angles(title, 'degrees', given.degrees);
  const [shareX, shareY] = (given.translate ?? [0, 0]).map((x, i) => number(title, `translate[${i}]`, x, 0, 1)) as [
    number,
    number,
  ];
  const scale = range(title, 'scale', given.scale ?? [1, 1], 1e-6, 1e6);
  const [shearX, shearY] = shearRanges(title, given.shear);
  const warp = warpOptions(title, given, 'nearest');
  return augmentation('randomAffine', { ...given, degrees, scale, ...warp }, (batch, draws) => {
    const { count, height, width } = pictureShape(batch.input, title);
    const sets = Array.from({ length: count }, (_, row): AffineParameters => {
      const own = draws(row);
      const angle = own.uniform(degrees[0], degrees[1]);
      const [x, y] = [own.uniform(-shareX * width, shareX * width), own.uniform(-shareY * height, shareY * height)];
      const factor = own.uniform(scale[0], scale[1]);
      const shear = [own.uniform(shearX[0], shearX[1]), own.uniform(shearY[0], shearY[1])] as const;
      return { angle, translate: [roundHalfEven(x), roundHalfEven(y)], scale: factor, shear };
    });
    return withInput(batch, affine(batch.input, sets, warp));
  });
}

export interface RandomPerspectiveOptions extends WarpOptions {
  /** How far corners move, as a share of half the picture; default 0.5. */
  readonly distortionScale?: number;
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** The corners that torchvision's RandomPerspective would draw. */
export function drawCorners(draws: Draws, height: number, width: number, scale: number): Corners {
  const [boundX, boundY] = [
    Math.trunc(scale * Math.floor(width / 2)) + 1,
    Math.trunc(scale * Math.floor(height / 2)) + 1,
  ];
  const left = (): number => draws.integer(boundX);
  const top = (): number => draws.integer(boundY);
  const right = (): number => width - boundX + draws.integer(boundX);
  const bottom = (): number => height - boundY + draws.integer(boundY);
  return [
    [left(), top()],
    [right(), top()],
    [right(), bottom()],
    [left(), bottom()],
  ];
}

/** A view that can be had; null after ten draws whose corners fall on one line, as in pictures of a pixel. */
function drawView(draws: Draws, start: Corners, height: number, width: number, scale: number): number[] | null {
  if (height < 2 || width < 2) return null;
  for (let attempt = 0; attempt < 10; attempt++)
    try {
      return perspectiveCoefficients(start, drawCorners(draws, height, width, scale));
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
    }
  return null;
}

/** Looks at each picture from another side with chance p. Interpolation: `bilinear` by default. */
export function randomPerspective(options?: RandomPerspectiveOptions): Augmentation {
  const title = 'randomPerspective()';
  const given = known(title, options, ['distortionScale', 'p', 'interpolation', 'fill']);
  const distortionScale = number(title, 'distortionScale', given.distortionScale ?? 0.5, 0, 1);
  const p = probability(title, given.p ?? 0.5);
  const warp = warpOptions(title, { ...given, fill: given.fill ?? 0 }, 'bilinear');
  return augmentation('randomPerspective', { distortionScale, p, ...warp }, (batch, draws) => {
    const { count, height, width } = pictureShape(batch.input, title);
    const start: Corners = [
      [0, 0],
      [width - 1, 0],
      [width - 1, height - 1],
      [0, height - 1],
    ];
    const rows: number[] = [];
    const sets: number[][] = [];
    for (let row = 0; row < count; row++) {
      const own = draws(row);
      if (!own.chance(p)) continue;
      const set = drawView(own, start, height, width, distortionScale);
      if (set === null) continue;
      rows.push(row);
      sets.push(set);
    }
    return withInput(
      batch,
      onRows(batch.input, rows, (some) => perspective(some, sets, warp)),
    );
  });
}
