/** Lion. */
import type { Bucket } from './bucket.js';
import { foreach } from './engine.js';
import {
  type CommonOptions,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
import { requirePair } from './options.js';

export interface LionOptions extends CommonOptions {
  /** Share of the momentum in the step's direction, and share of it that is kept. Default [0.9, 0.99]. */
  betas: readonly [number, number];
}

const defaults: LionOptions = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };
const names = ['expAvg'] as const;

/**
 * Every weight moves by exactly `lr`, up or down as the sign of its momentum says: one number of state per weight, half of Adam's.
 * Since each step has full size, the rate is to be 3 to 10 times smaller than AdamW's and the weight decay as much larger.
 *
 * `c ← β₁·m + (1−β₁)·g`, `w ← w·(1 − lr·weightDecay) − lr·sign(c)`, `m ← β₂·m + (1−β₂)·g`
 *
 * Source: Chen et al. 2023, https://arxiv.org/abs/2302.06675 (algorithm 2, and its code in google/automl); PyTorch has none
 */
export class Lion extends Optimizer<LionOptions> {
  override readonly countsSteps = false;
  override readonly pythonOptions = {};

  constructor(parameters: Parameters<LionOptions>, options: Partial<LionOptions> & Implementation = {}) {
    super(parameters, defaults, options);
  }

  override stateNames(): readonly string[] {
    return names;
  }

  protected override checkOptions(options: Readonly<LionOptions>): void {
    super.checkOptions(options);
    requirePair(this.name, 'betas', options.betas);
  }

  protected override phaseOf(): number {
    return 0;
  }

  protected override update(bucket: Bucket, group: ParameterGroup<LionOptions>): void {
    const { lr, betas, weightDecay } = group;
    bucket.countStep();
    if (weightDecay !== 0) foreach.scale_(bucket.parameters, 1 - lr * weightDecay);
    const gradients = bucket.prepareGradients(group.maximize, 0);
    const averages = bucket.state('expAvg');
    const directions = foreach.copyOf(averages);
    foreach.lerp_(directions, gradients, 1 - betas[0]);
    foreach.sign_(directions);
    foreach.add_(bucket.parameters, directions, -lr);
    foreach.lerp_(averages, gradients, 1 - betas[1]);
  }
}
