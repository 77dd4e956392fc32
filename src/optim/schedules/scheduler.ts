/** Applies schedules to an optimiser. */
import { ArgumentError } from '../../torch/errors.js';
import type { CommonOptions, Optimizer, ParameterGroup } from '../optimizer.js';
import { requireInteger } from '../options.js';
import type { Schedule } from './schedule.js';

/** What `state()` gives: where in the schedule training is. */
export interface SchedulerState {
  readonly step: number;
}

/**
 * Sets the optimiser's rates (and momentum, for schedules that move it) to those of a step. Each group's rate when the first scheduler
 * takes it is the base that the schedule works on; it is kept as `initialLr` in the group and so in the optimiser's state.
 *
 * ```ts
 * const scheduler = new Scheduler(optimizer, warmup(cosine({ steps: 1000 }), { steps: 50 }));
 * // in the loop, after optimizer.step():
 * scheduler.step();
 * ```
 */
export class Scheduler<Options extends CommonOptions = CommonOptions> {
  readonly schedules: readonly Schedule[];
  #step = 0;

  /** @param schedules one for all groups, or one for each */
  constructor(
    readonly optimizer: Optimizer<Options>,
    schedules: Schedule | readonly Schedule[],
  ) {
    const groups = optimizer.paramGroups;
    const list = typeof schedules === 'function' ? groups.map(() => schedules) : [...schedules];
    if (list.length !== groups.length)
      throw new ArgumentError(
        `Scheduler: got ${list.length} schedules for ${groups.length} parameter groups; give one for each, or one for all.`,
      );
    for (const schedule of list) {
      if (typeof schedule !== 'function')
        throw new ArgumentError(`Scheduler takes a schedule, e.g. cosine({ steps: 100 }); got ${typeof schedule}.`);
      if (schedule.momentum !== undefined && !('momentum' in optimizer.defaults) && !('betas' in optimizer.defaults))
        throw new ArgumentError(
          `Scheduler: ${schedule.title} moves the momentum, and ${optimizer.name} has none; say cycleMomentum: false.`,
        );
    }
    this.schedules = list;
    for (const group of groups) group.initialLr ??= group.lr;
    this.#apply();
  }

  /** The step whose rates the optimiser has. */
  get currentStep(): number {
    return this.#step;
  }

  /** Goes on to the next step, or to the one given. Call it after the optimiser's step. */
  step(to?: number): void {
    this.#step = to === undefined ? this.#step + 1 : to;
    if (to !== undefined && !(to >= 0))
      throw new ArgumentError(`Scheduler.step(): the step must be at least 0, got ${String(to)}.`);
    this.#apply();
  }

  /** The rate of each group. */
  lastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  #apply(): void {
    const groups = this.optimizer.paramGroups;
    this.schedules.forEach((schedule, i) => {
      const group = groups[i] as ParameterGroup<CommonOptions>;
      group.lr = schedule(this.#step, group.initialLr);
      if (schedule.momentum === undefined) return;
      const momentum = schedule.momentum(this.#step);
      const moved = group as ParameterGroup<CommonOptions> & { momentum?: number; betas?: readonly [number, number] };
      if (moved.betas !== undefined) moved.betas = [momentum, moved.betas[1]];
      else moved.momentum = momentum;
    });
  }

  state(): SchedulerState {
    return { step: this.#step };
  }

  /** Continues from what `state()` gave. Load the optimiser's state first: it holds the base rates. */
  loadState(state: SchedulerState): void {
    this.#step = requireInteger('Scheduler.loadState()', 'step', (state as SchedulerState | null)?.step, 0);
    this.#apply();
  }
}
