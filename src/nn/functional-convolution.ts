/** Linear maps and convolutions. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#convolution-functions */
import type { Tensor } from '../torch/index.js';
import { operator, type Size } from './operators.js';
import { conv2d as engineConv2d } from './pointwise.js';

const ops = {
  linear: operator('linear'),
  bilinear: operator('bilinear'),
  conv1d: operator('conv1d'),
  conv2d: engineConv2d,
  conv3d: operator('conv3d'),
  convTranspose1d: operator('conv_transpose1d'),
  convTranspose2d: operator('conv_transpose2d'),
  convTranspose3d: operator('conv_transpose3d'),
};

/** x · weightᵀ + bias: input [*, in], weight [out, in], bias [out]. */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return ops.linear(input, weight, bias);
}

/** x₁ᵀ · weight · x₂ + bias: inputs [*, in1] and [*, in2], weight [out, in1, in2]. */
export function bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return ops.bilinear(input1, input2, weight, bias);
}

export interface ConvolutionOptions {
  /** Step of the kernel, default 1. */
  readonly stride?: Size;
  /** Zeros around the input, default 0; `same` keeps the size (stride 1 only), `valid` is 0. */
  readonly padding?: Size | 'same' | 'valid';
  /** Distance between the kernel's points, default 1. */
  readonly dilation?: Size;
  /** Groups of channels that do not see each other, default 1. */
  readonly groups?: number;
}

/** Input [batch, in, length], weight [out, in / groups, kernel]. */
export function conv1d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  return ops.conv1d(input, weight, bias, stride, padding as Size, dilation, groups);
}

/** Input [batch, in, height, width], weight [out, in / groups, kernel, kernel]. */
export function conv2d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  return ops.conv2d(input, weight, bias, stride, padding as Size, dilation, groups);
}

/** Input [batch, in, depth, height, width], weight [out, in / groups, kernel, kernel, kernel]. */
export function conv3d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  return ops.conv3d(input, weight, bias, stride, padding as Size, dilation, groups);
}

export interface TransposedConvolutionOptions {
  readonly stride?: Size;
  readonly padding?: Size;
  /** Added to the size of one side of the output, default 0. */
  readonly outputPadding?: Size;
  readonly groups?: number;
  readonly dilation?: Size;
}

/** The gradient of `conv1d` with respect to its input: input [batch, in, length], weight [in, out / groups, kernel]. */
export function convTranspose1d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: TransposedConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, outputPadding = 0, groups = 1, dilation = 1 } = options;
  return ops.convTranspose1d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
}

/** The gradient of `conv2d` with respect to its input: input [batch, in, height, width], weight [in, out / groups, kernel, kernel]. */
export function convTranspose2d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: TransposedConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, outputPadding = 0, groups = 1, dilation = 1 } = options;
  return ops.convTranspose2d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
}

/** The gradient of `conv3d` with respect to its input. */
export function convTranspose3d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: TransposedConvolutionOptions = {},
): Tensor {
  const { stride = 1, padding = 0, outputPadding = 0, groups = 1, dilation = 1 } = options;
  return ops.convTranspose3d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
}
