/** RandAugment and TrivialAugment: one or more of fourteen operators drawn for each picture. Tables and defaults are torchvision's. */
import { torch } from '../../torch/index.js';
import { roundHalfEven } from './crop.js';
import { colourShape, type Group, mapGroups, type PictureShape } from './functional/blocks.js';
import {
  brightnessKernel,
  type ColourKernel,
  contrastKernel,
  type Limits,
  limitsOf,
  saturationKernel,
} from './functional/colour.js';
import { sharpnessKernel } from './functional/filter.js';
import { autocontrastKernel, equalizeKernel, posterizeKernel, solarizeKernel } from './functional/tone.js';
import {
  type InverseMatrix,
  inverseAffineMatrix,
  rotationGroups,
  type WarpOptions,
  warpGroup,
} from './functional/warp.js';
import { choice, known, number } from './options.js';
import { type Augmentation, augmentation, withInput } from './transform.js';

const operators = [
  ...['identity', 'shearX', 'shearY', 'translateX', 'translateY', 'rotate', 'brightness'],
  ...['color', 'contrast', 'sharpness', 'posterize', 'solarize', 'autoContrast', 'equalize'],
] as const;
/** The operators that are drawn from, in torchvision's order. */
export type AutoOperator = (typeof operators)[number];

/** Strengths of an operator, weakest first; `signed` ones go either way. Null: it has none. */
interface Strengths {
  readonly values: readonly number[];
  readonly signed: boolean;
}

/** Greatest strengths: of RandAugment's space and of TrivialAugment's wide one. */
interface Space {
  readonly shear: number;
  readonly translate: (pixels: number) => number;
  readonly rotate: number;
  readonly factor: number;
  /** Bits lost at most. */
  readonly posterize: number;
}

const randSpace: Space = { shear: 0.3, translate: (size) => (150 / 331) * size, rotate: 30, factor: 0.9, posterize: 4 };
/** How far TrivialAugment moves pictures at most, in pixels. */
export const usualTranslate = 32;

const wideSpace = (translate: number): Space => ({
  shear: 0.99,
  translate: () => translate,
  rotate: 135,
  factor: 0.99,
  posterize: 6,
});

const evenly = (from: number, to: number, bins: number): number[] =>
  torch.linspace(from, to, bins).toArray() as number[];

function strengthsOf(
  space: Space,
  bins: number,
  { height, width }: PictureShape,
): Record<AutoOperator, Strengths | null> {
  const signed = (most: number): Strengths => ({ values: evenly(0, most, bins), signed: true });
  const factor = signed(space.factor);
  const lost = (i: number): number => (bins === 1 ? 0 : i / ((bins - 1) / space.posterize));
  return {
    identity: null,
    shearX: signed(space.shear),
    shearY: signed(space.shear),
    translateX: signed(space.translate(width)),
    translateY: signed(space.translate(height)),
    rotate: signed(space.rotate),
    brightness: factor,
    color: factor,
    contrast: factor,
    sharpness: factor,
    posterize: { values: Array.from({ length: bins }, (_, i) => roundHalfEven(8 - lost(i))), signed: false },
    solarize: { values: evenly(1, 0, bins), signed: false },
    autoContrast: null,
    equalize: null,
  };
}

/** What is done to one picture. */
export interface AutoChoice {
  readonly operator: AutoOperator;
  /** torchvision's magnitude: pixels, degrees, a factor less 1, bits or a share. */
  readonly magnitude: number;
}

const kernels: Partial<Record<AutoOperator, ColourKernel>> = {
  brightness: brightnessKernel,
  color: saturationKernel,
  contrast: contrastKernel,
  sharpness: sharpnessKernel,
  posterize: posterizeKernel,
  solarize: solarizeKernel,
  autoContrast: autocontrastKernel,
  equalize: equalizeKernel,
};

const degrees = (x: number): number => (x * 180) / Math.PI;

function matrixOf({ operator, magnitude }: AutoChoice, { height, width }: PictureShape): InverseMatrix {
  const plain = { angle: 0, translate: [0, 0], scale: 1, shear: [0, 0] } as const;
  // Shears are about the top left corner, as in the paper's own code.
  const corner = [-width * 0.5, -height * 0.5] as const;
  switch (operator) {
    case 'shearX':
      return inverseAffineMatrix({ ...plain, shear: [degrees(Math.atan(magnitude)), 0] }, corner);
    case 'shearY':
      return inverseAffineMatrix({ ...plain, shear: [0, degrees(Math.atan(magnitude))] }, corner);
    case 'translateX':
      return inverseAffineMatrix({ ...plain, translate: [Math.trunc(magnitude), 0] }, [0, 0]);
    default:
      return inverseAffineMatrix({ ...plain, translate: [0, Math.trunc(magnitude)] }, [0, 0]);
  }
}

/** The number that an operator's kernel takes. */
function parameterOf({ operator, magnitude }: AutoChoice, { bound }: Limits): number {
  if (operator === 'posterize') return magnitude;
  return operator === 'solarize' ? bound * magnitude : 1 + magnitude;
}

