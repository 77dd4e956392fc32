/** Random changes of levels, sharpness and blur. Names and defaults are torchvision's. */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { pictureShape } from './functional/blocks.js';
import { adjustSharpness, gaussianBlurImages } from './functional/filter.js';
import { autocontrast, equalize, invert, posterize, solarize } from './functional/tone.js';
import { known, number, probability, type Range, range } from './options.js';
import { type Augmentation, type AugmentationName, augmentation, chosenRows, onRows, withInput } from './transform.js';

/** A transform that does one fixed thing to each picture with chance p. */
function sometimes(
  name: AugmentationName,
  p: unknown,
  options: Readonly<Record<string, unknown>>,
  operator: (images: Tensor) => Tensor,
): Augmentation {
  const chance = probability(`${name}()`, p ?? 0.5);
  return augmentation(name, { ...options, p: chance }, (batch, draws) => {
    const { count } = pictureShape(batch.input, `${name}()`);
    return withInput(batch, onRows(batch.input, chosenRows(count, draws, chance), operator));
  });
}

export interface RandomPosterizeOptions {
  /** Bits to keep of each channel, 0…8. */
  readonly bits: number;
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** Keeps a few bits of each channel with chance p. */
export function randomPosterize(options: RandomPosterizeOptions): Augmentation {
  const title = 'randomPosterize()';
  const given = known(title, options, ['bits', 'p']);
  const bits = number(title, 'bits', given.bits, 0, 8, true);
  return sometimes('randomPosterize', given.p, { bits }, (images) => posterize(images, bits));
}

export interface RandomSolarizeOptions {
  /** Values from here on are inverted; in the pictures' units (0…255 for uint8, 0…1 for floats). */
  readonly threshold: number;
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** Inverts bright values with chance p. */
export function randomSolarize(options: RandomSolarizeOptions): Augmentation {
  const title = 'randomSolarize()';
  const given = known(title, options, ['threshold', 'p']);
  const threshold = number(title, 'threshold', given.threshold, 0, 255);
  return sometimes('randomSolarize', given.p, { threshold }, (images) => solarize(images, threshold));
}

interface Chance {
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** Inverts pictures with chance p. */
export const randomInvert = (options?: Chance): Augmentation =>
  sometimes('randomInvert', known('randomInvert()', options, ['p']).p, {}, invert);

/** Makes the histogram of each channel even, with chance p. */
export const randomEqualize = (options?: Chance): Augmentation =>
  sometimes('randomEqualize', known('randomEqualize()', options, ['p']).p, {}, equalize);

/** Stretches each channel from black to full, with chance p. */
export const randomAutocontrast = (options?: Chance): Augmentation =>
  sometimes('randomAutocontrast', known('randomAutocontrast()', options, ['p']).p, {}, autocontrast);

export interface RandomAdjustSharpnessOptions {
  /** 0 is smooth, 1 the original, 2 sharp. */
  readonly sharpnessFactor: number;
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
}

/** Smooths or sharpens with chance p. */
export function randomAdjustSharpness(options: RandomAdjustSharpnessOptions): Augmentation {
  const title = 'randomAdjustSharpness()';
  const given = known(title, options, ['sharpnessFactor', 'p']);
  const sharpnessFactor = number(title, 'sharpnessFactor', given.sharpnessFactor, 0, Number.POSITIVE_INFINITY);
  return sometimes('randomAdjustSharpness', given.p, { sharpnessFactor }, (images) =>
    adjustSharpness(images, sharpnessFactor),
  );
}

export interface GaussianBlurOptions {
  /** Odd numbers of pixels, [width, height] or one for both. */
  readonly kernelSize: number | Range;
  /** A number, or the range to draw from for each picture; default [0.1, 2]. */
  readonly sigma?: number | Range;
}

/** Blurs each picture by a random amount. */
export function gaussianBlur(options: GaussianBlurOptions): Augmentation {
  const title = 'gaussianBlur()';
  const given = known(title, options, ['kernelSize', 'sigma']);
  const sizes: unknown = typeof given.kernelSize === 'number' ? [given.kernelSize, given.kernelSize] : given.kernelSize;
  if (!Array.isArray(sizes) || sizes.length !== 2)
    throw new ArgumentError(
      `${title}: kernelSize must be a number or [width, height], got ${JSON.stringify(given.kernelSize)}.`,
    );
  const kernelSize = sizes.map((x) => number(title, 'kernelSize', x, 1, 9999, true)) as [number, number];
  if (kernelSize.some((x) => x % 2 === 0))
    throw new ArgumentError(`${title}: kernelSize must be odd, got ${kernelSize.join(' × ')}.`);
  const sigmas = given.sigma ?? [0.1, 2];
  const sigma = range(title, 'sigma', typeof sigmas === 'number' ? [sigmas, sigmas] : sigmas, 1e-6, 1e6);
  return augmentation('gaussianBlur', { kernelSize, sigma }, (batch, draws) => {
    const { count } = pictureShape(batch.input, title);
    const drawn = Array.from({ length: count }, (_, row) => draws(row).uniform(sigma[0], sigma[1]));
    return withInput(batch, gaussianBlurImages(batch.input, kernelSize, drawn));
  });
}
