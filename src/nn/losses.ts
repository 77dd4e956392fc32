/** Losses as modules; each is its function in `F` with the options kept. Source: https://docs.pytorch.org/docs/stable/nn.html#loss-functions */
import type { Tensor } from '../torch/index.js';
import { type NtXentOptions, ntXentLoss } from './functional-contrastive.js';
import * as F from './functional-losses.js';
import * as margin from './functional-margin-losses.js';
import { Module } from './module.js';
import type { ReductionOption } from './reduction.js';

/** A loss of an input against a target. */
abstract class Loss<Options extends { readonly reduction?: string }> extends Module<[input: Tensor, target: Tensor]> {
  constructor(readonly options: Options = {} as Options) {
    super();
  }
}

/** A loss whose class or element weights are buffers: they move with the module, and are saved. */
abstract class WeightedLoss<
  Options extends { readonly reduction?: string; readonly weight?: Tensor | null },
> extends Module<[input: Tensor, target: Tensor]> {
  weight: Tensor | null = null;
  readonly options: Omit<Options, 'weight'>;

  constructor(options: Options = {} as Options) {
    super();
    const { weight = null, ...rest } = options;
    this.options = rest;
    this.registerBuffer('weight', weight);
  }
}

/** `F.crossEntropy` as a module. */
export class CrossEntropyLoss extends WeightedLoss<F.CrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.nllLoss` as a module. */
export class NLLLoss extends WeightedLoss<Omit<F.CrossEntropyOptions, 'labelSmoothing'>> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.focalLoss` as a module. */
export class FocalLoss extends WeightedLoss<F.FocalOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.focalLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.binaryCrossEntropy` as a module. */
export class BCELoss extends WeightedLoss<F.BinaryCrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.binaryCrossEntropyWithLogits` as a module. */
export class BCEWithLogitsLoss extends WeightedLoss<F.BinaryCrossEntropyOptions> {
  static override readonly stateNames = { posWeight: 'pos_weight' };
  posWeight: Tensor | null = null;

  constructor(options: F.BinaryCrossEntropyOptions & { readonly posWeight?: Tensor | null } = {}) {
    const { posWeight = null, ...rest } = options;
    super(rest);
    this.registerBuffer('posWeight', posWeight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { options, weight, posWeight } = this;
    return F.binaryCrossEntropyWithLogits(input, target, { ...options, weight, posWeight });
  }
}

/** `F.mseLoss` as a module. */
export class MSELoss extends Loss<ReductionOption> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

/** `F.l1Loss` as a module. */
export class L1Loss extends Loss<ReductionOption> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

/** `F.smoothL1Loss` as a module. */
export class SmoothL1Loss extends Loss<ReductionOption & { readonly beta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** `F.huberLoss` as a module. */
export class HuberLoss extends Loss<ReductionOption & { readonly delta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

/** `F.klDiv` as a module. */
export class KLDivLoss extends Loss<F.KlDivOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

/** `F.poissonNllLoss` as a module. */
export class PoissonNLLLoss extends Loss<NonNullable<Parameters<typeof F.poissonNllLoss>[2]>> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** `F.gaussianNllLoss` as a module. */
export class GaussianNLLLoss extends Module<[input: Tensor, target: Tensor, variance: Tensor]> {
  constructor(readonly options: NonNullable<Parameters<typeof F.gaussianNllLoss>[3]> = {}) {
    super();
  }
  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** `F.ctcLoss` as a module. */
export class CTCLoss extends Module<
  [
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ]
> {
  constructor(readonly options: NonNullable<Parameters<typeof F.ctcLoss>[4]> = {}) {
    super();
  }
  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ): Tensor {
    return F.ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

/** `F.cosineEmbeddingLoss` as a module. */
export class CosineEmbeddingLoss extends Module<[input1: Tensor, input2: Tensor, target: Tensor]> {
  constructor(readonly options: ReductionOption & { readonly margin?: number } = {}) {
    super();
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return margin.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** `F.marginRankingLoss` as a module. */
export class MarginRankingLoss extends Module<[input1: Tensor, input2: Tensor, target: Tensor]> {
  constructor(readonly options: ReductionOption & { readonly margin?: number } = {}) {
    super();
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return margin.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** `F.tripletMarginLoss` as a module. */
export class TripletMarginLoss extends Module<[anchor: Tensor, positive: Tensor, negative: Tensor]> {
  constructor(readonly options: margin.TripletOptions = {}) {
    super();
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return margin.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** `F.hingeEmbeddingLoss` as a module. */
export class HingeEmbeddingLoss extends Loss<ReductionOption & { readonly margin?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** `F.softMarginLoss` as a module. */
export class SoftMarginLoss extends Loss<ReductionOption> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.softMarginLoss(input, target, this.options);
  }
}

/** `F.multiMarginLoss` as a module. */
export class MultiMarginLoss extends WeightedLoss<margin.MultiMarginOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multiMarginLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.multilabelMarginLoss` as a module. */
export class MultiLabelMarginLoss extends Loss<ReductionOption> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multilabelMarginLoss(input, target, this.options);
  }
}

/** `F.multilabelSoftMarginLoss` as a module. */
export class MultiLabelSoftMarginLoss extends WeightedLoss<ReductionOption & { readonly weight?: Tensor | null }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return margin.multilabelSoftMarginLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** `F.ntXentLoss` as a module. */
export class NTXentLoss extends Module {
  constructor(readonly options: NtXentOptions = {}) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return ntXentLoss(input, this.options);
  }
}
