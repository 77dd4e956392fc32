/** How far a run is: what is counted while it trains, saved in each checkpoint, and put back when it goes on. */

import type { OptimisationPlan } from './plan.js';
import { workFrom } from './progressive.js';

/** Sums over the batches of an epoch. */
export interface EpochSums {
  loss: number;
  correct: number;
  count: number;
}

/** Facts of one validation, for selection and for the record. */
export interface Validation {
  /** Batches done. */
  readonly step: number;
  /** Epochs done, with a fraction within one. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** JSON; part of every checkpoint. */
export interface ProgressState {
  readonly step: number;
  readonly updates: number;
  readonly epoch: number;
  readonly sums: EpochSums;
  readonly validations: readonly Validation[];
  readonly rateFactor: number;
  readonly rollbacks: number;
  readonly seconds: number;
  /** Absent in checkpoints from before it was counted. */
  readonly logging?: number;
  readonly recentLosses: readonly number[];
  readonly stepper: unknown;
}

/** Losses whose median tells what a spike is. */
const recent = 50;

export class Progress {
  /** Batches done in the whole run. */
  step = 0;
  /** Updates of the weights. */
  updates = 0;
  /** Epochs done. */
  epoch = 0;
  sums: EpochSums = { loss: 0, correct: 0, count: 0 };
  validations: Validation[] = [];
  /** What rollbacks made of the learning rate: 1, 0.5, 0.25. */
  rateFactor = 1;
  rollbacks = 0;
  /** Seconds of training in all sessions. */
  seconds = 0;
  /** Seconds that logging took in all sessions, up to the last checkpoint. */
  logging = 0;
  #recent: number[] = [];

  /** Notes a step's loss; tells whether it is a spike: three times the median of the last fifty. */
  note(loss: number, correct: number, count: number): boolean {
    this.sums.loss += loss * count;
    this.sums.correct += correct;
    this.sums.count += count;
    const sorted = [...this.#recent].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
    const spike = this.#recent.length >= 20 && loss > 3 * median;
    this.#recent = [...this.#recent, loss].slice(-recent);
    return spike;
  }

  /** The best validation so far: highest accuracy, of equals the lower loss, of those the earlier. */
  best(): Validation | undefined {
    let best: Validation | undefined;
    for (const one of this.validations) if (best === undefined || isBetter(one, best)) best = one;
    return best;
  }

  state(stepper: unknown): ProgressState {
    const { step, updates, epoch, sums, validations, rateFactor, rollbacks, seconds, logging } = this;
    return {
      ...{ step, updates, epoch, sums: { ...sums }, validations: [...validations], rateFactor, rollbacks, seconds },
      logging,
      recentLosses: [...this.#recent],
      stepper,
    };
  }

  restore(state: ProgressState): void {
    const { step, updates, epoch, sums, validations, rateFactor, rollbacks, seconds, recentLosses } = state;
    Object.assign(this, { step, updates, epoch, rateFactor, rollbacks, seconds, logging: state.logging ?? 0 });
    this.sums = { ...sums };
    this.validations = [...validations];
    this.#recent = [...recentLosses];
  }
}

export const isBetter = (a: Validation, b: Validation): boolean =>
  a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss);

/** One number by which checkpoints are ranked: accuracy first; the loss, squeezed into less than any step of accuracy, breaks ties. */
export const scoreOf = ({ accuracy, loss }: Validation): number => accuracy - 1e-9 * (loss / (1 + loss));

/** Tells, at any time from now on, the seconds that are left: at the pace since now, with what later epochs cost more than those before. */
export function forecast(
  { progressive, epochs, batches }: Pick<OptimisationPlan, 'progressive' | 'epochs' | 'batches'>,
  progress: Pick<Progress, 'step' | 'seconds'>,
): () => number {
  const left = (): number => workFrom(progressive, progress.step / batches, epochs);
  const from = { work: left(), seconds: progress.seconds };
  // After a rollback there may be more left than there was.
  return () => ((progress.seconds - from.seconds) * left()) / Math.max(1e-3 / batches, from.work - left());
}
