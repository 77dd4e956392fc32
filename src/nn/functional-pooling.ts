/** Pooling. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#pooling-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { expandSize, operator, type Size } from './operators.js';

const ops = {
  max1: operator('max_pool1d'),
  max2: operator('max_pool2d'),
  max3: operator('max_pool3d'),
  max1Indices: operator('max_pool1d_with_indices'),
  max2Indices: operator('max_pool2d_with_indices'),
  max3Indices: operator('max_pool3d_with_indices'),
  avg1: operator('avg_pool1d'),
  avg2: operator('avg_pool2d'),
  avg3: operator('avg_pool3d'),
  adaptiveAvg1: operator('adaptive_avg_pool1d'),
  adaptiveAvg2: operator('adaptive_avg_pool2d'),
  adaptiveAvg3: operator('adaptive_avg_pool3d'),
  adaptiveMax1: operator('adaptive_max_pool1d'),
  adaptiveMax2: operator('adaptive_max_pool2d'),
  adaptiveMax3: operator('adaptive_max_pool3d'),
  unpool2: operator('max_unpool2d'),
  unpool3: operator('max_unpool3d'),
};

export interface MaxPoolOptions {
  /** Step between windows; default the size of the window. */
  readonly stride?: Size;
  /** Border of −∞, at most half the window; default 0. */
  readonly padding?: Size;
  readonly dilation?: Size;
  /** Let the last window stand out over the border. */
  readonly ceilMode?: boolean;
}

/** Also give where the maxima were, for `maxUnpool`. */
export interface ReturnIndices {
  readonly returnIndices: true;
}

type PlainPool = (x: Tensor, size: Size, stride: Size, padding: Size, dilation: Size, ceil: boolean) => Tensor;
type IndexedPool = (x: Tensor, size: Size, stride: Size, padding: Size, dilation: Size, ceil: boolean) => unknown;

function maxPool(
  plain: PlainPool,
  indexed: IndexedPool,
  input: Tensor,
  size: Size,
  options: MaxPoolOptions & Partial<ReturnIndices>,
): Tensor | [Tensor, Tensor] {
  const { stride = size, padding = 0, dilation = 1, ceilMode = false } = options;
  return options.returnIndices === true
    ? (indexed(input, size, stride, padding, dilation, ceilMode) as [Tensor, Tensor])
    : plain(input, size, stride, padding, dilation, ceilMode);
}

/** Maximum of each window: input [batch, channels, length]. */
export function maxPool1d(input: Tensor, kernelSize: Size, options: MaxPoolOptions & ReturnIndices): [Tensor, Tensor];
export function maxPool1d(
  input: Tensor,
  kernelSize: Size,
  options?: MaxPoolOptions & { returnIndices?: false },
): Tensor;
export function maxPool1d(
  input: Tensor,
  kernelSize: Size,
  options: MaxPoolOptions & { readonly returnIndices?: boolean } = {},
): Tensor | [Tensor, Tensor] {
  return maxPool(ops.max1, ops.max1Indices, input, kernelSize, options as MaxPoolOptions & Partial<ReturnIndices>);
}

/** Maximum of each window: input [batch, channels, height, width]. */
export function maxPool2d(input: Tensor, kernelSize: Size, options: MaxPoolOptions & ReturnIndices): [Tensor, Tensor];
export function maxPool2d(
  input: Tensor,
  kernelSize: Size,
  options?: MaxPoolOptions & { returnIndices?: false },
): Tensor;
export function maxPool2d(
  input: Tensor,
  kernelSize: Size,
  options: MaxPoolOptions & { readonly returnIndices?: boolean } = {},
): Tensor | [Tensor, Tensor] {
  return maxPool(ops.max2, ops.max2Indices, input, kernelSize, options as MaxPoolOptions & Partial<ReturnIndices>);
}

/** Maximum of each window: input [batch, channels, depth, height, width]. */
export function maxPool3d(input: Tensor, kernelSize: Size, options: MaxPoolOptions & ReturnIndices): [Tensor, Tensor];
export function maxPool3d(
  input: Tensor,
  kernelSize: Size,
  options?: MaxPoolOptions & { returnIndices?: false },
): Tensor;
export function maxPool3d(
  input: Tensor,
  kernelSize: Size,
  options: MaxPoolOptions & { readonly returnIndices?: boolean } = {},
): Tensor | [Tensor, Tensor] {
  return maxPool(ops.max3, ops.max3Indices, input, kernelSize, options as MaxPoolOptions & Partial<ReturnIndices>);
}

export interface AvgPoolOptions {
  readonly stride?: Size;
  readonly padding?: Size;
  readonly ceilMode?: boolean;
  /** Count the zeros of the border; default true. */
  readonly countIncludePad?: boolean;
}

export interface DivisorOption {
  /** Divide by this instead of by the size of the window. */
  readonly divisorOverride?: number | null;
}

