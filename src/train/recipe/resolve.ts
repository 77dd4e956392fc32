/** Fills in what the settings leave to the recipe, and says why. */
import { availableParallelism } from 'node:os';
import { presetFor } from '../../data/augment/index.js';
import type { PictureForm } from '../../data/types.js';
import { type ModelOptions, modelSpec } from '../../models/index.js';
import type { SettingName, TrainSettings } from '../config/schema.js';
import { ConfigError } from '../errors.js';
import type { OptimizerName } from '../plan.js';
import { type ProgressivePlan, usualProgress } from '../progressive.js';

/** What the recipe looks at. */
export interface DataFacts {
  /** Samples that will be trained on. */
  readonly samples: number;
  readonly classes: number;
  /** Shorter side of a typical picture; undefined for data that is no pictures. */
  readonly side?: number;
  /** Side at which they would still show all there is to see, where that is known: less than `side` where they were enlarged. */
  readonly detail?: number;
}

/** A choice of the recipe with its reason. */
export interface Choice {
  readonly setting: SettingName;
  readonly value: unknown;
  readonly reason: string;
}

/** Values for what was `auto`, settled before anything is computed. */
export interface Resolved {
  readonly model: string;
  readonly modelOptions: Omit<ModelOptions, 'classes'>;
  readonly form?: PictureForm;
  /** The form of pictures that are validated and predicted, where it is another. */
  readonly testForm?: PictureForm;
  readonly epochs: number;
  /** Whether the recipe may take fewer, to keep to the budget. */
  readonly epochsAreFree: boolean;
  /** How pictures grow in the course of the run. */
  readonly progressive?: ProgressivePlan;
  readonly batchSize: number | 'largest';
  readonly optimizer: OptimizerName;
  readonly learningRate: number | 'auto' | 'find';
  readonly weightDecay: number;
  readonly warmup: number;
  readonly clip?: number;
  readonly labelSmoothing: number;
  readonly ema?: number;
  readonly choices: readonly Choice[];
}

/** Rates that work with each optimiser at batches of 64, the top of a schedule with warm-up; the range test has the last word. */
export const usualRates: Readonly<Record<OptimizerName, number>> = {
  adamw: 2e-3,
  adam: 2e-3,
  sgd: 0.1,
  lion: 3e-4,
  rmsprop: 1e-3,
  muon: 0.02,
};

const usualDecays: Readonly<Record<OptimizerName, number>> = {
  adamw: 0.05,
  adam: 1e-4,
  sgd: 5e-4,
  lion: 0.5,
  rmsprop: 1e-4,
  // With 0.01 the weights hardly decay at all: in a hundred epochs this gained two points on photographs, and in twenty it made no difference.
  muon: 0.2,
};

/** Pictures seen in a training in which they grow, as many as pay. */
const grownViews = 330_000;

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** Side of the input: as large as the pictures, within what a CPU can train on. */
function sideFor(facts: DataFacts): number {
  const { side = 64 } = facts;
  if (side <= 40) return 32;
  if (side <= 80) return 64;
  return side <= 112 ? 96 : 128;
}

/** Whether a network takes pictures of other sizes than its own. */
const takesAnySize = (model: string, facts: DataFacts): boolean =>
  facts.side !== undefined && model !== 'mlp' && !model.startsWith('vit');

/**
 * Shorter side of pictures that are not trained on. Cutting parts out of pictures makes things look larger in training than they are; in
 * pictures an eighth larger they look alike. Source: Touvron et al. 2019, "Fixing the train-test resolution discrepancy",
 * https://arxiv.org/abs/1906.06423
 */
function testSideFor(settings: TrainSettings, facts: DataFacts, side: number, progressive: boolean): number {
  if (typeof settings.testSize === 'number') return settings.testSize;
  const preset = settings.augment === 'auto' ? presetFor(facts.samples / facts.classes) : settings.augment;
  const cuts = settings.crops !== 'move' && preset !== 'none' && preset !== 'light';
  if (settings.testSize === 'off' || settings.size !== 'auto' || !progressive || !cuts) return side;
  return 8 * Math.round((side * 9) / 64);
}

