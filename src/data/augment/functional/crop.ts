/**
 * Cutting, resizing and mirroring with given parameters, one set per picture; equal to `torchvision.transforms.v2.functional` on tensors.
 * Source: https://docs.pytorch.org/vision/stable/transforms.html#functionals
 */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';
import { forBlocks, pictureShape, positions } from './blocks.js';

/** A rectangle in pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Mirrors some pictures: `dim` −1 left and right, −2 top and bottom. @param rows which pictures; default all */
function flip(images: Tensor, dim: -1 | -2, rows: readonly number[] | undefined, title: string): Tensor {
  const { count } = pictureShape(images, title);
  if (rows === undefined || rows.length === count) return images.flip([dim]);
  const out = images.clone();
  if (rows.length === 0) return out;
  torch.scope(() => {
    if (!images.device.startsWith('cpu')) {
      const index = positions(rows, images.device);
      out.indexCopy_(0, index, images.indexSelect(0, index).flip([dim]));
    } else for (const row of rows) out.narrow(0, row, 1).copy_(images.narrow(0, row, 1).flip([dim]));
  });
  return out;
}

/** Pictures [N, C, H, W] mirrored left and right. @param rows which of them; default all */
export const horizontalFlip = (images: Tensor, rows?: readonly number[]): Tensor =>
  flip(images, -1, rows, 'horizontalFlip()');

/** Pictures [N, C, H, W] mirrored top and bottom. @param rows which of them; default all */
export const verticalFlip = (images: Tensor, rows?: readonly number[]): Tensor =>
  flip(images, -2, rows, 'verticalFlip()');

function checkBoxes(boxes: readonly Box[], count: number, height: number, width: number, title: string): void {
  if (boxes.length !== count)
    throw new ArgumentError(`${title}: ${boxes.length} boxes for ${count} pictures; give one for each.`);
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
        `${title}: box ${row} (top ${top}, left ${left}, height ${box.height}, width ${box.width}) does not lie in a picture of ${height} × ${width}.`,
      );
  }
}

/** An empty batch of pictures like another, in the same memory format. */
function emptyPictures(images: Tensor, height: number, width: number, dtype = images.dtype): Tensor {
  const [count, channels] = images.shape as [number, number];
  const last = !images.isContiguous() && images.isContiguous('channelsLast');
  return torch.empty([count, channels, height, width], {
    dtype,
    device: images.device,
    memoryFormat: last ? 'channelsLast' : 'contiguous',
  });
}

/** The box of each picture, all boxes of one size: [N, C, height, width]. */
export function crop(images: Tensor, boxes: readonly Box[]): Tensor {
  const { count, height, width } = pictureShape(images, 'crop()');
  checkBoxes(boxes, count, height, width, 'crop()');
  const size = boxes[0] ?? { height, width };
  if (boxes.some((box) => box.height !== size.height || box.width !== size.width))
    throw new ArgumentError('crop(): all boxes must have one height and width; resizedCrop() takes different ones.');
  const out = emptyPictures(images, size.height, size.width);
  forBlocks(images, { count: 1, channels: 1, height: 1, width: 1 }, count, (start, end) => {
    for (let row = start; row < end; row++) {
      const { top, left } = boxes[row] as Box;
      out.select(0, row).copy_(images.select(0, row).narrow(1, top, size.height).narrow(2, left, size.width));
    }
  });
  return out;
}

const paddingModes = ['constant', 'edge', 'reflect', 'symmetric'] as const;
/** `edge` repeats the border's pixels, `reflect` mirrors without them, `symmetric` with them. */
export type PicturePadding = (typeof paddingModes)[number];

export interface PadOptions {
  /** Default `constant`. */
  readonly mode?: PicturePadding;
  /** For `constant`, in the picture's units; default 0. */
  readonly fill?: number;
}

/** Where each padded position takes its pixel from; null: from outside. */
function paddedPositions(size: number, before: number, after: number, mode: PicturePadding): number[] {
  return Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before;
    if (mode === 'edge') return Math.min(size - 1, Math.max(0, at));
    if (mode === 'reflect') return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
    return at < 0 ? -at - 1 : at >= size ? 2 * size - 1 - at : at;
  });
}

/** Pictures with a border. @param padding pixels left, top, right, bottom (torchvision's order), or one number for all */
export function pad(
  images: Tensor,
  padding: number | readonly [number, number, number, number],
  options: PadOptions = {},
): Tensor {
  const { mode = 'constant', fill = 0 } = options;
  const { height, width } = pictureShape(images, 'pad()');
  const [left, top, right, bottom] = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  if (![left, top, right, bottom].every((x) => Number.isInteger(x) && x >= 0))
    throw new ArgumentError(`pad(): padding must be whole numbers of pixels, got ${JSON.stringify(padding)}.`);
  if (!paddingModes.includes(mode))
    throw new ArgumentError(`pad(): mode must be one of ${paddingModes.join(', ')}, got '${mode}'.`);
  const most = {
    constant: Infinity,
    edge: Infinity,
    reflect: Math.min(height, width) - 1,
    symmetric: Math.min(height, width),
  }[mode];
  if (Math.max(left, top, right, bottom) > most)
    throw new ArgumentError(`pad(): ${mode} can pad a picture of ${height} × ${width} by at most ${most} pixels.`);
  if (mode === 'constant') {
    const out = emptyPictures(images, top + height + bottom, left + width + right).fill_(fill);
    torch.scope(() => {
      out.narrow(2, top, height).narrow(3, left, width).copy_(images);
    });
    return out;
  }
  return torch.scope(() =>
    images
      .indexSelect(2, positions(paddedPositions(height, top, bottom, mode), images.device))
      .indexSelect(3, positions(paddedPositions(width, left, right, mode), images.device)),
  );
}
