/**
 * Every setting of a training run, once: types, limits, help texts and flags of the command line all come from this schema.
 * `auto` leaves a setting to the recipe, which says what it chose and why.
 */
import { z } from 'zod';
import { layerRateNames } from '../transfer/plan.js';

/** Headings under which `praxis train --help` lists the settings. */
export const groups = {
  data: 'Data',
  model: 'Model',
  transfer: 'Transfer learning',
  optimisation: 'Optimisation',
  overfitting: 'Against overfitting',
  machine: 'Machine',
  run: 'Run',
} as const;
export type Group = keyof typeof groups;

export interface FieldFacts {
  readonly group: Group;
  readonly help: string;
  /** What stands for the value in help: `<number>`. */
  readonly value: string;
}

const auto = z.literal('auto');
const off = z.literal('off');
const positiveInteger = z.number().int().positive();
const share = z.number().min(0).max(1);

/** Facts by the schema's keys, in the order of the help. */
export const fieldFacts = {
  name: { group: 'run', value: '<text>', help: 'name of the run folder; by default the date, the data and the model' },
  out: { group: 'run', value: '<folder>', help: 'where run folders are made' },
  seed: {
    group: 'run',
    value: '<integer>',
    help: 'seed of the split, the first weights, the order and the augmentation',
  },
  split: { group: 'data', value: '<train/validation/test>', help: 'shares of the three parts, e.g. 70/15/15' },
  splitFile: { group: 'data', value: '<file>', help: 'a split made before (praxis split), instead of a new one' },
  exclude: {
    group: 'data',
    value: '<file>',
    help: 'leave out the samples of this list (praxis look --fix-list); by default praxis-exclude.jsonl in the data; off: none',
  },
  nearDuplicates: { group: 'data', value: '<boolean>', help: 'keep pictures that look alike on one side of the split' },
  size: { group: 'data', value: '<pixels>', help: 'side of the pictures that enter the network, or height x width' },
  testSize: {
    group: 'data',
    value: '<pixels>',
    help: 'shorter side of pictures that are validated, tested and predicted: auto, an eighth larger than in training where pictures grow in its course and parts of them are cut out (FixRes); off: as in training',
  },
  fit: { group: 'data', value: '<way>', help: 'squash, crop or pad pictures that are not square' },
  channels: { group: 'data', value: '<1 or 3>', help: 'grey or colour' },
  workers: { group: 'data', value: '<integer>', help: 'threads that decode pictures' },
  cache: { group: 'data', value: '<boolean>', help: 'keep decoded pictures for later epochs and runs' },
  model: { group: 'model', value: '<name>', help: 'see praxis models' },
  width: { group: 'model', value: '<channels>', help: "channels of the model's first stage" },
  depth: { group: 'model', value: '<blocks>', help: 'number of blocks, where the model lets you choose' },
  dropout: {
    group: 'model',
    value: '<share>',
    help: 'dropout before the last layer, where the model has a place for it',
  },
  dropPath: { group: 'model', value: '<share>', help: 'stochastic depth of residual models' },
  pretrained: {
    group: 'transfer',
    value: '<weights>',
    help: 'start from these weights: a name (praxis models --weights), a file, a folder, an address, a run folder; off: none',
  },
  resizeStem: {
    group: 'transfer',
    value: '<way>',
    help: 'enlarge the first convolution of a residual network whose weights saw pictures of half the size or less: auto, where these were enlarged; on, off',
  },
  headEpochs: {
    group: 'transfer',
    value: '<epochs>',
    help: 'epochs in which only the new head learns, the body frozen',
  },
  layerRates: {
    group: 'transfer',
    value: '<way>',
    help: 'rates of pretrained layers: discriminative, in three groups; layer-decay, block by block; same',
  },
  layerDecay: {
    group: 'transfer',
    value: '<factor>',
    help: 'rate of a group of layers, of that of the group after it',
  },
  batchNorm: {
    group: 'transfer',
    value: '<way>',
    help: "running statistics of pretrained batch normalisation: learn these pictures', or keep the weights'",
  },
  normalisation: {
    group: 'transfer',
    value: '<statistics>',
    help: "how pictures are normalised for pretrained weights: auto, the weights' own; data, imagenet, half",
  },
  headStart: {
    group: 'transfer',
    value: '<boolean>',
    help: 'measure a linear probe and nearest neighbours on the frozen features first',
  },
  epochs: { group: 'optimisation', value: '<integer>', help: 'passes over the training part' },
  budget: {
    group: 'optimisation',
    value: '<minutes>',
    help: 'with epochs auto: for everything, shortens training to fit',
  },
  progressive: {
    group: 'optimisation',
    value: '<way>',
    help: 'begin with pictures of half the side, which cost less than half of the time, and end with whole ones: auto, in long trainings from scratch; on, off',
  },
  batchSize: { group: 'optimisation', value: '<integer>', help: 'pictures per step; largest: what fits into memory' },
  accumulate: { group: 'optimisation', value: '<integer>', help: 'batches whose gradients make one step' },
  optimizer: { group: 'optimisation', value: '<name>', help: 'what updates the weights' },
  learningRate: { group: 'optimisation', value: '<number>', help: 'top of the schedule; find: by a range test' },
  weightDecay: { group: 'optimisation', value: '<number>', help: 'decay of weights (not of biases and norms)' },
  schedule: { group: 'optimisation', value: '<name>', help: 'how the learning rate falls' },
  warmup: { group: 'optimisation', value: '<share>', help: 'share of the steps in which the rate rises' },
  clip: { group: 'optimisation', value: '<norm>', help: 'largest norm of the gradient' },
  augment: {
    group: 'overfitting',
    value: '<preset>',
    help: 'changes to training pictures: none, light, medium, strong',
  },
  crops: {
    group: 'overfitting',
    value: '<way>',
    help: 'cut: parts of pictures, resized; move: pictures moved by an eighth, so that things keep their size; auto: by size',
  },
  flips: {
    group: 'overfitting',
    value: '<way>',
    help: 'mirrored pictures: auto, not where classes look like letters, digits or sides; on, off',
  },
  mixup: { group: 'overfitting', value: '<alpha>', help: 'blend pairs of pictures and their labels' },
  cutmix: { group: 'overfitting', value: '<alpha>', help: 'paste a piece of one picture into another' },
  labelSmoothing: { group: 'overfitting', value: '<share>', help: 'share of the label spread over all classes' },
  ema: { group: 'overfitting', value: '<decay>', help: 'moving average of the weights, which is what is validated' },
  patience: { group: 'overfitting', value: '<epochs>', help: 'stop when validation has not improved for so long' },
  averageBest: {
    group: 'overfitting',
    value: '<boolean>',
    help: 'average the best checkpoints if validation says it helps',
  },
  calibrate: {
    group: 'overfitting',
    value: '<boolean>',
    help: 'make the chosen weights as sure as they are right, by a temperature (from 200 validation samples on)',
  },
  device: { group: 'machine', value: '<name>', help: 'cpu, cuda, cuda:1, mps' },
  precision: { group: 'machine', value: '<type>', help: 'float32, bfloat16 or float16' },
  memoryFormat: { group: 'machine', value: '<format>', help: 'contiguous or channels-last' },
  threads: { group: 'machine', value: '<integer>', help: 'threads of one operator' },
  convolutions: {
    group: 'machine',
    value: '<way>',
    help: 'in bfloat16 on a CPU: engine, or rearranged where that is faster, such as products of matrices over small maps',
  },
  validateEvery: { group: 'run', value: '<steps>', help: 'validate after so many steps, not only after each epoch' },
  checkpointEvery: { group: 'run', value: '<minutes>', help: 'save at least this often, also within an epoch' },
  keep: { group: 'run', value: '<integer>', help: 'how many of the best checkpoints to keep' },
} as const satisfies Record<string, FieldFacts>;

