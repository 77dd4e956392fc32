/** Cutting a rectangle from each picture and bringing all to one size. Equal to torchvision's `resized_crop` on tensors, bilinear. */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';
import { forBlocks, pictureShape } from './blocks.js';
import type { Box } from './crop.js';

export interface ResizedCropOptions {
  /** Smooth where a box is larger than the result, as image programs do; default true. */
  readonly antialias?: boolean;
}

let bytesResize: boolean | undefined;

/** Whether the engine resizes uint8 itself (from 2.1 on); older ones go through floats, as torchvision does there. */
function resizesBytes(): boolean {
  if (bytesResize === undefined)
    try {
      const tiny = torch.zeros([1, 1, 2, 2], { dtype: 'uint8' });
      torch.ops.aten._upsample_bilinear2d_aa(tiny, [3, 3], false);
      bytesResize = true;
    } catch {
      bytesResize = false;
    }
  return bytesResize;
}

function check(images: Tensor, boxes: readonly Box[]): void {
  const { count, height, width } = pictureShape(images, 'resizedCrop()');
  if (boxes.length !== count)
    throw new ArgumentError(`resizedCrop(): ${boxes.length} boxes for ${count} pictures; give one for each.`);
  for (const [row, box] of boxes.entries()) {
    const { top, left } = box;
    const whole = [top, left, box.height, box.width].every(Number.isInteger);
    if (
      !whole ||
      top < 0 ||
      left < 0 ||
      box.height < 1 ||
      box.width < 1 ||
      top + box.height > height ||
      left + box.width > width
    )
      throw new ArgumentError(
        `resizedCrop(): box ${row} (top ${top}, left ${left}, height ${box.height}, width ${box.width}) does not lie in a picture of ${height} × ${width}.`,
      );
  }
}

/** Picture by picture with the engine's own resizing: what is fastest on a CPU. */
function eachOfThem(
  images: Tensor,
  boxes: readonly Box[],
  [height, width]: readonly [number, number],
  antialias: boolean,
): Tensor {
  const channels = images.size(1);
  const channelsLast = !images.isContiguous() && images.isContiguous('channelsLast');
  const out = torch.empty([boxes.length, channels, height, width], {
    dtype: images.dtype,
    device: images.device,
    memoryFormat: channelsLast ? 'channelsLast' : 'contiguous',
  });
  const throughFloats = images.dtype === 'uint8' && !resizesBytes();
  const { aten } = torch.ops;
  const resize = antialias ? aten._upsample_bilinear2d_aa : aten.upsample_bilinear2d;
  forBlocks(images, { count: 1, channels, height: 8, width: 8 }, boxes.length, (start, end) => {
    for (let row = start; row < end; row++) {
      const box = boxes[row] as Box;
      let part = images.narrow(0, row, 1).narrow(2, box.top, box.height).narrow(3, box.left, box.width);
      const place = out.narrow(0, row, 1);
      if (box.height !== height || box.width !== width) {
        if (throughFloats) part = part.to('float32');
        part = resize(part, [height, width], false);
        if (throughFloats) part.round_();
      }
      place.copy_(part);
    }
  });
  return out;
}

/** Weights [N, out, in] that cut [start, start + length) from `size` pixels and resize it; a triangle filter, as the engine's. */
function weights(
  boxes: readonly { readonly start: number; readonly length: number }[],
  size: number,
  out: number,
  antialias: boolean,
  device: string,
): Tensor {
  const column = (values: readonly number[]): Tensor =>
    torch.tensor(values as number[], { dtype: 'float32', device }).view([-1, 1, 1]);
  const start = column(boxes.map((box) => box.start));
  const length = column(boxes.map((box) => box.length));
  const scale = column(boxes.map((box) => box.length / out));
  const support = antialias ? scale.clampMin(1) : torch.onesLike(scale);
  const half = torch.arange(out, { dtype: 'float32', device }).add(0.5).view([1, -1, 1]);
  const pixel = torch.arange(size, { dtype: 'float32', device }).view([1, 1, -1]).sub(start);
  let center = half.mul(scale);
  // Without smoothing the two neighbours count, and positions beyond the border are the border's.
  if (!antialias) center = torch.minimum(center.clampMin(0.5), length.sub(0.5));
  const triangle = pixel.sub(center).add_(0.5).div_(support).abs_().neg_().add_(1).clampMin_(0);
  triangle.mul_(pixel.ge(0).logicalAnd(pixel.lt(length)));
  return triangle.div_(triangle.sum([2], { keepdim: true }));
}

/** As products with a matrix of weights for each picture: few calls for a whole batch, for accelerators. @internal */
export function resizedCropByWeights(
  images: Tensor,
  boxes: readonly Box[],
  [height, width]: readonly [number, number],
  antialias: boolean,
): Tensor {
  return torch.scope(() => {
    const [, , imageHeight, imageWidth] = images.shape as [number, number, number, number];
    const rows = boxes.map((box) => ({ start: box.top, length: box.height }));
    const columns = boxes.map((box) => ({ start: box.left, length: box.width }));
    const down = weights(rows, imageHeight, height, antialias, images.device).unsqueeze(1);
    const across = weights(columns, imageWidth, width, antialias, images.device).unsqueeze(1);
    const floats = images.to('float32');
    const result = torch.matmul(torch.matmul(down, floats), across.transpose(2, 3));
    if (images.dtype === 'uint8') result.round_().clamp_(0, 255);
    const last = !images.isContiguous() && images.isContiguous('channelsLast');
    return result.to({ dtype: images.dtype, memoryFormat: last ? 'channelsLast' : 'contiguous' });
  });
}

/**
 * A rectangle of each picture, resized: [N, C, height, width].
 * @param boxes one per picture
 * @param size height and width of the result
 */
export function resizedCrop(
  images: Tensor,
  boxes: readonly Box[],
  size: readonly [number, number],
  options: ResizedCropOptions = {},
): Tensor {
  const { antialias = true } = options;
  check(images, boxes);
  if (!size.every((x) => Number.isInteger(x) && x > 0))
    throw new ArgumentError(`resizedCrop(): size must be a height and a width in pixels, got [${size.join(', ')}].`);
  return images.device.startsWith('cpu')
    ? eachOfThem(images, boxes, size, antialias)
    : resizedCropByWeights(images, boxes, size, antialias);
}
