/** Padding, resizing and rearranging of pictures. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#vision-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './functional-pooling.js';
import { expandSize, operator, type Size } from './operators.js';

const ops = {
  pad: operator('pad'),
  pixelShuffle: operator('pixel_shuffle'),
  pixelUnshuffle: operator('pixel_unshuffle'),
  gridSampler: operator('grid_sampler'),
  affineGrid: operator('affine_grid_generator'),
};

export type PaddingMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** Pads from the last dimension on: `[left, right, top, bottom, …]`; negative numbers cut. */
export function pad(
  input: Tensor,
  padding: readonly number[],
  options: { readonly mode?: PaddingMode; readonly value?: number } = {},
): Tensor {
  const { mode = 'constant', value } = options;
  return ops.pad(input, padding, mode, value ?? null);
}

export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

export interface InterpolateOptions {
  /** Size of the result's last dimensions; or give `scaleFactor`. */
  readonly size?: Size;
  readonly scaleFactor?: Size;
  /** Default `nearest`. `linear` is for 3 dimensions, `bilinear` and `bicubic` for 4, `trilinear` for 5. */
  readonly mode?: InterpolationMode;
  /** Corner pixels of input and output lie on each other; default false. */
  readonly alignCorners?: boolean;
  /** Take the scale from the rounded size instead of from `scaleFactor`. */
  readonly recomputeScaleFactor?: boolean;
  /** Smooth before shrinking, as image programs do; `bilinear` and `bicubic` only. */
  readonly antialias?: boolean;
}

type Resize = (input: Tensor, size: number[] | null, scales: number[] | null) => Tensor;

/** The operator for a mode and a number of dimensions. */
function resizer(mode: InterpolationMode, dimensions: number, align: boolean, antialias: boolean): Resize | undefined {
  const { aten } = torch.ops;
  switch (`${mode}${dimensions}${antialias ? 'aa' : ''}`) {
    case 'nearest1':
      return (x, size, scales) => aten.upsample_nearest1d.vec(x, size, scales);
    case 'nearest2':
      return (x, size, scales) => aten.upsample_nearest2d.vec(x, size, scales);
    case 'nearest3':
      return (x, size, scales) => aten.upsample_nearest3d.vec(x, size, scales);
    case 'nearest-exact1':
      return (x, size, scales) => aten._upsample_nearest_exact1d.vec(x, size, scales);
    case 'nearest-exact2':
      return (x, size, scales) => aten._upsample_nearest_exact2d.vec(x, size, scales);
    case 'nearest-exact3':
      return (x, size, scales) => aten._upsample_nearest_exact3d.vec(x, size, scales);
    case 'linear1':
      return (x, size, scales) => aten.upsample_linear1d.vec(x, size, align, scales);
    case 'bilinear2':
      return (x, size, scales) => aten.upsample_bilinear2d.vec(x, size, align, scales);
    case 'trilinear3':
      return (x, size, scales) => aten.upsample_trilinear3d.vec(x, size, align, scales);
    case 'bicubic2':
      return (x, size, scales) => aten.upsample_bicubic2d.vec(x, size, align, scales);
    case 'bilinear2aa':
      return (x, size, scales) => aten._upsample_bilinear2d_aa.vec(x, size, align, scales);
    case 'bicubic2aa':
      return (x, size, scales) => aten._upsample_bicubic2d_aa.vec(x, size, align, scales);
    case 'area1':
      return (x, size) => adaptiveAvgPool1d(x, (size as number[])[0] as number);
    case 'area2':
      return (x, size) => adaptiveAvgPool2d(x, size as number[]);
    case 'area3':
      return (x, size) => adaptiveAvgPool3d(x, size as number[]);
    default:
      return undefined;
  }
}

/** Resizes: input [batch, channels, length], [batch, channels, height, width] or [batch, channels, depth, height, width]. */
export function interpolate(input: Tensor, options: InterpolateOptions): Tensor {
  const { size, scaleFactor, mode = 'nearest', alignCorners, antialias = false } = options;
  const dimensions = input.ndim - 2;
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ArgumentError('interpolate(): give either size or scaleFactor.');
  if (alignCorners !== undefined && (mode === 'nearest' || mode === 'nearest-exact' || mode === 'area'))
    throw new ArgumentError(`interpolate(): alignCorners has no meaning for mode '${mode}'.`);
  for (const given of [size, scaleFactor])
    if (typeof given === 'object' && given.length !== dimensions)
      throw new ArgumentError(
        `interpolate(): an input of shape [${input.shape.join(', ')}] has ${dimensions} dimensions to resize, but ${given.length} sizes were given.`,
      );
  const resize = resizer(mode, dimensions, alignCorners ?? false, antialias);
  if (resize === undefined)
    throw new ArgumentError(
      `interpolate(): mode '${mode}'${antialias ? ' with antialias' : ''} does not fit an input of ${input.ndim} dimensions.`,
    );
  let sizes = size === undefined ? null : expandSize(size, dimensions);
  let scales = scaleFactor === undefined ? null : expandSize(scaleFactor, dimensions);
  if (scales !== null && (options.recomputeScaleFactor === true || mode === 'area')) {
    const factors = scales;
    sizes = factors.map((scale, i) => Math.floor(input.size(i + 2) * scale));
    scales = null;
  }
  return resize(input, sizes, scales);
}

/** [batch, channels · r², height, width] → [batch, channels, height · r, width · r]. Source: Shi et al. 2016. */
export function pixelShuffle(input: Tensor, upscaleFactor: number): Tensor {
  return ops.pixelShuffle(input, upscaleFactor);
}

/** The reverse of `pixelShuffle`. */
export function pixelUnshuffle(input: Tensor, downscaleFactor: number): Tensor {
  return ops.pixelUnshuffle(input, downscaleFactor);
}

/** Mixes the channels of groups. Source: Zhang et al. 2018, ShuffleNet. */
export function channelShuffle(input: Tensor, groups: number): Tensor {
  const [batch, channels, ...rest] = input.shape;
  if (batch === undefined || channels === undefined || rest.length === 0 || channels % groups !== 0)
    throw new ArgumentError(
      `channelShuffle(): the channels of an input [batch, channels, …] must be divisible into ${groups} groups, got shape [${input.shape.join(', ')}].`,
    );
  // Composed: the operator has no gradient in engines before 2.0.
  return input
    .reshape([batch, groups, channels / groups, ...rest])
    .transpose(1, 2)
    .reshape(input.shape);
}

export interface GridSampleOptions {
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic';
  readonly paddingMode?: 'zeros' | 'border' | 'reflection';
  readonly alignCorners?: boolean;
}

/** Samples a picture at the points of a grid [batch, height, width, 2] of coordinates in [−1, 1]. */
export function gridSample(input: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  const modeCode = ['bilinear', 'nearest', 'bicubic'].indexOf(mode);
  const paddingCode = ['zeros', 'border', 'reflection'].indexOf(paddingMode);
  if (modeCode < 0) throw new ArgumentError(`gridSample(): mode must be bilinear, nearest or bicubic, got '${mode}'.`);
  if (paddingCode < 0)
    throw new ArgumentError(`gridSample(): paddingMode must be zeros, border or reflection, got '${paddingMode}'.`);
  return ops.gridSampler(input, grid, modeCode, paddingCode, alignCorners);
}

/** A grid for `gridSample` from affine maps [batch, 2, 3], for a result of `size` [batch, channels, height, width]. */
export function affineGrid(
  theta: Tensor,
  size: readonly number[],
  options: { readonly alignCorners?: boolean } = {},
): Tensor {
  return ops.affineGrid(theta, size, options.alignCorners ?? false);
}
