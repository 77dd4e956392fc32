/** How one step is computed: the device, the precision, the memory format, the threads; the forward pass, the loss, the update. */
import { type AnyModule, type ConvolutionWay, functional as F, type Module, withConvolutions } from '../nn/index.js';
import { type CommonOptions, clipGradNorm_, type Optimizer } from '../optim/index.js';
import { type Tensor, torch } from '../torch/index.js';
import { LossScale, type LossScaleState } from './loss-scale.js';

export type Precision = 'float32' | 'bfloat16' | 'float16';
export type MemoryFormat = 'contiguous' | 'channels-last';

/** The choices that change speed and not, or hardly, the numbers. */
export interface Machine {
  /** `cpu`, `cuda`, `cuda:1`, `mps`. */
  readonly device: string;
  readonly precision: Precision;
  readonly memoryFormat: MemoryFormat;
  /** Threads of one operator. */
  readonly threads: number;
  /** How convolutions are learned in bfloat16 on a CPU; `engine` where it is left out. */
  readonly convolutions?: ConvolutionWay;
}

/** A network from pictures [N, C, H, W], or rows [N, …], to logits [N, classes]. */
export type Classifier = Module<[Tensor], Tensor>;

const engineFormat = { contiguous: 'contiguous', 'channels-last': 'channelsLast' } as const;

/** Puts a model where, and as, the machine wants it. */
export function placeModel(model: AnyModule, machine: Machine): void {
  torch.setNumThreads(machine.threads);
  model.to({ device: machine.device, memoryFormat: engineFormat[machine.memoryFormat] });
}

/** The input as the model wants it in memory. */
export function placeInput(input: Tensor, machine: Machine): Tensor {
  const there = input.to({ device: machine.device });
  if (there.ndim !== 4) return there;
  return there.contiguous({ memoryFormat: engineFormat[machine.memoryFormat] });
}

/** Logits in float32, computed in the machine's precision. */
export function logitsOf(model: Classifier, input: Tensor, machine: Machine): Tensor {
  if (machine.precision === 'float32') return model.call(input);
  const [type = 'cpu'] = machine.device.split(':');
  return withConvolutions(machine.convolutions ?? 'engine', () =>
    torch.autocast({ device: type, dtype: machine.precision }, () => model.call(input)).float(),
  );
}

export interface LossOptions {
  readonly labelSmoothing?: number;
  /** Targets are [N, classes] of zeros and ones, each class a question of its own. */
  readonly multiLabel?: boolean;
}

/**
 * Cross-entropy of logits [N, classes] with class numbers [N] or shares [N, classes]; with `multiLabel` the binary one.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function lossOf(logits: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { labelSmoothing = 0, multiLabel = false } = options;
  if (!multiLabel) return F.crossEntropy(logits, target, { labelSmoothing });
  const smooth = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / 2);
  return F.binaryCrossEntropyWithLogits(logits, smooth);
}

export interface StepOptions extends LossOptions {
  /** Largest norm of the gradient. */
  readonly clip?: number;
  /** Batches whose gradients make one update. Default 1. */
  readonly accumulate?: number;
}

/** JSON. */
export interface StepperState {
  readonly scale?: LossScaleState;
}

export interface StepOutcome {
  /** Of this batch. */
  readonly loss: number;
  /** Rows whose largest logit is the target's largest entry. */
  readonly correct: number;
  readonly count: number;
  /** Norm of the gradient before clipping; NaN where there was no update. */
  readonly gradientNorm: number;
  /** Whether the weights were updated: false while gradients accumulate, or when float16 overflowed. */
  readonly updated: boolean;
  /** False when the loss or the gradient is NaN or infinite; the weights are then as they were. */
  readonly finite: boolean;
}

/** Class numbers of targets, whatever their form. */
export const classesOf = (target: Tensor): Tensor => (target.isFloatingPoint() ? target.argmax(1) : target);

