/** Schedules of PyTorch, each beside the one here that has its numbers. */
import * as optim from '../../src/optim/index.js';

interface Specification {
  readonly kind: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly schedulers?: readonly Specification[];
}

export interface ScheduleCase {
  readonly scheduler: Specification;
  readonly base: readonly number[];
  readonly steps: number;
  /** Here it is absent where PyTorch's is SGD with momentum. */
  readonly optimizer?: 'AdamW';
  readonly metrics?: readonly number[];
}

const base = [0.1, 0.003];
const of = (kind: string, options: Readonly<Record<string, unknown>> = {}): Specification => ({ kind, options });

/** A measure that improves, stalls, improves and stalls again. */
const metrics = Array.from({ length: 60 }, (_, i) =>
  i < 10 ? 2 - 0.1 * i : i < 35 ? 1 + 0.01 * Math.sin(i) : 0.5 + (i % 3) * 1e-5,
);

type Own = optim.Schedule | ((optimizer: optim.Optimizer) => optim.Plateau);

/** Name, PyTorch's scheduler, the schedule here, and what differs in the run. */
export const scheduleTable: readonly (readonly [Specification, Own, Partial<ScheduleCase>?])[] = [
  [of('ConstantLR'), optim.constant({ factor: 1 / 3, steps: 5 })],
  [of('ConstantLR', { factor: 0.2, total_iters: 30 }), optim.constant({ factor: 0.2, steps: 30 })],
  [of('StepLR', { step_size: 7, gamma: 0.5 }), optim.step({ every: 7, gamma: 0.5 })],
  [of('StepLR', { step_size: 20 }), optim.step({ every: 20 })],
  [of('MultiStepLR', { milestones: [10, 30, 30, 44] }), optim.multiStep({ milestones: [44, 10, 30, 30] })],
  [of('MultiStepLR', { milestones: [5], gamma: 0.3 }), optim.multiStep({ milestones: [5], gamma: 0.3 })],
  [of('ExponentialLR', { gamma: 0.97 }), optim.exponential({ gamma: 0.97 })],
  [of('LinearLR'), optim.linear({ steps: 5, start: 1 / 3, end: 1 })],
  [of('LinearLR', { start_factor: 1, end_factor: 0.05, total_iters: 80 }), optim.linear({ steps: 80, end: 0.05 })],
  [of('PolynomialLR', { total_iters: 100, power: 1 }), optim.polynomial({ steps: 100 })],
  [of('PolynomialLR', { total_iters: 60, power: 2.5 }), optim.polynomial({ steps: 60, power: 2.5 })],
  [of('CosineAnnealingLR', { T_max: 100 }), optim.cosine({ steps: 100 })],
  [of('CosineAnnealingLR', { T_max: 100, eta_min: 0.001 }), optim.cosine({ steps: 100, minimum: 0.001 })],
  [of('CosineAnnealingLR', { T_max: 30, eta_min: 0.001 }), optim.cosine({ steps: 30, minimum: 0.001, periodic: true })],
  [of('CosineAnnealingWarmRestarts', { T_0: 13 }), optim.cosineRestarts({ steps: 13 })],
  [
    of('CosineAnnealingWarmRestarts', { T_0: 9, T_mult: 2, eta_min: 1e-4 }),
    optim.cosineRestarts({ steps: 9, stretch: 2, minimum: 1e-4 }),
  ],
  [of('OneCycleLR', { max_lr: 0.5, total_steps: 100 }), optim.oneCycle({ steps: 100, max: 0.5 })],
  [
    of('OneCycleLR', { max_lr: 0.5, total_steps: 100 }),
    optim.oneCycle({ steps: 100, max: 0.5 }),
    { optimizer: 'AdamW' },
  ],
  [
    of('OneCycleLR', {
      max_lr: 0.2,
      total_steps: 100,
      pct_start: 0.25,
      anneal_strategy: 'linear',
      div_factor: 10,
      final_div_factor: 100,
      base_momentum: 0.8,
      max_momentum: 0.99,
    }),
    optim.oneCycle({
      steps: 100,
      max: 0.2,
      rising: 0.25,
      shape: 'linear',
      divFactor: 10,
      finalDivFactor: 100,
      baseMomentum: 0.8,
      maxMomentum: 0.99,
    }),
  ],
  [
    of('OneCycleLR', { max_lr: 0.2, total_steps: 100, three_phase: true, cycle_momentum: false }),
    optim.oneCycle({ steps: 100, max: 0.2, threePhase: true, cycleMomentum: false }),
  ],
  [
    {
      kind: 'SequentialLR',
      options: { milestones: [10] },
      schedulers: [of('LinearLR', { start_factor: 0.1, total_iters: 10 }), of('CosineAnnealingLR', { T_max: 90 })],
    },
    optim.warmup(optim.cosine({ steps: 90 }), { steps: 10, start: 0.1 }),
  ],
  [
    {
      kind: 'SequentialLR',
      options: { milestones: [12, 40] },
      schedulers: [
        of('LinearLR', { start_factor: 0.2, total_iters: 12 }),
        of('ConstantLR', { factor: 1, total_iters: 1 }),
        of('ExponentialLR', { gamma: 0.9 }),
      ],
    },
    optim.sequence(
      [optim.linear({ steps: 12, start: 0.2, end: 1 }), optim.constant(), optim.exponential({ gamma: 0.9 })],
      { milestones: [12, 40] },
    ),
  ],
  [
    {
      kind: 'ChainedScheduler',
      schedulers: [of('ConstantLR', { factor: 0.1, total_iters: 6 }), of('ExponentialLR', { gamma: 0.95 })],
    },
    optim.chain([optim.constant({ factor: 0.1, steps: 6 }), optim.exponential({ gamma: 0.95 })]),
  ],
  [
    of('ReduceLROnPlateau', { factor: 0.5, patience: 3 }),
    (optimizer: optim.Optimizer) => new optim.Plateau(optimizer, { factor: 0.5, patience: 3 }),
    { metrics, steps: 60 },
  ],
  [
    of('ReduceLROnPlateau', {
      factor: 0.1,
      patience: 2,
      cooldown: 4,
      threshold: 0.02,
      threshold_mode: 'abs',
      min_lr: [0.002, 1e-4],
    }),
    (optimizer: optim.Optimizer) =>
      new optim.Plateau(optimizer, {
        patience: 2,
        cooldown: 4,
        threshold: 0.02,
        thresholdMode: 'abs',
        minLr: [0.002, 1e-4],
      }),
    { metrics, steps: 60 },
  ],
  [
    of('ReduceLROnPlateau', { mode: 'max', factor: 0.3, patience: 5 }),
    (optimizer: optim.Optimizer) => new optim.Plateau(optimizer, { mode: 'max', factor: 0.3, patience: 5 }),
    { metrics: metrics.map((x) => -x), steps: 60 },
  ],
];

export const scheduleCases = (): ScheduleCase[] =>
  scheduleTable.map(([scheduler, , extra]) => ({ scheduler, base, steps: 100, ...extra }));
