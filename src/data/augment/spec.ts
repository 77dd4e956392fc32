/** Augmentations as data: what a run writes down and a configuration file changes, and the transform made from it. */
import { ArgumentError, nearest } from '../../torch/errors.js';
import type { BatchTransform, ChannelStatistics } from '../types.js';
import { randAugment, trivialAugmentWide } from './auto.js';
import { colorJitter, randomGrayscale } from './colour.js';
import { compose, normalize, randomApply, randomChoice, toFloat } from './compose.js';
import { alternatingFlip, randomCrop, randomHorizontalFlip, randomResizedCrop, randomVerticalFlip } from './crop.js';
import { randomAffine, randomPerspective, randomRotation } from './geometry.js';
import { cutmix, mixup, randomErasing } from './mix.js';
import {
  gaussianBlur,
  randomAdjustSharpness,
  randomAutocontrast,
  randomEqualize,
  randomInvert,
  randomPosterize,
  randomSolarize,
} from './tone.js';
import type { Augmentation } from './transform.js';

/** One transform: its name, its options, and for composites (`randomApply`, `randomChoice`) what they are made of. */
export interface AugmentationStep {
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly steps?: readonly AugmentationStep[];
}

/** A chain of transforms as plain JSON. */
export interface AugmentationSpec {
  /** Where it came from: the preset's name, with `+` when entries were changed. */
  readonly preset?: string;
  readonly steps: readonly AugmentationStep[];
}

// Options come from JSON; each factory checks its own.
const simple = {
  randomResizedCrop,
  randomCrop,
  randomHorizontalFlip,
  alternatingFlip,
  randomVerticalFlip,
  randomRotation,
  randomAffine,
  randomPerspective,
  colorJitter,
  randomGrayscale,
  gaussianBlur,
  randomPosterize,
  randomSolarize,
  randomEqualize,
  randomAutocontrast,
  randomAdjustSharpness,
  randomInvert,
  randAugment,
  trivialAugmentWide,
  randomErasing,
  mixup,
  cutmix,
  toFloat,
  normalize,
} as unknown as Record<string, (options?: unknown) => Augmentation>;

const composites = { randomApply, randomChoice } as unknown as Record<
  string,
  (steps: readonly BatchTransform[], options?: unknown) => Augmentation
>;

const names = [...Object.keys(simple), ...Object.keys(composites)];

/** These come after normalisation: erased parts are then the mean, and mixing is of what the network sees. */
const late: ReadonlySet<string> = new Set(['randomErasing', 'mixup', 'cutmix']);
const isLate = (step: AugmentationStep): boolean => late.has(step.name) || (step.steps ?? []).some(isLate);

function checkStep(step: unknown, where: string): AugmentationStep {
  const { name, options, steps, ...rest } = (step ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string')
    throw new ArgumentError(
      `${where} must be an object like { "name": "randomHorizontalFlip", "options": { "p": 0.5 } }, got ${JSON.stringify(step)}.`,
    );
  if (!names.includes(name)) {
    const near = nearest(name, names);
    throw new ArgumentError(
      `${where}: there is no augmentation '${name}'; ${near === undefined ? `there are ${names.join(', ')}.` : `did you mean '${near}'?`}`,
    );
  }
  const [extra] = Object.keys(rest);
  if (extra !== undefined)
    throw new ArgumentError(
      `${where} (${name}) has an entry '${extra}'; a step has only name, options and, for randomApply and randomChoice, steps.`,
    );
  const parts = Array.isArray(steps) ? steps.map((part, i) => checkStep(part, `${where}.steps[${i}]`)) : undefined;
  if ((parts !== undefined) !== name in composites)
    throw new ArgumentError(
      `${where} (${name}) ${parts === undefined ? 'needs a list of steps' : 'takes no steps; only randomApply and randomChoice do'}.`,
    );
  return {
    name,
    ...(options === undefined ? {} : { options: options as Record<string, unknown> }),
    ...(parts === undefined ? {} : { steps: parts }),
  };
}

function buildStep({ name, options, steps }: AugmentationStep, where: string): Augmentation {
  try {
    if (steps === undefined) return (simple[name] as (options?: unknown) => Augmentation)(options);
    const parts = steps.map((step, i) => buildStep(step, `${where}.steps[${i}]`));
    return (composites[name] as (steps: readonly BatchTransform[], options?: unknown) => Augmentation)(parts, options);
  } catch (error) {
    if (error instanceof ArgumentError && !error.message.startsWith('augmentation'))
      throw new ArgumentError(`${where}: ${error.message}`, { cause: error });
    throw error;
  }
}

export interface BuildAugmentationOptions {
  /** Mean and deviation that pictures are normalised with; without, the result is floats in 0…1. */
  readonly statistics?: ChannelStatistics;
}

/**
 * The transform that a description stands for. Unless the steps say themselves where, pictures become floats and are normalised before the
 * first step that erases or mixes, or at the end.
 * @throws ArgumentError naming the step, what is wrong with it and, for a misspelt name, the nearest right one
 */
export function buildAugmentation(spec: AugmentationSpec, options: BuildAugmentationOptions = {}): Augmentation {
  const list: unknown = (spec as { steps?: unknown } | null)?.steps;
  if (!Array.isArray(list))
    throw new ArgumentError(
      'buildAugmentation() needs a description like { "steps": [{ "name": "randomHorizontalFlip" }] }.',
    );
  const steps = list.map((step, i) => checkStep(step, `augmentation step ${i}`));
  const built = steps.map((step, i) => buildStep(step, `augmentation step ${i}`));
  const own = steps.some((step) => step.name === 'toFloat' || step.name === 'normalize');
  if (own) return compose(built);
  const first = steps.findIndex(isLate);
  const at = first < 0 ? steps.length : first;
  const { statistics } = options;
  const middle = statistics === undefined ? [toFloat()] : [toFloat(), normalize(statistics)];
  return compose([...built.slice(0, at), ...middle, ...built.slice(at)]);
}