const splitShares = z
  .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
  .refine(([a, b, c]) => Math.abs(a + b + c - 1) < 1e-6, { message: 'the three shares must sum to 1' });

/** The schema. Unknown keys are refused; every key has a default. */
export const trainSchema = z.strictObject({
  name: z.string().min(1).optional(),
  out: z.string().min(1).default('runs'),
  seed: z.number().int().nonnegative().default(0),
  split: splitShares.default([0.7, 0.15, 0.15]),
  splitFile: z.string().min(1).optional(),
  exclude: z.string().min(1).optional(),
  nearDuplicates: z.boolean().default(true),
  size: z.union([auto, positiveInteger.min(8).max(4096), z.tuple([positiveInteger, positiveInteger])]).default('auto'),
  testSize: z.union([auto, off, positiveInteger.min(8).max(4096)]).default('auto'),
  fit: z.enum(['squash', 'crop', 'pad']).default('squash'),
  channels: z.union([z.literal(1), z.literal(3)]).default(3),
  workers: z.union([auto, z.number().int().min(0).max(64)]).default('auto'),
  cache: z.boolean().default(true),
  model: z.string().min(1).default('auto'),
  width: positiveInteger.max(4096).optional(),
  depth: positiveInteger.max(1000).optional(),
  dropout: z.number().min(0).max(0.95).default(0),
  dropPath: z.number().min(0).max(0.95).default(0),
  pretrained: z.string().min(1).optional(),
  resizeStem: z.enum(['auto', 'on', 'off']).default('auto'),
  headEpochs: z.union([auto, z.number().int().min(0).max(100_000)]).default('auto'),
  layerRates: z.enum(['auto', ...layerRateNames]).default('auto'),
  layerDecay: z.union([auto, z.number().positive().max(1)]).default('auto'),
  batchNorm: z.enum(['auto', 'learn', 'keep']).default('auto'),
  normalisation: z.enum(['auto', 'data', 'imagenet', 'half']).default('auto'),
  headStart: z.boolean().default(true),
  epochs: z.union([auto, positiveInteger.max(100_000)]).default('auto'),
  budget: z.union([off, z.number().positive()]).default(15),
  progressive: z.enum(['auto', 'on', 'off']).default('auto'),
  batchSize: z.union([auto, z.literal('largest'), positiveInteger.max(1_000_000)]).default('auto'),
  accumulate: positiveInteger.max(10_000).default(1),
  optimizer: z.enum(['auto', 'adamw', 'sgd', 'lion', 'rmsprop', 'adam', 'muon']).default('auto'),
  learningRate: z.union([auto, z.literal('find'), z.number().positive().max(1000)]).default('auto'),
  weightDecay: z.union([auto, z.number().min(0).max(10)]).default('auto'),
  schedule: z.enum(['cosine', 'linear', 'step', 'constant', 'one-cycle']).default('cosine'),
  warmup: z.union([auto, share]).default('auto'),
  clip: z.union([auto, off, z.number().positive()]).default('auto'),
  augment: z.enum(['auto', 'none', 'light', 'medium', 'strong']).default('auto'),
  crops: z.enum(['auto', 'cut', 'move']).default('auto'),
  flips: z.enum(['auto', 'on', 'off']).default('auto'),
  mixup: z.union([auto, off, z.number().positive().max(10)]).default('auto'),
  cutmix: z.union([auto, off, z.number().positive().max(10)]).default('auto'),
  labelSmoothing: z.union([auto, share]).default('auto'),
  ema: z.union([auto, off, z.number().min(0).lt(1)]).default('auto'),
  patience: z.union([off, positiveInteger]).default('off'),
  averageBest: z.boolean().default(true),
  calibrate: z.boolean().default(true),
  device: z
    .string()
    .regex(/^(auto|cpu|(cuda|mps)(:\d+)?)$/)
    .default('auto'),
  precision: z.enum(['auto', 'float32', 'bfloat16', 'float16']).default('auto'),
  memoryFormat: z.enum(['auto', 'contiguous', 'channels-last']).default('auto'),
  threads: z.union([auto, positiveInteger.max(1024)]).default('auto'),
  convolutions: z.enum(['auto', 'engine', 'rearranged']).default('auto'),
  validateEvery: z.union([off, positiveInteger]).default('off'),
  checkpointEvery: z.number().positive().default(2),
  keep: positiveInteger.max(100).default(3),
} satisfies Record<keyof typeof fieldFacts, z.ZodType>);

/** Settings with every default filled in. */
export type TrainSettings = z.output<typeof trainSchema>;
/** Settings as a user gives them: any of them, in a config file or to `train()`. */
export type TrainOptions = z.input<typeof trainSchema>;
export type SettingName = keyof typeof fieldFacts;

export const settingNames = Object.keys(fieldFacts) as SettingName[];

/** `learningRate` → `learning-rate`. */
export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
