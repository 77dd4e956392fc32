/** RMSprop. */
import type { Bucket } from './bucket.js';
import { foreach } from './engine.js';
import {
  type CommonOptions,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
import { requireBoolean, requireNumber } from './options.js';

export interface RMSpropOptions extends CommonOptions {
  /** How much of the running average of the squared gradient is kept in each step. Default 0.99. */
  alpha: number;
  /** Keeps the division from exploding. Default 1e-8. */
  eps: number;
  /** Share of the last step that goes on into the next. Default 0. */
  momentum: number;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered: boolean;
}

const defaults: RMSpropOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/**
 * Divides each gradient by the root of a running average of its square, so that weights with large and with small gradients move
 * about equally far, then applies momentum. The division comes first and the momentum after it; Adam averages both.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html; Hinton 2012, lecture 6 of "Neural networks for
 * machine learning"; centred: Graves 2013, https://arxiv.org/abs/1308.0850
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  override readonly pythonOptions = { foreach: null, capturable: false, differentiable: false };

  constructor(parameters: Parameters<RMSpropOptions>, options: Partial<RMSpropOptions> & Implementation = {}) {
    super(parameters, defaults, options);
  }

  override stateNames({ momentum, centered }: Readonly<RMSpropOptions>): readonly string[] {
    return ['squareAvg', ...(momentum > 0 ? ['momentumBuffer'] : []), ...(centered ? ['gradAvg'] : [])];
  }

  protected override checkOptions(options: Readonly<RMSpropOptions>): void {
    super.checkOptions(options);
    requireNumber(this.name, 'alpha', options.alpha, { atLeast: 0 });
    requireNumber(this.name, 'eps', options.eps, { atLeast: 0 });
    requireNumber(this.name, 'momentum', options.momentum, { atLeast: 0 });
    requireBoolean(this.name, 'centered', options.centered);
  }

  // The update does not depend on the step: parameters need not be told apart.
  protected override phaseOf(): number {
    return 0;
  }

  protected override update(bucket: Bucket, group: ParameterGroup<RMSpropOptions>): void {
    const { lr, alpha, eps, momentum } = group;
    bucket.countStep();
    const gradients = bucket.prepareGradients(group.maximize, group.weightDecay);
    const squares = bucket.state('squareAvg');
    foreach.scale_(squares, alpha);
    foreach.addcmul_(squares, gradients, gradients, 1 - alpha);
    let roots: ReturnType<typeof foreach.sqrt>;
    if (group.centered) {
      const averages = bucket.state('gradAvg');
      foreach.lerp_(averages, gradients, 1 - alpha);
      roots = foreach.addcmul(squares, averages, averages, -1);
      foreach.sqrt_(roots);
    } else roots = foreach.sqrt(squares);
    foreach.addScalar_(roots, eps);
    if (momentum > 0) {
      const buffers = bucket.state('momentumBuffer');
      foreach.scale_(buffers, momentum);
      foreach.addcdiv_(buffers, gradients, roots, 1);
      foreach.add_(bucket.parameters, buffers, -lr);
    } else foreach.addcdiv_(bucket.parameters, gradients, roots, -lr);
  }
}