/** Mean of each window: input [batch, channels, length]. */
export function avgPool1d(input: Tensor, kernelSize: Size, options: AvgPoolOptions = {}): Tensor {
  const { stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true } = options;
  return ops.avg1(input, kernelSize, stride, padding, ceilMode, countIncludePad);
}

/** Mean of each window: input [batch, channels, height, width]. */
export function avgPool2d(input: Tensor, kernelSize: Size, options: AvgPoolOptions & DivisorOption = {}): Tensor {
  const {
    stride = kernelSize,
    padding = 0,
    ceilMode = false,
    countIncludePad = true,
    divisorOverride = null,
  } = options;
  return ops.avg2(input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride);
}

/** Mean of each window: input [batch, channels, depth, height, width]. */
export function avgPool3d(input: Tensor, kernelSize: Size, options: AvgPoolOptions & DivisorOption = {}): Tensor {
  const {
    stride = kernelSize,
    padding = 0,
    ceilMode = false,
    countIncludePad = true,
    divisorOverride = null,
  } = options;
  return ops.avg3(input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride);
}

export interface LPPoolOptions {
  readonly stride?: Size;
  readonly ceilMode?: boolean;
}

type AnyPool = (x: Tensor, size: Size, options: { stride: Size; ceilMode: boolean }) => Tensor;

function lpPool(
  avg: AnyPool,
  max: AnyPool,
  dimensions: number,
  input: Tensor,
  norm: number,
  size: Size,
  options: LPPoolOptions,
): Tensor {
  const { stride = size, ceilMode = false } = options;
  // PyTorch takes the limits p → ±∞ from 2.13 on.
  if (norm === Number.POSITIVE_INFINITY) return max(input.abs(), size, { stride, ceilMode });
  if (norm === Number.NEGATIVE_INFINITY) return max(input.abs().neg(), size, { stride, ceilMode }).neg();
  const out = avg(input.pow(norm), size, { stride, ceilMode });
  const elements = expandSize(size, dimensions).reduce((product, x) => product * x, 1);
  return out
    .sign()
    .mul(out.abs().relu())
    .mul(elements)
    .pow(1 / norm);
}

/** p-norm of each window: input [batch, channels, length]. */
export function lpPool1d(input: Tensor, normType: number, kernelSize: Size, options: LPPoolOptions = {}): Tensor {
  return lpPool(avgPool1d, maxPool1d, 1, input, normType, kernelSize, options);
}

/** p-norm of each window: input [batch, channels, height, width]. */
export function lpPool2d(input: Tensor, normType: number, kernelSize: Size, options: LPPoolOptions = {}): Tensor {
  return lpPool(avgPool2d, maxPool2d, 2, input, normType, kernelSize, options);
}

/** p-norm of each window: input [batch, channels, depth, height, width]. */
export function lpPool3d(input: Tensor, normType: number, kernelSize: Size, options: LPPoolOptions = {}): Tensor {
  return lpPool(avgPool3d, maxPool3d, 3, input, normType, kernelSize, options);
}

/** Size of the result of an adaptive pool; null keeps that of the input. */
export type AdaptiveSize = number | readonly (number | null)[];

function adaptiveSize(input: Tensor, size: AdaptiveSize, dimensions: number, title: string): number[] {
  if (typeof size === 'number') return new Array<number>(dimensions).fill(size);
  if (size.length !== dimensions)
    throw new ArgumentError(
      `${title}(): the output size must be one number or ${dimensions}, got [${size.join(', ')}].`,
    );
  return size.map((x, i) => x ?? input.size(i - dimensions));
}

/** Means over windows chosen so that the result has the given length. */
export function adaptiveAvgPool1d(input: Tensor, outputSize: number | readonly [number]): Tensor {
  return ops.adaptiveAvg1(input, adaptiveSize(input, outputSize, 1, 'adaptiveAvgPool1d'));
}

/** Means over windows chosen so that the result has the given size; 1 is the mean over the whole picture. */
export function adaptiveAvgPool2d(input: Tensor, outputSize: AdaptiveSize): Tensor {
  return ops.adaptiveAvg2(input, adaptiveSize(input, outputSize, 2, 'adaptiveAvgPool2d'));
}

/** Means over windows chosen so that the result has the given size. */
export function adaptiveAvgPool3d(input: Tensor, outputSize: AdaptiveSize): Tensor {
  return ops.adaptiveAvg3(input, adaptiveSize(input, outputSize, 3, 'adaptiveAvgPool3d'));
}

interface IndicesOption {
  readonly returnIndices?: boolean;
}

const firstUnless = (indices: boolean | undefined, results: readonly [Tensor, Tensor]): Tensor | [Tensor, Tensor] =>
  indices === true ? [results[0], results[1]] : results[0];

