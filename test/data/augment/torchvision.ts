/** Answers of torchvision: what `scripts/golden/augment.py` writes, and the same call here. */

import { type AutoOperator, autoGroups } from '../../../src/data/augment/auto.js';
import { mapGroups, pictureShape } from '../../../src/data/augment/functional/blocks.js';
import type { Box } from '../../../src/data/augment/functional/crop.js';
import { augmentFunctional as F } from '../../../src/data/augment/index.js';
import { type Tensor, torch } from '../../../src/torch/index.js';

export interface Case {
  readonly operator: string;
  readonly space?: string;
  readonly dtype: 'uint8' | 'float32';
  readonly parameters: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly result: string;
  readonly size: number[];
}

export interface Answers {
  readonly shape: number[];
  readonly images: { readonly uint8: string; readonly float32: string };
  readonly cases: readonly Case[];
}

export function decode(text: string, shape: number[], dtype: 'uint8' | 'float32'): Tensor {
  return torch.fromBuffer(new Uint8Array(Buffer.from(text, 'base64')), { dtype, shape }).clone();
}

type Operator = (images: Tensor, parameters: readonly never[], options: never) => Tensor;
const known = F as unknown as Record<string, Operator>;

/** Fill and thresholds are written as shares of the greatest value. */
function call({ operator, parameters, options, space }: Case, images: Tensor): Tensor {
  const top = images.dtype === 'uint8' ? 255 : 1;
  if (space !== undefined) {
    const shape = pictureShape(images, 'test');
    const choices = (parameters as { magnitude: number }[]).map(({ magnitude }) => ({
      operator: operator as AutoOperator,
      magnitude,
    }));
    return mapGroups(images, shape, autoGroups(images, shape, choices, { interpolation: 'nearest', fill: null }));
  }
  const { fill } = options;
  const warp = { ...options, ...(Array.isArray(fill) ? { fill: fill.map((x: number) => x * top) } : {}) };
  switch (operator) {
    case 'rgbToGrayscale':
    case 'invert':
    case 'autocontrast':
    case 'equalize':
      return (known[operator] as unknown as (x: Tensor) => Tensor)(images);
    case 'horizontalFlip':
    case 'verticalFlip':
      return F[operator](images);
    case 'solarize':
      return F.solarize(
        images,
        (parameters as number[]).map((p) => p * top),
      );
    case 'resizedCrop':
      return F.resizedCrop(images, parameters as Box[], options.size as [number, number], {
        antialias: options.antialias as boolean,
      });
    case 'pad':
      return F.pad(images, options.padding as [number, number, number, number], options);
    case 'gaussianBlur':
      return F.gaussianBlurImages(images, options.kernelSize as number, parameters as number[]);
    case 'perspective': {
      const sets = (parameters as { start: F.Corners; end: F.Corners }[]).map((p) =>
        F.perspectiveCoefficients(p.start, p.end),
      );
      return F.perspective(images, sets, warp);
    }
    case 'rotate':
      return F.rotate(images, parameters as number[], warp);
    case 'affine':
      return F.affine(images, parameters as F.AffineParameters[], warp);
    default:
      return (known[operator] as unknown as (x: Tensor, p: unknown) => Tensor)(images, parameters);
  }
}

export interface Difference {
  readonly title: string;
  readonly dtype: 'uint8' | 'float32';
  /** Greatest absolute difference. */
  readonly most: number;
  /** Share of values that differ at all. */
  readonly share: number;
  readonly size: string;
}

/** Each case here and there, in both memory formats. */
export function compare(answers: Answers): Difference[] {
  return answers.cases.flatMap((one) =>
    (['contiguous', 'channelsLast'] as const).map((memoryFormat) => {
      const images = decode(answers.images[one.dtype], answers.shape, one.dtype).contiguous({ memoryFormat });
      const before = images.clone();
      const got = call(one, images);
      if (!torch.equal(before, images)) throw new Error(`${one.operator} changed its input`);
      const wanted = decode(one.result, one.size, one.dtype);
      const difference = got.to('float64').sub(wanted.to('float64')).abs();
      return {
        title: `${one.space ?? ''} ${one.operator} ${one.dtype} ${memoryFormat} ${JSON.stringify(one.options)}`,
        dtype: got.dtype as 'uint8' | 'float32',
        most: difference.max().item() as number,
        share: difference.ne(0).to('float64').mean().item() as number,
        size: got.shape.join() === one.size.join() ? 'equal' : `${got.shape.join(' × ')} for ${one.size.join(' × ')}`,
      };
    }),
  );
}
