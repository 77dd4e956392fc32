/** Adagrad. */
import type { Tensor } from '../torch/tensor.js';
import type { Bucket, Slot } from './bucket.js';
import { fill_, foreach, ListOperator, scalarTensor, tinyTensor, worksOn } from './engine.js';
import {
  type CommonOptions,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
import { requireNumber } from './options.js';
import type { PythonStateDict } from './python-state.js';

export interface AdagradOptions extends CommonOptions {
  /** How fast the rate falls: after `t` steps it is `lr / (1 + t · lrDecay)`. Default 0. */
  lrDecay: number;
  /** What the sums of squares start from. Default 0. */
  initialAccumulatorValue: number;
  /** Keeps the division from exploding. Default 1e-10. */
  eps: number;
}

const defaults: AdagradOptions = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

const fused = new ListOperator('_fused_adagrad_');

const fusedWorks = (device: string) =>
  worksOn(fused.name, device, (where) => {
    const one = () => [tinyTensor(where)];
    fused.call(one(), one(), one(), one(), 0.1, 0, 0, 1, false);
  });

const names = ['sum'] as const;

/**
 * Divides each gradient by the root of the sum of all its squares so far: weights that are rarely updated keep large steps, those
 * updated often slow down, for good. Made for sparse features; on dense ones the steps die out, which RMSprop's average mends.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html; Duchi, Hazan and Singer 2011
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  override readonly pythonOptions = { foreach: null, differentiable: false, fused: null };
  readonly #stepTensors = new Map<string, Tensor>();

  constructor(parameters: Parameters<AdagradOptions>, options: Partial<AdagradOptions> & Implementation = {}) {
    super(parameters, defaults, options);
  }

  override stateNames(): readonly string[] {
    return names;
  }

  override prepare(slot: Slot, wanted: readonly string[]): void {
    if (slot.state.sum !== undefined) return;
    super.prepare(slot, wanted);
    const group = this.paramGroups.find(({ params }) => params.includes(slot.parameter)) ?? this.defaults;
    if (group.initialAccumulatorValue !== 0)
      fill_((slot.state.sum as unknown as Tensor).handle, group.initialAccumulatorValue);
  }

  /** As in Python, where every parameter has its state from the start. */
  override stateDict(): PythonStateDict {
    for (const slot of this.slots.flat()) this.prepare(slot, names);
    return super.stateDict();
  }

  protected override checkOptions(options: Readonly<AdagradOptions>): void {
    super.checkOptions(options);
    requireNumber(this.name, 'lrDecay', options.lrDecay, { atLeast: 0 });
    requireNumber(this.name, 'initialAccumulatorValue', options.initialAccumulatorValue, { atLeast: 0 });
    requireNumber(this.name, 'eps', options.eps, { atLeast: 0 });
  }

  protected override canFuse(device: string): boolean {
    return fusedWorks(device);
  }

  protected override update(bucket: Bucket, group: ParameterGroup<AdagradOptions>): void {
    const { lr, lrDecay, weightDecay, eps, maximize } = group;
    const step = bucket.countStep();
    if (bucket.fused) {
      let stepTensor = this.#stepTensors.get(bucket.device);
      if (stepTensor === undefined || stepTensor.isDisposed) {
        stepTensor = scalarTensor(bucket.device);
        this.madeInStep(stepTensor);
        this.#stepTensors.set(bucket.device, stepTensor);
      }
      fill_(stepTensor.handle, step);
      const steps = new Array(bucket.slots.length).fill(stepTensor.handle);
      fused.call(
        bucket.parameters,
        bucket.gradients,
        bucket.state('sum'),
        steps,
        lr,
        lrDecay,
        weightDecay,
        eps,
        maximize,
      );
      return;
    }
    const gradients = bucket.prepareGradients(maximize, weightDecay);
    const sums = bucket.state('sum');
    foreach.addcmul_(sums, gradients, gradients, 1);
    const roots = foreach.sqrt(sums);
    foreach.addScalar_(roots, eps);
    foreach.addcdiv_(bucket.parameters, gradients, roots, -lr / (1 + (step - 1) * lrDecay));
  }
}
