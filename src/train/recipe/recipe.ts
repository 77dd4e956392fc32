/**
 * The recipe, in the seed text's order: look, split, normalise, model, initialise, tune the machine, find the learning rate, train, select,
 * report. One honest line for each stage; everything into the run folder. The test part stays sealed.
 */

import { channelsJson, drawHistograms } from '../../data/normalise/index.js';
import { datasetWarnings } from '../../data/sources/index.js';
import { saveSplit } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import { describeModel, modelSpec } from '../../models/index.js';
import { init } from '../../nn/index.js';
import { Tensor, torch } from '../../torch/index.js';
import { gitFacts, RunFolder, writeFileAtomic } from '../../track/index.js';
import { buildOptimizer } from '../build.js';
import { type Classifier, classesOf, placeModel } from '../compute.js';
import type { TrainSettings } from '../config/schema.js';
import { pickDevice } from '../device.js';
import type { DistillationPlan } from '../ensemble/distil.js';
import { RunError, StoppedEarly } from '../errors.js';
import type { Evaluation } from '../evaluate.js';
import type { TrainEvent } from '../events.js';
import type { TrainPlan } from '../plan.js';
import type { StopSignal } from '../stop.js';
import { tuneMachine } from '../tune.js';
import { augmentationFor, describePolicy, formForCrops, presetOf } from './augmentation.js';
import { chooseRate } from './choose-rate.js';
import { describeSplit, makeSplit, normalise, openWithExclusions, requireWritable } from './data.js';
import { chooseEpochs, describeSizes } from './epochs.js';
import { finish } from './finish.js';
import { lookFirst, lookRecord } from './look.js';
import {
  choiceText,
  firstBatches,
  halfPrecision,
  machineText,
  settleBatchSize,
  settledMachine,
  untunedMachine,
} from './machine.js';
import { narrowed, type TrainPart } from './part.js';
import { buildModel, buildTraining, startModel, stepOptions } from './rebuild.js';
import { exclusionsFile, teacherOf } from './record.js';
import { resolve, usualRates, workersFor } from './resolve.js';
import { checkModelTakes, inputOptions, normalisationFile, prepareRows, rowShape, sampleNoun } from './rows.js';
import { keepSamples } from './samples.js';
import { loggedStages, stageTalk } from './stages.js';
import { describeTransfer, hintAt, openPretrained, transferFrom } from './transfer.js';

export interface RecipeOptions {
  readonly data: string | Dataset;
  readonly settings: TrainSettings;
  /** A model of your own instead of a named one. */
  readonly model?: Classifier;
  /** Trains on some of the training part. */
  readonly part?: TrainPart;
  /** Normalises rows by the whole training part even so, so that several such networks take the same rows. Pictures may differ. */
  readonly normaliseByAll?: boolean;
  /** Learns what a run or an ensemble says instead of, or beside, the labels. */
  readonly distillation?: DistillationPlan;
  readonly stop: StopSignal;
  readonly emit: (event: TrainEvent) => void;
  /** For the record, ready to be typed again. */
  readonly command: string;
}

/** What a finished, or stopped, training leaves. */
export interface RunResult {
  /** The run folder; empty when it was stopped before there was one. */
  readonly folder: string;
  readonly state: 'finished' | 'stopped';
  /** Validation accuracy (multi-label: mean average precision) of the chosen weights. */
  readonly score?: number;
  /** All metrics of the validation. */
  readonly report?: Evaluation['report'];
  /** Epochs done when they were validated. */
  readonly epoch?: number;
}

const short = (x: number, digits = 3): string => Number(x.toPrecision(digits)).toString();
const millions = (x: number): string =>
  x >= 1e6 ? `${(x / 1e6).toFixed(1)} M` : x >= 1e3 ? `${(x / 1e3).toFixed(1)} k` : String(x);

