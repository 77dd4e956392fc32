/** Erasing parts of pictures, and mixing pictures and their labels. Names and defaults are torchvision's. */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import type { Draws } from '../random.js';
import type { Batch } from '../types.js';
import { roundHalfEven } from './crop.js';
import { pictureShape, positions } from './functional/blocks.js';
import type { Box } from './functional/crop.js';
import { blendRows, erase, pasteRows, softTargets } from './functional/mix.js';
import { known, number, probability, type Range, range } from './options.js';
import { type Augmentation, augmentation, withInput } from './transform.js';

export interface RandomErasingOptions {
  /** Chance for each picture; default 0.5. */
  readonly p?: number;
  /** Share of the picture's area; default [0.02, 0.33]. */
  readonly scale?: Range;
  /** Height / width; default [0.3, 3.3]. */
  readonly ratio?: Range;
  /** What to fill with, in the picture's units (0 is the mean after `normalize`): a number, one per channel, or noise. Default 0. */
  readonly value?: number | readonly number[] | 'random';
}

/** The box that torchvision's RandomErasing would draw; null after ten that do not fit. */
export function drawErasing(draws: Draws, height: number, width: number, scale: Range, ratio: Range): Box | null {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * draws.uniform(scale[0], scale[1]);
    const aspect = Math.exp(draws.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const h = roundHalfEven(Math.sqrt(area * aspect));
    const w = roundHalfEven(Math.sqrt(area / aspect));
    if (h < height && w < width)
      return { top: draws.integer(height - h + 1), left: draws.integer(width - w + 1), height: h, width: w };
  }
  return null;
}

/** Fills a random rectangle of each picture with chance p. Source: Zhong et al., "Random erasing data augmentation" (AAAI 2020). */
export function randomErasing(options?: RandomErasingOptions): Augmentation {
  const title = 'randomErasing()';
  const given = known(title, options, ['p', 'scale', 'ratio', 'value']);
  const p = probability(title, given.p ?? 0.5);
  const scale = range(title, 'scale', given.scale ?? [0.02, 0.33], 0, 1);
  const ratio = range(title, 'ratio', given.ratio ?? [0.3, 3.3], 1e-3, 1e3);
  const value = given.value ?? 0;
  const list = typeof value === 'number' ? [value] : value;
  if (list !== 'random' && !(Array.isArray(list) && list.every((x) => Number.isFinite(x))))
    throw new ArgumentError(
      `${title}: value must be a number, one per channel, or 'random', got ${JSON.stringify(value)}.`,
    );
  return augmentation('randomErasing', { p, scale, ratio, value }, (batch, draws) => {
    const { count, channels, height, width } = pictureShape(batch.input, title);
    if (list !== 'random' && list.length !== 1 && list.length !== channels)
      throw new ArgumentError(
        `${title}: value has ${list.length} numbers for ${channels} channels; give one, or one for each.`,
      );
    const { dtype, device } = batch.input;
    const own = Array.from({ length: count }, (_, row) => draws(row));
    const boxes = own.map((x) => (x.chance(p) ? drawErasing(x, height, width, scale, ratio) : null));
    if (boxes.every((box) => box === null)) return batch;
    const fill =
      list === 'random'
        ? boxes.map((box, row) => noise(own[row] as Draws, box, channels, dtype, device))
        : torch.tensor(channels === list.length ? [...list] : new Array<number>(channels).fill(list[0] as number), {
            dtype,
            device,
          });
    return withInput(batch, erase(batch.input, boxes, fill));
  });
}

/** Standard normal numbers for a box, from the picture's own draws. */
function noise(draws: Draws, box: Box | null, channels: number, dtype: Tensor['dtype'], device: string): Tensor {
  if (box === null) return torch.zeros([0]);
  const values = Float32Array.from({ length: channels * box.height * box.width }, () => draws.normal());
  return torch.tensor(values, { device }).view([channels, box.height, box.width]).to(dtype);
}

