/** Convolutions. Source: https://docs.pytorch.org/docs/stable/nn.html#convolution-layers */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { type PaddingMode, pad } from '../functional-vision.js';
import { Module } from '../module.js';
import { tuple } from '../module-print.js';
import { expandSize, operator, type Size } from '../operators.js';
import type { Parameter } from '../parameter.js';
import { conv2d } from '../pointwise.js';
import { emptyParameter, type FactoryOptions, requireCount, resetLinear } from './factory.js';

const ops = { conv1d: operator('conv1d'), conv2d, conv3d: operator('conv3d') };

/** What stands around the input. */
export type ConvolutionPaddingMode = 'zeros' | Exclude<PaddingMode, 'constant'>;

export interface ConvolutionLayerOptions extends FactoryOptions {
  /** Step of the kernel, default 1. */
  readonly stride?: Size;
  /** Border on both sides, default 0; `same` keeps the size (stride 1 only), `valid` is 0. */
  readonly padding?: Size | 'same' | 'valid';
  /** Distance between the kernel's points, default 1. */
  readonly dilation?: Size;
  /** Groups of channels that do not see each other, default 1. */
  readonly groups?: number;
  /** Add a learnt bias, default true. */
  readonly bias?: boolean;
  /** What the border is filled with, default `zeros`. */
  readonly paddingMode?: ConvolutionPaddingMode;
}

/** What a convolution is made of, in one size per dimension. @internal */
export interface ConvolutionSizes {
  readonly dimensions: number;
  readonly transposed: boolean;
  readonly outputPadding?: Size;
}

/** What convolutions and transposed convolutions share. */
export abstract class Convolution<Inputs extends readonly unknown[] = [Tensor]> extends Module<Inputs> {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: ConvolutionPaddingMode;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size,
    options: ConvolutionLayerOptions,
    sizes: ConvolutionSizes,
  ) {
    super();
    const title = new.target.name;
    const { groups = 1, padding = 0, paddingMode = 'zeros' } = options;
    const spread = (size: Size, name: string): number[] => {
      const sizesOf = expandSize(size, sizes.dimensions);
      if (sizesOf.length !== sizes.dimensions)
        throw new ArgumentError(
          `${title}: ${name} must be one number or ${sizes.dimensions}, got [${sizesOf.join(', ')}].`,
        );
      return sizesOf;
    };
    requireCount(inChannels, 'inChannels', title, 0);
    requireCount(outChannels, 'outChannels', title, 0);
    requireCount(groups, 'groups', title);
    for (const [name, channels] of [
      ['inChannels', inChannels],
      ['outChannels', outChannels],
    ] as const)
      if (channels % groups !== 0)
        throw new ArgumentError(`${title}: ${name} (${channels}) cannot be split into ${groups} groups.`);
    if (!['zeros', 'reflect', 'replicate', 'circular'].includes(paddingMode))
      throw new ArgumentError(
        `${title}: paddingMode must be zeros, reflect, replicate or circular, got '${paddingMode}'.`,
      );
    this.kernelSize = spread(kernelSize, 'kernelSize');
    this.stride = spread(options.stride ?? 1, 'stride');
    this.dilation = spread(options.dilation ?? 1, 'dilation');
    this.outputPadding = spread(sizes.outputPadding ?? 0, 'outputPadding');
    if (typeof padding === 'string') {
      if (padding !== 'same' && padding !== 'valid')
        throw new ArgumentError(`${title}: padding must be a size, 'same' or 'valid', got '${String(padding)}'.`);
      if (padding === 'same' && this.stride.some((step) => step !== 1))
        throw new ArgumentError(`${title}: padding 'same' works with stride 1 only; give the padding as a number.`);
      this.padding = padding;
    } else this.padding = spread(padding, 'padding');
    this.groups = groups;
    this.paddingMode = paddingMode;
    const ends = sizes.transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = emptyParameter([...ends, ...this.kernelSize], options);
    this.bias = options.bias === false ? null : emptyParameter([outChannels], options);
    this.resetParameters();
  }

  /** Draws the parameters anew: uniform over ±1/√fan-in. */
  resetParameters(): void {
    resetLinear(this.weight, this.bias);
  }

  override extraRepr(): string {
    const unless = (sizes: readonly number[], usual: number, name: string): string =>
      sizes.every((size) => size === usual) ? '' : `, ${name}=${tuple(sizes)}`;
    const { padding } = this;
    return [
      `${this.inChannels}, ${this.outChannels}, kernel_size=${tuple(this.kernelSize)}, stride=${tuple(this.stride)}`,
      // PyTorch compares the string with a tuple of zeros, and so always prints it, without quotes.
      typeof padding === 'string' ? `, padding=${padding}` : unless(padding, 0, 'padding'),
      unless(this.dilation, 1, 'dilation'),
      unless(this.outputPadding, 0, 'output_padding'),
      this.groups === 1 ? '' : `, groups=${this.groups}`,
      this.bias === null ? ', bias=False' : '',
      this.paddingMode === 'zeros' ? '' : `, padding_mode=${this.paddingMode}`,
    ].join('');
  }
}

/** Padding before and behind each dimension. */
function bothSides(layer: Convolution): [number, number][] {
  const { padding } = layer;
  if (padding === 'valid') return layer.kernelSize.map(() => [0, 0]);
  if (padding !== 'same') return padding.map((size) => [size, size]);
  return layer.kernelSize.map((size, i) => {
    const total = (layer.dilation[i] as number) * (size - 1);
    const before = Math.floor(total / 2);
    return [before, total - before];
  });
}

type ConvolutionOperator = (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  groups: number,
) => Tensor;

/** A convolution, not transposed. */
abstract class PlainConvolution extends Convolution {
  /** Padding that the operator does itself. */
  private readonly inner: readonly number[];
  /** Padding that has to be made before, last dimension first; null for none. */
  private readonly outer: readonly number[] | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvolutionLayerOptions,
    dimensions: number,
    private readonly operator: ConvolutionOperator,
  ) {
    super(inChannels, outChannels, kernelSize, options, { dimensions, transposed: false });
    const sides = bothSides(this);
    const even = this.paddingMode === 'zeros' && sides.every(([before, behind]) => before === behind);
    this.inner = even ? sides.map(([before]) => before) : sides.map(() => 0);
    this.outer = even ? null : sides.reverse().flat();
  }

  override forward(input: Tensor): Tensor {
    const { weight, bias, stride, inner, outer, dilation, groups, paddingMode } = this;
    const padded =
      outer === null ? input : pad(input, outer, { mode: paddingMode === 'zeros' ? 'constant' : paddingMode });
    return this.operator(padded, weight, bias, stride, inner, dilation, groups);
  }
}

/** Convolution over a sequence: [batch, inChannels, length] → [batch, outChannels, length']. */
export class Conv1d extends PlainConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvolutionLayerOptions = {}) {
    super(inChannels, outChannels, kernelSize, options, 1, ops.conv1d);
  }
}

/** Convolution over a picture: [batch, inChannels, height, width] → [batch, outChannels, height', width']. */
export class Conv2d extends PlainConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvolutionLayerOptions = {}) {
    super(inChannels, outChannels, kernelSize, options, 2, ops.conv2d);
  }
}

/** Convolution over a volume: [batch, inChannels, depth, height, width] → [batch, outChannels, depth', height', width']. */
export class Conv3d extends PlainConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvolutionLayerOptions = {}) {
    super(inChannels, outChannels, kernelSize, options, 3, ops.conv3d);
  }
}
