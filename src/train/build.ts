/** Builds from a plan what its training needs: optimiser, average, schedule, loaders. */
import { buildAugmentation, compose, normalize, toFloat } from '../data/augment/index.js';
import { DataLoader } from '../data/loader/index.js';
import type { BatchTransform, Dataset } from '../data/types.js';
import {
  Adam,
  AdamW,
  type CommonOptions,
  constant,
  cosine,
  ExponentialMovingAverage,
  Lion,
  linear,
  MuonWithAdamW,
  muonGroups,
  type Optimizer,
  oneCycle,
  paramGroups,
  RMSprop,
  type Schedule,
  SGD,
  step,
  warmup,
} from '../optim/index.js';
import type { Classifier } from './compute.js';
import { taught } from './ensemble/distil.js';
import { type OptimisationPlan, type TrainPlan, totalUpdates } from './plan.js';
import { viewLoaders } from './pretrain/views.js';
import { growing, shrinking } from './progressive.js';
import type { TransferPlan } from './transfer/plan.js';
import { headUpdates, tuningGroups, twoPhases } from './transfer/schedule.js';

/** The optimiser of a plan over a model's weights; biases and norms do not decay. Fine-tuned layers have rates of their own. */
export function buildOptimizer(
  model: Classifier,
  plan: OptimisationPlan,
  transfer?: TransferPlan,
): Optimizer<CommonOptions> {
  const { learningRate: lr, weightDecay } = plan;
  const groups = transfer === undefined ? paramGroups(model, { weightDecay }) : tuningGroups(model, plan, transfer);
  const optimizer = (() => {
    switch (plan.optimizer) {
      case 'adamw':
        return new AdamW(groups, { lr });
      case 'adam':
        return new Adam(groups, { lr });
      case 'sgd':
        return new SGD(groups, { lr, momentum: 0.9, nesterov: true });
      case 'lion':
        return new Lion(groups, { lr });
      case 'rmsprop':
        return new RMSprop(groups, { lr, momentum: 0.9 });
      case 'muon':
        // Two rules with a rate each: the loop scales both.
        return new MuonWithAdamW(
          muonGroups(model, { lr, weightDecay, nsDtype: plan.nsDtype }).map((group) => ({
            ...group,
            initialLr: group.lr,
          })),
        );
    }
  })();
  return optimizer as unknown as Optimizer<CommonOptions>;
}

/** The factor of the learning rate at each update. */
export function buildSchedule(plan: OptimisationPlan, transfer?: TransferPlan): Schedule {
  const head = transfer === undefined ? 0 : headUpdates(plan, transfer);
  const whole = scheduleOver(plan, Math.max(1, totalUpdates(plan) - head));
  return head === 0 ? whole : twoPhases(head, whole);
}

function scheduleOver(plan: OptimisationPlan, steps: number): Schedule {
  if (plan.schedule === 'one-cycle') return oneCycle({ steps });
  const after = Math.max(1, steps - plan.warmupSteps);
  const fall = {
    cosine: () => cosine({ steps: after }),
    linear: () => linear({ steps: after }),
    // The seed: train until there is no more progress, then cut the rate by a factor of 10; here after each third.
    step: () => step({ every: Math.max(1, Math.floor(after / 3)), gamma: 0.1 }),
    constant: () => constant(),
  }[plan.schedule]();
  return plan.warmupSteps > 0 ? warmup(fall, { steps: plan.warmupSteps }) : fall;
}

export function buildAverage(model: Classifier, plan: OptimisationPlan): ExponentialMovingAverage | undefined {
  if (plan.ema === undefined) return undefined;
  return new ExponentialMovingAverage(model.parameters(), { decay: plan.ema, warmUp: true, buffers: model.buffers() });
}

/** uint8 pictures to what the network takes: 0…1, then normalised. Undefined for data that is ready. */
export function inputTransform(plan: Pick<TrainPlan, 'data'>): BatchTransform | undefined {
  const { form, statistics } = plan.data;
  if (form === undefined) return undefined;
  return compose(statistics === undefined ? [toFloat()] : [toFloat(), normalize(statistics)]);
}

export interface Loaders {
  readonly train: DataLoader;
  readonly validation: DataLoader;
}

/** A loader over pictures, or rows, that are evaluated and not trained on: in order, unchanged. */
export function evaluationLoader(
  dataset: Dataset,
  plan: Pick<TrainPlan, 'data' | 'seed' | 'machine'>,
  batchSize: number,
): DataLoader {
  const transform = inputTransform(plan);
  return new DataLoader({
    dataset,
    batchSize,
    workers: plan.data.workers,
    cache: plan.data.cache,
    seed: plan.seed,
    device: plan.machine.device,
    ...(plan.data.form === undefined ? {} : { form: plan.data.form }),
    ...(transform === undefined ? {} : { transform }),
  });
}

/** What is done to training batches. @param teaching puts what a teacher says into their labels */
function trainTransform(plan: TrainPlan, teaching: BatchTransform | undefined): BatchTransform | undefined {
  const { augmentation } = plan;
  const { form, statistics } = plan.data;
  const { progressive, epochs } = plan.optimisation;
  const options = statistics === undefined ? {} : { statistics };
  const changes = form === undefined ? undefined : augmentation;
  if (progressive !== undefined && changes !== undefined && teaching === undefined)
    return growing(changes, options, { plan: progressive, epochs });
  // A teacher sees whole pictures, as it learned to.
  const small = progressive === undefined ? undefined : shrinking(progressive, epochs);
  const changed =
    form === undefined ? undefined : changes === undefined ? inputTransform(plan) : buildAugmentation(changes, options);
  const all = [changed, teaching, small].filter((one) => one !== undefined);
  if (all.length < 2) return all[0];
  return (batch, context) => all.reduce((current, one) => one(current, context), batch);
}

export function buildLoaders(
  split: { readonly train: Dataset; readonly validation: Dataset },
  plan: TrainPlan,
  teacher?: Classifier,
): Loaders {
  if (plan.contrastive !== undefined) return viewLoaders(split, plan);
  const { form } = plan.data;
  const teaching =
    teacher === undefined || plan.distillation === undefined
      ? undefined
      : taught(teacher, plan.machine, plan.distillation.weight, plan.data.multiLabel);
  const transform = trainTransform(plan, teaching);
  const train = new DataLoader({
    dataset: split.train,
    batchSize: plan.optimisation.batchSize,
    shuffle: true,
    dropLast: split.train.length >= plan.optimisation.batchSize,
    workers: plan.data.workers,
    cache: plan.data.cache,
    seed: plan.seed,
    device: plan.machine.device,
    ...(form === undefined ? {} : { form: plan.data.trainForm ?? form }),
    ...(transform === undefined ? {} : { transform }),
  });
  return { train, validation: evaluationLoader(split.validation, plan, Math.max(64, plan.optimisation.batchSize)) };
}
