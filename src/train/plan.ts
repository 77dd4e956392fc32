/** What a run will do, with nothing left open: everything that rebuilding and going on with it needs. Fits JSON; stands in `run.json`. */
import type { AugmentationSpec } from '../data/augment/index.js';
import type { ChannelStatistics, PictureForm } from '../data/types.js';
import type { ModelOptions } from '../models/index.js';
import type { Machine } from './compute.js';
import type { EnsemblePlan } from './ensemble/classifier.js';
import type { DistillationPlan } from './ensemble/distil.js';
import type { ContrastivePlan } from './pretrain/plan.js';
import type { ProgressivePlan } from './progressive.js';
import type { TrainPart } from './recipe/part.js';
import type { TransferPlan } from './transfer/plan.js';

export type OptimizerName = 'adamw' | 'adam' | 'sgd' | 'lion' | 'rmsprop' | 'muon';
export type ScheduleName = 'cosine' | 'linear' | 'step' | 'constant' | 'one-cycle';

export interface DataPlan {
  /** Absolute path, empty when the data was given as an object. */
  readonly path: string;
  readonly name: string;
  readonly classes: readonly string[];
  readonly multiLabel: boolean;
  /** What the network is validated on and predicts; undefined for data that is no pictures. */
  readonly form?: PictureForm;
  /** In what form training pictures are kept, where that is another: larger, where crops are cut from more pixels; smaller, where the network is validated on larger pictures than it learns from. */
  readonly trainForm?: PictureForm;
  readonly statistics?: ChannelStatistics;
  readonly workers: number | 'auto';
  readonly cache: boolean;
  /** Which of the training samples; all by default. */
  readonly part?: TrainPart;
}

export interface ModelPlan {
  /** Name for `createModel`; empty when the model was given as an object. */
  readonly name: string;
  readonly options: ModelOptions;
}

export interface OptimisationPlan {
  readonly epochs: number;
  /** Batches of an epoch. */
  readonly batches: number;
  readonly batchSize: number;
  readonly accumulate: number;
  readonly optimizer: OptimizerName;
  /** What Muon's iteration computes in; bfloat16 where it is not said. */
  readonly nsDtype?: 'bfloat16' | 'float32';
  /** Top of the schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: ScheduleName;
  /** Updates in which the rate rises. */
  readonly warmupSteps: number;
  readonly clip?: number;
  readonly labelSmoothing: number;
  /** Decay of the moving average of the weights. */
  readonly ema?: number;
  /** How pictures grow in the course of the run; whole from the first where it is not said. */
  readonly progressive?: ProgressivePlan;
  /** Epochs without a better validation after which training stops. */
  readonly patience?: number;
}

export interface TrainPlan {
  readonly seed: number;
  readonly data: DataPlan;
  readonly model: ModelPlan;
  readonly optimisation: OptimisationPlan;
  /** Where the first weights come from, when they are not drawn, and how they are fine-tuned. */
  readonly transfer?: TransferPlan;
  /** Learns without labels; the model's own last layer then names no classes. */
  readonly contrastive?: ContrastivePlan;
  /** What is done to training pictures; JSON. */
  readonly augmentation?: AugmentationSpec;
  readonly machine: Machine;
  readonly validateEvery?: number;
  /** Minutes. */
  readonly checkpointEvery: number;
  readonly keep: number;
  readonly averageBest: boolean;
  /** Whether the chosen weights are made as sure as they are right. */
  readonly calibrate?: boolean;
  /** Several networks whose probabilities are averaged; `model` then names none. */
  readonly ensemble?: EnsemblePlan;
  /** Whom the network learns from, beside the labels or instead of them. */
  readonly distillation?: DistillationPlan;
}

/** Updates of the whole run. */
export function totalUpdates(plan: OptimisationPlan): number {
  return plan.epochs * Math.ceil(plan.batches / plan.accumulate);
}
