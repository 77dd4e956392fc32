/** Activation functions. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#non-linear-activation-functions */
import { ArgumentError, type DType, type Tensor, torch } from '../torch/index.js';
import { operator } from './operators.js';

/** Change the input itself instead of making a new tensor. */
export interface InplaceOption {
  readonly inplace?: boolean;
}

const ops = {
  relu: operator('relu'),
  relu_: operator('relu_'),
  relu6: operator('relu6'),
  relu6_: operator('relu6_'),
  leakyRelu: operator('leaky_relu'),
  leakyRelu_: operator('leaky_relu_'),
  elu: operator('elu'),
  elu_: operator('elu_'),
  selu: operator('selu'),
  selu_: operator('selu_'),
  celu: operator('celu'),
  celu_: operator('celu_'),
  gelu: operator('gelu'),
  silu: operator('silu'),
  silu_: operator('silu_'),
  mish: operator('mish'),
  mish_: operator('mish_'),
  hardswish: operator('hardswish'),
  hardswish_: operator('hardswish_'),
  hardsigmoid: operator('hardsigmoid'),
  hardsigmoid_: operator('hardsigmoid_'),
  hardtanh: operator('hardtanh'),
  hardtanh_: operator('hardtanh_'),
  hardshrink: operator('hardshrink'),
  softshrink: operator('softshrink'),
  softplus: operator('softplus'),
  sigmoid: operator('sigmoid'),
  tanh: operator('tanh'),
  logSigmoid: operator('log_sigmoid'),
  prelu: operator('prelu'),
  rrelu: operator('rrelu'),
  rrelu_: operator('rrelu_'),
  threshold: operator('threshold'),
  threshold_: operator('threshold_'),
  glu: operator('glu'),
  softmax: operator('softmax'),
  logSoftmax: operator('log_softmax'),
};

/** max(0, x). */
export function relu(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.relu_(input) : ops.relu(input);
}

/** min(max(0, x), 6). */
export function relu6(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.relu6_(input) : ops.relu6(input);
}

/** x where positive, negativeSlope · x elsewhere. */
export function leakyRelu(input: Tensor, options: InplaceOption & { readonly negativeSlope?: number } = {}): Tensor {
  const slope = options.negativeSlope ?? 0.01;
  return options.inplace === true ? ops.leakyRelu_(input, slope) : ops.leakyRelu(input, slope);
}

/** x where positive, alpha · (eˣ − 1) elsewhere. */
export function elu(input: Tensor, options: InplaceOption & { readonly alpha?: number } = {}): Tensor {
  const alpha = options.alpha ?? 1;
  return options.inplace === true ? ops.elu_(input, alpha) : ops.elu(input, alpha);
}

/** Self-normalising ELU. Source: Klambauer et al. 2017. */
export function selu(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.selu_(input) : ops.selu(input);
}

/** max(0, x) + min(0, alpha · (e^(x/alpha) − 1)). */
export function celu(input: Tensor, options: InplaceOption & { readonly alpha?: number } = {}): Tensor {
  const alpha = options.alpha ?? 1;
  return options.inplace === true ? ops.celu_(input, alpha) : ops.celu(input, alpha);
}

/** x · Φ(x), with Φ the normal distribution; `tanh` approximates it. Source: Hendrycks & Gimpel 2016. */
export function gelu(input: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  const { approximate = 'none' } = options;
  return approximate === 'none' ? ops.gelu(input) : ops.gelu(input, { approximate });
}

/** x · sigmoid(x), also called swish. */
export function silu(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.silu_(input) : ops.silu(input);
}

/** x · tanh(softplus(x)). */
export function mish(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.mish_(input) : ops.mish(input);
}

/** x · relu6(x + 3) / 6. */
export function hardswish(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.hardswish_(input) : ops.hardswish(input);
}

/** relu6(x + 3) / 6. */
export function hardsigmoid(input: Tensor, options?: InplaceOption): Tensor {
  return options?.inplace === true ? ops.hardsigmoid_(input) : ops.hardsigmoid(input);
}

/** x held between minVal (−1) and maxVal (1). */
export function hardtanh(
  input: Tensor,
  options: InplaceOption & { readonly minVal?: number; readonly maxVal?: number } = {},
): Tensor {
  const { minVal = -1, maxVal = 1 } = options;
  return options.inplace === true ? ops.hardtanh_(input, minVal, maxVal) : ops.hardtanh(input, minVal, maxVal);
}

