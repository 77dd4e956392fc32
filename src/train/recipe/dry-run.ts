/** What a training would do, without doing it: nothing is written, no run folder, no cache. */
import { describeAugmentation } from '../../data/augment/index.js';
import { splitDataset } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import type { LookFinding } from '../../look/index.js';
import { createModel, describeModel, measureModel, trainingBytes } from '../../models/index.js';
import type { TrainSettings } from '../config/schema.js';
import { pickDevice } from '../device.js';
import { augmentationFor, describePolicy, presetOf } from './augmentation.js';
import { makeSplit, openWithExclusions } from './data.js';
import { chooseEpochs, describeSizes } from './epochs.js';
import { lookFirst } from './look.js';
import { type Choice, resolve, usualRates } from './resolve.js';
import { checkModelTakes, inputOptions, readyTrain, rowShape, sampleNoun } from './rows.js';
import { openPretrained, transferFrom } from './transfer.js';

export interface DryRun {
  /** Title and text, in the order of the recipe. */
  readonly lines: readonly (readonly [string, string])[];
  /** What is the matter with the data: the most important first. */
  readonly findings: readonly LookFinding[];
  /** How many more there are. */
  readonly more: number;
  readonly choices: readonly Choice[];
}

const inMillions = (n: number): string => (n < 1e7 ? `${Number((n / 1e6).toPrecision(2))} M` : `${grouped(n / 1e6)} M`);
const grouped = (n: number): string => Math.round(n).toLocaleString('en-GB');

/** Settles what a training would use, and estimates what it would cost on this machine. */
export async function dryRun(
  data: string | Dataset,
  settings: TrainSettings,
  onProgress?: (done: number, all: number) => void,
): Promise<DryRun> {
  const opened = await openWithExclusions(data, settings);
  const { dataset } = opened;
  checkModelTakes(dataset, settings.model);
  const weights = await openPretrained(settings, dataset);
  const [train, validation, test] = settings.split;
  const made = settings.splitFile === undefined ? undefined : await makeSplit(dataset, settings);
  const look = await lookFirst(opened, { seed: settings.seed, onProgress });
  // Comparing pictures with each other would take a while and moves a few of them at most.
  const split =
    made ??
    (await splitDataset(dataset, { train, validation, test, seed: settings.seed, duplicates: false, check: false }));
  const facts = {
    samples: split.train.length,
    classes: dataset.classes.length,
    ...(look.side === undefined ? {} : { side: look.side }),
    ...(look.detail === undefined ? {} : { detail: look.detail }),
  };
  const start = transferFrom(weights, settings, facts, dataset);
  const choice = start?.choice ?? resolve(settings, facts);
  const { device } = pickDevice(settings.device);
  const lines: [string, string][] = [
    ['look', look.text],
    [
      'split',
      `about ${grouped(split.train.length)} train · ${grouped(split.validation.length)} validation · ${grouped(split.test.length)} test.`,
    ],
  ];
  const { form } = choice;
  const rows = form === undefined ? readyTrain(split.train) : undefined;
  const shape = form === undefined ? rowShape(rows as Dataset) : [form.channels, form.height, form.width];
  const noun = sampleNoun(dataset);
  const batchSize = choice.batchSize === 'largest' ? 64 : Math.min(choice.batchSize, split.train.length);
  const options = {
    ...choice.modelOptions,
    classes: dataset.classes.length,
    ...(rows === undefined ? {} : inputOptions(rows)),
  };
  const model = createModel(choice.model, options).to({ device });
  const cost = describeModel(model, shape);
  const speed = await measureModel(model, shape, { batchSize, device, seconds: 2 });
  // Without a measurement nothing is known of the time.
  const perEpoch = speed.training == null ? 0 : split.train.length / speed.training.samplesPerSecond;
  const { epochs, minutes } = chooseEpochs(choice, settings, perEpoch, 0);
  const choices = [...choice.choices];
  if (form !== undefined) {
    const changes = start?.settings ?? settings;
    const { augment, choices: by } = presetOf(changes, facts, epochs, choice.progressive !== undefined);
    choices.push(...by);
    const augmentation = augmentationFor({ ...changes, augment }, facts, form, dataset.classes);
    lines.push([
      'pictures',
      `${form.width}×${form.height}, ${form.channels === 3 ? 'colour' : 'grey'}, ${form.fit}; augmentation ${describeAugmentation(augmentation)}${describePolicy(settings, dataset.classes)}${describeSizes(choice, epochs)}.`,
    ]);
  }
  lines.push([
    'model',
    `${choice.model}: ${grouped(cost.parameters)} parameters, ${inMillions(cost.multiplyAdds)} multiply-adds (${inMillions(cost.flops)}FLOPs) per ${noun}${start === undefined ? '' : `; with the weights of ${start.weights.source}`}.`,
  ]);
  lines.push([
    'memory',
    `about ${grouped(trainingBytes(cost, batchSize) / 1e6)} MB for weights, optimiser and a batch of ${batchSize}, beside the engine's own 300 MB.`,
  ]);
  if (speed.training != null) {
    lines.push([
      'time',
      `about ${perEpoch < 10 ? perEpoch.toFixed(1) : grouped(perEpoch)} s per epoch${choice.progressive ? ' of whole pictures' : ''} before tuning (${grouped(speed.training.samplesPerSecond)} ${noun}s/s on ${device}), ${epochs} epochs in about ${grouped(Math.max(1, minutes))} min.`,
    ]);
  }
  const rate =
    typeof choice.learningRate === 'number'
      ? choice.learningRate
      : `${start?.rate ?? usualRates[choice.optimizer]} or what the range test says`;
  lines.push([
    'train',
    `${choice.optimizer}, learning rate ${rate}, ${settings.schedule} schedule, batches of ${choice.batchSize}, decay ${choice.weightDecay}, label smoothing ${choice.labelSmoothing}${choice.ema === undefined ? '' : `, moving average ${choice.ema}`}.`,
  ]);
  return { lines, findings: look.findings, more: look.more, choices };
}
