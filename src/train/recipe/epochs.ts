/** How many epochs a run has time for. */
import type { TrainSettings } from '../config/schema.js';
import { describeProgress, epochsWithin, workFrom } from '../progressive.js';
import { epochOverhead, type Resolved } from './resolve.js';

export interface EpochsChosen {
  readonly epochs: number;
  /** What they will take. */
  readonly minutes: number;
  /** Why there are fewer than wanted, for a line on the terminal; empty where there are not. */
  readonly why: string;
}

/**
 * The epochs of a run: as wanted, or where the recipe is free to choose, what the budget allows.
 * @param perEpoch seconds of an epoch's bare steps on whole pictures
 * @param gone seconds of the budget that are gone; half of it is left for training even so
 */
export function chooseEpochs(
  choice: Pick<Resolved, 'epochs' | 'epochsAreFree' | 'progressive'>,
  settings: Pick<TrainSettings, 'budget'>,
  perEpoch: number,
  gone: number,
): EpochsChosen {
  const spent = epochOverhead * perEpoch;
  const budget = settings.budget === 'off' ? Number.POSITIVE_INFINITY : settings.budget * 60;
  const time = Math.max(budget / 2, budget - gone);
  const epochs = choice.epochsAreFree ? epochsWithin(choice.progressive, time / spent, choice.epochs) : choice.epochs;
  const minutes = (spent * workFrom(choice.progressive, 0, epochs)) / 60;
  const why =
    epochs < choice.epochs ? ` (${choice.epochs} would take longer than the budget of ${settings.budget} minutes)` : '';
  return { epochs, minutes, why };
}

/** How pictures grow, and how large those are that are validated, as parts of a line; empty where all are alike. */
export function describeSizes(
  { form, testForm, progressive }: Pick<Resolved, 'form' | 'testForm' | 'progressive'>,
  epochs: number,
): string {
  const grow = progressive && form ? `; ${describeProgress(progressive, [form.height, form.width], epochs)}` : '';
  return testForm ? `${grow}; validated on ${testForm.width}×${testForm.height}` : grow;
}
