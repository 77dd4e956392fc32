/**
 * Pre-training without labels, from pictures to a network that fine-tuning starts from: SimCLR at a size that a desk takes.
 * Source: Chen et al. 2020, https://arxiv.org/abs/2002.05709
 */
import { channelsJson } from '../../data/normalise/index.js';
import { saveSplit } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import { describeModel, modelSpec } from '../../models/index.js';
import { functional as F } from '../../nn/index.js';
import { Tensor, torch } from '../../torch/index.js';
import { commandLine, gitFacts, RunFolder, writeFileAtomic } from '../../track/index.js';
import { buildOptimizer } from '../build.js';
import { placeModel } from '../compute.js';
import type { TrainOptions, TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { pickDevice } from '../device.js';
import { ConfigError, RunError, StoppedEarly } from '../errors.js';
import type { TrainEvent } from '../events.js';
import type { TrainPlan } from '../plan.js';
import { formForCrops } from '../recipe/augmentation.js';
import { describeSplit, normalise, requireWritable, sampledSide } from '../recipe/data.js';
import { firstBatches, halfPrecision, machineText, settledMachine, untunedMachine } from '../recipe/machine.js';
import { buildModel, buildTraining, stepOptions } from '../recipe/rebuild.js';
import { epochOverhead, resolve, workersFor } from '../recipe/resolve.js';
import { normalisationFile } from '../recipe/rows.js';
import { keepSamples } from '../recipe/samples.js';
import { loggedStages, stageTalk } from '../recipe/stages.js';
import type { StopSignal } from '../stop.js';
import { Training } from '../train.js';
import { tuneMachine } from '../tune.js';
import { openPictures, splitPictures } from './data.js';
import { finishPretraining, type PretrainingResult } from './finish.js';
import type { UnusedSetting } from './settings.js';
import { viewsSpec } from './views.js';

export interface PretrainRecipe {
  readonly data: string | Dataset;
  readonly settings: TrainSettings;
  /** Default 0.5. */
  readonly temperature?: number;
  readonly stop: StopSignal;
  readonly emit: (event: TrainEvent) => void;
  readonly command: string;
}

/** Numbers that the network's own last layer gives, and its projection after it. */
const widths = { hidden: 256, projection: 128 } as const;
/** Learning by comparison goes on for long; the budget usually ends it. */
const mostEpochs = 200;
/** At batches of 64, with AdamW. */
const usualRate = 1e-3;

/** Pre-trains from pictures to the last weights. @throws DataError, RunError, ConfigError */
export async function runPretraining(options: PretrainRecipe): Promise<PretrainingResult> {
  return loggedStages(options.emit, (emit, onFolder) => runStages({ ...options, emit }, onFolder));
}

async function runStages(options: PretrainRecipe, onFolder: (run: RunFolder) => void): Promise<PretrainingResult> {
  const { settings, stop, emit, temperature = 0.5 } = options;
  const begun = performance.now();
  const { line, working } = stageTalk(stop, emit);
  if (!(temperature > 0)) throw new ConfigError(`temperature must be above 0, got ${temperature}.`);
  if (settings.batchSize === 'largest' || settings.learningRate === 'find')
    throw new ConfigError(
      `${settings.batchSize === 'largest' ? "batchSize: 'largest'" : "learningRate: 'find'"} is for trainings with labels; give a number, or leave it out.`,
    );
  if (settings.model !== 'auto') modelSpec(settings.model);
  requireWritable(settings.out);

  const opened = await openPictures(options.data, settings);
  const { dataset, labelled } = opened;
  const side = await sampledSide(dataset);
  line(
    'look',
    `${dataset.length.toLocaleString('en-GB')} pictures, about ${side} pixels on the shorter side; ${labelled ? `their ${dataset.classes.length} labels are not learnt` : 'no labels'}.`,
  );
  const split = await splitPictures(opened, settings, working('split', 'comparing pictures'));
  const { train, validation } = split;
  line(
    'split',
    labelled
      ? describeSplit(split)
      : `${train.length.toLocaleString('en-GB')} to learn from, ${validation.length.toLocaleString('en-GB')} to measure on; seed ${settings.seed}.`,
  );
  if (train.kind !== 'pictures') throw new RunError(`${dataset.root}: pre-training takes pictures.`);

  const choice = resolve(
    {
      ...settings,
      optimizer: settings.optimizer === 'auto' ? 'adamw' : settings.optimizer,
      progressive: 'off',
      testSize: 'off',
    },
    { samples: train.length, classes: Math.max(2, dataset.classes.length), ...(side === undefined ? {} : { side }) },
  );
  const { form } = choice;
  if (form === undefined || modelSpec(choice.model).name === 'mlp')
    throw new ConfigError(`model: ${choice.model} does not take pictures; leave model out.`);
  const device = pickDevice(settings.device);
  const run = await RunFolder.create(settings.out, {
    name: settings.name ?? `${dataset.name}-${choice.model}-pretrained`,
    command: options.command,
    onWarning: (text) => emit({ kind: 'warning', text }),
    facts: {
      seed: settings.seed,
      data: {
        path: typeof options.data === 'string' ? dataset.root : '',
        ...{ name: dataset.name, root: dataset.root, samples: dataset.length, classes: dataset.classes },
        fingerprint: split.datasetFingerprint,
      },
      split: {
        ...{ train: train.length, validation: validation.length, test: split.test.length },
        fingerprint: split.fingerprint,
      },
      engine: { torch: torch.version, praxisDevice: device.device },
      git: await gitFacts(process.cwd()),
    },
  });
  onFolder(run);
  try {
    await saveSplit(split, run.file('split.json'));
    const size = [form.height, form.width] as const;
    const augmentation = viewsSpec(size, form.channels);
    const trainForm = formForCrops(form, augmentation, side);
    const kept = trainForm ?? form;
    const statistics = await normalise(train, kept, settings, working('normalise', 'measuring the training part'));
    await writeFileAtomic(
      run.file(normalisationFile),
      `${JSON.stringify(channelsJson(statistics, { form: kept, classes: dataset.classes }))}\n`,
    );
    line(
      'normalise',
      `${form.width}×${form.height} pixels; mean ${statistics.mean.map((x) => x.toFixed(3)).join(' ')}, deviation ${statistics.std.map((x) => x.toFixed(3)).join(' ')} of the ${statistics.pictures.toLocaleString('en-GB')} training pictures, exact.`,
    );

    // The larger the batch, the more strangers each view is told from.
    const usualBatch = Math.min(128, Math.max(8, 2 ** Math.floor(Math.log2(train.length / 4))));
    const batchSize = Math.min(typeof settings.batchSize === 'number' ? settings.batchSize : usualBatch, train.length);
    if (batchSize < 2)
      throw new ConfigError('batchSize: learning without labels compares pictures; a batch needs 2 or more.');
    const half = halfPrecision(device.device);
    const draft: TrainPlan = {
      seed: settings.seed,
      data: {
        path: typeof options.data === 'string' ? dataset.root : '',
        ...{ name: dataset.name, classes: dataset.classes, multiLabel: false, form },
        ...(trainForm === undefined ? {} : { trainForm }),
        statistics: { mean: statistics.mean, std: statistics.std },
        ...{ workers: workersFor(settings), cache: settings.cache },
      },
      model: { name: choice.model, options: { ...choice.modelOptions, classes: widths.hidden, size } },
      contrastive: { temperature, projection: widths.projection, labelled },
      optimisation: {
        ...{ epochs: 1, batches: train.length >= batchSize ? Math.floor(train.length / batchSize) : 1, batchSize },
        accumulate: 1,
        ...{ optimizer: choice.optimizer, ...(choice.optimizer === 'muon' ? half.muon : {}) },
        learningRate:
          typeof settings.learningRate === 'number' ? settings.learningRate : usualRate * Math.sqrt(batchSize / 64),
        weightDecay: choice.weightDecay,
        schedule: settings.schedule,
        warmupSteps: 0,
        ...(choice.clip === undefined ? {} : { clip: choice.clip }),
        labelSmoothing: 0,
      },
      augmentation,
      machine: untunedMachine(settings, device.device),
      ...{ checkpointEvery: settings.checkpointEvery, keep: 1, averageBest: false },
    };
    const model = buildModel(draft);
    const cost = describeModel(model, [form.channels, form.height, form.width]);
    line(
      'model',
      `${choice.model} and a projection to ${widths.projection} numbers: ${(cost.parameters / 1e6).toFixed(2)} M parameters, ${(cost.multiplyAdds / 1e6).toFixed(0)} M multiply-adds per view.`,
    );
    const batches = await firstBatches(train, draft, 2);
    const [batch] = batches;
    if (batch === undefined) throw new RunError(`${dataset.root}: not one batch of pictures could be read.`);
    await keepSamples(run, batch.input, draft);
    placeModel(model, draft.machine);
    const tuned = await tuneMachine({
      ...{ model, batches: batches.map(fewViews), device: device.device, step: stepOptions(draft.optimisation, false) },
      ...{ optimizer: buildOptimizer(model, draft.optimisation), half: half.worth },
      ...settledMachine(settings),
    });
    line(
      'tune',
      `${device.message.replace(/\.$/, '')}: ${machineText(tuned, 'view')}${settings.precision === 'auto' ? half.text : ''}.`,
    );

    const perSecond = Math.max(...tuned.trials.map((one) => (one.machine === tuned.machine ? one.perSecond : 0)));
    const perEpoch = (epochOverhead * 2 * (train.length + validation.length)) / perSecond;
    const budget = settings.budget === 'off' ? Number.POSITIVE_INFINITY : settings.budget * 60;
    const time = Math.max(budget / 2, budget - (performance.now() - begun) / 1000);
    const epochs =
      settings.epochs === 'auto' ? Math.min(mostEpochs, Math.max(3, Math.floor(time / perEpoch))) : settings.epochs;
    const plan: TrainPlan = {
      ...draft,
      machine: tuned.machine,
      optimisation: {
        ...draft.optimisation,
        epochs,
        warmupSteps: Math.round(choice.warmup * epochs * draft.optimisation.batches),
      },
    };
    for (const one of batches) for (const tensor of Object.values(one)) if (tensor instanceof Tensor) tensor.dispose();
    await run.update({
      configuration: { settings, plan, choices: choice.choices },
      model: { name: choice.model, parameters: cost.parameters, multiplyAdds: cost.multiplyAdds },
    });
    line(
      'train',
      `${epochs} epochs of ${plan.optimisation.batches} steps of ${batchSize} pictures in two views each, about ${Math.max(1, Math.round((epochs * perEpoch) / 60))} min; each view is to find its partner among ${2 * batchSize - 1} (SimCLR, temperature ${temperature}); ${choice.optimizer}, rate ${Number(plan.optimisation.learningRate.toPrecision(3))}. Accuracy is the share that does.`,
    );
    torch.manualSeed(settings.seed);
    const training = buildTraining({ plan, split: { train, validation }, run, stop, model: buildModel(plan) });
    return await finishPretraining(training, { train, validation }, emit);
  } catch (error) {
    if (run.writable)
      await run.end(error instanceof StoppedEarly ? 'stopped' : 'failed', { reason: (error as Error).message });
    throw error;
  }
}

/** The views of the first pictures of a batch: so few that measuring never cuts partners apart. */
function fewViews({ input, target }: { readonly input: Tensor; readonly target: Tensor }) {
  const all = (target.shape[0] as number) / 2;
  const some = Math.min(16, all);
  return {
    input: torch.cat([input.narrow(0, 0, some), input.narrow(0, all, some)]),
    target: F.ntXentPartners(2 * some),
  };
}

export interface PretrainOptions extends Omit<TrainOptions, UnusedSetting> {
  /** A folder of pictures in any structure, or whatever `train` takes; labels are not learnt. */
  readonly data: string | Dataset;
  /** What cosines are divided by. Default 0.5. */
  readonly temperature?: number;
}

/**
 * Pre-trains a network on pictures without labels (SimCLR): `finetune` and `probe` take its folder as weights. Goes on after a stop or a kill as a
 * training does (`resume`).
 * @throws ConfigError at once for settings that cannot be; DataError and RunError from the promise
 */
export function pretrain(options: PretrainOptions): Training {
  const { data, temperature, ...rest } = options;
  const settings = checkSettings(rest, 'pretrain()');
  return new Training((stop, emit) =>
    runPretraining({
      ...{ data, settings, stop, emit, command: commandLine() },
      ...(temperature === undefined ? {} : { temperature }),
    }),
  );
}
