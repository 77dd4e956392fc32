/** Layers that rearrange, resize and pad. Source: https://docs.pytorch.org/docs/stable/nn.html#vision-layers */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { fold, unfold } from '../functional-pooling.js';
import * as F from '../functional-vision.js';
import { Module } from '../module.js';
import { float, numbers, quoted, tuple } from '../module-print.js';
import { expandSize, type Size } from '../operators.js';

/** Makes one dimension of several; all but the batch unless said otherwise. */
export class Flatten extends Module {
  constructor(
    readonly startDim = 1,
    readonly endDim = -1,
  ) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return input.flatten(this.startDim, this.endDim);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Makes several dimensions of one. */
export class Unflatten extends Module {
  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super();
    if (!Array.isArray(unflattenedSize))
      throw new ArgumentError(
        'Unflatten: the sizes must be an array of whole numbers, e.g. new nn.Unflatten(1, [2, 5]).',
      );
  }
  override forward(input: Tensor): Tensor {
    return input.unflatten(this.dim, this.unflattenedSize);
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${tuple(this.unflattenedSize)}`;
  }
}

/** Resizes [batch, channels, …] to a size or by a factor; see `F.interpolate`. */
export class Upsample extends Module {
  readonly size: Size | undefined;
  readonly scaleFactor: Size | undefined;
  readonly mode: F.InterpolationMode;
  readonly alignCorners: boolean | undefined;
  readonly recomputeScaleFactor: boolean | undefined;

  constructor(options: Omit<F.InterpolateOptions, 'antialias'>) {
    super();
    this.size = options.size;
    this.scaleFactor = options.scaleFactor;
    this.mode = options.mode ?? 'nearest';
    this.alignCorners = options.alignCorners;
    this.recomputeScaleFactor = options.recomputeScaleFactor;
  }
  override forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return F.interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }
  override extraRepr(): string {
    const { size, scaleFactor } = this;
    const factors =
      typeof scaleFactor === 'object' ? `(${scaleFactor.map(float).join(', ')})` : float(scaleFactor ?? 1);
    const info =
      scaleFactor !== undefined ? `scale_factor=${factors}` : `size=${size === undefined ? 'None' : numbers(size)}`;
    return `${info}, mode=${quoted(this.mode)}`;
  }
}

/** [batch, channels · r², height, width] → [batch, channels, height · r, width · r]. Source: Shi et al. 2016. */
export class PixelShuffle extends Module {
  constructor(readonly upscaleFactor: number) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return F.pixelShuffle(input, this.upscaleFactor);
  }
  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** The reverse of PixelShuffle. */
export class PixelUnshuffle extends Module {
  constructor(readonly downscaleFactor: number) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return F.pixelUnshuffle(input, this.downscaleFactor);
  }
  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** Mixes the channels of groups. Source: Zhang et al. 2018, ShuffleNet. */
export class ChannelShuffle extends Module {
  constructor(readonly groups: number) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return F.channelShuffle(input, this.groups);
  }
  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}

export interface WindowOptions {
  readonly dilation?: Size;
  readonly padding?: Size;
  readonly stride?: Size;
}

/** Columns of the windows of a picture: [batch, channels, height, width] → [batch, channels · kernel, windows]. */
export class Unfold extends Module {
  constructor(
    readonly kernelSize: Size,
    private readonly options: WindowOptions = {},
  ) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return unfold(input, this.kernelSize, this.options);
  }
  override extraRepr(): string {
    const { dilation = 1, padding = 0, stride = 1 } = this.options;
    return `kernel_size=${numbers(this.kernelSize)}, dilation=${numbers(dilation)}, padding=${numbers(padding)}, stride=${numbers(stride)}`;
  }
}

/** Sums windows back into a picture. */
export class Fold extends Module {
  constructor(
    readonly outputSize: Size,
    readonly kernelSize: Size,
    private readonly options: WindowOptions = {},
  ) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return fold(input, this.outputSize, this.kernelSize, this.options);
  }
  override extraRepr(): string {
    const { dilation = 1, padding = 0, stride = 1 } = this.options;
    return `output_size=${numbers(this.outputSize)}, kernel_size=${numbers(this.kernelSize)}, dilation=${numbers(dilation)}, padding=${numbers(padding)}, stride=${numbers(stride)}`;
  }
}

/** What the padding layers share: one size, or one per side from the last dimension on. */
abstract class Pad extends Module {
  readonly padding: readonly number[];

  constructor(
    padding: Size,
    dimensions: number,
    private readonly mode: F.PaddingMode,
    readonly value?: number,
  ) {
    super();
    this.padding = expandSize(padding, 2 * dimensions);
    if (this.padding.length !== 2 * dimensions)
      throw new ArgumentError(
        `${new.target.name}: the padding must be one number or ${2 * dimensions}, got [${this.padding.join(', ')}].`,
      );
  }
  override forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, { mode: this.mode, value: this.value });
  }
  override extraRepr(): string {
    return tuple(this.padding);
  }
}

/** Pads with a value. */
abstract class ConstantPad extends Pad {
  override extraRepr(): string {
    const { value = 0 } = this;
    return `padding=${tuple(this.padding)}, value=${Number.isInteger(value) ? value : float(value)}`;
  }
}

/** Pads with a value: padding [left, right]. */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Size, value: number) {
    super(padding, 1, 'constant', value);
  }
}
/** Pads with a value: padding [left, right, top, bottom]. */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Size, value: number) {
    super(padding, 2, 'constant', value);
  }
}
/** Pads with a value: padding [left, right, top, bottom, front, back]. */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Size, value: number) {
    super(padding, 3, 'constant', value);
  }
}
/** Pads with zeros: padding [left, right]. */
export class ZeroPad1d extends Pad {
  constructor(padding: Size) {
    super(padding, 1, 'constant', 0);
  }
}
/** Pads with zeros: padding [left, right, top, bottom]. */
export class ZeroPad2d extends Pad {
  constructor(padding: Size) {
    super(padding, 2, 'constant', 0);
  }
}
/** Pads with zeros: padding [left, right, top, bottom, front, back]. */
export class ZeroPad3d extends Pad {
  constructor(padding: Size) {
    super(padding, 3, 'constant', 0);
  }
}
/** Pads with the input mirrored at its border. */
export class ReflectionPad1d extends Pad {
  constructor(padding: Size) {
    super(padding, 1, 'reflect');
  }
}
/** Pads with the input mirrored at its border. */
export class ReflectionPad2d extends Pad {
  constructor(padding: Size) {
    super(padding, 2, 'reflect');
  }
}
/** Pads with the input mirrored at its border. */
export class ReflectionPad3d extends Pad {
  constructor(padding: Size) {
    super(padding, 3, 'reflect');
  }
}
/** Pads with the input's border repeated. */
export class ReplicationPad1d extends Pad {
  constructor(padding: Size) {
    super(padding, 1, 'replicate');
  }
}
/** Pads with the input's border repeated. */
export class ReplicationPad2d extends Pad {
  constructor(padding: Size) {
    super(padding, 2, 'replicate');
  }
}
/** Pads with the input's border repeated. */
export class ReplicationPad3d extends Pad {
  constructor(padding: Size) {
    super(padding, 3, 'replicate');
  }
}
/** Pads with the input's other end. */
export class CircularPad1d extends Pad {
  constructor(padding: Size) {
    super(padding, 1, 'circular');
  }
}
/** Pads with the input's other end. */
export class CircularPad2d extends Pad {
  constructor(padding: Size) {
    super(padding, 2, 'circular');
  }
}
/** Pads with the input's other end. */
export class CircularPad3d extends Pad {
  constructor(padding: Size) {
    super(padding, 3, 'circular');
  }
}
