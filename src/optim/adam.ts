/** Adam and AdamW. */
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
import { requireBoolean, requireNumber, requirePair } from './options.js';

export interface AdamOptions extends CommonOptions {
  /** How much of the running averages of gradient and squared gradient is kept in each step. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Keeps the division from exploding where gradients are tiny. Default 1e-8. */
  eps: number;
  /** Divide by the largest average of squares seen, not by the current one; costs another number per parameter. Default false. */
  amsgrad: boolean;
  /** Decay the weights themselves instead of adding the decay to the gradient: what makes Adam AdamW. */
  decoupledWeightDecay: boolean;
}

const adamDefaults: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  decoupledWeightDecay: false,
};

const fusedAdam = new ListOperator('_fused_adam_');
const fusedAdamW = new ListOperator('_fused_adamw_');

const fusedWorks = (operator: ListOperator, device: string) =>
  worksOn(operator.name, device, (where) => {
    const one = () => [tinyTensor(where)];
    operator.call(one(), one(), one(), one(), [], one(), 0, 0.9, 0.9, 0, 1, false, false);
  });

/** Adam's update of one bucket, for every optimiser that trains some of its parameters so. @internal */
export class AdamRule {
  /** The count of steps as the fused operators take it, by device; one for all parameters that are equally far. */
  readonly #stepTensors = new Map<string, Tensor>();

  static canFuse(device: string, { decoupledWeightDecay }: Readonly<AdamOptions>): boolean {
    return fusedWorks(decoupledWeightDecay ? fusedAdamW : fusedAdam, device);
  }

  /** @param keep called with tensors that must outlive the step */
  update(bucket: Bucket, group: Readonly<AdamOptions>, keep: (tensor: Tensor) => void): void {
    const step = bucket.countStep();
    if (bucket.fused) this.#fusedUpdate(bucket, group, step, keep);
    else this.#foreachUpdate(bucket, group, step);
  }

  #fusedUpdate(bucket: Bucket, group: Readonly<AdamOptions>, step: number, keep: (tensor: Tensor) => void): void {
    let stepTensor = this.#stepTensors.get(bucket.device);
    if (stepTensor === undefined || stepTensor.isDisposed) {
      stepTensor = scalarTensor(bucket.device);
      keep(stepTensor);
      this.#stepTensors.set(bucket.device, stepTensor);
    }
    fill_(stepTensor.handle, step);
    const { betas, amsgrad } = group;
    (group.decoupledWeightDecay ? fusedAdamW : fusedAdam).call(
      bucket.parameters,
      bucket.gradients,
      bucket.state('expAvg'),
      bucket.state('expAvgSq'),
      amsgrad ? bucket.state('maxExpAvgSq') : [],
      new Array(bucket.slots.length).fill(stepTensor.handle),
      group.lr,
      betas[0],
      betas[1],
      group.weightDecay,
      group.eps,
      amsgrad,
      group.maximize,
    );
  }

  #foreachUpdate(bucket: Bucket, group: Readonly<AdamOptions>, step: number): void {
    const { lr, betas, eps, weightDecay, amsgrad, decoupledWeightDecay } = group;
    if (weightDecay !== 0 && decoupledWeightDecay) foreach.scale_(bucket.parameters, 1 - lr * weightDecay);
    const gradients = bucket.prepareGradients(group.maximize, decoupledWeightDecay ? 0 : weightDecay);
    const averages = bucket.state('expAvg');
    const squares = bucket.state('expAvgSq');
    foreach.lerp_(averages, gradients, 1 - betas[0]);
    foreach.scale_(squares, betas[1]);
    foreach.addcmul_(squares, gradients, gradients, 1 - betas[1]);
    const correction1 = 1 - betas[0] ** step;
    const correction2 = 1 - betas[1] ** step;
    let largest = squares;
    if (amsgrad) {
      largest = bucket.state('maxExpAvgSq');
      foreach.maximum_(largest, squares);
    }
    const denominators = foreach.sqrt(largest);
    foreach.divScalar_(denominators, correction2 ** 0.5);
    foreach.addScalar_(denominators, eps);
    foreach.addcdiv_(bucket.parameters, averages, denominators, -lr / correction1);
  }
}

const plainNames = ['expAvg', 'expAvgSq'] as const;
const amsgradNames = ['expAvg', 'expAvgSq', 'maxExpAvgSq'] as const;

/**
 * Each weight moves by its average gradient divided by the root of its average squared gradient, so that layers with large and with
 * small gradients advance about equally. Its price is memory: two more numbers for each weight.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html; Kingma and Ba 2015, https://arxiv.org/abs/1412.6980
 */
export class Adam extends Optimizer<AdamOptions> {
  override readonly pythonOptions = { foreach: null, capturable: false, differentiable: false, fused: null };
  readonly #rule = new AdamRule();

  /** @throws ArgumentError for options that make no sense, e.g. a beta of 1 */
  constructor(
    parameters: Parameters<AdamOptions>,
    options: Partial<AdamOptions> & Implementation = {},
    defaults = adamDefaults,
  ) {
    super(parameters, defaults, options);
  }

  override stateNames({ amsgrad }: Readonly<AdamOptions>): readonly string[] {
    return amsgrad ? amsgradNames : plainNames;
  }

  protected override checkOptions(options: Readonly<AdamOptions>): void {
    super.checkOptions(options);
    requireNumber(this.name, 'eps', options.eps, { atLeast: 0 });
    requirePair(this.name, 'betas', options.betas);
    requireBoolean(this.name, 'amsgrad', options.amsgrad);
    requireBoolean(this.name, 'decoupledWeightDecay', options.decoupledWeightDecay);
  }

  protected override canFuse(device: string, group: ParameterGroup<AdamOptions>): boolean {
    return AdamRule.canFuse(device, group);
  }

  // Parameters in different steps have different bias corrections.
  protected override phaseOf(slot: Slot): number {
    return slot.step;
  }

  protected override update(bucket: Bucket, group: ParameterGroup<AdamOptions>): void {
    this.#rule.update(bucket, group, (tensor) => this.madeInStep(tensor));
  }
}

/**
 * Adam whose weight decay acts on the weights themselves, not through the gradient: the usual choice. Decay is `lr · weightDecay` of
 * each weight in each step.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html; Loshchilov and Hutter 2019,
 * https://arxiv.org/abs/1711.05101
 */
export class AdamW extends Adam {
  /** @throws ArgumentError for options that make no sense */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> & Implementation = {}) {
    super(parameters, options, { ...adamDefaults, weightDecay: 1e-2, decoupledWeightDecay: true });
  }
}
