/** Stochastic gradient descent. */
import { ArgumentError } from '../torch/errors.js';
import type { Handle } from '../torch/native.js';
import type { Bucket, Slot } from './bucket.js';
import { foreach, ListOperator, tinyTensor, worksOn } from './engine.js';
import {
  type CommonOptions,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
import { requireBoolean, requireNumber } from './options.js';

export interface SGDOptions extends CommonOptions {
  /** Share of the last step that goes on into the next; 0 keeps no state. Default 0. */
  momentum: number;
  /** Share of the gradient that is kept out of the momentum. Default 0. */
  dampening: number;
  /** Look where the momentum leads before stepping. Default false. */
  nesterov: boolean;
}

const defaults: SGDOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

const fused = new ListOperator('_fused_sgd_');
const addOne = new ListOperator('add_', 'Tensor');

const fusedWorks = (device: string) =>
  worksOn('_fused_sgd_', device, (where) => {
    fused.call([tinyTensor(where)], [tinyTensor(where)], [], 0, 0, 0.1, 0, false, false, false);
  });

/**
 * Stochastic gradient descent, with momentum where wanted: each weight moves against its gradient. Simple, and without momentum it
 * remembers nothing. The rate needs care: it is the same for all weights, however large their gradients.
 *
 * `b ← momentum · b + (1 − dampening) · g`, `w ← w − lr · b` (Nesterov: `w ← w − lr · (g + momentum · b)`), where `g` has
 * `weightDecay · w` added.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html; Sutskever et al. 2013, "On the importance of
 * initialization and momentum in deep learning"
 */
export class SGD extends Optimizer<SGDOptions> {
  override readonly countsSteps = false;
  override readonly pythonOptions = { foreach: null, differentiable: false, fused: null };

  /** @throws ArgumentError for options that make no sense, e.g. Nesterov without momentum */
  constructor(parameters: Parameters<SGDOptions>, options: Partial<SGDOptions> & Implementation = {}) {
    super(parameters, defaults, options);
  }

  override stateNames({ momentum }: Readonly<SGDOptions>): readonly string[] {
    return momentum === 0 ? [] : momentumNames;
  }

  protected override checkOptions(options: Readonly<SGDOptions>): void {
    super.checkOptions(options);
    requireNumber(this.name, 'momentum', options.momentum, { atLeast: 0 });
    requireNumber(this.name, 'dampening', options.dampening);
    requireBoolean(this.name, 'nesterov', options.nesterov);
    if (options.nesterov && (options.momentum === 0 || options.dampening !== 0))
      throw new ArgumentError(
        `${this.name}: nesterov needs a momentum above 0 and dampening 0, got momentum ${options.momentum} and dampening ${options.dampening}.`,
      );
  }

  protected override canFuse(device: string): boolean {
    return fusedWorks(device);
  }

  // The first gradient becomes the momentum as it is, without dampening.
  protected override phaseOf(slot: Slot): number {
    return slot.state.momentumBuffer === undefined ? 0 : 1;
  }

  protected override refuseSparse(slot: Slot, group: ParameterGroup<SGDOptions>): void {
    if (group.momentum !== 0 || group.weightDecay !== 0) super.refuseSparse(slot, group);
  }

  protected override update(bucket: Bucket, group: ParameterGroup<SGDOptions>): void {
    const { lr, momentum, dampening, nesterov, weightDecay, maximize } = group;
    const first = bucket.phase === 0;
    bucket.countStep();
    const buffers = momentum === 0 ? [] : bucket.state('momentumBuffer');
    if (bucket.fused) {
      const isFirst = first && momentum !== 0;
      fused.call(
        bucket.parameters,
        bucket.gradients,
        buffers,
        weightDecay,
        momentum,
        lr,
        dampening,
        nesterov,
        maximize,
        isFirst,
      );
      return;
    }
    let step = bucket.prepareGradients(maximize, weightDecay);
    if (momentum !== 0) {
      if (first) foreach.copy_(buffers, step);
      else {
        foreach.scale_(buffers, momentum);
        foreach.add_(buffers, step, 1 - dampening);
      }
      step = nesterov ? foreach.add(step, buffers, momentum) : buffers;
    }
    // The list operators of older engines do not add sparse to dense.
    if (bucket.sparse) bucket.parameters.forEach((parameter, i) => void addOne.call(parameter, step[i] as Handle, -lr));
    else foreach.add_(bucket.parameters, step, -lr);
  }
}

const momentumNames = ['momentumBuffer'] as const;
