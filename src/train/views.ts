/** Test-time augmentation: a picture is looked at several times, a little changed, and the answers are averaged. */
import { functional as F } from '../nn/index.js';
import { type Tensor, torch } from '../torch/index.js';
import { type Classifier, logitsOf, type Machine } from './compute.js';
import type { TrainPlan } from './plan.js';

/** How often a picture is looked at, and whether mirrored too. */
export interface Views {
  readonly mirrored: boolean;
  /** The picture moved by a thirty-second of its side, up and left, down and right, as well. */
  readonly shifted: boolean;
}

/** The views that suit a run: mirrored ones only if it was trained on mirrored pictures. */
export function viewsFor(plan: TrainPlan): Views {
  const flips = ['randomHorizontalFlip', 'alternatingFlip'];
  return { mirrored: plan.augmentation?.steps.some(({ name }) => flips.includes(name)) ?? false, shifted: true };
}

export const countViews = ({ mirrored, shifted }: Views): number => (mirrored ? 2 : 1) * (shifted ? 3 : 1);

/** The picture moved, its border repeated where nothing is left. Pictures are [N, C, H, W]. */
function moved(input: Tensor, by: number): Tensor {
  const [, , height = 0, width = 0] = input.shape;
  const far = Math.abs(by);
  const padded = F.pad(input, [far, far, far, far], { mode: 'replicate' });
  return padded
    .narrow(2, far + by, height)
    .narrow(3, far + by, width)
    .contiguous();
}

/** The changed pictures, the picture itself first. */
export function viewsOf(input: Tensor, { mirrored, shifted }: Views): Tensor[] {
  const by = Math.max(1, Math.round(Math.min(input.size(2), input.size(3)) / 32));
  const places = shifted ? [input, moved(input, by), moved(input, -by)] : [input];
  return mirrored ? places.flatMap((view) => [view, view.flip([3])]) : places;
}

/**
 * Logits whose softmax (with `multiLabel`, whose sigmoid) is the mean of what the model says of all views of the pictures.
 * Source: Krizhevsky et al. 2012, section 4.1; shifts and mirrors: Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024), section 3.5.
 */
export function averagedLogits(
  model: Classifier,
  input: Tensor,
  machine: Machine,
  options: { readonly views: Views; readonly multiLabel?: boolean },
): Tensor {
  const views = viewsOf(input, options.views);
  const answers = views.map((view) => {
    const logits = logitsOf(model, view, machine);
    return options.multiLabel === true ? logits.sigmoid() : logits.softmax(1);
  });
  const mean = torch.stack(answers).mean(0);
  const floor = 1e-12;
  return options.multiLabel === true ? mean.clamp(floor, 1 - 1e-7).logit() : mean.clampMin(floor).log();
}