/** Settles what does not need a measurement. @throws ConfigError for settings that do not go together */
export function resolve(settings: TrainSettings, facts: DataFacts): Resolved {
  const choices: Choice[] = [];
  const choose = <T>(setting: SettingName, value: T, reason: string): T => {
    choices.push({ setting, value, reason });
    return value;
  };
  const pictures = facts.side !== undefined;
  const model =
    settings.model === 'auto'
      ? pictures
        ? choose(
            'model',
            'resnet-small',
            'a small residual network learns most from few pictures in the time a CPU gives',
          )
        : choose('model', 'mlp', 'for rows of numbers')
      : modelSpec(settings.model).name;
  const spec = modelSpec(model);
  const sides =
    settings.size === 'auto'
      ? pictures
        ? choose('size', sideFor(facts), `the pictures are about ${facts.side} pixels wide`)
        : sideFor(facts)
      : settings.size;
  const size: readonly [number, number] = typeof sides === 'number' ? [sides, sides] : sides;
  const modelOptions: Record<string, unknown> = { channels: settings.channels, size };
  for (const option of ['width', 'depth', 'dropout', 'dropPath'] as const) {
    const value = settings[option];
    if (value === undefined || value === 0) continue;
    if (!spec.takes.includes(option))
      throw new ConfigError(
        `${option}: the model ${model} does not take it${spec.takes.length > 0 ? `; it takes ${spec.takes.join(', ')}` : ''}.`,
      );
    modelOptions[option] = value;
  }
  // A quarter of the size after the stem: at 128 pixels about the cost of 64 pixels with half of it, and details are seen first. Three convolutions
  // see more of them than one: after fifty epochs they were a point ahead.
  if (model === 'resnet-small' && Math.min(...size) >= 96) modelOptions.stem = 'deep';
  // Muon's step costs as much as the gradient of some thirty pictures: it pays with batches that are larger.
  const large = facts.samples >= 2560;
  const convolutional = pictures && !spec.takes.includes('patch') && model !== 'mlp';
  const optimizer =
    settings.optimizer === 'auto'
      ? convolutional && large
        ? choose('optimizer', 'muon' as const, 'convolutions learn in the fewest epochs with it')
        : choose('optimizer', 'adamw' as const, 'needs the least tuning')
      : settings.optimizer;
  const long = (settings.epochs === 'auto' ? grownViews / facts.samples : settings.epochs) >= 20;
  const progressive =
    settings.progressive === 'on' ||
    (settings.progressive === 'auto' && convolutional && large && long && Math.min(...size) >= 96);
  if (settings.progressive === 'on' && !takesAnySize(model, facts))
    throw new ConfigError(
      `progressive: ${pictures ? `the model ${model} takes pictures of one size only` : 'rows of numbers have no size to grow'}; leave it out.`,
    );
  if (progressive && settings.progressive === 'auto')
    choose(
      'progressive',
      'on',
      'at half the side an epoch takes less than half of the time, and there can be more of them',
    );
  const side = Math.min(...size);
  const testSide = pictures ? testSideFor(settings, facts, side, progressive) : side;
  if (testSide !== side && !takesAnySize(model, facts))
    throw new ConfigError(`testSize: the model ${model} takes pictures of one size only; leave it out.`);
  if (testSide !== side && settings.testSize === 'auto')
    choose('testSize', testSide, 'parts cut out of pictures show things larger than whole pictures do (FixRes)');
  // So many pictures are seen in all that more no longer pays for a network of this size, but no picture more than some hundred times.
  const [views, most] = progressive ? [grownViews, 120] : [180_000, 100];
  const epochs =
    settings.epochs === 'auto'
      ? choose(
          'epochs',
          clamp(Math.round(views / facts.samples), 10, most),
          `${facts.samples} ${pictures ? 'pictures' : 'rows'} to train on`,
        )
      : settings.epochs;
  const batchSize =
    settings.batchSize === 'auto'
      ? choose(
          'batchSize',
          clamp(2 ** Math.floor(Math.log2(facts.samples / 10)), 8, pictures && large ? 128 : 64),
          'small enough for many updates',
        )
      : settings.batchSize;
  const few = facts.samples < 100_000;
  const formOf = ([height = 0, width = 0]: readonly number[]): PictureForm => ({
    height,
    width,
    channels: settings.channels,
    fit: settings.fit,
    decode: 'fast',
  });
  return {
    model,
    modelOptions: modelOptions as Omit<ModelOptions, 'classes'>,
    ...(pictures ? { form: formOf(size) } : {}),
    ...(testSide === side ? {} : { testForm: formOf(size.map((one) => Math.round((one * testSide) / side))) }),
    epochs,
    epochsAreFree: settings.epochs === 'auto',
    ...(progressive ? { progressive: usualProgress } : {}),
    batchSize,
    optimizer,
    learningRate: settings.learningRate,
    weightDecay:
      settings.weightDecay === 'auto'
        ? choose('weightDecay', usualDecays[optimizer], `usual with ${optimizer}`)
        : settings.weightDecay,
    warmup:
      settings.warmup === 'auto'
        ? choose('warmup', settings.schedule === 'one-cycle' ? 0 : 0.1, 'the first steps are the wildest')
        : settings.warmup,
    ...(settings.clip === 'auto'
      ? { clip: choose('clip', 5, 'only what would break the run') }
      : settings.clip === 'off'
        ? {}
        : { clip: settings.clip }),
    labelSmoothing:
      settings.labelSmoothing === 'auto'
        ? choose('labelSmoothing', few ? 0.1 : 0, `${few ? 'few' : 'many'} ${pictures ? 'pictures' : 'rows'}`)
        : settings.labelSmoothing,
    ...(settings.ema === 'auto'
      ? optimizer === 'muon'
        ? {
            ema: choose(
              'ema',
              0.99,
              'an average of the last hundred updates: with such a decay a longer one lags behind',
            ),
          }
        : { ema: choose('ema', 0.998, 'an average of the last five hundred updates') }
      : settings.ema === 'off'
        ? {}
        : { ema: settings.ema }),
    choices,
  };
}

/** What an epoch takes beside its bare steps, as a factor: augmentation, validation, checkpoints. Measured on photographs on two cores. */
export const epochOverhead = 1.25;

/** Threads for decoding: one less than there are cores, at least one. */
export const workersFor = (settings: TrainSettings): number | 'auto' =>
  settings.workers === 'auto' ? Math.max(1, availableParallelism() - 1) : settings.workers;
