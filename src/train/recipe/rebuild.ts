/** From a plan and its data to what trains: the same for a new run and for one that goes on. */

import path from 'node:path';
import { createModel } from '../../models/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import type { RunFolder } from '../../track/index.js';
import { buildAverage, buildLoaders, buildOptimizer, buildSchedule } from '../build.js';
import { CheckpointKeeper } from '../checkpoint.js';
import { type Classifier, placeModel, type StepOptions, Stepper } from '../compute.js';
import type { Training } from '../loop.js';
import type { OptimisationPlan, TrainPlan } from '../plan.js';
import { ContrastiveNet } from '../pretrain/network.js';
import { Progress } from '../progress.js';
import { Recorder } from '../recorder.js';
import { SampleLosses } from '../sample-losses.js';
import type { StopSignal } from '../stop.js';
import { beginHead } from '../transfer/head-start.js';
import { fillFrom, loadStart } from '../transfer/source.js';
import type { ReadyParts } from './rows.js';

/** The network that a plan names, with its first weights. */
export function buildBody(plan: Pick<TrainPlan, 'model' | 'seed'>): Classifier {
  torch.manualSeed(plan.seed);
  return createModel(plan.model.name, plan.model.options) as unknown as Classifier;
}

/** What trains in a plan, with its first weights: the network, in a pre-training with the projection on top of it. */
export function buildModel(plan: Pick<TrainPlan, 'model' | 'seed' | 'contrastive'>): Classifier {
  const body = buildBody(plan);
  if (plan.contrastive === undefined) return body;
  return new ContrastiveNet(body, plan.model.options.classes, plan.contrastive) as unknown as Classifier;
}

/** The model of a plan as a run begins with it: with the pretrained weights, where it has some. */
export async function startModel(plan: TrainPlan, folder: string): Promise<Classifier> {
  const model = buildModel(plan);
  if (plan.transfer === undefined) return model;
  const { classes, channels = 3, size = [0, 0] } = plan.model.options;
  fillFrom(model, await loadStart(plan.transfer), { classes, channels, size, newHead: plan.transfer.newHead });
  if (plan.transfer.head !== undefined)
    beginHead(model, (await torch.load(path.join(folder, plan.transfer.head))) as { weight: Tensor; bias: Tensor });
  return model;
}

export const stepOptions = (plan: OptimisationPlan, multiLabel: boolean): StepOptions => ({
  labelSmoothing: plan.labelSmoothing,
  multiLabel,
  accumulate: plan.accumulate,
  ...(plan.clip === undefined ? {} : { clip: plan.clip }),
});

export interface Given {
  readonly plan: TrainPlan;
  readonly split: ReadyParts;
  readonly run: RunFolder;
  readonly stop: StopSignal;
  readonly model: Classifier;
  /** Whom the model learns from. */
  readonly teacher?: Classifier | undefined;
  /** For a run that goes on: what was logged beyond this step is logged anew. */
  readonly fromStep?: number;
  /** Seconds that went into the record before the training began. */
  readonly logged?: number;
}

/** Everything that trains, at its beginning. */
export function buildTraining({ plan, split, run, stop, model, teacher, fromStep, logged = 0 }: Given): Training {
  placeModel(model, plan.machine);
  const optimizer = buildOptimizer(model, plan.optimisation, plan.transfer);
  if (teacher !== undefined) placeModel(teacher, plan.machine);
  const { train, validation } = buildLoaders(split, plan, teacher);
  const recorder = new Recorder(run, fromStep);
  recorder.tracking.spentBefore(logged);
  return {
    plan,
    model,
    optimizer,
    stepper: new Stepper(model, optimizer, plan.machine, stepOptions(plan.optimisation, plan.data.multiLabel)),
    schedule: buildSchedule(plan.optimisation, plan.transfer),
    average: buildAverage(model, plan.optimisation),
    train,
    validation,
    run,
    recorder,
    keeper: new CheckpointKeeper(run.checkpoints, { best: plan.keep }),
    progress: new Progress(),
    // Of a view no loss says anything of its picture's label.
    samples:
      plan.data.multiLabel || plan.contrastive !== undefined
        ? undefined
        : new SampleLosses(split.train, plan.optimisation.epochs),
    stop,
  };
}
