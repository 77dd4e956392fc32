/** What changes floats, erases and mixes, with given parameters. */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';
import type { ChannelStatistics } from '../../types.js';
import { forBlocks, pictureShape } from './blocks.js';
import type { Box } from './crop.js';

/** Values as y = x · scale + shift per channel, uint8 or floats in, float32 out. One pass over blocks that fit the cache. */
function affine(images: Tensor, scale: readonly number[], shift: readonly number[], title: string): Tensor {
  const shape = pictureShape(images, title);
  const { count, channels, height, width } = shape;
  const dtype = images.dtype === 'uint8' ? 'float32' : images.dtype;
  const last = !images.isContiguous() && images.isContiguous('channelsLast');
  const source = last ? images.permute([0, 2, 3, 1]) : images.contiguous();
  const data = torch.empty(source.shape, { dtype, device: images.device });
  const options = { dtype, device: images.device } as const;
  // Where channels come last, a row of W · C numbers is one run with the factors repeated W times: runs of 3 would not vectorise.
  const [rows, factors, shifts] = last
    ? [[count, height, width * channels], [width * channels], torch.tensor(shift as number[], options).repeat([width])]
    : [[count, channels, height * width], [channels, 1], torch.tensor(shift as number[], options).view([channels, 1])];
  const scales = last
    ? torch.tensor(scale as number[], options).repeat([width])
    : torch.tensor(scale as number[], options).view(factors as number[]);
  const from = source.view(rows as number[]);
  const to = data.view(rows as number[]);
  forBlocks(images, shape, count, (start, end) => {
    const part = to.narrow(0, start, end - start);
    part
      .copy_(from.narrow(0, start, end - start))
      .mul_(scales)
      .add_(shifts);
  });
  return last ? data.permute([0, 3, 1, 2]) : data;
}

/** uint8 0…255 to float32 0…1; floats stay as they are. */
export function toFloatPictures(images: Tensor): Tensor {
  const shape = pictureShape(images, 'toFloat()');
  if (images.dtype !== 'uint8') return images;
  const out = torch.emptyLike(images, { dtype: 'float32' });
  forBlocks(images, shape, shape.count, (start, end) => {
    out
      .narrow(0, start, end - start)
      .copy_(images.narrow(0, start, end - start))
      .mul_(1 / 255);
  });
  return out;
}

/** (pictures − mean) / deviation per channel, of floats in 0…1, or of uint8 as if they had been divided by 255. Result: floats. */
export function normalizePictures(images: Tensor, statistics: ChannelStatistics): Tensor {
  const { channels } = pictureShape(images, 'normalize()');
  const { mean, std } = statistics;
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const)
    if (list.length !== channels || !list.every(Number.isFinite))
      throw new ArgumentError(
        `normalize(): ${name} must have one number for each of ${channels} channels, got [${list.join(', ')}].`,
      );
  if (std.some((x) => x <= 0)) throw new ArgumentError(`normalize(): std must be above 0, got [${std.join(', ')}].`);
  const unit = images.dtype === 'uint8' ? 1 / 255 : 1;
  return affine(
    images,
    std.map((x) => unit / x),
    mean.map((x, c) => -x / (std[c] as number)),
    'normalize()',
  );
}

/** The pictures with a box of each filled; null leaves a picture as it is. @param values what to fill with: [C] or [C, height, width] per box */
export function erase(images: Tensor, boxes: readonly (Box | null)[], values: readonly Tensor[] | Tensor): Tensor {
  const { count, channels } = pictureShape(images, 'erase()');
  if (boxes.length !== count)
    throw new ArgumentError(`erase(): ${boxes.length} boxes for ${count} pictures; give one for each.`);
  const out = images.clone();
  torch.scope(() => {
    for (const [row, box] of boxes.entries()) {
      if (box === null) continue;
      const value = Array.isArray(values) ? (values[row] as Tensor) : (values as Tensor);
      const place = out.select(0, row).narrow(1, box.top, box.height).narrow(2, box.left, box.width);
      place.copy_(value.ndim === 1 ? value.view([channels, 1, 1]) : value);
    }
  });
  return out;
}

/** Labels [N] as float32 [N, classes]; what is already [N, classes] becomes floats. @throws ArgumentError when classes do not fit */
export function softTargets(target: Tensor, classes: number, title: string): Tensor {
  if (target.ndim === 2) {
    if (target.size(1) !== classes)
      throw new ArgumentError(`${title}: targets have ${target.size(1)} columns, but there are ${classes} classes.`);
    return target.to('float32');
  }
  if (target.ndim !== 1 || target.isFloatingPoint())
    throw new ArgumentError(
      `${title}: targets must be whole-numbered labels [N] or [N, classes], got ${target.dtype} [${target.shape.join(', ')}].`,
    );
  return torch.scope(() => {
    const soft = torch.zeros([target.size(0), classes], { device: target.device });
    return soft.scatter_(1, target.to('int64').unsqueeze(1), 1);
  });
}

/** weight · x + (1 − weight) · partner's x. @param partners row of each picture's partner @param weights of the picture itself, 0…1 */
export function blendRows(x: Tensor, partners: Tensor, weights: readonly number[]): Tensor {
  return torch.scope(() => {
    const shape = [-1, ...new Array<number>(x.ndim - 1).fill(1)];
    const column = (list: readonly number[]): Tensor =>
      torch.tensor(list as number[], { dtype: x.dtype, device: x.device }).view(shape);
    return x
      .indexSelect(0, partners)
      .mul_(column(weights.map((w) => 1 - w)))
      .add_(x.mul(column(weights)));
  });
}

/** The pictures with a box of each taken from its partner; null leaves a picture as it is. */
export function pasteRows(images: Tensor, partners: readonly number[], boxes: readonly (Box | null)[]): Tensor {
  const out = images.clone();
  torch.scope(() => {
    for (const [row, box] of boxes.entries()) {
      if (box === null || box.height < 1 || box.width < 1) continue;
      const part = (x: Tensor, at: number): Tensor =>
        x.select(0, at).narrow(1, box.top, box.height).narrow(2, box.left, box.width);
      part(out, row).copy_(part(images, partners[row] as number));
    }
  });
  return out;
}
