/** Losses that push apart by a margin. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions */
import { ArgumentError, type Tensor } from '../torch/index.js';
import { operator } from './operators.js';
import { oneMinus, type ReductionOption, reduce, reductionCode } from './reduction.js';

const ops = {
  cosineEmbedding: operator('cosine_embedding_loss'),
  hingeEmbedding: operator('hinge_embedding_loss'),
  marginRanking: operator('margin_ranking_loss'),
  triplet: operator('triplet_margin_loss'),
  softMargin: operator('soft_margin_loss'),
  multiMargin: operator('multi_margin_loss'),
  multilabelMargin: operator('multilabel_margin_loss'),
  logSigmoid: operator('log_sigmoid'),
};

interface MarginOption extends ReductionOption {
  readonly margin?: number;
}

/** 1 − cos for pairs with target 1, max(0, cos − margin) for those with −1. Inputs [batch, size], target [batch]; margin default 0. */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginOption = {},
): Tensor {
  return ops.cosineEmbedding(input1, input2, target, options.margin ?? 0, reductionCode(options));
}

/** x for target 1, max(0, margin − x) for −1; margin default 1. */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginOption = {}): Tensor {
  return ops.hingeEmbedding(input, target, options.margin ?? 1, reductionCode(options));
}

/** max(0, −target · (input1 − input2) + margin): target 1 when the first should rank higher, −1 when the second; margin default 0. */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options: MarginOption = {}): Tensor {
  return ops.marginRanking(input1, input2, target, options.margin ?? 0, reductionCode(options));
}

export interface TripletOptions extends MarginOption {
  /** Norm of the distance, default 2. */
  readonly p?: number;
  readonly eps?: number;
  /** Use the distance from positive to negative where it is smaller. */
  readonly swap?: boolean;
}

/** max(0, distance to the positive − distance to the negative + margin); margin default 1. */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletOptions = {},
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  if (margin <= 0) throw new ArgumentError(`tripletMarginLoss(): the margin must be above 0, got ${margin}.`);
  return ops.triplet(anchor, positive, negative, margin, p, eps, swap, reductionCode(options));
}

/** ln(1 + e^(−target · input)), targets 1 and −1. */
export function softMarginLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  return ops.softMargin(input, target, reductionCode(options));
}

export interface MultiMarginOptions extends MarginOption {
  /** 1 (default) or 2. */
  readonly p?: 1 | 2;
  readonly weight?: Tensor | null;
}

/** The multi-class hinge loss: input [batch, classes], class numbers [batch]; margin default 1. */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const { p = 1, margin = 1, weight = null } = options;
  return ops.multiMargin(input, target, p, margin, weight, reductionCode(options));
}

/** The multi-label hinge loss: input [batch, classes], target class numbers [batch, classes], ended by −1. */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: ReductionOption = {}): Tensor {
  return ops.multilabelMargin(input, target, reductionCode(options));
}

/** Binary cross-entropy of each label with logits, averaged over the labels. */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options: ReductionOption & { readonly weight?: Tensor | null } = {},
): Tensor {
  const { weight = null } = options;
  const loss = target
    .mul(ops.logSigmoid(input))
    .add(oneMinus(target).mul(ops.logSigmoid(input.neg())))
    .neg();
  const weighted = weight === null ? loss : loss.mul(weight);
  return reduce(weighted.sum(-1).div(input.size(-1)), options);
}