/** Maxima over windows chosen so that the result has the given length. */
export function adaptiveMaxPool1d(
  input: Tensor,
  outputSize: number | readonly [number],
  options: ReturnIndices,
): [Tensor, Tensor];
export function adaptiveMaxPool1d(
  input: Tensor,
  outputSize: number | readonly [number],
  options?: { returnIndices?: false },
): Tensor;
export function adaptiveMaxPool1d(
  input: Tensor,
  outputSize: number | readonly [number],
  options: IndicesOption = {},
): Tensor | [Tensor, Tensor] {
  const size = adaptiveSize(input, outputSize, 1, 'adaptiveMaxPool1d');
  return firstUnless(options.returnIndices, ops.adaptiveMax1(input, size));
}

/** Maxima over windows chosen so that the result has the given size. */
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options: ReturnIndices): [Tensor, Tensor];
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options?: { returnIndices?: false }): Tensor;
export function adaptiveMaxPool2d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: IndicesOption = {},
): Tensor | [Tensor, Tensor] {
  const size = adaptiveSize(input, outputSize, 2, 'adaptiveMaxPool2d');
  return firstUnless(options.returnIndices, ops.adaptiveMax2(input, size));
}

/** Maxima over windows chosen so that the result has the given size. */
export function adaptiveMaxPool3d(input: Tensor, outputSize: AdaptiveSize, options: ReturnIndices): [Tensor, Tensor];
export function adaptiveMaxPool3d(input: Tensor, outputSize: AdaptiveSize, options?: { returnIndices?: false }): Tensor;
export function adaptiveMaxPool3d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: IndicesOption = {},
): Tensor | [Tensor, Tensor] {
  const size = adaptiveSize(input, outputSize, 3, 'adaptiveMaxPool3d');
  return firstUnless(options.returnIndices, ops.adaptiveMax3(input, size));
}

export interface MaxUnpoolOptions {
  readonly stride?: Size;
  readonly padding?: Size;
  /** Size of the result (last dimensions), where pooling left it open. */
  readonly outputSize?: readonly number[];
}

function unpooledSize(input: Tensor, kernelSize: Size, dimensions: number, options: MaxUnpoolOptions): number[] {
  const kernel = expandSize(kernelSize, dimensions);
  const stride = expandSize(options.stride ?? kernelSize, dimensions);
  const padding = expandSize(options.padding ?? 0, dimensions);
  const usual = kernel.map(
    (size, i) => (input.size(i - dimensions) - 1) * (stride[i] as number) + size - 2 * (padding[i] as number),
  );
  if (options.outputSize === undefined) return usual;
  const wanted = options.outputSize.slice(-dimensions);
  for (const [i, size] of wanted.entries()) {
    const [least, most] = [(usual[i] as number) - (stride[i] as number), (usual[i] as number) + (stride[i] as number)];
    if (!(least < size && size < most))
      throw new ArgumentError(
        `maxUnpool${dimensions}d(): output size [${options.outputSize.join(', ')}] cannot be: dimension ${i} must be between ${least} and ${most}.`,
      );
  }
  return wanted;
}

/** Puts maxima back where they were, zeros elsewhere: input and indices [batch, channels, length] of `maxPool1d`. */
export function maxUnpool1d(input: Tensor, indices: Tensor, kernelSize: Size, options: MaxUnpoolOptions = {}): Tensor {
  const [length] = unpooledSize(input, kernelSize, 1, options) as [number];
  return ops.unpool2(input.unsqueeze(-1), indices.unsqueeze(-1), [length, 1]).squeeze(-1);
}

/** Puts maxima back where they were, zeros elsewhere: input and indices of `maxPool2d`. */
export function maxUnpool2d(input: Tensor, indices: Tensor, kernelSize: Size, options: MaxUnpoolOptions = {}): Tensor {
  return ops.unpool2(input, indices, unpooledSize(input, kernelSize, 2, options));
}

/** Puts maxima back where they were, zeros elsewhere: input and indices of `maxPool3d`. */
export function maxUnpool3d(input: Tensor, indices: Tensor, kernelSize: Size, options: MaxUnpoolOptions = {}): Tensor {
  const size = unpooledSize(input, kernelSize, 3, options);
  const stride = expandSize(options.stride ?? kernelSize, 3);
  return ops.unpool3(input, indices, size, stride, expandSize(options.padding ?? 0, 3));
}

/** Columns of the windows of a picture (im2col): [batch, channels · kernel, windows]. */
export function unfold(
  input: Tensor,
  kernelSize: Size,
  options: { readonly dilation?: Size; readonly padding?: Size; readonly stride?: Size } = {},
): Tensor {
  const pair = (size: Size): number[] => expandSize(size, 2);
  const { dilation = 1, padding = 0, stride = 1 } = options;
  return torch.ops.aten.im2col(input, pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}

/** Sums windows back into a picture of `outputSize` (col2im). */
export function fold(
  input: Tensor,
  outputSize: Size,
  kernelSize: Size,
  options: { readonly dilation?: Size; readonly padding?: Size; readonly stride?: Size } = {},
): Tensor {
  const pair = (size: Size): number[] => expandSize(size, 2);
  const { dilation = 1, padding = 0, stride = 1 } = options;
  return torch.ops.aten.col2im(input, pair(outputSize), pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}
