/** Schedules of one formula. The numbers are those of torch.optim.lr_scheduler. */
import { ArgumentError } from '../../torch/errors.js';
import { refuseUnknown, requireInteger, requireNumber } from '../options.js';
import { makeSchedule, type Schedule, titleOf } from './schedule.js';

/** `constant()`: the rate as it is. With `factor` and `steps`: a factor for the first steps (PyTorch's ConstantLR). */
export function constant(options: { readonly factor?: number; readonly steps?: number } = {}): Schedule {
  refuseUnknown('constant()', options, ['factor', 'steps']);
  const factor = requireNumber('constant()', 'factor', options.factor ?? 1, { atLeast: 0 });
  const { steps } = options;
  if (steps !== undefined) requireInteger('constant()', 'steps', steps, 0);
  return makeSchedule(titleOf('constant', options), steps ?? null, (step, base) =>
    step < (steps ?? Infinity) ? base * factor : base,
  );
}

/**
 * Step decay: cut the rate to `gamma` of itself every `every` steps. The seed's "cut the learning rate by 2 or by 10": gamma 0.5 or 0.1.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
 */
export function step(options: { readonly every: number; readonly gamma?: number }): Schedule {
  refuseUnknown('step()', options, ['every', 'gamma']);
  const every = requireInteger('step()', 'every', options.every, 1);
  const gamma = requireNumber('step()', 'gamma', options.gamma ?? 0.1, { atLeast: 0 });
  return makeSchedule(titleOf('step', options), null, (at, base) => base * gamma ** Math.floor(at / every));
}

/**
 * Cut the rate to `gamma` of itself at each milestone; a milestone given twice cuts twice.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 */
export function multiStep(options: { readonly milestones: readonly number[]; readonly gamma?: number }): Schedule {
  refuseUnknown('multiStep()', options, ['milestones', 'gamma']);
  const { milestones } = options;
  if (!Array.isArray(milestones) || milestones.length === 0)
    throw new ArgumentError(
      `multiStep(): milestones must be a list of steps, e.g. [30, 60]; got ${String(milestones)}.`,
    );
  for (const milestone of milestones) requireInteger('multiStep()', 'each of milestones', milestone, 0);
  const gamma = requireNumber('multiStep()', 'gamma', options.gamma ?? 0.1, { atLeast: 0 });
  const sorted = [...milestones].sort((a, b) => a - b);
  return makeSchedule(
    titleOf('multiStep', options),
    null,
    (at, base) => base * gamma ** sorted.filter((milestone) => milestone <= at).length,
  );
}

/**
 * The rate shrinks to `gamma` of itself in each step.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
 */
export function exponential(options: { readonly gamma: number }): Schedule {
  refuseUnknown('exponential()', options, ['gamma']);
  const gamma = requireNumber('exponential()', 'gamma', options.gamma, { above: 0 });
  return makeSchedule(titleOf('exponential', options), null, (at, base) => base * gamma ** at);
}

/**
 * Linear decay: from `start` times the rate (default 1) to `end` times (default 0) within `steps`, and `end` from then on. With
 * `start` below `end` it rises (PyTorch's LinearLR).
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
 */
export function linear(options: { readonly steps: number; readonly start?: number; readonly end?: number }): Schedule {
  refuseUnknown('linear()', options, ['steps', 'start', 'end']);
  const steps = requireInteger('linear()', 'steps', options.steps, 1);
  const start = requireNumber('linear()', 'start', options.start ?? 1, { atLeast: 0 });
  const end = requireNumber('linear()', 'end', options.end ?? 0, { atLeast: 0 });
  return makeSchedule(
    titleOf('linear', options),
    steps,
    (at, base) => base * (start + ((end - start) * Math.min(steps, at)) / steps),
  );
}

/**
 * Linear decay bent by a power: `(1 − step / steps) ^ power`, and 0 from then on.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
 */
export function polynomial(options: { readonly steps: number; readonly power?: number }): Schedule {
  refuseUnknown('polynomial()', options, ['steps', 'power']);
  const steps = requireInteger('polynomial()', 'steps', options.steps, 1);
  const power = requireNumber('polynomial()', 'power', options.power ?? 1, { above: 0 });
  return makeSchedule(
    titleOf('polynomial', options),
    steps,
    (at, base) => base * (1 - Math.min(steps, at) / steps) ** power,
  );
}

export interface CosineOptions {
  /** Steps from the full rate down to the least. */
  readonly steps: number;
  /** The least rate itself, not a factor (PyTorch's `eta_min`). Default 0. */
  readonly minimum?: number;
  /**
   * What comes after: stay at the minimum (the default), or with true rise and fall on along the wave, as PyTorch's
   * CosineAnnealingLR does when it is stepped on after its `T_max`.
   */
  readonly periodic?: boolean;
}

/**
 * Cosine decay, the industry's favourite: slow at first, fast in the middle, slow at the end.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html; Loshchilov and Hutter 2017,
 * https://arxiv.org/abs/1608.03983
 */
export function cosine(options: CosineOptions): Schedule {
  refuseUnknown('cosine()', options, ['steps', 'minimum', 'periodic']);
  const steps = requireInteger('cosine()', 'steps', options.steps, 1);
  const minimum = requireNumber('cosine()', 'minimum', options.minimum ?? 0, { atLeast: 0 });
  const { periodic = false } = options;
  return makeSchedule(titleOf('cosine', options), steps, (at, base) => {
    const position = periodic ? at : Math.min(at, steps);
    return minimum + ((base - minimum) * (1 + Math.cos((Math.PI * position) / steps))) / 2;
  });
}

export interface CosineRestartsOptions {
  /** Steps of the first descent. */
  readonly steps: number;
  /** How many times longer each descent is than the one before. Default 1. */
  readonly stretch?: number;
  /** The least rate itself. Default 0. */
  readonly minimum?: number;
}

/**
 * Cosine decay that starts over from the full rate, each time for `stretch` times as long. Steps may be fractions.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 */
export function cosineRestarts(options: CosineRestartsOptions): Schedule {
  refuseUnknown('cosineRestarts()', options, ['steps', 'stretch', 'minimum']);
  const steps = requireInteger('cosineRestarts()', 'steps', options.steps, 1);
  const stretch = requireInteger('cosineRestarts()', 'stretch', options.stretch ?? 1, 1);
  const minimum = requireNumber('cosineRestarts()', 'minimum', options.minimum ?? 0, { atLeast: 0 });
  return makeSchedule(titleOf('cosineRestarts', options), null, (at, base) => {
    let length = steps;
    let position = at;
    if (stretch === 1) position = at % steps;
    else
      while (position >= length) {
        position -= length;
        length *= stretch;
      }
    return minimum + ((base - minimum) * (1 + Math.cos((Math.PI * position) / length))) / 2;
  });
}
