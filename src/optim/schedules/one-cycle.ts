/** The one-cycle schedule. */
import { ArgumentError } from '../../torch/errors.js';
import { refuseUnknown, requireInteger, requireNumber } from '../options.js';
import { makeSchedule, type Schedule, titleOf } from './schedule.js';

export interface OneCycleOptions {
  /** Steps of the whole training. */
  readonly steps: number;
  /** The highest rate itself. Default: the optimiser's own rate. */
  readonly max?: number;
  /** Share of the steps that the rate rises. Default 0.3. */
  readonly rising?: number;
  /** How it moves between the corners. Default `cosine`. */
  readonly shape?: 'cosine' | 'linear';
  /** The first rate is the highest divided by this. Default 25. */
  readonly divFactor?: number;
  /** The last rate is the first divided by this. Default 10,000. */
  readonly finalDivFactor?: number;
  /** Rise, fall as far, and only then on to the last rate, instead of falling to it at once. Default false. */
  readonly threePhase?: boolean;
  /** Let the momentum (or Adam's first beta) go the other way. Default true. */
  readonly cycleMomentum?: boolean;
  /** Momentum where the rate is highest. Default 0.85. */
  readonly baseMomentum?: number;
  /** Momentum where the rate is low. Default 0.95. */
  readonly maxMomentum?: number;
}

const names = [
  'steps',
  'max',
  'rising',
  'shape',
  'divFactor',
  'finalDivFactor',
  'threePhase',
  'cycleMomentum',
  'baseMomentum',
  'maxMomentum',
];

interface Phase {
  readonly end: number;
  /** Positions on the way: 0 first rate, 1 highest, 2 last. */
  readonly rates: readonly [number, number];
  /** 0 base, 1 max momentum. */
  readonly momenta: readonly [number, number];
}

function phasesOf(steps: number, rising: number, threePhase: boolean): Phase[] {
  const up: Phase = { end: rising * steps - 1, rates: [0, 1], momenta: [1, 0] };
  if (!threePhase) return [up, { end: steps - 1, rates: [1, 2], momenta: [0, 1] }];
  return [
    up,
    { end: 2 * rising * steps - 2, rates: [1, 0], momenta: [0, 1] },
    { end: steps - 1, rates: [0, 2], momenta: [1, 1] },
  ];
}

/**
 * The rate rises from a low value to its highest and then falls far below the start, while the momentum falls and rises. The high
 * middle part keeps training out of narrow valleys and allows rates, and so few steps, that a falling schedule does not.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html; Smith and Topin 2018,
 * https://arxiv.org/abs/1708.07120
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const title = 'oneCycle()';
  refuseUnknown(title, options, names);
  const steps = requireInteger(title, 'steps', options.steps, 1);
  const rising = requireNumber(title, 'rising', options.rising ?? 0.3, { atLeast: 0, atMost: 1 });
  const { max, shape = 'cosine', threePhase = false, cycleMomentum = true } = options;
  if (max !== undefined) requireNumber(title, 'max', max, { above: 0 });
  const divFactor = requireNumber(title, 'divFactor', options.divFactor ?? 25, { above: 0 });
  const finalDivFactor = requireNumber(title, 'finalDivFactor', options.finalDivFactor ?? 1e4, { above: 0 });
  const baseMomentum = requireNumber(title, 'baseMomentum', options.baseMomentum ?? 0.85, { atLeast: 0, below: 1 });
  const maxMomentum = requireNumber(title, 'maxMomentum', options.maxMomentum ?? 0.95, { atLeast: 0, below: 1 });
  if (shape !== 'cosine' && shape !== 'linear')
    throw new ArgumentError(`${title}: shape must be 'cosine' or 'linear', got '${String(shape)}'.`);
  const phases = phasesOf(steps, rising, threePhase);
  const between = (start: number, end: number, share: number) =>
    shape === 'linear' ? (end - start) * share + start : end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1);
  // After the last step the last rate stays.
  const locate = (given: number): { phase: Phase; share: number } => {
    const at = Math.min(given, steps - 1);
    let start = 0;
    for (const [i, phase] of phases.entries()) {
      // A phase may have no length (few steps, rising 0): then it is over at its start.
      if (at <= phase.end || i === phases.length - 1)
        return { phase, share: phase.end === start ? 1 : (at - start) / (phase.end - start) };
      start = phase.end;
    }
    throw new ArgumentError(`${title}: there is no step ${given}.`);
  };
  const rate = (at: number, base: number): number => {
    const { phase, share } = locate(at);
    const highest = max ?? base;
    const first = highest / divFactor;
    const corners = [first, highest, first / finalDivFactor];
    return between(corners[phase.rates[0]] as number, corners[phase.rates[1]] as number, share);
  };
  const momentum = (at: number): number => {
    const { phase, share } = locate(at);
    const corners = [baseMomentum, maxMomentum];
    return between(corners[phase.momenta[0]] as number, corners[phase.momenta[1]] as number, share);
  };
  return makeSchedule(titleOf('oneCycle', options), steps, rate, cycleMomentum ? momentum : undefined);
}