/** A draw from Gamma(shape, 1). Source: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). */
function gamma(draws: Draws, shape: number): number {
  if (shape < 1) return gamma(draws, shape + 1) * (1 - draws.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = draws.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - draws.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A draw from Beta(alpha, alpha). */
export function drawBeta(draws: Draws, alpha: number): number {
  const a = gamma(draws, alpha);
  const b = gamma(draws, alpha);
  // For tiny alphas both may underflow: such a Beta is nearly a coin.
  return a + b > 0 ? a / (a + b) : draws.chance(0.5) ? 1 : 0;
}

export interface MixOptions {
  /** Of the Beta distribution that weights are drawn from; default 1, which is uniform. */
  readonly alpha?: number;
  /** Chance for each picture; default 1. */
  readonly p?: number;
}

function mixOptions(title: string, options: MixOptions | undefined): { alpha: number; p: number } {
  const given = known(title, options, ['alpha', 'p']);
  const alpha = number(title, 'alpha', given.alpha ?? 1, 1e-6, 1e6);
  return { alpha, p: probability(title, given.p ?? 1) };
}

/** Each picture's partner is the one before it, the first's the last: batches are shuffled, so any rule is as random. */
const partnersOf = (count: number): number[] => Array.from({ length: count }, (_, row) => (row + count - 1) % count);

function mixTargets(batch: Batch, classes: number, weights: readonly number[], title: string): Tensor {
  const soft = softTargets(batch.target, classes, title);
  return blendRows(soft, positions(partnersOf(weights.length), soft.device), weights);
}

/**
 * Blends each picture and its label with another of the batch: weight · x + (1 − weight) · partner, weight from Beta(alpha, alpha) for each
 * picture, the larger of it and its complement: with one weight per picture (torchvision draws one per batch) the smaller would make some
 * pictures vanish from the batch and others appear twice. Needs floats (put `toFloat()` before it); labels become [N, classes]. With whom a
 * picture is mixed depends on the batch; how much does not. Source: Zhang et al., "mixup: Beyond empirical risk minimization" (ICLR 2018).
 */
export function mixup(options?: MixOptions): Augmentation {
  const title = 'mixup()';
  const { alpha, p } = mixOptions(title, options);
  return augmentation('mixup', { alpha, p }, (batch, draws, context) => {
    const { input } = batch;
    if (!input.isFloatingPoint())
      throw new ArgumentError(`${title}: pictures must be floats, got ${input.dtype}; put toFloat() before it.`);
    const count = input.size(0);
    const weights = Array.from({ length: count }, (_, row) => {
      const own = draws(row);
      if (!own.chance(p)) return 1;
      const weight = drawBeta(own, alpha);
      return Math.max(weight, 1 - weight);
    });
    const mixed = blendRows(input, positions(partnersOf(count), input.device), weights);
    return { input: mixed, target: mixTargets(batch, context.classes, weights, title), index: batch.index };
  });
}

/**
 * Pastes a rectangle of another picture of the batch into each, and mixes the labels by area: the share pasted is 1 − Beta(alpha, alpha)
 * before the rectangle is cut at the border. Labels become [N, classes]. With whom a picture is mixed depends on the batch; where and how
 * much does not. Source: Yun et al., "CutMix" (ICCV 2019).
 */
export function cutmix(options?: MixOptions): Augmentation {
  const title = 'cutmix()';
  const { alpha, p } = mixOptions(title, options);
  return augmentation('cutmix', { alpha, p }, (batch, draws, context) => {
    const { count, height, width } = pictureShape(batch.input, title);
    const boxes = Array.from({ length: count }, (_, row): Box | null => {
      const own = draws(row);
      if (!own.chance(p)) return null;
      const half = 0.5 * Math.sqrt(1 - drawBeta(own, alpha));
      const [x, y] = [own.integer(width), own.integer(height)];
      const [halfWidth, halfHeight] = [Math.trunc(half * width), Math.trunc(half * height)];
      const [left, top] = [Math.max(0, x - halfWidth), Math.max(0, y - halfHeight)];
      return {
        top,
        left,
        width: Math.min(width, x + halfWidth) - left,
        height: Math.min(height, y + halfHeight) - top,
      };
    });
    const weights = boxes.map((box) => (box === null ? 1 : 1 - (box.width * box.height) / (width * height)));
    const pasted = pasteRows(batch.input, partnersOf(count), boxes);
    return { input: pasted, target: mixTargets(batch, context.classes, weights, title), index: batch.index };
  });
}
