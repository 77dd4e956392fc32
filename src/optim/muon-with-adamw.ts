/** Muon for the weights of hidden layers and AdamW for everything else, as one optimiser. */
import { ArgumentError } from '../torch/errors.js';
import type { Tensor } from '../torch/tensor.js';
import { type AdamOptions, AdamRule } from './adam.js';
import type { Bucket, Slot } from './bucket.js';
import { checkMuonOptions, type MuonOptions, muonDefaults, muonUpdate } from './muon.js';
import {
  type CommonOptions,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
import { requireBoolean, requireNumber, requirePair } from './options.js';
import { type ModelParameters, splitForMuon } from './param-groups.js';

/** Options of a group. Which of them count is decided by `muon`. */
export interface MuonWithAdamWOptions
  extends CommonOptions,
    Pick<MuonOptions, 'momentum' | 'nesterov' | 'nsCoefficients' | 'nsSteps' | 'adjustLrFn' | 'nsDtype'>,
    Pick<AdamOptions, 'betas'> {
  /** Whether the group is trained by Muon (its weights have two dimensions or more) or by AdamW. Default false. */
  muon: boolean;
  /** Of both rules. Default 1e-8. */
  eps: number;
}

const defaults: MuonWithAdamWOptions = {
  ...muonDefaults,
  lr: 2e-3,
  weightDecay: 1e-2,
  eps: 1e-8,
  betas: [0.9, 0.999],
  muon: false,
};

const muonNames = ['momentumBuffer'] as const;
const adamNames = ['expAvg', 'expAvgSq'] as const;

const adamOptions = (group: Readonly<MuonWithAdamWOptions>): AdamOptions => ({
  lr: group.lr,
  weightDecay: group.weightDecay,
  maximize: group.maximize,
  betas: group.betas,
  eps: group.eps,
  amsgrad: false,
  decoupledWeightDecay: true,
});

/**
 * Groups with `muon: true` are trained by Muon, the others by AdamW, each with a rate of its own that one schedule scales. Unlike
 * `Muon`, which follows PyTorch and takes matrices only, it takes convolutions too, as matrices [outputs, inputs · height · width]: so
 * Muon's author trains them.
 *
 * `new optim.MuonWithAdamW(muonGroups(net))`
 *
 * Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/ (`MuonWithAuxAdam`)
 */
export class MuonWithAdamW extends Optimizer<MuonWithAdamWOptions> {
  override readonly pythonOptions = {};
  readonly #adam = new AdamRule();

  /** @throws ArgumentError for options that make no sense, or a vector in a group of Muon's */
  constructor(
    parameters: Parameters<MuonWithAdamWOptions>,
    options: Partial<MuonWithAdamWOptions> & Implementation = {},
  ) {
    super(parameters, defaults, options);
  }

  override stateNames({ muon }: Readonly<MuonWithAdamWOptions>): readonly string[] {
    return muon ? muonNames : adamNames;
  }

  protected override checkOptions(options: Readonly<MuonWithAdamWOptions>): void {
    super.checkOptions(options);
    requireBoolean(this.name, 'muon', options.muon);
    checkMuonOptions(this.name, options);
    requireNumber(this.name, 'eps', options.eps, { atLeast: 0 });
    requirePair(this.name, 'betas', options.betas);
    const { params } = options as ParameterGroup<MuonWithAdamWOptions>;
    const vector = options.muon ? params?.find((parameter) => parameter.ndim < 2) : undefined;
    if (vector !== undefined)
      throw new ArgumentError(
        `${this.name}: a group with muon: true has a parameter of shape [${vector.shape.join(', ')}]; Muon trains weights of two dimensions or more: leave biases and norms to a group without it (muonGroups sorts them).`,
      );
  }

  protected override canFuse(device: string, group: ParameterGroup<MuonWithAdamWOptions>): boolean {
    return !group.muon && AdamRule.canFuse(device, adamOptions(group));
  }

  protected override phaseOf(slot: Slot): number {
    return slot.step;
  }

  protected override update(bucket: Bucket, group: ParameterGroup<MuonWithAdamWOptions>): void {
    if (group.muon) muonUpdate(bucket, group);
    else this.#adam.update(bucket, adamOptions(group), (tensor) => this.madeInStep(tensor));
  }
}

export interface MuonGroupsOptions {
  /** Rate of Muon's groups. Default 0.02. */
  readonly lr?: number;
  /** Rate of AdamW's groups, as a share of Muon's. Default 0.1. */
  readonly others?: number;
  /** Decay of weights, in every step `lr · weightDecay` of them; biases and norms do not decay. Default 0.01. */
  readonly weightDecay?: number;
  /** Of Muon's groups; default bfloat16. */
  readonly nsDtype?: MuonOptions['nsDtype'] | undefined;
}

/** A model's parameters as `MuonWithAdamW` takes them: hidden weights, convolutions among them, then the last layer, then biases and norms. */
export function muonGroups(model: ModelParameters, options: MuonGroupsOptions = {}) {
  const { lr = 0.02, others: share = 0.1, weightDecay = 0.01, nsDtype } = options;
  const { matrices, others } = splitForMuon(model, undefined, { convolutions: true });
  const group = (name: string, params: Tensor[], rest: Partial<MuonWithAdamWOptions>) => ({ name, params, ...rest });
  return [
    group('hidden weights', matrices, { muon: true, lr, weightDecay, nsDtype }),
    group(
      'other weights',
      others.filter((parameter) => parameter.ndim >= 2),
      { lr: lr * share, weightDecay },
    ),
    group(
      'biases and norms',
      others.filter((parameter) => parameter.ndim < 2),
      { lr: lr * share, weightDecay: 0 },
    ),
  ].filter(({ params }) => params.length > 0);
}
