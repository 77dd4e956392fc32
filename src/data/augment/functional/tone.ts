/** Operators on the levels of pictures, with given parameters; equal to `torchvision.transforms.v2.functional` on tensors. */
import { type Tensor, torch } from '../../../torch/index.js';
import { colourShape, mapPlanes, numbersFor, type PerPicture, perPicture } from './blocks.js';
import { type ColourKernel, limitsOf } from './colour.js';

export const posterizeKernel: ColourKernel = (planes, bits, { whole }) => {
  if (whole) {
    // Whole numbers lose their low bits; 8 bits and more keep all.
    const step = perPicture(
      bits.map((b) => 2 ** Math.max(0, 8 - b)),
      planes,
    );
    planes.div_(step).floor_().mul_(step);
    return;
  }
  const levels = perPicture(
    bits.map((b) => 2 ** b),
    planes,
  );
  planes.mul_(levels).floor_().clampMin_(0);
  planes.copy_(planes.minimum(levels.sub(1)).mul_(levels.reciprocal()));
};

export const solarizeKernel: ColourKernel = (planes, thresholds, { bound }) => {
  planes.copy_(torch.where(planes.ge(perPicture(thresholds, planes)), torch.rsub(planes, bound), planes));
};

export const invertKernel: ColourKernel = (planes, _, { bound }) => {
  planes.neg_().add_(bound);
};

export const autocontrastKernel: ColourKernel = (planes, _, { bound, whole }) => {
  const least = planes.amin([2, 3], { keepdim: true });
  const greatest = planes.amax([2, 3], { keepdim: true });
  const flat = greatest.eq(least);
  const scale = greatest
    .sub_(least)
    .mul_(1 / bound)
    .maskedFill_(flat, 1);
  planes.sub_(least.maskedFill_(flat, 0)).div_(scale).clamp_(0, bound);
  if (whole) planes.floor_();
};

export const equalizeKernel: ColourKernel = (planes, _, { whole }) => {
  const levels = (whole ? planes : planes.mul(255.999)).to('int64').flatten(2);
  const [n, channels, pixels] = levels.shape as [number, number, number];
  const options = { dtype: 'int32', device: planes.device } as const;
  const histogram = torch.zeros([n, channels, 256], options);
  histogram.scatterAdd_(2, levels, torch.ones([1], options).expandAs(levels));
  const below = histogram.cumsum(2, { dtype: 'int64' });
  // Pillow's scheme: the pixels of the brightest level that occurs are left out of the count.
  const brightest = histogram.gather(2, below.argmax(2, { keepdim: true }));
  const step = torch.rsub(brightest, pixels).div(255, { roundingMode: 'floor' }).to('int64');
  const valid = step.ne(0).unsqueeze(3);
  const divisor = step.clampMin(1);
  const table = below
    .narrow(2, 0, 255)
    .add(step.div(2, { roundingMode: 'floor' }))
    .div(divisor, { roundingMode: 'floor' })
    .clamp_(0, 255);
  const lookup = torch.cat([torch.zeros([n, channels, 1], { dtype: 'int64', device: planes.device }), table], 2);
  const equalized = lookup.to(planes.dtype).gather(2, levels).view(planes.shape);
  if (!whole) equalized.mul_(1 / 255);
  const kept = whole
    ? planes
    : levels
        .view(planes.shape)
        .to(planes.dtype)
        .mul_(1 / 255);
  planes.copy_(torch.where(valid, equalized, kept));
};

type Check = (value: number) => string | null;

function apply(images: Tensor, values: PerPicture, title: string, kernel: ColourKernel, check?: Check): Tensor {
  const shape = colourShape(images, title);
  const list = numbersFor(values, shape.count, title, check);
  const limits = limitsOf(images);
  return mapPlanes(images, shape, (planes, rows) => {
    kernel(
      planes,
      rows.map((row) => list[row] as number),
      limits,
    );
  });
}

/** Pictures with so many bits kept of each channel. @param bits one, or one per picture, 0…8 */
export const posterize = (images: Tensor, bits: PerPicture): Tensor =>
  apply(images, bits, 'posterize()', posterizeKernel, (b) =>
    Number.isInteger(b) && b >= 0 && b <= 8 ? null : 'is not a whole number of bits from 0 to 8',
  );

/** Values from a threshold on are inverted. @param thresholds one, or one per picture, in the pictures' units */
export function solarize(images: Tensor, thresholds: PerPicture): Tensor {
  const { bound } = limitsOf(images);
  return apply(images, thresholds, 'solarize()', solarizeKernel, (t) => (t > bound ? `is above ${bound}` : null));
}

/** The negative. */
export const invert = (images: Tensor): Tensor => apply(images, 0, 'invert()', invertKernel);

/** Each channel of each picture stretched so that it reaches from black to full; an even one stays. */
export const autocontrast = (images: Tensor): Tensor => apply(images, 0, 'autocontrast()', autocontrastKernel);

/** Each channel of each picture with its histogram made even, as Pillow does. Floats are taken to 256 levels. */
export const equalize = (images: Tensor): Tensor => apply(images, 0, 'equalize()', equalizeKernel);
