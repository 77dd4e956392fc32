/** Schedules made of schedules. */
import { ArgumentError } from '../../torch/errors.js';
import { refuseUnknown, requireInteger, requireNumber } from '../options.js';
import { makeSchedule, type Schedule, titleOf } from './schedule.js';

function requireSchedule(owner: string, value: unknown): Schedule {
  if (typeof value !== 'function')
    throw new ArgumentError(
      `${owner} takes schedules, e.g. cosine({ steps: 100 }); got ${value === null ? 'null' : typeof value}.`,
    );
  return value as Schedule;
}

export interface WarmupOptions {
  /** Steps until the full rate. */
  readonly steps: number;
  /** Factor of the first step. Default `1 / (steps + 1)`, so that no step is wasted on a rate of 0. */
  readonly start?: number;
  /** `linear` (the default), or `cosine`, which is flat at both ends. */
  readonly shape?: 'linear' | 'cosine';
}

/**
 * Puts a rise in front of a schedule: the first `steps` steps go from `start` to the full rate, then the schedule begins at its own
 * step 0. At the beginning gradients are large and point anywhere, and Adam's averages know little; small steps keep it from harm.
 */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule {
  const title = 'warmup()';
  requireSchedule(title, schedule);
  refuseUnknown(title, options, ['steps', 'start', 'shape']);
  const steps = requireInteger(title, 'steps', options.steps, 0);
  const start = requireNumber(title, 'start', options.start ?? 1 / (steps + 1), { atLeast: 0, atMost: 1 });
  const { shape = 'linear' } = options;
  if (shape !== 'linear' && shape !== 'cosine')
    throw new ArgumentError(`${title}: shape must be 'linear' or 'cosine', got '${String(shape)}'.`);
  const rise = (share: number) => (shape === 'linear' ? share : (1 - Math.cos(Math.PI * share)) / 2);
  const { momentum } = schedule;
  return makeSchedule(
    `warmup(${titleOf('', options).slice(1, -1)}) then ${schedule.title}`,
    schedule.steps === null ? null : schedule.steps + steps,
    // The rise ends where the schedule begins, which need not be the base rate.
    (at, base) =>
      at < steps ? schedule(0, base) * (start + (1 - start) * rise(at / steps)) : schedule(at - steps, base),
    momentum && ((at) => momentum(Math.max(0, at - steps))),
  );
}

/**
 * One schedule after the other: each begins at its own step 0 when the one before it ends, after its `steps` or at the milestone given
 * for it. Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 * @param options.milestones steps at which the second, third, … begin; default: after the steps of those before
 */
export function sequence(
  schedules: readonly Schedule[],
  options: { readonly milestones?: readonly number[] } = {},
): Schedule {
  const title = 'sequence()';
  if (!Array.isArray(schedules) || schedules.length === 0)
    throw new ArgumentError(
      `${title} takes a list of at least one schedule, e.g. [linear({ steps: 5, start: 0.1, end: 1 }), constant()].`,
    );
  refuseUnknown(title, options, ['milestones']);
  for (const schedule of schedules) requireSchedule(title, schedule);
  const milestones = options.milestones ?? milestonesOf(schedules);
  if (milestones.length !== schedules.length - 1)
    throw new ArgumentError(
      `${title}: ${schedules.length} schedules need ${schedules.length - 1} milestones, one less; got ${milestones.length}.`,
    );
  milestones.forEach((milestone, i) => {
    requireInteger(title, `milestones[${i}]`, milestone, i === 0 ? 0 : (milestones[i - 1] as number));
  });
  const locate = (at: number): [Schedule, number] => {
    const passed = milestones.filter((milestone) => milestone <= at).length;
    return [schedules[passed] as Schedule, at - (passed === 0 ? 0 : (milestones[passed - 1] as number))];
  };
  const last = schedules.at(-1) as Schedule;
  const length = last.steps === null ? null : last.steps + (milestones.at(-1) ?? 0);
  const moves = schedules.some((schedule) => schedule.momentum !== undefined);
  return makeSchedule(
    schedules.map((schedule) => schedule.title).join(' then '),
    length,
    (at, base) => {
      const [schedule, own] = locate(at);
      return schedule(own, base);
    },
    moves
      ? (at) => {
          const [schedule, own] = locate(at);
          // Those that do not move the momentum leave it to the first that does.
          return (schedule.momentum ?? (schedules.find((x) => x.momentum) as Schedule).momentum)?.(own) as number;
        }
      : undefined,
  );
}

function milestonesOf(schedules: readonly Schedule[]): number[] {
  const milestones: number[] = [];
  let end = 0;
  for (const schedule of schedules.slice(0, -1)) {
    if (schedule.steps === null)
      throw new ArgumentError(`sequence(): ${schedule.title} never ends; give milestones to say when the next begins.`);
    end += schedule.steps;
    milestones.push(end);
  }
  return milestones;
}

/**
 * Several schedules at once: their factors multiply.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 */
export function chain(schedules: readonly Schedule[]): Schedule {
  if (!Array.isArray(schedules) || schedules.length === 0)
    throw new ArgumentError('chain() takes a list of at least one schedule.');
  for (const schedule of schedules) requireSchedule('chain()', schedule);
  const lengths = schedules.map((schedule) => schedule.steps);
  const momentum = schedules.find((schedule) => schedule.momentum)?.momentum;
  return makeSchedule(
    schedules.map((schedule) => schedule.title).join(' × '),
    lengths.includes(null) ? null : Math.max(...(lengths as number[])),
    (at, base) => schedules.reduce((rate, schedule) => schedule(at, rate), base),
    momentum,
  );
}
