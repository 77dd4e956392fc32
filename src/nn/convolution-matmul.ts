/**
 * Two-dimensional convolutions in bfloat16 whose gradients are products of matrices. oneDNN's own gradient of the weights keeps a processor's
 * matrix units busy on large maps and leaves them idle on small ones: of 512 channels on 4 × 4 points it is five times as slow as unfolding
 * the input (Chellapilla et al. 2006, https://inria.hal.science/inria-00112631) and one product. Products are added up in float32, as there.
 */
import { DifferentiableOperation, type FunctionContext } from '../torch/autograd.js';
import { scope } from '../torch/memory.js';
import type { Tensor } from '../torch/tensor.js';
import { expandSize, operator, type Size } from './operators.js';

const ops = {
  conv2d: operator('conv2d'),
  backward: operator('convolution_backward'),
  pad: operator('constant_pad_nd'),
  slice: operator('slice'),
  zeros: operator('zeros'),
};

/** Points of the output up to which the unfolded input is cheap beside what is gained. */
const smallMap = 64;
/** Up to this many the output and the gradient of the input are faster as products, too. */
const tinyMap = 16;
/** Fewer channels do not fill a matrix unit. @internal */
export const fewestChannels = 48;
/** Bytes of the unfolded input at a time. @internal */
export const unfoldedBytes = { most: 1 << 27 };

type Pair = readonly [number, number];

/** @internal */
export interface Geometry {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Of the output. */
  readonly height: number;
  readonly width: number;
}

const points = (x: Geometry): number => x.height * x.width;
const isPoint = ({ kernel }: Geometry): boolean => kernel[0] * kernel[1] === 1;
const isTiny = (x: Geometry): boolean => points(x) <= tinyMap;

/** Where the products begin and end. @internal */
export function geometryOf(input: Tensor, weight: Tensor, stride: Size, padding: Size): Geometry {
  const strides = expandSize(stride, 2) as [number, number];
  const borders = expandSize(padding, 2) as [number, number];
  const [, , h, w] = input.shape as [number, number, number, number];
  const [, , high, wide] = weight.shape as [number, number, number, number];
  return {
    kernel: [high, wide],
    stride: strides,
    padding: borders,
    height: Math.floor((h + 2 * borders[0] - high) / strides[0]) + 1,
    width: Math.floor((w + 2 * borders[1] - wide) / strides[1]) + 1,
  };
}

/** Whether such a convolution is worth it. @internal */
export const isSmall = (weight: Tensor, geometry: Geometry): boolean =>
  Math.min(weight.shape[0] as number, weight.shape[1] as number) >= fewestChannels && points(geometry) <= smallMap;

/** What each point of the output sees of the input [n, c, h, w]: [n · height · width, kernel · kernel · c]. */
function unfolded(input: Tensor, { kernel, stride, padding, height, width }: Geometry): Tensor {
  const last = input.permute([0, 2, 3, 1]);
  const [down, right] = padding;
  const around = (down + right === 0 ? last : ops.pad(last, [0, 0, right, right, down, down], 0)).contiguous();
  const [n, h, w, c] = around.shape as [number, number, number, number];
  return around
    .asStrided(
      [n, height, width, ...kernel, c],
      [h * w * c, stride[0] * w * c, stride[1] * c, w * c, c, 1],
      around.storageOffset(),
    )
    .reshape([n * height * width, kernel[0] * kernel[1] * c]);
}

/** Channels last as rows: [n · height · width, c]. */
const rows = (x: Tensor): Tensor => x.permute([0, 2, 3, 1]).reshape([-1, x.shape[1] as number]);

/** The rows of a weight [out, in, kernel, kernel], in the order of the unfolded input: [out, kernel · kernel · in]. */
const kernelRows = (weight: Tensor): Tensor => weight.permute([0, 2, 3, 1]).reshape([weight.shape[0] as number, -1]);