/** Runs the recipe from the data to the chosen weights. @throws DataError, RunError, ConfigError */
export async function runRecipe(options: RecipeOptions): Promise<RunResult> {
  return loggedStages(options.emit, (emit, onFolder) => runStages({ ...options, emit }, onFolder));
}

async function runStages(options: RecipeOptions, onFolder: (run: RunFolder) => void): Promise<RunResult> {
  const { settings, stop, emit } = options;
  const begun = performance.now();
  const { line, working } = stageTalk(stop, emit);
  const warn = (text: string) => emit({ kind: 'warning', text });

  // A misspelt model is told before any picture is looked at.
  if (options.model === undefined && settings.model !== 'auto') modelSpec(settings.model);

  // Look at the data.
  const opened = await openWithExclusions(options.data, settings);
  const { dataset } = opened;
  requireWritable(settings.out);
  if (options.model === undefined) checkModelTakes(dataset, settings.model);
  const weights = await openPretrained(settings, dataset, options.model !== undefined);
  const noun = sampleNoun(dataset);
  // A split made before seals its test part, and what is sealed is not looked at.
  const made = settings.splitFile === undefined ? undefined : await makeSplit(dataset, settings);
  const look = await lookFirst(opened, {
    seed: settings.seed,
    onProgress: working('look', 'looking at pictures'),
    stop,
  });
  line('look', look.text);
  for (const warning of datasetWarnings(dataset)) warn(`${warning.charAt(0).toUpperCase()}${warning.slice(1)}.`);
  for (const { severity, message } of look.findings) emit({ kind: 'finding', severity, text: message });
  if (look.more > 0)
    emit({ kind: 'finding', severity: 'note', text: `${look.more} more; praxis look shows all, and what to do.` });

  // Split it; the test part is sealed from here on.
  const split = made ?? (await makeSplit(dataset, settings, working('split', 'comparing pictures')));
  const { train, validation } = narrowed(split, options.part);
  line('split', `${describeSplit(split)}${options.part === undefined ? '' : ` Trained on ${train.length} of them.`}`);
  for (const finding of split.findings)
    if (finding.severity === 'warning') warn(`${finding.message}${finding.remedy ? ` ${finding.remedy}` : ''}`);

  const facts = {
    samples: train.length,
    classes: dataset.classes.length,
    ...(look.side === undefined ? {} : { side: look.side }),
    ...(look.detail === undefined ? {} : { detail: look.detail }),
  };
  const start = transferFrom(weights, settings, facts, dataset);
  // A model of the user's own may take pictures of one size only.
  const own = options.model !== undefined && settings.progressive === 'auto';
  const choice = start?.choice ?? resolve(own ? { ...settings, progressive: 'off' } : settings, facts);
  const { progressive } = choice;
  const changes = start?.settings ?? settings;
  const preset = (epochs: number) => presetOf(changes, facts, epochs, progressive !== undefined);
  const device = pickDevice(settings.device);
  const modelName = options.model === undefined ? choice.model : options.model.constructor.name;
  const run = await RunFolder.create(settings.out, {
    name: settings.name ?? `${dataset.name}-${modelName}`,
    command: options.command,
    onWarning: warn,
    facts: {
      seed: settings.seed,
      data: {
        path: typeof options.data === 'string' ? dataset.root : '',
        name: dataset.name,
        root: dataset.root,
        samples: dataset.length,
        classes: dataset.classes,
        fingerprint: split.datasetFingerprint,
      },
      split: {
        train: train.length,
        validation: split.validation.length,
        test: split.test.length,
        fingerprint: split.fingerprint,
      },
      engine: { torch: torch.version, praxisDevice: device.device },
      git: await gitFacts(process.cwd()),
    },
  });
  onFolder(run);
  try {
    await saveSplit(split, run.file('split.json'));
    await writeFileAtomic(
      run.file('findings.json'),
      `${JSON.stringify({ look: lookRecord(look, opened), split: split.findings }, null, 2)}\n`,
    );
    const left = opened.exclusions.map((one) => `${JSON.stringify(one)}\n`).join('');
    if (typeof options.data === 'string') await writeFileAtomic(run.file(exclusionsFile), left);

    // Normalise with what the training part says.
    const form = train.kind === 'pictures' ? choice.form : undefined;
    const augmentationOf = (epochs: number) =>
      form && augmentationFor({ ...changes, augment: preset(epochs).augment }, facts, form, dataset.classes);
    const augmentation = augmentationOf(choice.epochs);
    const trainForm =
      form === undefined || augmentation === undefined ? undefined : formForCrops(form, augmentation, look.side);
    // In the form in which they are kept, so that each is decoded once.
    const kept = trainForm ?? form;
    const measured =
      train.kind === 'pictures' && kept !== undefined
        ? await normalise(train, kept, settings, working('normalise', 'measuring the training part'))
        : undefined;
    // Pretrained weights go on seeing pictures as they always did.
    const theirs = measured === undefined ? undefined : start?.normalise(measured);
    const statistics = theirs?.statistics ?? measured;
    if (theirs?.warning !== undefined) warn(theirs.warning);
    if (statistics !== undefined && kept !== undefined && form !== undefined) {
      const { mean, std, pictures, skipped } = statistics;
      const json = channelsJson(statistics, { form: kept, classes: dataset.classes });
      await writeFileAtomic(run.file(normalisationFile), `${JSON.stringify(json)}\n`);
      const title = `${dataset.name}: ${pictures.toLocaleString('en-GB')} training pictures`;
      await writeFileAtomic(run.file('normalisation.svg'), await drawHistograms(statistics, { title }));
      line(
        'normalise',
        `${form.width}×${form.height} pixels; ${theirs?.text ?? `mean ${mean.map((x) => x.toFixed(3)).join(' ')}, deviation ${std.map((x) => x.toFixed(3)).join(' ')} of the ${pictures.toLocaleString('en-GB')} training pictures, exact.`}`,
      );
      for (const { name, reason } of skipped.slice(0, 5)) warn(`${name} cannot be read (${reason}) and is left out.`);
      if (skipped.length > 5) warn(`${skipped.length - 5} more pictures cannot be read and are left out.`);
    }
    const { parts, text } = await prepareRows(
      { train, validation },
      run.path,
      options.normaliseByAll === true ? split.train : train,
    );
    if (form === undefined) line('normalise', text);

    // The model.
    const size = form === undefined ? undefined : ([form.height, form.width] as const);
    const modelPlan = {
      name: options.model === undefined ? choice.model : '',
      options: {
        ...choice.modelOptions,
        classes: dataset.classes.length,
        ...(size ? { size } : inputOptions(parts.train)),
      },
    };
    torch.setNumThreads(typeof settings.threads === 'number' ? settings.threads : torch.getNumThreads());
    const model = options.model ?? buildModel({ seed: settings.seed, model: modelPlan });
    const filled = start?.fill(model, modelPlan) ?? hintAt(settings, facts, choice.model, options);
    const shape = form === undefined ? rowShape(parts.train) : [form.channels, form.height, form.width];
    const cost = describeModel(model, shape);
    const reasons = (options.model === undefined ? choice.choices : [])
      .filter((one) => one.setting === 'model')
      .map((one) => `; ${one.reason}`);
    line(
      'model',
      `${modelName}: ${millions(cost.parameters)} parameters, ${short(cost.multiplyAdds / 1e6)} M multiply-adds per ${noun}${reasons.join('')}${filled}.`,
    );

    // Its first weights.
    const usualRate = start?.rate ?? usualRates[choice.optimizer];
    const half = halfPrecision(device.device);
    const draft: TrainPlan = {
      seed: settings.seed,
      data: {
        path: typeof options.data === 'string' ? dataset.root : '',
        name: dataset.name,
        classes: dataset.classes,
        multiLabel: dataset.multiLabel,
        ...(form === undefined ? {} : { form }),
        ...(trainForm === undefined ? {} : { trainForm }),
        ...(statistics === undefined ? {} : { statistics: { mean: statistics.mean, std: statistics.std } }),
        workers: workersFor(settings),
        cache: settings.cache,
        ...(options.part === undefined ? {} : { part: options.part }),
      },
      ...(options.distillation === undefined ? {} : { distillation: options.distillation }),
      model: modelPlan,
      optimisation: {
        epochs: choice.epochs,
        batches: 1,
        batchSize: choice.batchSize === 'largest' ? 64 : Math.min(choice.batchSize, train.length),
        accumulate: settings.accumulate,
        ...{ optimizer: choice.optimizer, ...(choice.optimizer === 'muon' ? half.muon : {}) },
        learningRate: usualRate,
        weightDecay: choice.weightDecay,
        schedule: settings.schedule,
        warmupSteps: 0,
        ...(choice.clip === undefined ? {} : { clip: choice.clip }),
        labelSmoothing: choice.labelSmoothing,
        ...(choice.ema === undefined ? {} : { ema: choice.ema }),
        ...(settings.patience === 'off' ? {} : { patience: settings.patience }),
      },
      ...(augmentation === undefined ? {} : { augmentation }),
      machine: untunedMachine(settings, device.device),
      ...(settings.validateEvery === 'off' ? {} : { validateEvery: settings.validateEvery }),
      checkpointEvery: settings.checkpointEvery,
      keep: settings.keep,
      averageBest: settings.averageBest,
      calibrate: settings.calibrate,
    };
    const draftTransfer = start?.plan(draft.optimisation);
    const batches = await firstBatches(parts.train, draft, 2);
    const [batch] = batches;
    if (batch === undefined) throw new RunError(`${dataset.root}: not one batch of ${noun}s could be read.`);
    const drawing = performance.now();
    await keepSamples(run, batch.input, draft);
    const logged = (performance.now() - drawing) / 1000;
    placeModel(model, draft.machine);
    const check = init.check(
      model,
      {
        input: [batch.input.to({ device: device.device })], // Mixed labels are no classes, and the first loss is to be compared with that of guessing.
        target: (dataset.multiLabel ? batch.target : classesOf(batch.target)).to({ device: device.device }),
      },
      { optimiser: choice.optimizer },
    );
    const faults = check.findings.filter((finding) => finding.severity !== 'note');
    line(
      'initialise',
      `first loss ${short(check.firstLoss)}${Number.isNaN(check.chanceLoss) ? '' : ` (knowing nothing: ${short(check.chanceLoss)})`}; ${faults.length === 0 ? 'activations and gradients reach every layer' : `${faults.length} finding${faults.length === 1 ? '' : 's'}`}.`,
    );
    for (const finding of faults) warn(`${finding.message} ${finding.remedy}`);

    // Tune the machine.
    const trial = buildOptimizer(model, draft.optimisation, draftTransfer);
    const tuned = await tuneMachine({
      model,
      optimizer: trial,
      batches,
      device: device.device,
      step: stepOptions(draft.optimisation, draft.data.multiLabel),
      ...settledMachine(settings),
      half: half.worth,
      onTrial: ({ machine, perSecond }) =>
        emit({
          kind: 'working',
          stage: 'tune',
          text: `${choiceText(machine)}: ${perSecond.toFixed(0)} ${noun}s/s`,
        }),
    });
    line(
      'tune',
      `${device.message.replace(/\.$/, '')}: ${machineText(tuned, noun)}${settings.precision === 'auto' ? half.text : ''}.`,
      {
        trials: tuned.trials,
      },
    );
    const head =
      start === undefined || !settings.headStart || dataset.multiLabel
        ? {}
        : await start.begin({ model, plan: { ...draft, machine: tuned.machine }, parts, run, emit });
    const batchSize = settleBatchSize({
      wanted: choice.batchSize,
      model,
      optimizer: trial,
      draft: { ...draft, machine: tuned.machine },
      batch,
      cost,
      samples: train.length,
    });

    // How long it may take.
    const perEpoch =
      train.length / Math.max(...tuned.trials.map((one) => (one.machine === tuned.machine ? one.perSecond : 0)));
    // What looking and measuring took counts.
    const { epochs, minutes, why } = chooseEpochs(choice, settings, perEpoch, (performance.now() - begun) / 1000);
    const batchesEach = train.length >= batchSize ? Math.floor(train.length / batchSize) : 1;
    const settled = { ...draft.optimisation, epochs, batchSize, batches: batchesEach };
    const augmented = augmentationOf(epochs);

    // Find the learning rate.
    const rateBatch: TrainPlan = { ...draft, machine: tuned.machine, optimisation: settled };
    const scale = (batchSize * settings.accumulate) / 64;
    // Adaptive optimisers take the root; and near 1 no rule holds.
    const usual = Math.min(1, usualRate * (choice.optimizer === 'sgd' ? scale : Math.sqrt(scale)));
    const common = { parts, model, run, trial, usual, stop, emit };
    const rate = await chooseRate({ ...common, rateBatch, wanted: choice.learningRate });
    line(
      'learning rate',
      `${rate.sentence}; ${settings.schedule} schedule${choice.warmup > 0 ? ` after ${Math.round(100 * choice.warmup)} % warm-up` : ''}.`,
    );

    // Train.
    const plan: TrainPlan = {
      ...rateBatch,
      // What is validated and predicted may be larger than what is trained on.
      ...(choice.testForm && form
        ? { data: { ...draft.data, form: choice.testForm, trainForm: trainForm ?? form } }
        : {}),
      // Fewer epochs than wanted may want gentler changes.
      ...(augmented === undefined ? {} : { augmentation: augmented }),
      ...(start === undefined ? {} : { transfer: { ...start.plan(settled), ...head } }),
      optimisation: {
        ...settled,
        ...(progressive === undefined ? {} : { progressive }),
        learningRate: rate.learningRate,
        warmupSteps: Math.round(choice.warmup * epochs * Math.ceil(batchesEach / settings.accumulate)),
      },
    };
    for (const one of batches) for (const tensor of Object.values(one)) if (tensor instanceof Tensor) tensor.dispose();
    await run.update({
      configuration: { settings, plan, choices: [...choice.choices, ...preset(epochs).choices] },
      model: { name: modelName, parameters: cost.parameters, multiplyAdds: cost.multiplyAdds },
    });
    line(
      'train',
      `${epochs} epochs of ${batchesEach} steps of ${batchSize}${why}, about ${Math.max(1, Math.round(minutes))} min${describeSizes(choice, epochs)}; ${choice.optimizer}, decay ${plan.optimisation.weightDecay}, label smoothing ${plan.optimisation.labelSmoothing}${plan.optimisation.ema === undefined ? '' : `, moving average ${plan.optimisation.ema}`}${plan.transfer === undefined ? '' : `; ${describeTransfer(plan.transfer)}`}${form === undefined ? '' : describePolicy(settings, dataset.classes)}.`,
    );
    // The first weights again: a model of the user's own keeps its own.
    const fresh = options.model ?? (await startModel(plan, run.path));
    const teacher = await teacherOf(plan);
    // After all that draws: a run that goes on from here has drawn the same.
    torch.manualSeed(settings.seed);
    return await finish(buildTraining({ plan, split: parts, run, stop, model: fresh, teacher, logged }), {
      split,
      emit,
    });
  } catch (error) {
    if (run.writable)
      await run.end(error instanceof StoppedEarly ? 'stopped' : 'failed', { reason: (error as Error).message });
    throw error;
  }
}
