/** The plateau rule: train until there is no more progress, cut the rate, go on. */
import { ArgumentError } from '../../torch/errors.js';
import type { Optimizer } from '../optimizer.js';
import { refuseUnknown, requireInteger, requireNumber } from '../options.js';

export interface PlateauOptions {
  /** `min` for losses (the default), `max` for accuracies. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied with; the seed's factor of 2 or of 10 is 0.5 or 0.1. Default 0.1. */
  readonly factor?: number;
  /** Reports without progress that are borne. Default 10. */
  readonly patience?: number;
  /** What counts as progress: a share of the best (or an amount, with `thresholdMode: 'abs'`). Default 1e-4. */
  readonly threshold?: number;
  readonly thresholdMode?: 'rel' | 'abs';
  /** Reports after a cut that are not judged. Default 0. */
  readonly cooldown?: number;
  /** Least rate, for all groups or each. Default 0. */
  readonly minLr?: number | readonly number[];
  /** Cuts smaller than this are not made. Default 1e-8. */
  readonly eps?: number;
}

/** What `state()` gives. Fits JSON: the best is null before the first report. */
export interface PlateauState {
  readonly best: number | null;
  readonly badReports: number;
  readonly cooldownLeft: number;
  readonly reports: number;
}

const names = ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps'];

/**
 * Cuts the rate when a measure stops improving: the seed's step decay, "train until you no longer make progress, then cut the learning
 * rate". Unlike the schedules it cannot be known beforehand, so it has state.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 */
export class Plateau {
  readonly #mode: 'min' | 'max';
  readonly #relative: boolean;
  readonly #factor: number;
  readonly #patience: number;
  readonly #threshold: number;
  readonly #cooldown: number;
  readonly #minLr: number | readonly number[];
  readonly #eps: number;
  #best: number;
  #badReports = 0;
  #cooldownLeft = 0;
  #reports = 0;

  constructor(
    readonly optimizer: Pick<Optimizer, 'paramGroups'>,
    options: PlateauOptions = {},
  ) {
    const title = 'Plateau';
    refuseUnknown(title, options, names);
    const { mode = 'min', thresholdMode = 'rel', minLr = 0 } = options;
    if (mode !== 'min' && mode !== 'max')
      throw new ArgumentError(`${title}: mode must be 'min' (losses) or 'max' (accuracies), got '${String(mode)}'.`);
    if (thresholdMode !== 'rel' && thresholdMode !== 'abs')
      throw new ArgumentError(`${title}: thresholdMode must be 'rel' or 'abs', got '${String(thresholdMode)}'.`);
    this.#mode = mode;
    this.#relative = thresholdMode === 'rel';
    this.#factor = requireNumber(title, 'factor', options.factor ?? 0.1, { atLeast: 0, below: 1 });
    this.#patience = requireInteger(title, 'patience', options.patience ?? 10, 0);
    this.#threshold = requireNumber(title, 'threshold', options.threshold ?? 1e-4, { atLeast: 0 });
    this.#cooldown = requireInteger(title, 'cooldown', options.cooldown ?? 0, 0);
    this.#eps = requireNumber(title, 'eps', options.eps ?? 1e-8, { atLeast: 0 });
    const groups = optimizer.paramGroups.length;
    if (Array.isArray(minLr) && minLr.length !== groups)
      throw new ArgumentError(
        `${title}: minLr has ${minLr.length} rates, the optimiser ${groups} groups; give one for each, or one number.`,
      );
    this.#minLr = minLr;
    this.#best = mode === 'min' ? Infinity : -Infinity;
  }

  /** Best value so far. */
  get best(): number {
    return this.#best;
  }

  /** Reports a value, e.g. the validation loss after an epoch; says whether the rate was cut. */
  report(value: number): boolean {
    if (typeof value !== 'number')
      throw new ArgumentError(`Plateau.report() takes a number, e.g. loss.item(); got ${typeof value}.`);
    this.#reports++;
    if (this.#improves(value)) {
      this.#best = value;
      this.#badReports = 0;
    } else this.#badReports++;
    if (this.#cooldownLeft > 0) {
      this.#cooldownLeft--;
      this.#badReports = 0;
    }
    if (this.#badReports <= this.#patience) return false;
    this.#cooldownLeft = this.#cooldown;
    this.#badReports = 0;
    return this.#cut();
  }

  #improves(value: number): boolean {
    const best = this.#best;
    if (this.#mode === 'min') return value < (this.#relative ? best * (1 - this.#threshold) : best - this.#threshold);
    return value > (this.#relative ? best * (this.#threshold + 1) : best + this.#threshold);
  }

  #cut(): boolean {
    let changed = false;
    this.optimizer.paramGroups.forEach((group, i) => {
      const least = typeof this.#minLr === 'number' ? this.#minLr : (this.#minLr[i] ?? 0);
      const next = Math.max(group.lr * this.#factor, least);
      if (group.lr - next > this.#eps) {
        group.lr = next;
        changed = true;
      }
    });
    return changed;
  }

  state(): PlateauState {
    return {
      best: Number.isFinite(this.#best) ? this.#best : null,
      badReports: this.#badReports,
      cooldownLeft: this.#cooldownLeft,
      reports: this.#reports,
    };
  }

  /** Continues from what `state()` gave; the rates themselves are in the optimiser's state. */
  loadState(state: PlateauState): void {
    this.#best = state.best ?? (this.#mode === 'min' ? Infinity : -Infinity);
    this.#badReports = state.badReports;
    this.#cooldownLeft = state.cooldownLeft;
    this.#reports = state.reports;
  }
}
