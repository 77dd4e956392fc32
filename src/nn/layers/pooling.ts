/** Pooling layers. Source: https://docs.pytorch.org/docs/stable/nn.html#pooling-layers */
import type { Tensor } from '../../torch/index.js';
import * as F from '../functional-pooling.js';
import { Module } from '../module.js';
import { bool, numbers } from '../module-print.js';
import type { Size } from '../operators.js';

export type MaxPoolLayerOptions = F.MaxPoolOptions;

/** What the max pools share. With `returnIndices` in `F.maxPool2d` and its like the places of the maxima can be had too. */
abstract class MaxPool extends Module {
  readonly stride: Size;
  readonly padding: Size;
  readonly dilation: Size;
  readonly ceilMode: boolean;

  constructor(
    readonly kernelSize: Size,
    options: MaxPoolLayerOptions = {},
  ) {
    super();
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.ceilMode = options.ceilMode ?? false;
  }

  override extraRepr(): string {
    return `kernel_size=${numbers(this.kernelSize)}, stride=${numbers(this.stride)}, padding=${numbers(this.padding)}, dilation=${numbers(this.dilation)}, ceil_mode=${bool(this.ceilMode)}`;
  }
}

/** Maximum of each window of [batch, channels, length]. */
export class MaxPool1d extends MaxPool {
  override forward(input: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode } = this;
    return F.maxPool1d(input, this.kernelSize, { stride, padding, dilation, ceilMode });
  }
}

/** Maximum of each window of [batch, channels, height, width]. */
export class MaxPool2d extends MaxPool {
  override forward(input: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode } = this;
    return F.maxPool2d(input, this.kernelSize, { stride, padding, dilation, ceilMode });
  }
}

/** Maximum of each window of [batch, channels, depth, height, width]. */
export class MaxPool3d extends MaxPool {
  override forward(input: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode } = this;
    return F.maxPool3d(input, this.kernelSize, { stride, padding, dilation, ceilMode });
  }
}

/** What the average pools share. */
abstract class AvgPool extends Module {
  readonly stride: Size;
  readonly padding: Size;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(
    readonly kernelSize: Size,
    options: F.AvgPoolOptions = {},
  ) {
    super();
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
  }

  override extraRepr(): string {
    return `kernel_size=${numbers(this.kernelSize)}, stride=${numbers(this.stride)}, padding=${numbers(this.padding)}`;
  }
}

/** Mean of each window of [batch, channels, length]. */
export class AvgPool1d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return F.avgPool1d(input, this.kernelSize, this);
  }

  /** PyTorch keeps these sizes as tuples and prints them so. */
  override extraRepr(): string {
    const one = (size: Size): string => numbers(typeof size === 'number' ? [size] : size);
    return `kernel_size=${one(this.kernelSize)}, stride=${one(this.stride)}, padding=${one(this.padding)}`;
  }
}

/** Mean of each window of [batch, channels, height, width]. */
export class AvgPool2d extends AvgPool {
  readonly divisorOverride: number | null;

  constructor(kernelSize: Size, options: F.AvgPoolOptions & F.DivisorOption = {}) {
    super(kernelSize, options);
    this.divisorOverride = options.divisorOverride ?? null;
  }

  override forward(input: Tensor): Tensor {
    return F.avgPool2d(input, this.kernelSize, this);
  }
}

/** Mean of each window of [batch, channels, depth, height, width]. */
export class AvgPool3d extends AvgPool {
  readonly divisorOverride: number | null;

  constructor(kernelSize: Size, options: F.AvgPoolOptions & F.DivisorOption = {}) {
    super(kernelSize, options);
    this.divisorOverride = options.divisorOverride ?? null;
  }

  override forward(input: Tensor): Tensor {
    return F.avgPool3d(input, this.kernelSize, this);
  }
}

/** What the power-average pools share. */
abstract class LPPool extends Module {
  readonly stride: Size | null;
  readonly ceilMode: boolean;

  constructor(
    readonly normType: number,
    readonly kernelSize: Size,
    options: F.LPPoolOptions = {},
  ) {
    super();
    this.stride = options.stride ?? null;
    this.ceilMode = options.ceilMode ?? false;
  }

  protected get options(): F.LPPoolOptions {
    return { stride: this.stride ?? this.kernelSize, ceilMode: this.ceilMode };
  }

