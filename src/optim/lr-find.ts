/** The learning-rate range test. */
import { ArgumentError } from '../torch/errors.js';
import type { Generator } from '../torch/generator.js';
import { native } from '../torch/load.js';
import { manualSeed } from '../torch/random.js';
import { Tensor } from '../torch/tensor.js';
import { turn } from '../torch/turn.js';
import { Batches, type BatchSource } from './lr-batches.js';
import { type CurveSuggestions, Divergence, median, type Sweep, suggest } from './lr-curve.js';
import { type Band, LrFindResult } from './lr-result.js';
import type { CommonOptions, Optimizer } from './optimizer.js';
import { refuseUnknown, requireInteger, requireNumber } from './options.js';
import { type ModelTensors, Preserved } from './preserve.js';

export interface LrFindOptions<Batch> {
  /** The network: its parameters and buffers are put back afterwards. */
  readonly model: ModelTensors;
  /** The optimiser as it will train; its rates are put back afterwards. Groups keep the ratio of their rates. */
  readonly optimizer: Optimizer;
  /** An array, a loader, or a function that gives batch `i`. */
  readonly batches: BatchSource<Batch>;
  /** The loss of a batch, with gradients recorded: `(batch) => F.crossEntropy(net.forward(batch.input), batch.target)`. */
  readonly loss: (batch: Batch) => Tensor;
  /** Lowest rate. Default 1e-7. */
  readonly from?: number;
  /** Highest rate. Default 10. */
  readonly to?: number;
  /** Steps of each sweep, the rate growing by the same factor in each. Default 100. */
  readonly steps?: number;
  /** A sweep for each of these seeds, each with batches and random numbers of its own. Default [1, 2, 3]. */
  readonly seeds?: readonly number[];
  /** The sweep stops when the loss is so many times the best. Default 4. */
  readonly divergence?: number;
  /** Steps of each trial at a fixed rate that narrows down the highest one; 0 for none. Default 16. */
  readonly trialSteps?: number;
  /** Generators of your own that `loss` or `batches` draw from; put back with the default ones. */
  readonly generators?: Iterable<Generator>;
  /** Called before each step with the share that is done. */
  readonly onProgress?: (share: number) => void;
}

const optionNames = [
  'model',
  'optimizer',
  'batches',
  'loss',
  'from',
  'to',
  'steps',
  'seeds',
  'divergence',
  'trialSteps',
  'generators',
  'onProgress',
];

const title = 'lrFind()';
/** Halvings of the interval in which the highest rate lies. */
const trialsPerSeed = 5;
/** How far from the turn of the sweep the highest rate may lie, as a factor to either side. */
const reach = 8;

interface Settings {
  readonly rates: readonly number[];
  readonly seeds: readonly number[];
  readonly divergence: number;
  readonly trialSteps: number;
}

function settingsOf<Batch>(options: LrFindOptions<Batch>): Settings {
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`${title} takes { model, optimizer, batches, loss }.`);
  refuseUnknown(title, options, optionNames);
  const { model, optimizer } = options;
  if (typeof model?.parameters !== 'function' || typeof model.buffers !== 'function')
    throw new ArgumentError(`${title}: model must be a network, something with parameters() and buffers().`);
  if (typeof optimizer?.snapshot !== 'function')
    throw new ArgumentError(`${title}: optimizer must be one of optim's, e.g. new AdamW(net.parameters()).`);
  if (typeof options.loss !== 'function')
    throw new ArgumentError(`${title}: loss must be a function from a batch to its loss.`);
  const from = requireNumber(title, 'from', options.from ?? 1e-7, { above: 0 });
  const to = requireNumber(title, 'to', options.to ?? 10, { above: from });
  const steps = requireInteger(title, 'steps', options.steps ?? 100, 10);
  const seeds = options.seeds ?? [1, 2, 3];
  if (!Array.isArray(seeds) || seeds.length === 0)
    throw new ArgumentError(`${title}: seeds must be a list of at least one seed, e.g. [1, 2, 3].`);
  for (const seed of seeds) requireInteger(title, 'each of seeds', seed, 0);
  return {
    rates: Array.from({ length: steps }, (_, i) => from * (to / from) ** (i / (steps - 1))),
    seeds,
    divergence: requireNumber(title, 'divergence', options.divergence ?? 4, { above: 1 }),
    trialSteps: requireInteger(title, 'trialSteps', options.trialSteps ?? 16, 0),
  };
}

/** The highest rate that did not spike, and whether any did. */
interface Highest {
  readonly rate: number;
  readonly spiked: boolean;
}

/** Training in trials, from the same start each time. */
class Trials<Batch> {
  readonly #relative: readonly number[];
  #done = 0;

  constructor(
    readonly optimizer: Optimizer,
    readonly preserved: Preserved<CommonOptions>,
    readonly batches: Batches<Batch>,
    readonly loss: (batch: Batch) => Tensor,
    readonly settings: Settings,
    readonly onProgress: ((share: number) => void) | undefined,
  ) {
    const rates = optimizer.paramGroups.map((group) => group.lr);
    const highest = Math.max(...rates);
    this.#relative = rates.map((rate) => (highest > 0 ? rate / highest : 1));
  }

