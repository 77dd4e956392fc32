/** Normalisation with running statistics. Source: https://docs.pytorch.org/docs/stable/nn.html#normalization-layers */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { batchNorm, instanceNorm } from '../functional-normalisation.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import { bool, float } from '../module-print.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';

export interface NormOptions extends FactoryOptions {
  /** Added to the variance, default 1e-5. */
  readonly eps?: number;
  /** Weight of the batch in the running statistics, default 0.1; null for the mean over all batches so far. */
  readonly momentum?: number | null;
  /** Learn a factor and an offset per channel. Default true for BatchNorm, false for InstanceNorm. */
  readonly affine?: boolean;
  /** Learn the offset; default true. */
  readonly bias?: boolean;
  /** Keep running statistics. Default true for BatchNorm, false for InstanceNorm. */
  readonly trackRunningStats?: boolean;
}

/** What batch and instance normalisation share. */
abstract class RunningNorm extends Module {
  static override readonly stateNames = {
    runningMean: 'running_mean',
    runningVar: 'running_var',
    numBatchesTracked: 'num_batches_tracked',
  };

  readonly eps: number;
  momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  /** Mean per channel over the batches so far. */
  runningMean: Tensor | null = null;
  /** Variance per channel over the batches so far. */
  runningVar: Tensor | null = null;
  /** How many batches those are (int64). */
  numBatchesTracked: Tensor | null = null;

  constructor(
    readonly numFeatures: number,
    options: NormOptions,
    /** Numbers of dimensions an input may have. */
    private readonly inputDimensions: readonly number[],
    usually: boolean,
  ) {
    super();
    requireCount(numFeatures, 'numFeatures', new.target.name, 0);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.affine = options.affine ?? usually;
    this.trackRunningStats = options.trackRunningStats ?? usually;
    this.weight = this.affine ? emptyParameter([numFeatures], options) : null;
    this.bias = this.affine && options.bias !== false ? emptyParameter([numFeatures], options) : null;
    const { device, dtype } = options;
    const track = this.trackRunningStats;
    this.registerBuffer('runningMean', track ? torch.zeros([numFeatures], { device, dtype }) : null);
    this.registerBuffer('runningVar', track ? torch.ones([numFeatures], { device, dtype }) : null);
    this.registerBuffer('numBatchesTracked', track ? torch.zeros([], { device, dtype: 'int64' }) : null);
    this.resetParameters();
  }

  /** Factor 1, offset 0, and statistics as before the first batch. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  /** Statistics as before the first batch. */
  resetRunningStats(): void {
    torch.noGrad(() => {
      this.runningMean?.zero_();
      this.runningVar?.fill_(1);
      this.numBatchesTracked?.zero_();
    });
  }

  protected requireDimensions(input: Tensor): void {
    if (!this.inputDimensions.includes(input.ndim))
      throw new ArgumentError(
        `${this.constructor.name}: the input must have ${this.inputDimensions.join(' or ')} dimensions, got shape [${input.shape.join(', ')}].`,
      );
  }

  /** Files from before PyTorch 0.4.1 do not count batches. */
  override mayLack(name: string): boolean {
    return name === 'num_batches_tracked';
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : float(this.momentum);
    const bias = this.affine && this.bias === null ? ', bias=False' : '';
    return `${this.numFeatures}, eps=${float(this.eps)}, momentum=${momentum}, affine=${bool(this.affine)}${bias}, track_running_stats=${bool(this.trackRunningStats)}`;
  }
}

/** Mean 0 and variance 1 per channel over the batch in training, by the running statistics otherwise. Source: Ioffe & Szegedy 2015. */
abstract class BatchNorm extends RunningNorm {
  constructor(numFeatures: number, options: NormOptions, inputDimensions: readonly number[]) {
    super(numFeatures, options, inputDimensions, true);
  }

  override forward(input: Tensor): Tensor {
    this.requireDimensions(input);
    const { training, trackRunningStats, numBatchesTracked, weight, bias, eps } = this;
    let momentum = this.momentum ?? 0;
    if (training && trackRunningStats && numBatchesTracked !== null) {
      numBatchesTracked.add_(1);
      if (this.momentum === null) momentum = 1 / Number(numBatchesTracked.item());
    }
    const usesStats = !training || trackRunningStats;
    const runningMean = usesStats ? this.runningMean : null;
    const runningVar = usesStats ? this.runningVar : null;
    return batchNorm(input, {
      runningMean,
      runningVar,
      weight,
      bias,
      training: training || (this.runningMean === null && this.runningVar === null),
      momentum,
      eps,
    });
  }
}

/** Batch normalisation of [batch, features] or [batch, channels, length]. */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, [2, 3]);
  }
}

/** Batch normalisation of [batch, channels, height, width]. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, [4]);
  }
}

/** Batch normalisation of [batch, channels, depth, height, width]. */
export class BatchNorm3d extends BatchNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, [5]);
  }
}

/** Mean 0 and variance 1 per channel of each sample. Source: Ulyanov et al. 2016. */
abstract class InstanceNorm extends RunningNorm {
  constructor(
    numFeatures: number,
    options: NormOptions,
    private readonly unbatched: number,
  ) {
    super(numFeatures, options, [unbatched, unbatched + 1], false);
  }

  override forward(input: Tensor): Tensor {
    this.requireDimensions(input);
    const channels = input.size(input.ndim - this.unbatched);
    if (this.affine && channels !== this.numFeatures)
      throw new ArgumentError(
        `${this.constructor.name}: the input has ${channels} channels, expected ${this.numFeatures}.`,
      );
    if (input.ndim === this.unbatched) return this.normalise(input.unsqueeze(0)).squeeze(0);
    return this.normalise(input);
  }

  private normalise(input: Tensor): Tensor {
    const { runningMean, runningVar, weight, bias, eps } = this;
    const useInputStats = this.training || !this.trackRunningStats;
    return instanceNorm(input, {
      runningMean,
      runningVar,
      weight,
      bias,
      useInputStats,
      momentum: this.momentum ?? 0,
      eps,
    });
  }
}

/** Instance normalisation of [batch, channels, length] or [channels, length]. */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, 2);
  }
}

/** Instance normalisation of [batch, channels, height, width] or [channels, height, width]. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, 3);
  }
}

/** Instance normalisation of [batch, channels, depth, height, width] or [channels, depth, height, width]. */
export class InstanceNorm3d extends InstanceNorm {
  constructor(numFeatures: number, options: NormOptions = {}) {
    super(numFeatures, options, 4);
  }
}
