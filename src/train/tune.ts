/**
 * Tunes the machine: measures precision × memory format, convolutions and threads on the first real batches and keeps the fastest choice
 * whose loss agrees with float32. Leaves no trace on the run.
 */
import { availableParallelism } from 'node:os';
import { fewestChannels } from '../nn/convolution-matmul.js';
import type { CommonOptions, Optimizer } from '../optim/index.js';
import { Preserved } from '../optim/preserve.js';
import { type Tensor, torch } from '../torch/index.js';
import { turn } from '../torch/turn.js';
import {
  type Classifier,
  type Machine,
  type MemoryFormat,
  type Precision,
  placeModel,
  type StepOptions,
  Stepper,
} from './compute.js';

export interface TuneOptions {
  readonly model: Classifier;
  readonly optimizer: Optimizer<CommonOptions>;
  /** One or two real batches of the size that will be trained with. */
  readonly batches: readonly { readonly input: Tensor; readonly target: Tensor }[];
  readonly device: string;
  readonly step?: StepOptions;
  /** What is given is not measured. */
  readonly precision?: Precision;
  /** Whether half precision is tried where no precision is given. Default true. */
  readonly half?: boolean;
  readonly memoryFormat?: MemoryFormat;
  readonly threads?: number;
  readonly convolutions?: Machine['convolutions'];
  /** Seconds that one choice is measured for, at least three steps. Default 1. */
  readonly seconds?: number;
  /** How far the loss may be from float32's, as a share of it. Default 0.02. */
  readonly tolerance?: number;
  readonly onTrial?: (trial: Trial) => void;
}

export interface Trial {
  readonly machine: Machine;
  /** Training steps, in pictures per second; where a step takes long, on a part of the batch. */
  readonly perSecond: number;
  /** Losses of the first steps; of fewer where the choice is hopelessly slow. */
  readonly losses: readonly number[];
  readonly agrees: boolean;
}

export interface Tuned {
  readonly machine: Machine;
  readonly trials: readonly Trial[];
  /** The chosen speed over that of plain float32 with all threads. */
  readonly gain: number;
}

/** Steps whose losses are compared: the second and third depend on the updates, too. */
const comparedSteps = 3;

/** Choices within this factor of the fastest are measured a second time: what disturbed one of them has then passed. */
const close = 1.4;
/** Seconds of a step above which it is measured on a part of the batch; how the choices compare hardly depends on the size. */
const slow = 0.6;
const fewestRows = 32;
/**
 * A choice one of whose steps takes this many times as long as the longest of plain float32 is not looked at further: where a processor lacks
 * instructions for bfloat16, a step of it can take minutes.
 */
const hopeless = 8;

type Batches = TuneOptions['batches'];

/** The batches, or the first part of each where a step of all of it would take too long. */
function shorten(options: TuneOptions, machine: Machine): Batches {
  const { model, optimizer, batches } = options;
  const preserved = new Preserved(model, optimizer, []);
  try {
    preserved.rewind();
    placeModel(model, machine);
    const stepper = new Stepper(model, optimizer, machine, { ...options.step, accumulate: 1 });
    const begin = performance.now();
    stepper.step(batches[0] as Batches[number]);
    const time = (performance.now() - begin) / 1000;
    const rows = (batches[0] as Batches[number]).target.shape[0] as number;
    const kept = Math.max(Math.min(rows, fewestRows), Math.floor((rows * slow) / time));
    if (machine.device !== 'cpu' || kept >= rows) return batches;
    return batches.map(({ input, target }) => ({ input: input.narrow(0, 0, kept), target: target.narrow(0, 0, kept) }));
  } finally {
    preserved.restore();
    preserved.dispose();
  }
}

/** What the other choices are held to: losses, and the longest step in seconds. */
interface Baseline {
  readonly losses: readonly number[];
  readonly longest: number;
}

