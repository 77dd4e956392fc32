/**
 * Batches of pictures as operators see them, and how to walk them. Colour operators touch every value many times; on a CPU that is
 * several times faster on a few pictures at once, which fit the cache, than on the whole batch, which does not.
 */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';

/** Size of a batch of pictures. */
export interface PictureShape {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The shape of a batch of pictures. @throws ArgumentError when it is not [N, C, H, W] of uint8 or of floats */
export function pictureShape(images: Tensor, title: string): PictureShape {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  if (images.ndim !== 4)
    throw new ArgumentError(
      `${title}: pictures must be [N, C, H, W], got a tensor of shape [${images.shape.join(', ')}].`,
    );
  if (images.dtype !== 'uint8' && !images.isFloatingPoint())
    throw new ArgumentError(`${title}: pictures must be uint8, or floats in 0…1; got ${images.dtype}.`);
  return { count, channels, height, width };
}

/** As `pictureShape`, for operators on colours. @throws ArgumentError when there are neither 1 nor 3 channels */
export function colourShape(images: Tensor, title: string): PictureShape {
  const shape = pictureShape(images, title);
  if (shape.channels !== 1 && shape.channels !== 3)
    throw new ArgumentError(`${title}: pictures must have 1 or 3 channels, got ${shape.channels}.`);
  return shape;
}

/** The greatest value of a channel: 255 for uint8, 1 for floats. */
export const bound = (images: Tensor): number => (images.dtype === 'uint8' ? 255 : 1);

/** Values in one block on a CPU: small enough for its caches, large enough that the calls themselves cost little. */
const blockValues = 8 * 3 * 128 * 128;

/** How many pictures to take at once. */
function blockSize(images: Tensor, { count, channels, height, width }: PictureShape): number {
  if (!images.device.startsWith('cpu')) return Math.max(1, count);
  return Math.max(1, Math.floor(blockValues / Math.max(1, channels * height * width)));
}

/** Calls `visit` with consecutive ranges of 0…count − 1; tensors made in it are freed after each. */
export function forBlocks(
  images: Tensor,
  shape: PictureShape,
  count: number,
  visit: (start: number, end: number) => void,
): void {
  const size = blockSize(images, shape);
  for (let start = 0; start < count; start += size)
    torch.scope(() => {
      visit(start, Math.min(count, start + size));
    });
}

/** Pictures as they lie in memory: rows of [H, W, C] where channels come last, else of [C, H, W]. */
interface Rows {
  readonly data: Tensor;
  readonly channelsLast: boolean;
}

function rowsOf(images: Tensor): Rows {
  if (images.isContiguous()) return { data: images, channelsLast: false };
  if (images.isContiguous('channelsLast')) return { data: images.permute([0, 2, 3, 1]), channelsLast: true };
  return { data: images.contiguous(), channelsLast: false };
}

/** An int64 tensor of positions on a device. */
export const positions = (rows: readonly number[], device: string): Tensor =>
  torch.tensor(rows as number[], { dtype: 'int64', device });

/** One number per picture as [N, 1, 1, 1]. */
export function perPicture(values: readonly number[], like: Tensor, dtype = like.dtype): Tensor {
  return torch.tensor(values as number[], { dtype, device: like.device }).view([-1, 1, 1, 1]);
}

const isRange = (rows: readonly number[]): boolean => rows.every((row, i) => row === (rows[0] as number) + i);

/** Some pictures, copied, as floats in planes [n, C, H, W]; uint8 keeps its units of 0…255. */
function load({ data, channelsLast }: Rows, rows: readonly number[]): Tensor {
  const some = isRange(rows)
    ? data.narrow(0, rows[0] as number, rows.length)
    : data.indexSelect(0, positions(rows, data.device));
  // Bytes are cheaper to put in order than floats.
  const planes = channelsLast ? some.permute([0, 3, 1, 2]).contiguous() : some;
  return planes.to(data.dtype === 'uint8' ? 'float32' : data.dtype, { copy: true });
}

/** Puts planes into place; for uint8 they hold whole numbers of 0…255. */
function store(out: Tensor, rows: readonly number[], planes: Tensor): void {
  const done = out.dtype === 'uint8' && planes.dtype === 'float32' ? toBytes(planes) : planes;
  if (isRange(rows)) out.narrow(0, rows[0] as number, rows.length).copy_(done);
  else out.indexCopy_(0, positions(rows, out.device), done);
}

/** Casting by way of int8, which the engine vectorises on CPUs; its cast to uint8 takes three times as long. */
function toBytes(planes: Tensor): Tensor {
  return torch.ops.aten.view.dtype(planes.sub_(128).to('int8'), 'uint8').bitwiseXor_(128);
}

/** Changes planes [n, C, H, W] of floats in place; `rows` says which pictures of the batch they are. */
export type PlaneKernel = (planes: Tensor, rows: readonly number[]) => void;

/** A group of pictures and what is done to them. */
export interface Group {
  readonly rows: readonly number[];
  readonly kernel: PlaneKernel;
}

/**
 * Pictures with kernels applied to groups of them; pictures in no group stay as they are. The type is kept; the memory format becomes
 * contiguous, since what works on colours works on planes, and going back would cost as much as the work itself.
 */
export function mapGroups(images: Tensor, shape: PictureShape, groups: readonly Group[]): Tensor {
  const touched = groups.reduce((sum, group) => sum + group.rows.length, 0);
  const source = rowsOf(images);
  const out =
    touched === shape.count
      ? torch.empty(images.shape, { dtype: images.dtype, device: images.device })
      : images.clone({ memoryFormat: 'contiguous' });
  for (const { rows, kernel } of groups)
    forBlocks(images, shape, rows.length, (start, end) => {
      const some = rows.slice(start, end);
      const planes = load(source, some);
      kernel(planes, some);
      store(out, some, planes);
    });
  return out;
}

/** `mapGroups` for all pictures. */
export function mapPlanes(images: Tensor, shape: PictureShape, kernel: PlaneKernel): Tensor {
  return mapGroups(images, shape, [{ rows: Array.from({ length: shape.count }, (_, i) => i), kernel }]);
}

/** One number for all pictures, or one for each. */
export type PerPicture = number | readonly number[] | Tensor;

/** One number per picture. @throws ArgumentError when there are as many numbers as pictures nor one */
export function numbersFor(
  values: PerPicture,
  count: number,
  title: string,
  check?: (value: number) => string | null,
): number[] {
  let list: number[];
  if (typeof values === 'number') list = new Array<number>(count).fill(values);
  else if (Array.isArray(values)) list = [...(values as readonly number[])];
  else {
    const tensor = values as Tensor;
    list =
      tensor.ndim === 0
        ? new Array<number>(count).fill(tensor.item() as number)
        : (tensor.flatten().toArray() as number[]);
  }
  if (list.length !== count)
    throw new ArgumentError(`${title}: ${list.length} numbers for ${count} pictures; give one for each.`);
  for (const [row, value] of list.entries()) {
    const problem = Number.isFinite(value) ? (check?.(value) ?? null) : 'is not a finite number';
    if (problem !== null) throw new ArgumentError(`${title}: ${value} (picture ${row}) ${problem}.`);
  }
  return list;
}
