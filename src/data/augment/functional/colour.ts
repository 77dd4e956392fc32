/**
 * Colour operators with given parameters, one per picture; equal to `torchvision.transforms.v2.functional` on tensors.
 * Pictures: [N, 1 or 3, H, W], uint8 or floats in 0…1; the result has the same type, in planes (contiguous).
 * Source: https://docs.pytorch.org/vision/stable/transforms.html#functionals
 */
import { type Tensor, torch } from '../../../torch/index.js';
import { bound, colourShape, mapPlanes, numbersFor, type PerPicture, perPicture } from './blocks.js';

/** Changes planes of floats in place by a factor for each picture. */
export type ColourKernel = (planes: Tensor, factors: readonly number[], limits: Limits) => void;

/** The units of planes. */
export interface Limits {
  /** 255 or 1. */
  readonly bound: number;
  /** The values stand for whole numbers: each operator cuts as casting to uint8 would. */
  readonly whole: boolean;
}

export const limitsOf = (images: Tensor): Limits => ({ bound: bound(images), whole: images.dtype === 'uint8' });

function limit(planes: Tensor, { bound: max, whole }: Limits): void {
  planes.clamp_(0, max);
  // Not `trunc_`, which is the same here but 20 times slower on CPUs.
  if (whole) planes.floor_();
}

/** Luma [n, 1, H, W], a new tensor. */
function luma(planes: Tensor, whole: boolean): Tensor {
  if (planes.size(1) === 1) return planes.clone();
  const grey = planes.narrow(1, 0, 1).mul(0.2989);
  grey.add_(planes.narrow(1, 1, 1), { alpha: 0.587 }).add_(planes.narrow(1, 2, 1), { alpha: 0.114 });
  return whole ? grey.floor_() : grey;
}

/** planes × f + other × (1 − f). */
function blend(planes: Tensor, other: Tensor, factors: readonly number[], limits: Limits): void {
  planes.mul_(perPicture(factors, planes));
  planes.addcmul_(
    other,
    perPicture(
      factors.map((f) => 1 - f),
      planes,
    ),
  );
  limit(planes, limits);
}

export const brightnessKernel: ColourKernel = (planes, factors, limits) => {
  planes.mul_(perPicture(factors, planes));
  limit(planes, limits);
};

export const contrastKernel: ColourKernel = (planes, factors, limits) => {
  const grey = luma(planes, limits.whole);
  // Spread out over the picture: the engine vectorises one number per picture in an operator, but not two.
  grey.copy_(grey.mean([1, 2, 3], { keepdim: true }));
  blend(planes, grey, factors, limits);
};

export const saturationKernel: ColourKernel = (planes, factors, limits) => {
  if (planes.size(1) === 3) blend(planes, luma(planes, limits.whole), factors, limits);
};

/**
 * Turns the hue without going through HSV: with v and m the greatest and least of a pixel's channels and h its hue in turns, each channel
 * is v − (v − m) · w(h + offset), where w is a trapezoid of period 1.
 */
export const hueKernel: ColourKernel = (planes, factors, limits) => {
  if (planes.size(1) !== 3) return;
  const r = planes.narrow(1, 0, 1);
  const g = planes.narrow(1, 1, 1);
  const b = planes.narrow(1, 2, 1);
  const greatest = torch.maximum(r, g).maximum(b);
  const range = torch.minimum(r, g).minimum(b).sub_(greatest).neg_();
  // 0 or 1 as floats: choosing by product is ten times faster on CPUs than by mask.
  const notRed = greatest.sub(r).sign_();
  const notGreen = greatest.sub(g).sign_();
  // Where all channels are equal the numerators are 0, whatever they are divided by.
  const perSixth = range
    .clampMin(1e-9)
    .reciprocal_()
    .mul_(1 / 6);
  const ofBlue = r
    .sub(g)
    .mul_(perSixth)
    .add_(4 / 6);
  const ofGreen = b
    .sub(r)
    .mul_(perSixth)
    .add_(2 / 6);
  const hue = g.sub(b).mul_(perSixth);
  ofGreen.mul_(torch.rsub(notGreen, 1)).addcmul_(ofBlue, notGreen);
  hue.mul_(torch.rsub(notRed, 1)).addcmul_(ofGreen, notRed);
  hue.add_(perPicture(factors, planes));
  // k = 5, 3, 1 for red, green, blue in Smith's formula; the trapezoid lies symmetrically around k = 2.
  for (const [channel, offset] of [3 / 6, 1 / 6, -1 / 6].entries()) {
    const distance = hue.add(offset);
    distance.sub_(distance.round()).abs_();
    const weight = torch.rsub(distance, 2, { alpha: 6 }).clamp_(0, 1);
    planes.narrow(1, channel, 1).copy_(greatest.addcmul(range, weight, { value: -1 }));
  }
  if (limits.whole) planes.mul_(255.999 / 255).floor_();
  else planes.clamp_(0, limits.bound);
};

const notNegative = (f: number): string | null => (f < 0 ? 'is negative' : null);

function apply(images: Tensor, values: PerPicture, title: string, kernel: ColourKernel, check = notNegative): Tensor {
  const shape = colourShape(images, title);
  const factors = numbersFor(values, shape.count, title, check);
  const limits = limitsOf(images);
  return mapPlanes(images, shape, (planes, rows) => {
    kernel(
      planes,
      rows.map((row) => factors[row] as number),
      limits,
    );
  });
}

/** Pictures times a factor: 0 is black, 1 the original. @param factors one, or one per picture, ≥ 0 */
export const adjustBrightness = (images: Tensor, factors: PerPicture): Tensor =>
  apply(images, factors, 'adjustBrightness()', brightnessKernel);

/** Pictures blended with their mean luma: 0 is even grey, 1 the original. @param factors one, or one per picture, ≥ 0 */
export const adjustContrast = (images: Tensor, factors: PerPicture): Tensor =>
  apply(images, factors, 'adjustContrast()', contrastKernel);

/** Pictures blended with their luma: 0 is black and white, 1 the original. @param factors one, or one per picture, ≥ 0 */
export const adjustSaturation = (images: Tensor, factors: PerPicture): Tensor =>
  apply(images, factors, 'adjustSaturation()', saturationKernel);

/**
 * Pictures with their hue turned. uint8 is equal to torchvision's but for single grey levels where its rounding and this one's part.
 * @param factors one, or one per picture, in turns: −0.5…0.5
 */
export const adjustHue = (images: Tensor, factors: PerPicture): Tensor =>
  apply(images, factors, 'adjustHue()', hueKernel, (f) => (f < -0.5 || f > 0.5 ? 'is not in −0.5…0.5' : null));

/** Luma in as many channels as there were. */
export function rgbToGrayscale(images: Tensor): Tensor {
  const shape = colourShape(images, 'rgbToGrayscale()');
  if (shape.channels === 1) return images.clone();
  const { whole } = limitsOf(images);
  return mapPlanes(images, shape, (planes) => {
    planes.copy_(luma(planes, whole));
  });
}