function measure(
  options: TuneOptions,
  batches: Batches,
  machine: Machine,
  baseline?: Baseline,
): Trial & { readonly longest: number } {
  const { model, optimizer, seconds = 1, tolerance = 0.02 } = options;
  const preserved = new Preserved(model, optimizer, []);
  try {
    // Gradients that wait here are not to be added to.
    preserved.rewind();
    placeModel(model, machine);
    const stepper = new Stepper(model, optimizer, machine, { ...options.step, accumulate: 1 });
    const losses: number[] = [];
    const times: number[] = [];
    let longest = 0;
    // The first step allocates and prepares kernels; it is counted for its loss only.
    for (let i = 0, spent = 0; i < comparedSteps || spent < seconds; i++) {
      const begin = performance.now();
      const { loss } = stepper.step(batches[i % batches.length] as Batches[number]);
      if (machine.device.startsWith('cuda')) torch.cuda.synchronize();
      const time = (performance.now() - begin) / 1000;
      if (losses.length < comparedSteps) losses.push(loss);
      if (i > 0) times.push(time);
      longest = Math.max(longest, time);
      spent += time;
      if (baseline === undefined || time <= hopeless * baseline.longest) continue;
      if (i === 0) times.push(time);
      break;
    }
    const size = (batches[0] as Batches[number]).target.shape[0] as number;
    const agrees =
      losses.every(Number.isFinite) &&
      (baseline === undefined ||
        losses.every((loss, i) => {
          const expected = baseline.losses[i] as number;
          return Math.abs(loss - expected) <= tolerance * Math.abs(expected) + 1e-3;
        }));
    return { machine, perSecond: size / Math.min(...times), losses, agrees, longest };
  } finally {
    preserved.restore();
    preserved.dispose();
  }
}

/** Whether a model may have convolutions that can be rearranged, on such a machine. */
const hasConvolutions = (model: Classifier, { device, precision }: Machine): boolean =>
  device === 'cpu' &&
  precision === 'bfloat16' &&
  model.parameters().some(({ shape }) => shape.length === 4 && (shape[0] as number) >= fewestChannels);

/** Thread counts worth trying: all, half, one. */
const threadChoices = (most: number): number[] => [...new Set([most, Math.ceil(most / 2), 1])];

/**
 * The fastest choice whose first losses agree with plain float32's. First precision and format are chosen with all threads, then how
 * convolutions in bfloat16 are computed, then the threads. Weights, optimiser, gradients and random state are afterwards as before; the
 * model stays where the choice wants it.
 */
export async function tuneMachine(options: TuneOptions): Promise<Tuned> {
  const { device, precision, memoryFormat } = options;
  const cores = availableParallelism();
  const most = options.threads ?? cores;
  const halves: Precision[] = device.startsWith('cuda')
    ? ['bfloat16', 'float16']
    : device === 'mps'
      ? ['float16']
      : ['bfloat16'];
  const precisions: Precision[] =
    precision === undefined ? ['float32', ...(options.half === false ? [] : halves)] : [precision];
  const pictures = options.batches[0]?.input.ndim === 4;
  const formats: MemoryFormat[] =
    memoryFormat === undefined ? (pictures ? ['contiguous', 'channels-last'] : ['contiguous']) : [memoryFormat];
  const settled = options.convolutions === undefined ? {} : { convolutions: options.convolutions };
  const trials: Trial[] = [];
  let baseline: Baseline | undefined;
  const batches = shorten(options, {
    device,
    precision: precisions[0] as Precision,
    memoryFormat: formats[0] as MemoryFormat,
    threads: most,
    ...settled,
  });
  const attempt = async (machine: Machine): Promise<void> => {
    const { longest, ...trial } = measure(options, batches, machine, baseline);
    baseline ??= { losses: trial.losses, longest };
    trials.push(trial);
    options.onTrial?.(trial);
    // A second Ctrl-C is heard.
    await turn();
  };
  for (const chosenPrecision of precisions)
    for (const format of formats)
      await attempt({ device, precision: chosenPrecision, memoryFormat: format, threads: most, ...settled });
  const fastest = (): Trial =>
    trials.filter((trial) => trial.agrees).reduce((a, b) => (b.perSecond > a.perSecond ? b : a), trials[0] as Trial);
  // In the other order: a machine that slows down, or is freed, does not favour one of them.
  const again = async (): Promise<void> => {
    const worth = fastest().perSecond / close;
    for (const [i, trial] of [...trials.entries()].reverse()) {
      if (!trial.agrees || trial.perSecond < worth || trials.length === 1) continue;
      const { perSecond } = measure(options, batches, trial.machine);
      trials[i] = { ...trial, perSecond: Math.max(trial.perSecond, perSecond) };
      await turn();
    }
  };
  await again();
  if (options.convolutions === undefined && hasConvolutions(options.model, fastest().machine)) {
    // Products of matrices take their rows from channels that lie together.
    await attempt({ ...fastest().machine, memoryFormat: memoryFormat ?? 'channels-last', convolutions: 'rearranged' });
    await again();
  }
  const chosen = fastest().machine;
  if (options.threads === undefined && device === 'cpu')
    for (const threads of threadChoices(cores)) if (threads !== most) await attempt({ ...chosen, threads });
  const best = fastest();
  placeModel(options.model, best.machine);
  return { machine: best.machine, trials, gain: best.perSecond / (trials[0] as Trial).perSecond };
}
