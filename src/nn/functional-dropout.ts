/** Dropout and its like. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#dropout-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { operator } from './operators.js';

const ops = {
  dropout: operator('dropout'),
  dropout_: operator('dropout_'),
  feature: operator('feature_dropout'),
  feature_: operator('feature_dropout_'),
  alpha: operator('alpha_dropout'),
  alpha_: operator('alpha_dropout_'),
  featureAlpha: operator('feature_alpha_dropout'),
  featureAlpha_: operator('feature_alpha_dropout_'),
};

export interface DropoutOptions {
  /** Share that is set to zero, default 0.5. */
  readonly p?: number;
  /** Without it the input passes through. Default true. */
  readonly training?: boolean;
  readonly inplace?: boolean;
}

/** Checks a probability. */
export function requireProbability(p: number, title: string): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${title}: p must be between 0 and 1, got ${p}.`);
}

type Operator = (input: Tensor, p: number, train: boolean) => Tensor;

function drop(
  plain: Operator,
  inplace: Operator,
  input: Tensor,
  options: DropoutOptions,
  title: string,
  p: number,
): Tensor {
  requireProbability(p, `${title}()`);
  // The engine passes the input on as well; not asking it is faster.
  if (options.training === false || p === 0) return input;
  return (options.inplace === true ? inplace : plain)(input, p, true);
}

/** Sets elements to zero with probability p and multiplies the others by 1 / (1 − p). Source: Hinton et al. 2012. */
export function dropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(ops.dropout, ops.dropout_, input, options, 'dropout', options.p ?? 0.5);
}

function dropChannels(input: Tensor, options: DropoutOptions, title: string, batched: number): Tensor {
  const { ndim } = input;
  if (ndim !== batched && ndim !== batched - 1)
    throw new ArgumentError(`${title}(): the input must have ${batched - 1} or ${batched} dimensions, got ${ndim}.`);
  const run = (x: Tensor) => drop(ops.feature, ops.feature_, x, options, title, options.p ?? 0.5);
  return ndim === batched ? run(input) : run(input.unsqueeze(0)).squeeze(0);
}

/** Drops whole channels: input [batch, channels, length] or [channels, length]. */
export function dropout1d(input: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels(input, options, 'dropout1d', 3);
}

/** Drops whole channels: input [batch, channels, height, width]; three dimensions are taken as [batch, channels, length], as in PyTorch. */
export function dropout2d(input: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(ops.feature, ops.feature_, input, options, 'dropout2d', options.p ?? 0.5);
}

/** Drops whole channels: input [batch, channels, depth, height, width] or without batch. */
export function dropout3d(input: Tensor, options: DropoutOptions = {}): Tensor {
  return dropChannels(input, options, 'dropout3d', 5);
}

/** Dropout that keeps mean and variance of self-normalising networks. Source: Klambauer et al. 2017. */
export function alphaDropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(ops.alpha, ops.alpha_, input, options, 'alphaDropout', options.p ?? 0.5);
}

/** `alphaDropout` of whole channels. */
export function featureAlphaDropout(input: Tensor, options: DropoutOptions = {}): Tensor {
  return drop(ops.featureAlpha, ops.featureAlpha_, input, options, 'featureAlphaDropout', options.p ?? 0.5);
}

export interface StochasticDepthOptions {
  /** Probability of leaving out the branch. */
  readonly p: number;
  /** `batch` leaves it out for the whole batch, `row` for each sample on its own. */
  readonly mode: 'batch' | 'row';
  /** Default true. */
  readonly training?: boolean;
}

/**
 * Leaves out a residual branch at random and scales it up otherwise.
 * Source: Huang et al. 2016; torchvision's `stochastic_depth`, with its draws.
 */
export function stochasticDepth(input: Tensor, options: StochasticDepthOptions): Tensor {
  const { p, mode, training = true } = options;
  requireProbability(p, 'stochasticDepth()');
  if (mode !== 'batch' && mode !== 'row')
    throw new ArgumentError(`stochasticDepth(): mode must be 'batch' or 'row', got '${String(mode)}'.`);
  if (!training || p === 0) return input;
  const survival = 1 - p;
  const shape = new Array<number>(input.ndim).fill(1);
  if (mode === 'row') shape[0] = input.size(0);
  const noise = torch.empty(shape, { dtype: input.dtype, device: input.device }).bernoulli_(survival);
  if (survival > 0) noise.div_(survival);
  return input.mul(noise);
}