  override extraRepr(): string {
    const stride = this.stride === null ? 'None' : numbers(this.stride);
    return `norm_type=${this.normType}, kernel_size=${numbers(this.kernelSize)}, stride=${stride}, ceil_mode=${bool(this.ceilMode)}`;
  }
}

/** p-norm of each window of [batch, channels, length]. */
export class LPPool1d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lpPool1d(input, this.normType, this.kernelSize, this.options);
  }
}

/** p-norm of each window of [batch, channels, height, width]. */
export class LPPool2d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lpPool2d(input, this.normType, this.kernelSize, this.options);
  }
}

/** p-norm of each window of [batch, channels, depth, height, width]. */
export class LPPool3d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lpPool3d(input, this.normType, this.kernelSize, this.options);
  }
}

/** What the adaptive pools share: the size of the result, null for that of the input. */
abstract class AdaptivePool<AllowedSize extends F.AdaptiveSize> extends Module {
  constructor(readonly outputSize: AllowedSize) {
    super();
  }

  override extraRepr(): string {
    const { outputSize } = this;
    if (typeof outputSize === 'number') return `output_size=${outputSize}`;
    const sizes = (outputSize as readonly (number | null)[]).map((size) => (size === null ? 'None' : String(size)));
    return `output_size=${sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`}`;
  }
}

/** Means over windows chosen so that the result has the given length. */
export class AdaptiveAvgPool1d extends AdaptivePool<number | readonly [number]> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool1d(input, this.outputSize);
  }
}

/** Means over windows chosen so that the result has the given size; 1 is the mean over the whole picture. */
export class AdaptiveAvgPool2d extends AdaptivePool<F.AdaptiveSize> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool2d(input, this.outputSize);
  }
}

/** Means over windows chosen so that the result has the given size. */
export class AdaptiveAvgPool3d extends AdaptivePool<F.AdaptiveSize> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool3d(input, this.outputSize);
  }
}

/** Maxima over windows chosen so that the result has the given length. */
export class AdaptiveMaxPool1d extends AdaptivePool<number | readonly [number]> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveMaxPool1d(input, this.outputSize);
  }
}

/** Maxima over windows chosen so that the result has the given size. */
export class AdaptiveMaxPool2d extends AdaptivePool<F.AdaptiveSize> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveMaxPool2d(input, this.outputSize);
  }
}

/** Maxima over windows chosen so that the result has the given size. */
export class AdaptiveMaxPool3d extends AdaptivePool<F.AdaptiveSize> {
  override forward(input: Tensor): Tensor {
    return F.adaptiveMaxPool3d(input, this.outputSize);
  }
}

/** What the unpools share. */
abstract class MaxUnpool extends Module<[input: Tensor, indices: Tensor, outputSize?: readonly number[]]> {
  readonly stride: Size;
  readonly padding: Size;

  constructor(
    readonly kernelSize: Size,
    options: { readonly stride?: Size; readonly padding?: Size } = {},
  ) {
    super();
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
  }

  override extraRepr(): string {
    const all = (size: Size): string => numbers(typeof size === 'number' ? this.repeat(size) : size);
    return `kernel_size=${all(this.kernelSize)}, stride=${all(this.stride)}, padding=${all(this.padding)}`;
  }

  protected abstract repeat(size: number): number[];
}

/** Puts the maxima of MaxPool1d back where they were. */
export class MaxUnpool1d extends MaxUnpool {
  override forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    const { stride, padding } = this;
    return F.maxUnpool1d(input, indices, this.kernelSize, { stride, padding, outputSize });
  }
  protected override repeat(size: number): number[] {
    return [size];
  }
}

/** Puts the maxima of MaxPool2d back where they were. */
export class MaxUnpool2d extends MaxUnpool {
  override forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    const { stride, padding } = this;
    return F.maxUnpool2d(input, indices, this.kernelSize, { stride, padding, outputSize });
  }
  protected override repeat(size: number): number[] {
    return [size, size];
  }
}

/** Puts the maxima of MaxPool3d back where they were. */
export class MaxUnpool3d extends MaxUnpool {
  override forward(input: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    const { stride, padding } = this;
    return F.maxUnpool3d(input, indices, this.kernelSize, { stride, padding, outputSize });
  }
  protected override repeat(size: number): number[] {
    return [size, size, size];
  }
}
