/** The engine's two-dimensional convolution, but for one shape that must not reach it as it is, and those that are faster when rearranged. */
import { isGradEnabled } from '../torch/modes.js';
import type { Tensor } from '../torch/tensor.js';
import { rearrangedConvolution } from './convolution-rearranged.js';
import { expandSize, operator, type Size } from './operators.js';

const plain = operator('conv2d');

/** oneDNN's largest block of channels; AVX2's is 8. */
const block = 16;

const isStrided = (stride: Size): boolean => expandSize(stride, 2).some((step) => step > 1);

/**
 * `conv2d` of the engine. On CPUs, the gradient of the weights of a strided 1 × 1 convolution over few channels writes past the end of a buffer
 * when tensors lie with their channels last: the process ends, hangs, or goes on with wrong numbers. So such a convolution is computed with
 * the channels first, where it is learned; it is a small one by its nature. Source: https://github.com/uxlfoundation/oneDNN/issues/6035
 * (seen with the oneDNN 3.12 of PyTorch 2.13).
 */
export function conv2d(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: Size,
  padding: Size,
  dilation: Size,
  groups: number,
): Tensor {
  const dense = groups === 1 && expandSize(dilation, 2).every((step) => step === 1);
  const rearranged = dense ? rearrangedConvolution(input, weight, bias, stride, padding) : undefined;
  if (rearranged !== undefined) return rearranged;
  const [outputs, channels = block, height, width] = weight.shape;
  if (height !== 1 || width !== 1 || channels >= block || !isStrided(stride) || !isGradEnabled())
    return plain(input, weight, bias, stride, padding, dilation, groups);
  // Of a 1 × 1 kernel both orders look alike; a new shape gives it the strides of the first.
  const kernel = weight.flatten(1).view([outputs as number, channels, 1, 1]);
  return plain(input.contiguous(), kernel, bias, stride, padding, dilation, groups);
}
