/** What a training tells while it runs. */
import type { LookSeverity } from '../look/index.js';
import type { Evaluation } from './evaluate.js';

/** The stages of the recipe, in the seed text's order. */
export const stages = [
  'look',
  'split',
  'normalise',
  'model',
  'initialise',
  'tune',
  'head start',
  'learning rate',
  'train',
  'select',
  'report',
] as const;
export type Stage = (typeof stages)[number];

export type TrainEvent =
  /** A stage of the recipe is done: one honest line. */
  | {
      readonly kind: 'stage';
      readonly stage: Stage;
      readonly text: string;
      readonly facts?: Readonly<Record<string, unknown>>;
    }
  /** A stage is at work: what it does, and how far it is. */
  | { readonly kind: 'working'; readonly stage: Stage; readonly text: string; readonly share?: number }
  | StepEvent
  | EpochEvent
  /** Something about the data, one sentence; comes after the stage `look`, the most important first. */
  | { readonly kind: 'finding'; readonly severity: LookSeverity; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  /** Of work that holds several trainings: which one comes next. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'checkpoint'; readonly file: string; readonly step: number }
  | { readonly kind: 'rollback'; readonly step: number; readonly toStep: number; readonly text: string }
  | {
      readonly kind: 'finished';
      readonly folder: string;
      readonly state: 'finished' | 'stopped';
      /** Whether `resume` can go on with it: not with a run that is finished, or was stopped before its training began. */
      readonly resumable: boolean;
      readonly text: string;
    };

export interface StepEvent {
  readonly kind: 'step';
  /** Batches done in the whole run. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  /** Of the epoch so far. */
  readonly accuracy: number;
  readonly learningRate: number;
  readonly perSecond: number;
  /** Share of the time spent waiting for data, in this epoch. */
  readonly waiting: number;
  /** Resident memory of the process in bytes. */
  readonly memory: number;
  readonly secondsLeft: number;
  /** The loss is far above its recent median. */
  readonly spike: boolean;
}

export interface EpochEvent {
  readonly kind: 'epoch';
  readonly step: number;
  /** Counted from 1: epochs done. */
  readonly epoch: number;
  readonly epochs: number;
  readonly trainLoss: number;
  /** On the pictures as they were trained on: augmented, in train mode. */
  readonly trainAccuracy: number;
  readonly validation: Omit<Evaluation, 'predictions' | 'intervals'>;
  readonly best: boolean;
  readonly seconds: number;
  readonly perSecond: number;
  readonly waiting: number;
}
