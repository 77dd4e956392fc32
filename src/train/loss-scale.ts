/**
 * Loss scaling for float16: small gradients would be rounded to zero, so the loss is multiplied before the backward pass and the gradients
 * are divided after it. The factor halves when a gradient overflows and doubles after a long time without.
 * Source: Micikevicius et al., "Mixed precision training" (2018); https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling
 */
import { type Tensor, torch } from '../torch/index.js';

export interface LossScaleState {
  readonly factor: number;
  /** Updates since the factor last changed. */
  readonly calm: number;
}

export class LossScale {
  #factor: number;
  #calm = 0;

  constructor(
    initial = 65536,
    /** Updates without an overflow after which the factor doubles. */
    readonly interval = 2000,
  ) {
    this.#factor = initial;
  }

  get factor(): number {
    return this.#factor;
  }

  state(): LossScaleState {
    return { factor: this.#factor, calm: this.#calm };
  }

  restore(state: LossScaleState): void {
    this.#factor = state.factor;
    this.#calm = state.calm;
  }

  scale(loss: Tensor): Tensor {
    return loss.mul(this.#factor);
  }

  /**
   * Divides the gradients by the factor.
   * @returns false when one overflowed: the update must be left out, and the factor is halved
   */
  unscale(parameters: Iterable<Tensor>): boolean {
    const gradients = [...parameters]
      .map((parameter) => parameter.grad)
      .filter((grad): grad is Tensor => grad !== null);
    const finite = torch.noGrad(() => {
      for (const gradient of gradients) gradient.mul_(1 / this.#factor);
      // A sum is finite only if every term is (or infinities of both signs make NaN, which is not finite either).
      return gradients.every((gradient) => Number.isFinite(gradient.float().sum().item() as number));
    });
    if (!finite) {
      this.#factor = Math.max(this.#factor / 2, 1);
      this.#calm = 0;
      return false;
    }
    this.#calm += 1;
    if (this.#calm === this.interval) {
      this.#factor *= 2;
      this.#calm = 0;
    }
    return true;
  }
}
