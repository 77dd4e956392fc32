/** Normalisation. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#normalization-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { operator } from './operators.js';

const ops = {
  batchNorm: operator('batch_norm'),
  instanceNorm: operator('instance_norm'),
  groupNorm: operator('group_norm'),
  layerNorm: operator('layer_norm'),
  rmsNorm: operator('rms_norm'),
};

interface AffineOptions {
  /** Factor per channel or element. */
  readonly weight?: Tensor | null;
  /** Added per channel or element. */
  readonly bias?: Tensor | null;
  /** Added to the variance, default 1e-5. */
  readonly eps?: number;
}

export interface BatchNormOptions extends AffineOptions {
  readonly runningMean?: Tensor | null;
  readonly runningVar?: Tensor | null;
  /** Normalise with the batch's statistics and update the running ones; default false. */
  readonly training?: boolean;
  /** Weight of the batch in the running statistics, default 0.1. */
  readonly momentum?: number;
}

/** Mean 0 and variance 1 per channel (dimension 1) over the batch. Source: Ioffe & Szegedy 2015. */
export function batchNorm(input: Tensor, options: BatchNormOptions = {}): Tensor {
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  if (training) {
    const [batch = 1, , ...rest] = input.shape;
    if (rest.reduce((product, size) => product * size, batch) === 1)
      throw new ArgumentError(
        `batchNorm(): more than 1 value per channel is needed in training, got an input of shape [${input.shape.join(', ')}]; use a larger batch, or eval().`,
      );
  }
  return ops.batchNorm(input, weight, bias, runningMean, runningVar, training, momentum, eps, true);
}

export interface InstanceNormOptions extends AffineOptions {
  readonly runningMean?: Tensor | null;
  readonly runningVar?: Tensor | null;
  /** Normalise with each sample's own statistics, default true. */
  readonly useInputStats?: boolean;
  readonly momentum?: number;
}

/** Mean 0 and variance 1 per channel of each sample. Source: Ulyanov et al. 2016. */
export function instanceNorm(input: Tensor, options: InstanceNormOptions = {}): Tensor {
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  if (useInputStats && input.shape.slice(2).reduce((product, size) => product * size, 1) === 1)
    throw new ArgumentError(
      `instanceNorm(): more than 1 spatial element is needed when training, got an input of shape [${input.shape.join(', ')}].`,
    );
  return ops.instanceNorm(input, weight, bias, runningMean, runningVar, useInputStats, momentum, eps, true);
}

/** Mean 0 and variance 1 per group of channels of each sample. Source: Wu & He 2018. */
export function groupNorm(input: Tensor, numGroups: number, options: AffineOptions = {}): Tensor {
  const { weight = null, bias = null, eps = 1e-5 } = options;
  return ops.groupNorm(input, numGroups, weight, bias, eps, true);
}

/** Mean 0 and variance 1 over the last dimensions, those of `normalizedShape`. Source: Ba et al. 2016. */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], options: AffineOptions = {}): Tensor {
  const { weight = null, bias = null, eps = 1e-5 } = options;
  return ops.layerNorm(input, normalizedShape, weight, bias, eps, true);
}

const machineEpsilon: Readonly<Record<string, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

let hasRmsNorm: boolean | undefined;

/**
 * x divided by the root of the mean of its squares over the last dimensions. Source: Zhang & Sennrich 2019.
 * `eps` defaults to the smallest relative step of the type computed in.
 */
export function rmsNorm(
  input: Tensor,
  normalizedShape: readonly number[],
  options: { readonly weight?: Tensor | null; readonly eps?: number | null } = {},
): Tensor {
  const { weight = null, eps = null } = options;
  hasRmsNorm ??= torch.hasOperator('rms_norm');
  if (hasRmsNorm) return ops.rmsNorm(input, normalizedShape, weight, eps);
  // The engine before 2.4 has no such operator; half types are computed in float32, as the newer ones do.
  const half = input.dtype === 'float16' || input.dtype === 'bfloat16';
  const exact = half ? input.float() : input;
  const dims = normalizedShape.map((_, i) => i - normalizedShape.length);
  const scale = exact
    .pow(2)
    .mean(dims, { keepdim: true })
    .add(eps ?? machineEpsilon[exact.dtype] ?? 2 ** -23)
    .rsqrt();
  const scaled = exact.mul(scale);
  return (weight === null ? scaled : scaled.mul(weight)).to(input.dtype);
}

/** x divided by the p-norm of its vectors along `dim`. */
export function normalize(
  input: Tensor,
  options: { readonly p?: number; readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  const size = input.norm(p, dim, { keepdim: true }).clampMin(eps);
  return input.div(size.expandAs(input));
}

/** Divides each channel by the size of its neighbours. Source: Krizhevsky et al. 2012. */
export function localResponseNorm(
  input: Tensor,
  size: number,
  options: { readonly alpha?: number; readonly beta?: number; readonly k?: number } = {},
): Tensor {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  if (input.ndim < 3)
    throw new ArgumentError(`localResponseNorm(): the input needs at least 3 dimensions, got ${input.ndim}.`);
  const squares = input.mul(input).unsqueeze(1);
  const before = Math.floor(size / 2);
  const after = Math.floor((size - 1) / 2);
  const { avg_pool2d, avg_pool3d, pad } = torch.ops.aten;
  let mean: Tensor;
  if (input.ndim === 3) mean = avg_pool2d(pad(squares, [0, 0, before, after]), [size, 1], 1).squeeze(1);
  else {
    const shape = input.shape;
    const [batch, channels, height] = shape as [number, number, number];
    const flat = squares.view([batch, 1, channels, height, -1]);
    mean = avg_pool3d(pad(flat, [0, 0, 0, 0, before, after]), [size, 1, 1], 1)
      .squeeze(1)
      .view(shape);
  }
  return input.div(mean.mul(alpha).add(k).pow(beta));
}