/** Takes steps: the seed's five lines, with what makes them fast and safe around them. */
export class Stepper {
  readonly #scale: LossScale | undefined;
  #accumulated = 0;
  /** Parts of the model that stay in eval mode while the rest trains: a frozen body, normalisation that keeps its statistics. */
  still: readonly AnyModule[] = [];
  /** Called once, before the next update, with the gradients as they will be used. */
  beforeUpdate: (() => void) | undefined;

  constructor(
    readonly model: Classifier,
    readonly optimizer: Optimizer<CommonOptions>,
    readonly machine: Machine,
    readonly options: StepOptions = {},
  ) {
    if (machine.precision === 'float16') this.#scale = new LossScale();
  }

  /** Batches whose gradients wait for the update. Checkpoints are taken when it is 0: gradients are not in them. */
  get accumulated(): number {
    return this.#accumulated;
  }

  /** What is not in the model or the optimiser, for checkpoints. */
  state(): StepperState {
    return this.#scale ? { scale: this.#scale.state() } : {};
  }

  restore(state: StepperState): void {
    this.#accumulated = 0;
    if (state.scale) this.#scale?.restore(state.scale);
  }

  /**
   * Forward, loss, backward and, when enough gradients are together, the update. Everything made in it is freed.
   * @param watch sees the logits [N, classes] of the batch
   */
  step(given: { readonly input: Tensor; readonly target: Tensor }, watch?: (logits: Tensor) => void): StepOutcome {
    const { accumulate = 1, multiLabel = false } = this.options;
    return torch.scope(() => {
      const input = placeInput(given.input, this.machine);
      const target = given.target.to({ device: this.machine.device });
      this.model.train();
      for (const module of this.still) module.eval();
      const logits = logitsOf(this.model, input, this.machine);
      const loss = lossOf(logits, target, this.options);
      const part = accumulate === 1 ? loss : loss.div(accumulate);
      (this.#scale ? this.#scale.scale(part) : part).backward();
      const value = loss.item() as number;
      const correct = torch.noGrad(() =>
        multiLabel
          ? (logits.detach().gt(0).eq(target.gt(0.5)).all({ dim: 1 }).sum().item() as number)
          : (logits.detach().argmax(1).eq(classesOf(target)).sum().item() as number),
      );
      const result = { loss: value, correct: Number(correct), count: target.shape[0] as number };
      const none = { ...result, gradientNorm: Number.NaN, updated: false };
      watch?.(logits);
      // Weights that are updated with a NaN are lost: up to here nothing has happened to them.
      if (!Number.isFinite(value)) return { ...none, finite: false };
      this.#accumulated += 1;
      return this.#accumulated < accumulate ? { ...none, finite: true } : { ...result, ...this.#update() };
    });
  }

  /** Updates with the gradients that wait, at the end of an epoch; undefined when none do. */
  flush(): Pick<StepOutcome, 'gradientNorm' | 'updated' | 'finite'> | undefined {
    const { accumulate = 1 } = this.options;
    if (this.#accumulated === 0) return undefined;
    return torch.scope(() => {
      // They were divided for a full set.
      for (const parameter of this.optimizer.parameters())
        torch.noGrad(() => parameter.grad?.mul_(accumulate / this.#accumulated));
      return this.#update();
    });
  }

  #update(): Pick<StepOutcome, 'gradientNorm' | 'updated' | 'finite'> {
    const parameters = this.optimizer.parameters();
    this.#accumulated = 0;
    if (this.#scale && !this.#scale.unscale(parameters)) {
      // Expected of float16 now and then: the factor was too large.
      this.optimizer.zeroGrad();
      return { gradientNorm: Number.POSITIVE_INFINITY, updated: false, finite: true };
    }
    // Also where nothing is to be clipped: weights that are updated with a NaN are lost, and a checkpoint might keep them.
    const gradientNorm = clipGradNorm_(parameters, this.options.clip ?? Number.POSITIVE_INFINITY).item() as number;
    if (!Number.isFinite(gradientNorm)) return { gradientNorm, updated: false, finite: false };
    this.beforeUpdate?.();
    this.beforeUpdate = undefined;
    this.optimizer.step();
    this.optimizer.zeroGrad();
    return { gradientNorm, updated: true, finite: true };
  }
}