/** x, but 0 between −lambd and lambd. */
export function hardshrink(input: Tensor, options: { readonly lambd?: number } = {}): Tensor {
  return ops.hardshrink(input, options.lambd ?? 0.5);
}

/** x moved towards 0 by lambd. */
export function softshrink(input: Tensor, options: { readonly lambd?: number } = {}): Tensor {
  return ops.softshrink(input, options.lambd ?? 0.5);
}

/** x − tanh(x). */
export function tanhshrink(input: Tensor): Tensor {
  return input.sub(input.tanh());
}

/** ln(1 + e^(beta·x)) / beta; the identity where beta·x is above threshold. */
export function softplus(input: Tensor, options: { readonly beta?: number; readonly threshold?: number } = {}): Tensor {
  return ops.softplus(input, options.beta ?? 1, options.threshold ?? 20);
}

/** x / (1 + |x|). */
export function softsign(input: Tensor): Tensor {
  return input.div(input.abs().add(1));
}

/** 1 / (1 + e⁻ˣ). */
export function sigmoid(input: Tensor): Tensor {
  return ops.sigmoid(input);
}

/** Hyperbolic tangent. */
export function tanh(input: Tensor): Tensor {
  return ops.tanh(input);
}

/** ln(sigmoid(x)), exact for large negative x too. */
export function logSigmoid(input: Tensor): Tensor {
  return ops.logSigmoid(input);
}

/** x where positive, weight · x elsewhere; weight holds one number, or one per channel (dimension 1). */
export function prelu(input: Tensor, weight: Tensor): Tensor {
  return ops.prelu(input, weight);
}

/** Leaky ReLU with a slope drawn between lower and upper in training, their mean otherwise. */
export function rrelu(
  input: Tensor,
  options: InplaceOption & { readonly lower?: number; readonly upper?: number; readonly training?: boolean } = {},
): Tensor {
  const { lower = 1 / 8, upper = 1 / 3, training = false } = options;
  return options.inplace === true
    ? ops.rrelu_(input, lower, upper, training)
    : ops.rrelu(input, lower, upper, training);
}

/** x where above threshold, value elsewhere. */
export function threshold(
  input: Tensor,
  options: InplaceOption & { readonly threshold: number; readonly value: number },
): Tensor {
  const { threshold: limit, value } = options;
  return options.inplace === true ? ops.threshold_(input, limit, value) : ops.threshold(input, limit, value);
}

/** The first half along dim times the sigmoid of the second. */
export function glu(input: Tensor, options: { readonly dim?: number } = {}): Tensor {
  return ops.glu(input, options.dim ?? -1);
}

/** A type to compute in. */
export interface DtypeOption {
  readonly dtype?: DType;
}

function requireDim(dim: unknown, title: string): asserts dim is number {
  if (typeof dim !== 'number')
    throw new ArgumentError(`${title}(): say along which dimension, e.g. ${title}(x, 1) for [batch, classes].`);
}

/** eˣ / Σ eˣ along a dimension. */
export function softmax(input: Tensor, dim: number, options: DtypeOption = {}): Tensor {
  requireDim(dim, 'softmax');
  return options.dtype === undefined ? ops.softmax(input, dim) : ops.softmax(input, dim, { dtype: options.dtype });
}

/** softmax(−x) along a dimension. */
export function softmin(input: Tensor, dim: number, options: DtypeOption = {}): Tensor {
  requireDim(dim, 'softmin');
  return softmax(input.neg(), dim, options);
}

/** ln(softmax(x)) along a dimension, exact where softmax underflows. */
export function logSoftmax(input: Tensor, dim: number, options: DtypeOption = {}): Tensor {
  requireDim(dim, 'logSoftmax');
  return options.dtype === undefined
    ? ops.logSoftmax(input, dim)
    : ops.logSoftmax(input, dim, { dtype: options.dtype });
}

/**
 * A sample of the Gumbel-softmax distribution; `hard` gives one-hot vectors with the soft sample's gradient.
 * Source: Jang et al. 2016; Maddison et al. 2016.
 */
export function gumbelSoftmax(
  logits: Tensor,
  options: { readonly tau?: number; readonly hard?: boolean; readonly dim?: number } = {},
): Tensor {
  const { tau = 1, hard = false, dim = -1 } = options;
  const gumbels = torch.emptyLike(logits).exponential_().log().neg();
  const soft = logits.add(gumbels).div(tau).softmax(dim);
  if (!hard) return soft;
  const index = soft.argmax(dim, { keepdim: true });
  return torch.zerosLike(logits).scatter_(dim, index, 1).sub(soft.detach()).add(soft);
}
