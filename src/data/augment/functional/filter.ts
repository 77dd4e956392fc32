/** Sharpness and blur with given parameters, one per picture; equal to `torchvision.transforms.v2.functional` on tensors. */
import { ArgumentError, type Tensor, torch } from '../../../torch/index.js';
import { colourShape, mapPlanes, numbersFor, type PerPicture, perPicture, pictureShape } from './blocks.js';
import { type ColourKernel, limitsOf } from './colour.js';

export const sharpnessKernel: ColourKernel = (planes, factors, { bound, whole }) => {
  const [, channels, height, width] = planes.shape as [number, number, number, number];
  if (height <= 2 || width <= 2) return;
  const options = { dtype: planes.dtype, device: planes.device };
  const kernel = torch.full([3, 3], 1 / 13, options).view([1, 1, 3, 3]);
  kernel
    .select(2, 1)
    .select(2, 1)
    .fill_(5 / 13);
  const smooth = torch.ops.aten.conv2d(
    planes,
    kernel.expand([channels, 1, 3, 3]),
    null,
    [1, 1],
    [0, 0],
    [1, 1],
    channels,
  );
  if (whole) smooth.round_();
  // The border has no smooth neighbour and stays.
  const inside = planes.narrow(2, 1, height - 2).narrow(3, 1, width - 2);
  inside.addcmul_(
    smooth.sub_(inside),
    perPicture(
      factors.map((f) => 1 - f),
      planes,
    ),
  );
  planes.clamp_(0, bound);
  if (whole) planes.floor_();
};

/** Pictures between smooth (0), themselves (1) and sharp (2 and more). @param factors one, or one per picture, ≥ 0 */
export function adjustSharpness(images: Tensor, factors: PerPicture): Tensor {
  const title = 'adjustSharpness()';
  const shape = colourShape(images, title);
  const list = numbersFor(factors, shape.count, title, (f) => (f < 0 ? 'is negative' : null));
  const limits = limitsOf(images);
  return mapPlanes(images, shape, (planes, rows) => {
    sharpnessKernel(
      planes,
      rows.map((row) => list[row] as number),
      limits,
    );
  });
}

/** Weights [n, size] of a bell for each deviation; torchvision's sampling, whose steps are 1/√2. */
function bells(size: number, sigmas: readonly number[], like: Tensor): Tensor {
  const limit = (size - 1) / (2 * Math.SQRT2);
  const at = Array.from({ length: size }, (_, i) => (size === 1 ? 0 : -limit + (2 * limit * i) / (size - 1)));
  const rows = sigmas.map((sigma) => {
    const heights = at.map((x) => Math.exp(-((x / sigma) ** 2)));
    const sum = heights.reduce((a, b) => a + b, 0);
    return heights.map((x) => x / sum);
  });
  return torch.tensor(rows, { dtype: like.dtype, device: like.device });
}

/**
 * Pictures blurred with a Gaussian; the border is mirrored.
 * @param kernelSize odd numbers of pixels, [width, height] or one for both
 * @param sigmas standard deviation, one, or one per picture; torchvision's unit, which is √2 pixels
 */
export function gaussianBlurImages(
  images: Tensor,
  kernelSize: number | readonly [number, number],
  sigmas: PerPicture,
): Tensor {
  const title = 'gaussianBlur()';
  const shape = pictureShape(images, title);
  const [width, height] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize;
  for (const [name, size, most] of [
    ['width', width, shape.width],
    ['height', height, shape.height],
  ] as const)
    if (!Number.isInteger(size) || size < 1 || size % 2 === 0 || Math.floor(size / 2) >= most)
      throw new ArgumentError(
        `${title}: kernelSize must be odd and less than twice the picture's ${name} of ${most}, got ${size}.`,
      );
  const list = numbersFor(sigmas, shape.count, title, (s) => (s > 0 ? null : 'is not above 0'));
  const { whole } = limitsOf(images);
  return mapPlanes(images, shape, (planes, rows) => {
    const all = rows.length * shape.channels;
    const some = rows.map((row) => list[row] as number);
    const filter = (size: number): Tensor => bells(size, some, planes).repeatInterleave(shape.channels, 0);
    const { aten } = torch.ops;
    // Every channel of every picture has a kernel of its own, first across, then down.
    const padded = aten.reflection_pad2d(planes.view([1, all, shape.height, shape.width]), [
      width >> 1,
      width >> 1,
      height >> 1,
      height >> 1,
    ]);
    const across = aten.conv2d(padded, filter(width).view([all, 1, 1, width]), null, [1, 1], [0, 0], [1, 1], all);
    const down = aten.conv2d(across, filter(height).view([all, 1, height, 1]), null, [1, 1], [0, 0], [1, 1], all);
    planes.copy_(down.view(planes.shape));
    if (whole) planes.round_();
  });
}
