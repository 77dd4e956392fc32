/** Losses. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { operator } from './operators.js';
import { oneMinus, type ReductionOption, reduce, reductionCode, requireSameShape, sameShape } from './reduction.js';

const ops = {
  crossEntropy: operator('cross_entropy_loss'),
  nll: operator('nll_loss_nd'),
  mse: operator('mse_loss'),
  l1: operator('l1_loss'),
  smoothL1: operator('smooth_l1_loss'),
  huber: operator('huber_loss'),
  bce: operator('binary_cross_entropy'),
  bceLogits: operator('binary_cross_entropy_with_logits'),
  kl: operator('kl_div'),
  poisson: operator('poisson_nll_loss'),
  ctc: operator('ctc_loss'),
  logSigmoid: operator('log_sigmoid'),
};

export interface CrossEntropyOptions extends ReductionOption {
  /** Weight of each class. */
  readonly weight?: Tensor | null;
  /** Targets of this class do not count, default −100. For class numbers only. */
  readonly ignoreIndex?: number;
  /** Share of the target spread evenly over all classes, 0 to 1; default 0. Source: Szegedy et al. 2016. */
  readonly labelSmoothing?: number;
}

/** Class numbers must be integers; an array of numbers makes a float tensor, which is the commonest mistake. */
function requireClasses(input: Tensor, target: Tensor, title: string): void {
  if (target.isFloatingPoint() && target.ndim === Math.max(input.ndim - 1, 0))
    throw new ArgumentError(
      `${title}(): the target of shape [${target.shape.join(', ')}] holds class numbers as ${target.dtype}; make them integers: target.long().`,
    );
}

/**
 * −ln of the probability that the logits give to the target.
 * `input` [batch, classes, …] (or [classes]) holds logits; `target` class numbers [batch, …], or probabilities shaped as the input.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0 } = options;
  requireClasses(input, target, 'crossEntropy');
  return ops.crossEntropy(input, target, weight, reductionCode(options), ignoreIndex, labelSmoothing);
}

/** −input at the target class: `input` [batch, classes, …] holds log-probabilities, `target` class numbers [batch, …]. */
export function nllLoss(
  input: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions, 'labelSmoothing'> = {},
): Tensor {
  const { weight = null, ignoreIndex = -100 } = options;
  requireClasses(input, target, 'nllLoss');
  return ops.nll(input, target, weight, reductionCode(options), ignoreIndex);
}

interface ElementWeight extends ReductionOption {
  /** Weight of each element, shaped as the input; `mean` then divides by the sum of the weights. */
  readonly weight?: Tensor | null;
}

/** Weighted mean, sum or all of element losses. */
function weighted(loss: Tensor, weight: Tensor, options: ReductionOption, divideByWeights: boolean): Tensor {
  requireSameShape(loss, weight, 'weight');
  const product = loss.mul(weight);
  if (divideByWeights && (options.reduction ?? 'mean') === 'mean') return product.sum().div(weight.sum());
  return reduce(product, options);
}

/** (input − target)². */
export function mseLoss(input: Tensor, target: Tensor, options: ElementWeight = {}): Tensor {
  const [a, b] = sameShape(input, target, 'mseLoss');
  const { weight = null } = options;
  return weight === null ? ops.mse(a, b, reductionCode(options)) : weighted(a.sub(b).pow(2), weight, options, true);
}

/** |input − target|. */
export function l1Loss(input: Tensor, target: Tensor, options: ElementWeight = {}): Tensor {
  const [a, b] = sameShape(input, target, 'l1Loss');
  const { weight = null } = options;
  return weight === null ? ops.l1(a, b, reductionCode(options)) : weighted(a.sub(b).abs(), weight, options, true);
}

/** Squared and divided by 2·beta below beta (1), straight beyond. Source: Girshick 2015. */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: ReductionOption & { readonly beta?: number } = {},
): Tensor {
  const [a, b] = sameShape(input, target, 'smoothL1Loss');
  const { beta = 1 } = options;
  return beta === 0 ? ops.l1(a, b, reductionCode(options)) : ops.smoothL1(a, b, reductionCode(options), beta);
}

/** Half the square below delta (1), straight beyond. Source: Huber 1964. */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  options: ElementWeight & { readonly delta?: number } = {},
): Tensor {
  const [a, b] = sameShape(input, target, 'huberLoss');
  const { delta = 1, weight = null } = options;
  if (weight === null) return ops.huber(a, b, reductionCode(options), delta);
  return weighted(ops.huber(a, b, reductionCode({ reduction: 'none' }), delta), weight, options, false);
}

export interface BinaryCrossEntropyOptions extends ReductionOption {
  /** Weight of each element, broadcast to the input. */
  readonly weight?: Tensor | null;
}

/** −(target · ln input + (1 − target) · ln(1 − input)), for probabilities. Prefer the form with logits. */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  requireSameShape(input, target, 'target');
  const { weight = null } = options;
  return ops.bce(input, target, weight === null ? null : weight.expand(input.shape), reductionCode(options));
}

/** `binaryCrossEntropy` of sigmoid(input), exact for large logits too. `posWeight` weighs the positive targets. */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions & { readonly posWeight?: Tensor | null } = {},
): Tensor {
  requireSameShape(input, target, 'target');
  const { weight = null, posWeight = null } = options;
  return ops.bceLogits(input, target, weight, posWeight, reductionCode(options));
}

