/** Large batches in small pieces. */
import { ArgumentError } from '../torch/errors.js';
import { native } from '../torch/load.js';
import type { Handle } from '../torch/native.js';
import type { Tensor } from '../torch/tensor.js';
import { foreach, withoutTrace } from './engine.js';
import type { Optimizer } from './optimizer.js';
import { refuseUnknown, requireInteger } from './options.js';

export interface AccumulationOptions {
  /** Batches per optimiser step. */
  readonly steps: number;
  /** Called before each optimiser step, when the gradients are complete: the place to clip them. */
  readonly beforeStep?: () => void;
}

/**
 * Adds up the gradients of several batches before each step, so that the step is that of one batch as large as all of them: for
 * batches that do not fit into memory. Each loss is to be the mean over its batch; batches of one size weigh the same. Norms that
 * look at their batch (BatchNorm) still see the small ones.
 *
 * ```ts
 * const accumulation = new GradientAccumulation(optimizer, { steps: 4 });
 * for await (const batch of batches) accumulation.add(lossOf(batch));
 * accumulation.finish(); // the rest, when the batches do not divide evenly
 * ```
 */
export class GradientAccumulation {
  readonly steps: number;
  readonly #beforeStep: (() => void) | undefined;
  #pending = 0;

  constructor(
    readonly optimizer: Pick<Optimizer, 'step' | 'zeroGrad' | 'parameters'>,
    options: AccumulationOptions,
  ) {
    refuseUnknown('GradientAccumulation', options, ['steps', 'beforeStep']);
    this.steps = requireInteger('GradientAccumulation', 'steps', options.steps, 1);
    this.#beforeStep = options.beforeStep;
  }

  /** Batches whose gradients wait for a step. */
  get pending(): number {
    return this.#pending;
  }

  /** Adds the gradients of a batch's mean loss; makes the step when enough are there and says whether it did. */
  add(loss: Tensor): boolean {
    if (loss.numel() !== 1)
      throw new ArgumentError(
        `GradientAccumulation.add() takes a loss, a single number; got shape [${loss.shape.join(', ')}].`,
      );
    if (this.#pending === 0) this.optimizer.zeroGrad();
    (this.steps === 1 ? loss : loss.div(this.steps)).backward();
    this.#pending++;
    if (this.#pending < this.steps) return false;
    this.#step();
    return true;
  }

  /** Makes a step of what is pending, weighed as a mean over those batches; says whether there was any. */
  finish(): boolean {
    if (this.#pending === 0) return false;
    const missing = this.steps / this.#pending;
    if (missing !== 1)
      withoutTrace(() => {
        const gradients = this.optimizer
          .parameters()
          .map((parameter) => native.getGrad(parameter.handle))
          .filter((gradient): gradient is Handle => gradient !== null);
        if (gradients.length > 0) foreach.scale_(gradients, missing);
      });
    this.#step();
    return true;
  }

  #step(): void {
    this.#beforeStep?.();
    this.optimizer.step();
    this.optimizer.zeroGrad();
    this.#pending = 0;
  }
}