/** Channels first again, without a copy. */
const asMap = (x: Tensor, n: number, { height, width }: Geometry): Tensor =>
  x.view([n, height, width, -1]).permute([0, 3, 1, 2]);

function weightGradient(gradient: Tensor, input: Tensor, weight: Tensor, geometry: Geometry): Tensor {
  const [outputs, channels, high, wide] = weight.shape as [number, number, number, number];
  const n = input.shape[0] as number;
  const most = Math.max(1, Math.floor(unfoldedBytes.most / (2 * points(geometry) * high * wide * channels)));
  let sum: Tensor | undefined;
  for (let begin = 0; begin < n; begin += most) {
    const count = Math.min(most, n - begin);
    const part = scope(() => {
      const seen = unfolded(input.narrow(0, begin, count), geometry);
      return rows(gradient.narrow(0, begin, count))
        .t()
        .matmul(seen);
    });
    sum = count === n ? part : sum === undefined ? part.float() : sum.add(part);
  }
  return (sum as Tensor).to(weight.dtype).view([outputs, high, wide, channels]).permute([0, 3, 1, 2]);
}

/** A view of `count` steps along a dimension. */
const every = (x: Tensor, dimension: number, begin: number, count: number, step: number): Tensor =>
  ops.slice(x, dimension, begin, begin + (count - 1) * step + 1, step);

/** The gradient of the input: the product, each of whose kernel points goes to where it came from. */
function inputGradient(gradient: Tensor, input: Tensor, weight: Tensor, geometry: Geometry): Tensor {
  const [n, channels, h, w] = input.shape as [number, number, number, number];
  const { kernel, stride, padding, height, width } = geometry;
  const shares = rows(gradient)
    .matmul(kernelRows(weight))
    .view([n, height, width, ...kernel, channels]);
  // Where several shares meet in a point, they are added up in float32; each was rounded by the product.
  const dtype = kernel[0] > stride[0] || kernel[1] > stride[1] ? 'float32' : input.dtype;
  const sum = ops.zeros([n, h + 2 * padding[0], w + 2 * padding[1], channels], { dtype });
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++)
      every(every(sum, 1, i, height, stride[0]), 2, j, width, stride[1]).add_(shares.select(3, i).select(3, j));
  return sum.narrow(1, padding[0], h).narrow(2, padding[1], w).to(input.dtype).permute([0, 3, 1, 2]);
}

/** [input, weight, bias, geometry], all of bfloat16 → the output. @internal */
export class MatmulConvolution extends DifferentiableOperation {
  static forward(
    context: FunctionContext,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    geometry: Geometry,
  ): Tensor {
    context.saveForBackward(input, weight);
    context.data.geometry = geometry;
    const { stride, padding } = geometry;
    if (!isTiny(geometry)) return ops.conv2d(input, weight, bias, stride, padding, 1, 1);
    return scope(() => {
      const product = unfolded(input, geometry).matmul(kernelRows(weight).t());
      return asMap(bias === null ? product : product.add(bias), input.shape[0] as number, geometry);
    });
  }

  static backward(context: FunctionContext, gradient: Tensor): (Tensor | null)[] {
    const [input, weight] = context.savedTensors as [Tensor, Tensor];
    const geometry = context.data.geometry as Geometry;
    const [wantsInput, wantsWeight, wantsBias] = context.needsInputGrad;
    const ofInput = (): Tensor => {
      // Of a kernel of one point with a stride the engine is slow, too; there the rest of the gradient is zero.
      if (isTiny(geometry) || isPoint(geometry)) return inputGradient(gradient, input, weight, geometry);
      const { stride, padding } = geometry;
      const wanted = [true, false, false];
      return ops.backward(gradient, input, weight, null, stride, padding, [1, 1], false, [0, 0], 1, wanted)[0];
    };
    return scope(() => [
      wantsInput ? ofInput() : null,
      wantsWeight ? weightGradient(gradient, input, weight, geometry) : null,
      wantsBias ? gradient.sum([0, 2, 3]) : null,
      null,
    ]);
  }
}
