/**
 * Rotation, affine maps and perspective with given parameters, one set per picture; equal to `torchvision.transforms.v2.functional` on
 * tensors. Every position of the result looks up where it comes from: a grid of coordinates, then one sampling operator.
 */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';
import { type Group, mapGroups, type PictureShape, pictureShape } from './blocks.js';

export interface WarpOptions {
  /** Default `nearest` for rotation and affine maps, `bilinear` for perspective. */
  readonly interpolation?: 'nearest' | 'bilinear';
  /** What comes from outside, in the pictures' units: a number or one per channel; default 0. `null` blends bilinear borders with black. */
  readonly fill?: number | readonly number[] | null;
}

/** Row-major 2 × 3: where a position of the result (pixels from the centre) comes from. */
export type InverseMatrix = readonly [number, number, number, number, number, number];

export interface AffineParameters {
  /** Degrees, clockwise. */
  readonly angle: number;
  /** Pixels right and down. */
  readonly translate: readonly [number, number];
  readonly scale: number;
  /** Degrees along x and y. */
  readonly shear: readonly [number, number];
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The inverse of centre · rotation · scale · shear · translation. @param center pixels from the picture's centre */
export function inverseAffineMatrix(parameters: AffineParameters, center: readonly [number, number]): InverseMatrix {
  const { angle, translate, scale, shear } = parameters;
  const turn = radians(angle);
  const [shearX, shearY] = [radians(shear[0]), radians(shear[1])];
  const a = Math.cos(turn - shearY) / Math.cos(shearY);
  const b = -(a * Math.tan(shearX) + Math.sin(turn));
  const c = Math.sin(turn - shearY) / Math.cos(shearY);
  const d = Math.cos(turn) - c * Math.tan(shearX);
  const [x, y] = [center[0] + translate[0], center[1] + translate[1]];
  const m = [d / scale, -b / scale, -c / scale, a / scale] as const;
  return [m[0], m[1], center[0] - m[0] * x - m[1] * y, m[2], m[3], center[1] - m[2] * x - m[3] * y];
}

/** Positions [1, height · width, 3]: x, y, 1. */
function basis(height: number, width: number, from: readonly [number, number], like: Tensor): Tensor {
  const options = { dtype: like.dtype, device: like.device };
  const base = torch.empty([1, height, width, 3], options);
  base.select(3, 0).copy_(torch.linspace(from[0], from[0] + width - 1, width, options));
  base.select(3, 1).copy_(torch.linspace(from[1], from[1] + height - 1, height, options).unsqueeze(1));
  base.select(3, 2).fill_(1);
  return base.view([1, height * width, 3]);
}

function affineGrid(matrices: readonly InverseMatrix[], height: number, width: number, like: Tensor): Tensor {
  const options = { dtype: like.dtype, device: like.device };
  const n = matrices.length;
  const theta = torch
    .tensor(matrices as unknown as number[][], options)
    .view([n, 2, 3])
    .transpose(1, 2);
  const scaled = theta.div(torch.tensor([0.5 * width, 0.5 * height], options));
  const base = basis(height, width, [(1 - width) * 0.5, (1 - height) * 0.5], like);
  return base.expand([n, -1, -1]).bmm(scaled).view([n, height, width, 2]);
}

/** Looks planes up at a grid, and fills what lies outside. In place. */
function sample(planes: Tensor, grid: Tensor, nearest: boolean, fill: WarpOptions['fill'], whole: boolean): void {
  const channels = planes.size(1);
  // Outside is black; nearest needs no more for a black fill.
  const masked = fill !== null && !(nearest && (fill === undefined || fill === 0));
  const source = masked ? torch.cat([planes, torch.onesLike(planes.narrow(1, 0, 1))], 1) : planes;
  let sampled = torch.ops.aten.grid_sampler(source, grid, nearest ? 1 : 0, 0, false);
  if (masked) {
    const mask = sampled.narrow(1, channels, 1);
    sampled = sampled.narrow(1, 0, channels);
    const list = typeof fill === 'number' ? [fill] : [...(fill ?? [0])];
    const colour = torch.tensor(list, { dtype: planes.dtype, device: planes.device }).view([1, -1, 1, 1]);
    if (nearest) sampled = torch.where(mask.lt(0.5), colour.expandAs(sampled), sampled);
    else sampled.sub_(colour).mul_(mask).add_(colour);
  }
  planes.copy_(sampled);
  if (whole) planes.round_();
}

function checkWarp(options: WarpOptions, shape: PictureShape, title: string): void {
  const { interpolation, fill } = options;
  if (interpolation !== undefined && interpolation !== 'nearest' && interpolation !== 'bilinear')
    throw new ArgumentError(
      `${title}: interpolation must be 'nearest' or 'bilinear', got ${JSON.stringify(interpolation)}.`,
    );
  const list = typeof fill === 'number' ? [fill] : (fill ?? [0]);
  if ((list.length !== 1 && list.length !== shape.channels) || !list.every(Number.isFinite))
    throw new ArgumentError(
      `${title}: fill must be a number or one for each of ${shape.channels} channels, got ${JSON.stringify(fill)}.`,
    );
}

/** A group of pictures that an affine map each is applied to. @param matrices by row of the batch */
export function warpGroup(
  images: Tensor,
  rows: readonly number[],
  matrices: (row: number) => InverseMatrix,
  options: WarpOptions,
): Group {
  const whole = images.dtype === 'uint8';
  return {
    rows,
    kernel: (planes, some) => {
      const [, , height, width] = planes.shape as [number, number, number, number];
      const grid = affineGrid(some.map(matrices), height, width, planes);
      sample(planes, grid, options.interpolation !== 'bilinear', options.fill, whole);
    },
  };
}

export interface CenteredWarpOptions extends WarpOptions {
  /** What stays in place: [x, y] in pixels from the top left corner; default the middle. */
  readonly center?: readonly [number, number];
}

const fromMiddle = (center: CenteredWarpOptions['center'], { width, height }: PictureShape): [number, number] =>
  center === undefined ? [0, 0] : [center[0] - width * 0.5, center[1] - height * 0.5];

/** Pictures turned, sheared, scaled and moved. @param parameters one set per picture */
export function affine(
  images: Tensor,
  parameters: readonly AffineParameters[],
  options: CenteredWarpOptions = {},
): Tensor {
  const shape = pictureShape(images, 'affine()');
  checkWarp(options, shape, 'affine()');
  if (parameters.length !== shape.count)
    throw new ArgumentError(
      `affine(): ${parameters.length} sets of parameters for ${shape.count} pictures; give one for each.`,
    );
  for (const [row, { scale }] of parameters.entries())
    if (!(scale > 0)) throw new ArgumentError(`affine(): scale must be above 0, got ${scale} for picture ${row}.`);
  const center = fromMiddle(options.center, shape);
  const matrices = parameters.map((set) => inverseAffineMatrix(set, center));
  const rows = matrices.map((_, row) => row);
  return mapGroups(images, shape, [warpGroup(images, rows, (row) => matrices[row] as InverseMatrix, options)]);
}

/** What turns each picture: copies for right angles about the middle, a warp for all others. */
export function rotationGroups(
  images: Tensor,
  shape: PictureShape,
  rows: readonly number[],
  angle: (row: number) => number,
  options: CenteredWarpOptions,
): Group[] {
  const groups: Group[] = [];
  const straight = new Map<number, number[]>();
  const others: number[] = [];
  const square = shape.height === shape.width;
  for (const row of rows) {
    const turns = (((angle(row) % 360) + 360) % 360) / 90;
    const quick = options.center === undefined && (turns === 0 || turns === 2 || (square && Number.isInteger(turns)));
    if (!quick) others.push(row);
    else straight.set(turns, [...(straight.get(turns) ?? []), row]);
  }
  for (const [turns, some] of straight)
    if (turns !== 0)
      groups.push({
        rows: some,
        kernel: (planes) => {
          planes.copy_(torch.rot90(planes, turns, [2, 3]));
        },
      });
  const center = fromMiddle(options.center, shape);
  const matrix = (row: number): InverseMatrix => {
    const turned = ((angle(row) % 360) + 360) % 360;
    return inverseAffineMatrix({ angle: -turned, translate: [0, 0], scale: 1, shear: [0, 0] }, center);
  };
  if (others.length > 0) groups.push(warpGroup(images, others, matrix, options));
  return groups;
}

/** Pictures turned counter-clockwise by degrees; their size stays. @param angles one per picture */
export function rotate(images: Tensor, angles: readonly number[], options: CenteredWarpOptions = {}): Tensor {
  const shape = pictureShape(images, 'rotate()');
  checkWarp(options, shape, 'rotate()');
  if (angles.length !== shape.count)
    throw new ArgumentError(`rotate(): ${angles.length} angles for ${shape.count} pictures; give one for each.`);
  const rows = angles.map((_, row) => row);
  return mapGroups(
    images,
    shape,
    rotationGroups(images, shape, rows, (row) => angles[row] as number, options),
  );
}

/** A point in pixels: x, y. */
export type Point = readonly [number, number];
/** Top left, top right, bottom right, bottom left. */
export type Corners = readonly [Point, Point, Point, Point];

/** The eight numbers that take `end` back to `start`: x' = (ax + by + c) / (gx + hy + 1), y' = (dx + ey + f) / (gx + hy + 1). */
export function perspectiveCoefficients(start: Corners, end: Corners): number[] {
  const rows: number[][] = [];
  for (const [i, [x, y]] of end.entries()) {
    const [u, v] = start[i] as Point;
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  }
  // Gauss and Jordan with pivots: 8 equations, 8 unknowns.
  for (let column = 0; column < 8; column++) {
    let best = column;
    for (let row = column + 1; row < 8; row++)
      if (Math.abs((rows[row] as number[])[column] as number) > Math.abs((rows[best] as number[])[column] as number))
        best = row;
    const pivot = rows[best] as number[];
    rows[best] = rows[column] as number[];
    rows[column] = pivot;
    const head = pivot[column] as number;
    if (Math.abs(head) < 1e-12)
      throw new ArgumentError(`perspective(): three of the corners ${JSON.stringify(end)} lie on one line.`);
    for (let k = column; k < 9; k++) pivot[k] = (pivot[k] as number) / head;
    for (let row = 0; row < 8; row++) {
      if (row === column) continue;
      const other = rows[row] as number[];
      const factor = other[column] as number;
      for (let k = column; k < 9; k++) other[k] = (other[k] as number) - factor * (pivot[k] as number);
    }
  }
  return rows.map((row) => row[8] as number);
}

/** What looks at some pictures from another side. @param coefficients by row of the batch */
export function perspectiveGroup(
  images: Tensor,
  rows: readonly number[],
  coefficients: (row: number) => readonly number[],
  options: WarpOptions,
): Group {
  const whole = images.dtype === 'uint8';
  return {
    rows,
    kernel: (planes, some) => {
      const [n, , height, width] = planes.shape as [number, number, number, number];
      const like = { dtype: planes.dtype, device: planes.device };
      const sets = some.map(coefficients);
      const over = torch.tensor(sets.map((c) => [c.slice(0, 3), c.slice(3, 6)]) as number[][][], like).transpose(1, 2);
      const under = torch
        .tensor(
          sets.map((c) => [
            [c[6], c[7], 1],
            [c[6], c[7], 1],
          ]) as number[][][],
          like,
        )
        .transpose(1, 2);
      const base = basis(height, width, [0.5, 0.5], planes).expand([n, -1, -1]);
      const scaled = over.div(torch.tensor([0.5 * width, 0.5 * height], like));
      const grid = base.bmm(scaled).div_(base.bmm(under)).sub_(1).view([n, height, width, 2]);
      sample(planes, grid, options.interpolation === 'nearest', options.fill, whole);
    },
  };
}

/** Pictures seen from another side. @param coefficients eight numbers per picture, of `perspectiveCoefficients` */
export function perspective(
  images: Tensor,
  coefficients: readonly (readonly number[])[],
  options: WarpOptions = {},
): Tensor {
  const shape = pictureShape(images, 'perspective()');
  checkWarp(options, shape, 'perspective()');
  if (coefficients.length !== shape.count || coefficients.some((c) => c.length !== 8))
    throw new ArgumentError(`perspective(): give eight coefficients for each of ${shape.count} pictures.`);
  const rows = coefficients.map((_, row) => row);
  return mapGroups(images, shape, [
    perspectiveGroup(images, rows, (row) => coefficients[row] as readonly number[], options),
  ]);
}
