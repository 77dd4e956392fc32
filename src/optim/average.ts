/** Exponential moving average of weights. */
import { ArgumentError } from '../torch/errors.js';
import { keep } from '../torch/memory.js';
import type { Handle } from '../torch/native.js';
import { Tensor } from '../torch/tensor.js';
import { foreach, withoutGradients, withoutTrace } from './engine.js';
import { refuseUnknown, requireNumber } from './options.js';

export interface MovingAverageOptions {
  /** How much of the average is kept in each update. Default 0.999: about the last thousand updates count. */
  readonly decay?: number;
  /**
   * Begin with a smaller decay, `min(decay, (1 + n) / (10 + n))` at update `n`, so that the first, untrained weights are soon
   * forgotten. Default false, as in PyTorch.
   */
  readonly warmUp?: boolean;
  /** Tensors that are copied at each update instead of averaged: running means of norms, counters. */
  readonly buffers?: Iterable<Tensor>;
}

/** What `state()` gives; everything but `tensors` fits JSON. */
export interface MovingAverageState {
  readonly updates: number;
  readonly decay: number;
  readonly warmUp: boolean;
  /** `average.0`, … and `buffer.0`, …; while swapped in, the trained weights. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

const title = 'ExponentialMovingAverage';

/**
 * Keeps an average of the weights over the last updates. The average lies nearer the middle of the valley that the last steps wander
 * through, and usually tests better than any of them. Costs a copy of the weights and little time.
 *
 * Call `update()` after each optimiser step, `swap()` (or `within`) around evaluation. The first update copies the weights, as
 * PyTorch's does.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html with `get_ema_multi_avg_fn`;
 * warm-up: tf.train.ExponentialMovingAverage
 */
export class ExponentialMovingAverage {
  readonly parameters: readonly Tensor[];
  readonly buffers: readonly Tensor[];
  /** The averages, in the order of the parameters. */
  readonly averages: readonly Tensor[];
  readonly #bufferCopies: readonly Tensor[];
  decay: number;
  warmUp: boolean;
  /** Updates so far. */
  updates = 0;
  #swapped = false;

  /** @throws ArgumentError when there is nothing to average, or the decay is not between 0 and 1 */
  constructor(parameters: Iterable<Tensor>, options: MovingAverageOptions = {}) {
    refuseUnknown(title, options, ['decay', 'warmUp', 'buffers']);
    this.parameters = [...parameters];
    this.buffers = [...(options.buffers ?? [])];
    if (this.parameters.length === 0) throw new ArgumentError(`${title}: got no parameters to average.`);
    for (const tensor of [...this.parameters, ...this.buffers])
      if (!(tensor instanceof Tensor)) throw new ArgumentError(`${title}: expected tensors, got ${typeof tensor}.`);
    this.decay = requireNumber(title, 'decay', options.decay ?? 0.999, { atLeast: 0, atMost: 1 });
    this.warmUp = options.warmUp ?? false;
    const copy = (tensor: Tensor) => withoutGradients(() => keep(tensor.detach().clone()));
    this.averages = this.parameters.map(copy);
    this.#bufferCopies = this.buffers.map(copy);
  }

  /** Decay of the next update. */
  currentDecay(): number {
    return this.warmUp ? Math.min(this.decay, (1 + this.updates) / (10 + this.updates)) : this.decay;
  }

  /** Takes the weights as they are now into the average. */
  update(): void {
    if (this.#swapped)
      throw new ArgumentError(
        `${title}: update() while the averages are swapped in would average them with themselves; swap() back first.`,
      );
    const averages = handlesOf(this.averages);
    const weights = handlesOf(this.parameters);
    const decay = this.currentDecay();
    withoutTrace(() => {
      if (this.updates === 0) foreach.copy_(averages, weights);
      else foreach.lerp_(averages, weights, 1 - decay);
      if (this.buffers.length > 0) foreach.copy_(handlesOf(this.#bufferCopies), handlesOf(this.buffers));
    });
    this.updates++;
  }

  /** Whether the model holds the averages now. */
  get swapped(): boolean {
    return this.#swapped;
  }

  /** Exchanges weights and averages: once to evaluate with the averages, once more to train on. */
  swap(): void {
    withoutGradients(() => {
      for (const [own, other] of [
        [this.parameters, this.averages],
        [this.buffers, this.#bufferCopies],
      ] as const)
        own.forEach((tensor, i) => {
          const copy = other[i] as Tensor;
          const held = tensor.detach().clone();
          tensor.detach().copy_(copy);
          copy.copy_(held);
          held.dispose();
        });
    });
    this.#swapped = !this.#swapped;
  }

  /** Runs `work` with the averages in the model, and puts the weights back whatever happens. */
  within<T>(work: () => T): T {
    this.swap();
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.swap();
      throw error;
    }
    if (typeof (result as { then?: unknown } | null)?.then !== 'function') {
      this.swap();
      return result;
    }
    return (result as unknown as Promise<unknown>).finally(() => this.swap()) as unknown as T;
  }

  /** Copies the averages into the model, for good. */
  copyToModel(): void {
    if (this.#swapped) throw new ArgumentError(`${title}: the averages are in the model already; swap() back first.`);
    withoutTrace(() => {
      foreach.copy_(handlesOf(this.parameters), handlesOf(this.averages));
      if (this.buffers.length > 0) foreach.copy_(handlesOf(this.buffers), handlesOf(this.#bufferCopies));
    });
  }

  /** What continuing needs. The tensors are the average's own: write them to a file before the next update. */
  state(): MovingAverageState {
    if (this.#swapped)
      throw new ArgumentError(
        `${title}: state() while the averages are swapped in would save the weights; swap() back first.`,
      );
    const tensors: Record<string, Tensor> = {};
    this.averages.forEach((tensor, i) => {
      tensors[`average.${i}`] = tensor;
    });
    this.#bufferCopies.forEach((tensor, i) => {
      tensors[`buffer.${i}`] = tensor;
    });
    return { updates: this.updates, decay: this.decay, warmUp: this.warmUp, tensors };
  }

  /** Continues from what `state()` gave. */
  loadState(state: MovingAverageState): void {
    const own = { average: this.averages, buffer: this.#bufferCopies };
    const problems: string[] = [];
    const pairs: [Tensor, Tensor][] = [];
    for (const [kind, list] of Object.entries(own))
      list.forEach((tensor, i) => {
        const given = state.tensors[`${kind}.${i}`];
        if (given === undefined) problems.push(`${kind}.${i} is missing`);
        else if (given.shape.join() !== tensor.shape.join())
          problems.push(`${kind}.${i} has shape [${given.shape.join(', ')}], expected [${tensor.shape.join(', ')}]`);
        else pairs.push([tensor, given]);
      });
    const count = own.average.length + own.buffer.length;
    if (Object.keys(state.tensors).length > count)
      problems.push(`it has ${Object.keys(state.tensors).length} tensors, there are ${count}`);
    if (problems.length > 0)
      throw new ArgumentError(`${title}: the state does not fit: ${problems.slice(0, 8).join('; ')}.`);
    withoutGradients(() => {
      for (const [tensor, given] of pairs) tensor.copy_(given);
    });
    this.updates = state.updates;
    this.decay = state.decay;
    this.warmUp = state.warmUp;
  }
}

const handlesOf = (tensors: readonly Tensor[]): Handle[] => tensors.map((tensor) => tensor.handle);