/** Groups that do to each picture what was chosen for it. @param choices by row of the batch */
export function autoGroups(
  images: Parameters<typeof mapGroups>[0],
  shape: PictureShape,
  choices: readonly AutoChoice[],
  options: WarpOptions,
): Group[] {
  const limits = limitsOf(images);
  const byOperator = new Map<AutoOperator, number[]>();
  for (const [row, { operator }] of choices.entries())
    byOperator.set(operator, [...(byOperator.get(operator) ?? []), row]);
  const of = (row: number): AutoChoice => choices[row] as AutoChoice;
  const groups: Group[] = [];
  const moved: number[] = [];
  for (const [operator, rows] of byOperator) {
    const kernel = kernels[operator];
    if (kernel !== undefined)
      groups.push({
        rows,
        kernel: (planes, some) => {
          kernel(
            planes,
            some.map((row) => parameterOf(of(row), limits)),
            limits,
          );
        },
      });
    else if (operator === 'rotate')
      groups.push(...rotationGroups(images, shape, rows, (row) => of(row).magnitude, options));
    else if (operator !== 'identity') moved.push(...rows);
  }
  if (moved.length > 0) groups.push(warpGroup(images, moved, (row) => matrixOf(of(row), shape), options));
  return groups;
}

interface AutoOptions {
  /** Default `nearest`. */
  readonly interpolation?: 'nearest' | 'bilinear';
  /** What comes in from outside, in the pictures' units; default black. */
  readonly fill?: number | readonly number[] | null;
  /** Number of strengths; default 31. */
  readonly numMagnitudeBins?: number;
}

function autoAugmentation(
  name: 'randAugment' | 'trivialAugmentWide',
  options: Readonly<Record<string, unknown>> &
    Required<Pick<AutoOptions, 'interpolation' | 'fill' | 'numMagnitudeBins'>>,
  space: Space,
  layers: number,
  magnitude: number | null,
): Augmentation {
  const bins = options.numMagnitudeBins;
  return augmentation(name, options, (batch, draws) => {
    const shape = colourShape(batch.input, `${name}()`);
    const strengths = strengthsOf(space, bins, shape);
    const own = Array.from({ length: shape.count }, (_, row) => draws(row));
    let images = batch.input;
    for (let layer = 0; layer < layers; layer++) {
      const choices = own.map((x): AutoChoice => {
        const operator = operators[x.integer(operators.length)] as AutoOperator;
        const found = strengths[operator];
        if (found === null) return { operator, magnitude: 0 };
        const strength = found.values[magnitude ?? x.integer(bins)] as number;
        return { operator, magnitude: found.signed && x.chance(0.5) ? -strength : strength };
      });
      images = mapGroups(images, shape, autoGroups(images, shape, choices, options));
    }
    return withInput(batch, images);
  });
}

function autoOptions(title: string, given: AutoOptions): Required<AutoOptions> {
  return {
    interpolation: choice(title, 'interpolation', given.interpolation ?? 'nearest', ['nearest', 'bilinear'] as const),
    fill: given.fill ?? null,
    numMagnitudeBins: number(title, 'numMagnitudeBins', given.numMagnitudeBins ?? 31, 2, 1000, true),
  };
}

export interface RandAugmentOptions extends AutoOptions {
  /** Operators one after the other; default 2. */
  readonly numOps?: number;
  /** Which strength, 0 … numMagnitudeBins − 1; default 9. */
  readonly magnitude?: number;
}

/** `numOps` random operators of one strength for each picture. Source: Cubuk et al., "RandAugment" (2020). */
export function randAugment(options?: RandAugmentOptions): Augmentation {
  const title = 'randAugment()';
  const given = known(title, options, ['numOps', 'magnitude', 'interpolation', 'fill', 'numMagnitudeBins']);
  const all = autoOptions(title, given);
  const numOps = number(title, 'numOps', given.numOps ?? 2, 0, 100, true);
  const magnitude = number(title, 'magnitude', given.magnitude ?? 9, 0, all.numMagnitudeBins - 1, true);
  return autoAugmentation('randAugment', { numOps, magnitude, ...all }, randSpace, numOps, magnitude);
}

export interface TrivialAugmentOptions extends AutoOptions {
  /** How far pictures are moved at most, in pixels; default 32, torchvision's whatever the pictures' size. */
  readonly translate?: number;
}

/** One random operator of a random strength for each picture. Source: Müller and Hutter, "TrivialAugment" (ICCV 2021). */
export function trivialAugmentWide(options?: TrivialAugmentOptions): Augmentation {
  const title = 'trivialAugmentWide()';
  const given = known(title, options, ['interpolation', 'fill', 'numMagnitudeBins', 'translate']);
  const translate = number(title, 'translate', given.translate ?? usualTranslate, 0, 65535);
  const all = { ...autoOptions(title, given), translate };
  return autoAugmentation('trivialAugmentWide', all, wideSpace(translate), 1, null);
}
