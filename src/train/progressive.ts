/**
 * Progressive resizing: a run begins with smaller pictures, which cost a fraction of the time, and ends with whole ones. Shapes that are
 * learned at half the side serve at the whole; the last epochs bring what only shows there.
 *
 * Source: fastai's lessons (https://docs.fast.ai), EfficientNetV2 (Tan & Le 2021, https://arxiv.org/abs/2104.00298), and Composer's
 * `ProgressiveResizing`, whose shares these are (https://docs.mosaicml.com/projects/composer/en/stable/method_cards/progressive_resizing.html)
 */
import {
  type AugmentationSpec,
  type BuildAugmentationOptions,
  buildAugmentation,
  usualTranslate,
} from '../data/augment/index.js';
import type { Batch, BatchContext, BatchTransform } from '../data/types.js';
import { functional as F } from '../nn/index.js';
import { torch } from '../torch/index.js';

/** How pictures grow in the course of a run; shares of its epochs. */
export interface ProgressivePlan {
  /** Side of the first epochs, as a share of the whole. */
  readonly start: number;
  /** Until here they stay so. */
  readonly growFrom: number;
  /** From here on they are whole. */
  readonly wholeFrom: number;
}

export const usualProgress: ProgressivePlan = { start: 0.5, growFrom: 0.5, wholeFrom: 0.8 };

/** Sides are multiples of this: what is left of a picture after three halvings has no half pixels. */
const multiple = 8;

/** Side of the pictures of an epoch (counts from 0), as a share of the whole. */
export function shareAt({ start, growFrom, wholeFrom }: ProgressivePlan, epoch: number, epochs: number): number {
  const at = epoch / epochs;
  // Whole for one epoch at least, however few there are.
  if (at >= wholeFrom || epoch >= epochs - 1) return 1;
  if (at < growFrom) return start;
  return start + ((1 - start) * (at - growFrom)) / (wholeFrom - growFrom);
}

/** A side in an epoch, in pixels: a multiple of 8, and never more than the whole. */
export function sideAt(plan: ProgressivePlan, whole: number, epoch: number, epochs: number): number {
  const share = shareAt(plan, epoch, epochs);
  return share === 1 ? whole : Math.min(whole, Math.max(multiple, multiple * Math.round((share * whole) / multiple)));
}

/**
 * What does not shrink with the pictures: decoding and validating them, and the updates, which with Muon cost as much as the gradient of
 * thirty pictures. Measured with two threads and batches of 128: at half the side an epoch takes 0.44.
 */
const fixed = 0.25;

/** Time of an epoch over that of an epoch of whole pictures. */
export const costAt = (plan: ProgressivePlan, epoch: number, epochs: number): number =>
  fixed + (1 - fixed) * shareAt(plan, epoch, epochs) ** 2;

/** What the epochs from one (counts from 0; may lie within it) to the last take, in epochs of whole pictures. */
export function workFrom(plan: ProgressivePlan | undefined, from: number, epochs: number): number {
  if (plan === undefined) return Math.max(0, epochs - from);
  const first = Math.floor(from);
  let work = 0;
  for (let epoch = first; epoch < epochs; epoch++)
    work += costAt(plan, epoch, epochs) * (epoch === first ? 1 - (from - first) : 1);
  return work;
}

/** As many epochs, up to `most`, as are done in the time of so many of whole pictures; 3 at least. */
export function epochsWithin(plan: ProgressivePlan | undefined, time: number, most: number): number {
  let epochs = Math.max(1, most);
  while (epochs > 3 && workFrom(plan, 0, epochs) > time) epochs -= 1;
  return Math.min(most, Math.max(3, epochs));
}

/** `pictures of 64×64 until epoch 55, growing to 128×128 by epoch 89`. */
export function describeProgress(
  plan: ProgressivePlan,
  [height, width]: readonly [number, number],
  epochs: number,
): string {
  if (epochs < 2) return 'whole pictures';
  const shares = Array.from({ length: epochs }, (_, epoch) => shareAt(plan, epoch, epochs));
  const small = shares.filter((share) => share === plan.start).length;
  const at = (epoch: number) => `${sideAt(plan, width, epoch, epochs)}×${sideAt(plan, height, epoch, epochs)}`;
  return `pictures of ${at(0)} until epoch ${small}, growing to ${at(epochs - 1)} by epoch ${shares.indexOf(1) + 1}`;
}

/** Shrinks batches of pictures [N, C, H, W], changed and normalised already, to the side of their epoch. Bilinear, as in Composer. */
export function shrinking(plan: ProgressivePlan, epochs: number): BatchTransform {
  return (batch: Batch, { epoch }: BatchContext): Batch => {
    const { input } = batch;
    if (input.ndim !== 4) return batch;
    const [height, width] = input.shape.slice(2) as [number, number];
    const size = [sideAt(plan, height, epoch, epochs), sideAt(plan, width, epoch, epochs)] as const;
    if (size[0] === height && size[1] === width) return batch;
    const small = torch.noGrad(() => F.interpolate(input, { size, mode: 'bilinear', alignCorners: false }));
    return { ...batch, input: small };
  };
}

/** Steps that do to a small picture what they do to a large one; of other sizes they would change other things. */
const anySize: ReadonlySet<string> = new Set([
  ...['randomHorizontalFlip', 'randomVerticalFlip', 'alternatingFlip', 'colorJitter', 'randomGrayscale'],
  ...['trivialAugmentWide', 'randomErasing', 'mixup', 'cutmix'],
]);

type Size = readonly [height: number, width: number];

/** Height and width of the parts that are cut out at first, where all later steps are of any size. */
function cutSize({ steps: [first, ...rest] }: AugmentationSpec): Size | undefined {
  const size = first?.name === 'randomResizedCrop' ? first.options?.size : undefined;
  return Array.isArray(size) && rest.every(({ name }) => anySize.has(name)) ? (size as unknown as Size) : undefined;
}

/** The same changes of parts that are resized to another size. */
function resized(spec: AugmentationSpec, size: Size, share: number): AugmentationSpec {
  const steps = spec.steps.map((step) => {
    const { options } = step;
    if (step.name === 'randomResizedCrop') return { ...step, options: { ...options, size } };
    if (step.name !== 'trivialAugmentWide') return step;
    const { translate = usualTranslate } = options ?? {};
    return { ...step, options: { ...options, translate: (translate as number) * share } };
  });
  return { ...spec, steps };
}

/**
 * Changes pictures as a description says, and makes them as small as those of their epoch are. Where parts are cut out of them these are
 * made small at once, and the other changes cost less.
 */
export function growing(
  spec: AugmentationSpec,
  options: BuildAugmentationOptions,
  { plan, epochs }: { readonly plan: ProgressivePlan; readonly epochs: number },
): BatchTransform {
  const whole = cutSize(spec);
  if (whole === undefined) {
    const [changed, small] = [buildAugmentation(spec, options), shrinking(plan, epochs)];
    return (batch, context) => small(changed(batch, context), context);
  }
  const [height, width] = whole;
  const bySize = new Map<string, BatchTransform>();
  return (batch, context) => {
    const size: Size = [sideAt(plan, height, context.epoch, epochs), sideAt(plan, width, context.epoch, epochs)];
    const key = size.join();
    const transform = bySize.get(key) ?? buildAugmentation(resized(spec, size, size[1] / width), options);
    bySize.set(key, transform);
    return transform(batch, context);
  };
}
