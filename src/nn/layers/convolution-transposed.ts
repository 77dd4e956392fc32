/** Transposed convolutions. Source: https://docs.pytorch.org/docs/stable/nn.html#convolution-layers */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { operator, type Size } from '../operators.js';
import { Convolution, type ConvolutionLayerOptions } from './convolution.js';

const ops = {
  conv1d: operator('conv_transpose1d'),
  conv2d: operator('conv_transpose2d'),
  conv3d: operator('conv_transpose3d'),
};

export interface TransposedConvolutionLayerOptions extends Omit<ConvolutionLayerOptions, 'padding' | 'paddingMode'> {
  /** Border cut off from the result, default 0. */
  readonly padding?: Size;
  /** Added to one side of the result, default 0. */
  readonly outputPadding?: Size;
}

type TransposedOperator = (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[],
  outputPadding: readonly number[],
  groups: number,
  dilation: readonly number[],
) => Tensor;

abstract class TransposedConvolution extends Convolution<[input: Tensor, outputSize?: readonly number[]]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: TransposedConvolutionLayerOptions,
    dimensions: number,
    private readonly operator: TransposedOperator,
  ) {
    super(inChannels, outChannels, kernelSize, options, {
      dimensions,
      transposed: true,
      outputPadding: options.outputPadding ?? 0,
    });
    if (this.paddingMode !== 'zeros' || typeof this.padding === 'string')
      throw new ArgumentError(`${new.target.name}: padding must be a size, and paddingMode zeros.`);
  }

  /** What must be added to the result so that it gets the wanted size. */
  private paddingFor(input: Tensor, outputSize: readonly number[]): number[] {
    const dimensions = this.kernelSize.length;
    const wanted = outputSize.slice(-dimensions);
    return wanted.map((size, i) => {
      const stride = this.stride[i] as number;
      const reach = (this.dilation[i] as number) * ((this.kernelSize[i] as number) - 1) + 1;
      const least =
        (input.size(i - dimensions) - 1) * stride - 2 * ((this.padding as readonly number[])[i] as number) + reach;
      if (size < least || size > least + stride - 1)
        throw new ArgumentError(
          `${this.constructor.name}: output size [${outputSize.join(', ')}] cannot be: dimension ${i} must be between ${least} and ${least + stride - 1}.`,
        );
      return size - least;
    });
  }

  /** `outputSize` (the last dimensions of the result) decides where the stride leaves several sizes open. */
  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this;
    const outputPadding = outputSize === undefined ? this.outputPadding : this.paddingFor(input, outputSize);
    return this.operator(input, weight, bias, stride, padding as readonly number[], outputPadding, groups, dilation);
  }
}

/** The gradient of Conv1d with respect to its input: [batch, inChannels, length] → [batch, outChannels, length']. */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: TransposedConvolutionLayerOptions = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, 1, ops.conv1d);
  }
}

/** The gradient of Conv2d with respect to its input: [batch, inChannels, height, width] → [batch, outChannels, height', width']. */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: TransposedConvolutionLayerOptions = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, 2, ops.conv2d);
  }
}

/** The gradient of Conv3d with respect to its input. */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: TransposedConvolutionLayerOptions = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, 3, ops.conv3d);
  }
}
