/** Random crops and flips. Names and defaults are torchvision's. */
import { ArgumentError } from '../../torch/index.js';
import { type Draws, sampleRandom } from '../random.js';
import { pictureShape } from './functional/blocks.js';
import { type Box, crop, horizontalFlip, type PicturePadding, pad, verticalFlip } from './functional/crop.js';
import { resizedCrop } from './functional/resize.js';
import { choice, known, number, probability, type Range, range, size } from './options.js';
import { type Augmentation, augmentation, chosenRows, withInput } from './transform.js';

/** Rounds as Python does: halves to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

export interface RandomResizedCropOptions {
  /** Height and width of the result; default: the picture's own. */
  readonly size?: number | Range;
  /** Share of the picture's area; default [0.08, 1]. */
  readonly scale?: Range;
  /** Width / height; default [3/4, 4/3]. */
  readonly ratio?: Range;
  readonly antialias?: boolean;
}

/** The box that torchvision's RandomResizedCrop would draw: ten tries, then the middle. */
export function drawResizedCrop(draws: Draws, height: number, width: number, scale: Range, ratio: Range): Box {
  const area = height * width;
  for (let attempt = 0; attempt < 10; attempt++) {
    const target = area * draws.uniform(scale[0], scale[1]);
    const aspect = Math.exp(draws.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = roundHalfEven(Math.sqrt(target * aspect));
    const h = roundHalfEven(Math.sqrt(target / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height)
      return { top: draws.integer(height - h + 1), left: draws.integer(width - w + 1), height: h, width: w };
  }
  const own = width / height;
  let [w, h] = [width, height];
  if (own < ratio[0]) h = roundHalfEven(w / ratio[0]);
  else if (own > ratio[1]) w = roundHalfEven(h * ratio[1]);
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** A random part of each picture, resized to one size. Source: Szegedy et al., "Going deeper with convolutions" (CVPR 2015). */
export function randomResizedCrop(options?: RandomResizedCropOptions): Augmentation {
  const title = 'randomResizedCrop()';
  const given = known(title, options, ['size', 'scale', 'ratio', 'antialias']);
  const fixed = given.size === undefined ? undefined : size(title, given.size);
  const scale = range(title, 'scale', given.scale ?? [0.08, 1], 0, 1);
  const ratio = range(title, 'ratio', given.ratio ?? [3 / 4, 4 / 3], 1e-3, 1e3);
  const { antialias = true } = given;
  return augmentation('randomResizedCrop', { ...given, scale, ratio, antialias }, (batch, draws) => {
    const { count, height, width } = pictureShape(batch.input, title);
    const boxes = Array.from({ length: count }, (_, row) => drawResizedCrop(draws(row), height, width, scale, ratio));
    return withInput(batch, resizedCrop(batch.input, boxes, fixed ?? [height, width], { antialias }));
  });
}

export interface RandomCropOptions {
  /** Height and width of the result; default: the picture's own before padding. */
  readonly size?: number | Range;
  /** Pixels on every side; default 0. */
  readonly padding?: number;
  /** Default `constant`, which is black. */
  readonly paddingMode?: PicturePadding;
  /** For `constant`, in the picture's units; default 0. */
  readonly fill?: number;
}

/** Pictures with a border, cut at random: they move by up to `padding` pixels. */
export function randomCrop(options?: RandomCropOptions): Augmentation {
  const title = 'randomCrop()';
  const given = known(title, options, ['size', 'padding', 'paddingMode', 'fill']);
  const fixed = given.size === undefined ? undefined : size(title, given.size);
  const padding = number(title, 'padding', given.padding ?? 0, 0, 65535, true);
  const mode = choice(title, 'paddingMode', given.paddingMode ?? 'constant', [
    'constant',
    'edge',
    'reflect',
    'symmetric',
  ] as const);
  const fill = number(title, 'fill', given.fill ?? 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return augmentation('randomCrop', { ...given, padding, paddingMode: mode, fill }, (batch, draws) => {
    const { count, height, width } = pictureShape(batch.input, title);
    const [h, w] = fixed ?? [height, width];
    const [down, across] = [height + 2 * padding - h, width + 2 * padding - w];
    if (down < 0 || across < 0)
      throw new ArgumentError(
        `${title}: a crop of ${h} × ${w} does not fit in pictures of ${height} × ${width} with ${padding} pixels of padding.`,
      );
    const boxes = Array.from({ length: count }, (_, row) => {
      const own = draws(row);
      return { top: own.integer(down + 1), left: own.integer(across + 1), height: h, width: w };
    });
    const padded = padding === 0 ? batch.input : pad(batch.input, padding, { mode, fill });
    return withInput(batch, crop(padded, boxes));
  });
}

export interface ChanceOptions {
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** Mirrors each picture left and right with chance p. */
export function randomHorizontalFlip(options?: ChanceOptions): Augmentation {
  const title = 'randomHorizontalFlip()';
  const p = probability(title, known(title, options, ['p']).p ?? 0.5);
  return augmentation('randomHorizontalFlip', { p }, (batch, draws) => {
    const { count } = pictureShape(batch.input, title);
    return withInput(batch, horizontalFlip(batch.input, chosenRows(count, draws, p)));
  });
}

/** Mirrors each picture top and bottom with chance p. */
export function randomVerticalFlip(options?: ChanceOptions): Augmentation {
  const title = 'randomVerticalFlip()';
  const p = probability(title, known(title, options, ['p']).p ?? 0.5);
  return augmentation('randomVerticalFlip', { p }, (batch, draws) => {
    const { count } = pictureShape(batch.input, title);
    return withInput(batch, verticalFlip(batch.input, chosenRows(count, draws, p)));
  });
}

/**
 * Mirrors half of the pictures in the first epoch, the other half in the second, and so on: every two epochs show each picture both ways,
 * where random flips show a quarter of them twice the same way. Source: Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024), section 3.6.
 */
export function alternatingFlip(): Augmentation {
  return augmentation('alternatingFlip', {}, (batch, _, context) => {
    const { count } = pictureShape(batch.input, 'alternatingFlip()');
    const rows: number[] = [];
    for (let row = 0; row < count; row++) {
      // The first epoch's decision, in every epoch; two flips of one picture would undo each other, so position plays no part.
      const first = sampleRandom(context.seed, 0, context.samples[row] as number, 16 + 8).chance(0.5);
      if (first !== (context.epoch % 2 === 1)) rows.push(row);
    }
    return withInput(batch, horizontalFlip(batch.input, rows));
  });
}