  /** Loss of the next batch before the step, then the step at this rate. */
  async step(rate: number): Promise<number> {
    const { settings } = this;
    const total = settings.seeds.length * (settings.rates.length + trialsPerSeed * settings.trialSteps);
    this.onProgress?.(Math.min(1, this.#done++ / total));
    // Signals and timers have their turn, also where a batch is always ready.
    await turn();
    const batch = await this.batches.next();
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = rate * (this.#relative[i] as number);
    });
    const before = native.setGradEnabled(true);
    try {
      this.optimizer.zeroGrad();
      const loss = this.loss(batch);
      if (!(loss instanceof Tensor) || loss.numel() !== 1)
        throw new ArgumentError(
          `${title}: loss must give a tensor of one number, got ${loss instanceof Tensor ? `shape [${loss.shape.join(', ')}]` : typeof loss}.`,
        );
      const value = Number(loss.item());
      if (Number.isFinite(value)) {
        loss.backward();
        this.optimizer.step();
      }
      return Number.isFinite(value) ? value : Infinity;
    } finally {
      native.setGradEnabled(before);
    }
  }

  async sweep(seed: number): Promise<Sweep> {
    this.preserved.rewind();
    manualSeed(seed);
    const divergence = new Divergence(this.settings.divergence);
    const losses: number[] = [];
    let diverged = false;
    for (const rate of this.settings.rates) {
      const loss = await this.step(rate);
      losses.push(loss);
      diverged = divergence.add(loss);
      if (diverged) break;
    }
    return { seed, rates: this.settings.rates.slice(0, losses.length), losses, diverged };
  }

  /** Whether the loss spikes within some steps at a fixed rate. `usual` is the highest loss of steps that changed nothing yet. */
  async spikes(seed: number, rate: number, usual: number): Promise<boolean> {
    this.preserved.rewind();
    manualSeed(seed);
    for (let i = 0; i < this.settings.trialSteps; i++) {
      const loss = await this.step(rate);
      if (!(loss <= usual + Math.abs(usual))) return true;
    }
    return false;
  }

  /**
   * The highest rate that does not spike, by halving: a sweep tells it only roughly, because at each rate it takes one step, and a
   * loss that begins to grow needs several to show it.
   */
  async highest(sweep: Sweep, curve: CurveSuggestions): Promise<Highest> {
    const last = sweep.rates.at(-1) as number;
    if (this.settings.trialSteps === 0) return { rate: curve.edge, spiked: sweep.diverged };
    const usual = sweep.losses.slice(0, 5).reduce((a, b) => Math.max(a, b), -Infinity);
    if (!sweep.diverged && !(await this.spikes(sweep.seed, last, usual))) return { rate: last, spiked: false };
    let low = Math.max(sweep.rates[0] as number, curve.edge / reach);
    let high = sweep.diverged ? Math.min(last, curve.edge * reach) : last;
    let held = false;
    for (let i = 0; i < trialsPerSeed; i++) {
      const middle = Math.sqrt(low * high);
      if (await this.spikes(sweep.seed, middle, usual)) high = middle;
      else {
        low = middle;
        held = true;
      }
    }
    // Nothing held that was tried: go down until something does.
    for (let i = 0; !held && i < trialsPerSeed; i++) {
      held = !(await this.spikes(sweep.seed, low, usual));
      if (!held) low /= 4;
    }
    return { rate: low, spiked: true };
  }
}

/**
 * Finds a learning rate: trains for a few steps while the rate grows from tiny to huge, watches the loss, and stops when it spikes.
 * "Try a bunch of learning rates and see what is the highest that won't give us spikes in loss", done for several seeds, with
 * several readings of the curve.
 *
 * It leaves no trace: weights, buffers, gradients, the optimiser's state and rates, the random state of all devices and the position
 * of the batches are afterwards exactly as before, also when something throws. It costs
 * `seeds × (steps + 5 × trialSteps)` training steps and copies of weights and optimiser state.
 *
 * While it runs it owns the model and the random state: do not train or draw random numbers elsewhere until it is done.
 *
 * Source: Smith 2017, https://arxiv.org/abs/1506.01186; fastai's `lr_find`
 * @throws ArgumentError for options that make no sense, and whatever `loss` or `batches` throw
 */
export async function lrFind<Batch>(options: LrFindOptions<Batch>): Promise<LrFindResult> {
  const settings = settingsOf(options);
  const { optimizer } = options;
  const batches = new Batches(options.batches, title);
  const preserved = new Preserved<CommonOptions>(options.model, optimizer, options.generators ?? []);
  const sweeps: Sweep[] = [];
  const curves: CurveSuggestions[] = [];
  const highest: Highest[] = [];
  try {
    const trials = new Trials(optimizer, preserved, batches, options.loss, settings, options.onProgress);
    for (const seed of settings.seeds) {
      const sweep = await trials.sweep(seed);
      const curve = suggest(sweep);
      sweeps.push(sweep);
      curves.push(curve);
      highest.push(await trials.highest(sweep, curve));
    }
  } finally {
    try {
      await batches.close();
    } finally {
      // After the batches: drawing them may have used random numbers.
      preserved.restore();
      preserved.dispose();
    }
  }
  const band = (values: readonly number[]): Band => ({
    lr: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    each: values,
  });
  const suggestions = {
    steepest: band(curves.map((curve) => curve.steepest)),
    valley: band(curves.map((curve) => curve.valley)),
    minimum: band(curves.map((curve) => curve.minimum)),
    highest: band(highest.map(({ rate }) => rate)),
  };
  return new LrFindResult(
    sweeps,
    suggestions,
    highest.every(({ spiked }) => spiked),
  );
}