export interface KlDivOptions {
  /** `batchmean` (sum over batch size) is the mathematical definition; `mean`, the default as in PyTorch, divides by all elements. */
  readonly reduction?: ReductionOption['reduction'] | 'batchmean';
  /** The target holds log-probabilities too. */
  readonly logTarget?: boolean;
}

/** target · (ln target − input): `input` holds log-probabilities, `target` probabilities. */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction = 'mean', logTarget = false } = options;
  if (reduction !== 'batchmean') return ops.kl(input, target, reductionCode({ reduction }), { logTarget });
  const sum = ops.kl(input, target, reductionCode({ reduction: 'sum' }), { logTarget });
  return input.ndim === 0 ? sum : sum.div(input.size(0));
}

/** exp(input) − target · input for rates given as logarithms (default), input − target · ln(input + eps) otherwise. */
export function poissonNllLoss(
  input: Tensor,
  target: Tensor,
  options: ReductionOption & { readonly logInput?: boolean; readonly full?: boolean; readonly eps?: number } = {},
): Tensor {
  const { logInput = true, full = false, eps = 1e-8 } = options;
  return ops.poisson(input, target, logInput, full, eps, reductionCode(options));
}

/** −ln of the normal density with mean `input` and the given variance (at least eps). */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: ReductionOption & { readonly full?: boolean; readonly eps?: number } = {},
): Tensor {
  const { full = false, eps = 1e-6 } = options;
  if (variance.lt(0).any().item()) throw new ArgumentError('gaussianNllLoss(): the variance has negative elements.');
  const wide =
    variance.ndim === input.ndim - 1 && variance.shape.every((size, i) => size === input.size(i))
      ? variance.unsqueeze(-1)
      : variance;
  const kept = wide.clone();
  torch.noGrad(() => kept.clampMin_(eps));
  let loss = kept.log().add(input.sub(target).pow(2).div(kept)).mul(0.5);
  if (full) loss = loss.add(0.5 * Math.log(2 * Math.PI));
  return reduce(loss, options);
}

/** Connectionist temporal classification: log-probabilities [time, batch, classes]. Source: Graves et al. 2006. */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor | readonly number[],
  targetLengths: Tensor | readonly number[],
  options: ReductionOption & { readonly blank?: number; readonly zeroInfinity?: boolean } = {},
): Tensor {
  const { blank = 0, zeroInfinity = false } = options;
  const list = (lengths: Tensor | readonly number[]): readonly number[] =>
    Array.isArray(lengths) ? (lengths as readonly number[]) : ((lengths as Tensor).toArray() as number[]).map(Number);
  return ops.ctc(
    logProbs,
    targets,
    list(inputLengths),
    list(targetLengths),
    blank,
    reductionCode(options),
    zeroInfinity,
  );
}

export interface SigmoidFocalOptions {
  /** Weight of positive targets, 1 − alpha of negative ones; negative for none. Default 0.25. */
  readonly alpha?: number;
  /** How much less easy examples count, default 2. */
  readonly gamma?: number;
  /** Default `none`, as in torchvision. */
  readonly reduction?: ReductionOption['reduction'];
}

/**
 * Binary cross-entropy with logits in which examples that are right already count less.
 * Source: Lin et al. 2017, "Focal loss for dense object detection"; torchvision's `sigmoid_focal_loss`.
 */
export function sigmoidFocalLoss(input: Tensor, target: Tensor, options: SigmoidFocalOptions = {}): Tensor {
  const { alpha = 0.25, gamma = 2, reduction = 'none' } = options;
  const p = input.sigmoid();
  const entropy = binaryCrossEntropyWithLogits(input, target, { reduction: 'none' });
  const right = p.mul(target).add(oneMinus(p).mul(oneMinus(target)));
  let loss = entropy.mul(oneMinus(right).pow(gamma));
  if (alpha >= 0)
    loss = target
      .mul(alpha)
      .add(oneMinus(target).mul(1 - alpha))
      .mul(loss);
  return reduce(loss, { reduction });
}

export interface FocalOptions extends ReductionOption {
  /** How much less easy examples count, default 2; 0 is cross-entropy. */
  readonly gamma?: number;
  /** Weight of each class. */
  readonly weight?: Tensor | null;
  readonly ignoreIndex?: number;
}

/**
 * Cross-entropy over classes in which examples that are right already count less: −wₜ (1 − pₜ)^gamma ln pₜ.
 * The mean is over the examples that count, divided by the sum of their class weights as in `crossEntropy`.
 * Source: Lin et al. 2017. `input` [batch, classes, …] holds logits, `target` class numbers [batch, …].
 */
export function focalLoss(input: Tensor, target: Tensor, options: FocalOptions = {}): Tensor {
  const { gamma = 2, weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
  requireClasses(input, target, 'focalLoss');
  const logProbabilities = input.logSoftmax(input.ndim === 1 ? 0 : 1);
  const entropy = nllLoss(logProbabilities, target, { reduction: 'none', ignoreIndex });
  const factor = oneMinus(entropy.neg().exp()).clampMin(0).pow(gamma);
  const counted = target.ne(ignoreIndex);
  const classWeight = weight === null ? counted.to(input.dtype) : weight.take(target.mul(counted)).mul(counted);
  const loss = entropy.mul(factor).mul(classWeight);
  return reduction === 'mean' ? loss.sum().div(classWeight.sum()) : reduce(loss, { reduction });
}
