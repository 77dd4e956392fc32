/**
 * Two-dimensional convolutions in bfloat16, rearranged where that is faster than the engine's own kernels: over small maps their gradients are
 * products of matrices; large kernels over the few channels of a picture become small ones over more.
 */
import { autocastState, isGradEnabled } from '../torch/modes.js';
import type { Tensor } from '../torch/tensor.js';
import { type Geometry, geometryOf, isSmall, MatmulConvolution } from './convolution-matmul.js';
import { expandSize, operator, type Size } from './operators.js';

/** Who computes convolutions that are learned in bfloat16 on a CPU: the engine as they are, or after rearranging those where that is faster. */
export type ConvolutionWay = 'engine' | 'rearranged';

let way: ConvolutionWay = 'engine';

/**
 * Runs a forward pass whose convolutions, and their gradients when `backward()` is called, are computed in this way. `rearranged` concerns
 * convolutions that are learned in bfloat16 on a CPU, over small maps or with large kernels over few channels; all others are the engine's in
 * any case. The results are the same but for rounding.
 * @param callback synchronous
 */
export function withConvolutions<T>(chosen: ConvolutionWay, callback: () => T): T {
  const before = way;
  way = chosen;
  try {
    return callback();
  } finally {
    way = before;
  }
}

const ops = { conv2d: operator('conv2d'), pad: operator('constant_pad_nd') };

/** Kernels of this side, with a stride of two or more over at most so many channels, gain by folding. */
const largeKernel = 9;
const fewChannels = 4;

/** Taps of the folded kernel. */
const folded = (kernel: number, stride: number): number => Math.ceil(kernel / stride);

const canFold = ({ kernel, stride }: Geometry, channels: number): boolean =>
  channels <= fewChannels && Math.min(...kernel) >= largeKernel && Math.min(...stride) >= 2;

/**
 * Each block of stride × stride pixels becomes one with as many times the channels ("space to depth"), in the input and in the kernel, which
 * is filled up with zeros: what is added up is the same, with stride 1.
 */
function foldedConvolution(input: Tensor, weight: Tensor, bias: Tensor | null, geometry: Geometry): Tensor {
  const [down, right] = geometry.stride;
  const [outputs, channels, high, wide] = weight.shape as [number, number, number, number];
  const [n, , h, w] = input.shape as [number, number, number, number];
  const [tall, broad] = [folded(high, down), folded(wide, right)];
  const [rows, columns] = [geometry.height - 1 + tall, geometry.width - 1 + broad];
  const [top, left] = geometry.padding;
  // What the last kernel does not reach is cut off, which is padding by less than nothing.
  const around = [0, 0, left, columns * right - w - left, top, rows * down - h - top];
  const blocks = ops
    .pad(input.to('bfloat16').permute([0, 2, 3, 1]), around, 0)
    .reshape([n, rows, down, columns, right, channels])
    .permute([0, 1, 3, 2, 4, 5])
    .reshape([n, rows, columns, -1])
    .permute([0, 3, 1, 2]);
  const kernel = ops
    .pad(weight, [0, broad * right - wide, 0, tall * down - high], 0)
    .view([outputs, channels, tall, down, broad, right])
    .permute([0, 3, 5, 1, 2, 4])
    .reshape([outputs, -1, tall, broad])
    .contiguous({ memoryFormat: 'channelsLast' });
  return ops.conv2d(blocks, kernel.to('bfloat16'), bias === null ? null : bias.to('bfloat16'), 1, 0, 1, 1);
}

/** The convolution, rearranged. @returns undefined where the engine's own is to be taken */
export function rearrangedConvolution(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: Size,
  padding: Size | string,
): Tensor | undefined {
  if (way === 'engine' || typeof padding === 'string' || !isGradEnabled() || input.ndim !== 4) return undefined;
  const cast = autocastState();
  const half = cast.enabled ? cast.dtype === 'bfloat16' : input.dtype === 'bfloat16' && weight.dtype === 'bfloat16';
  if (!half || input.device !== 'cpu' || !weight.requiresGrad) return undefined;
  // What the engine refuses it is to refuse, in its words.
  if (input.shape[1] !== weight.shape[1] || expandSize(padding, 2).some((border) => border < 0)) return undefined;
  const geometry = geometryOf(input, weight, stride, padding);
  if (input.shape[0] === 0 || geometry.height < 1 || geometry.width < 1) return undefined;
  if (isSmall(weight, geometry)) {
    const [x, w, b] = [input, weight, bias].map((tensor) => tensor?.to('bfloat16') ?? null);
    return MatmulConvolution.apply(x, w, b, geometry);
  }
  const isPicture = !input.requiresGrad && canFold(geometry, weight.shape[1] as number);
  return isPicture ? foldedConvolution(input, weight, bias, geometry) : undefined;
}
