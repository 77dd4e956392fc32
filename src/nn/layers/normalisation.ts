/** Normalisation of each sample by itself. Source: https://docs.pytorch.org/docs/stable/nn.html#normalization-layers */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { groupNorm, layerNorm, localResponseNorm, rmsNorm } from '../functional-normalisation.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import { bool, float, tuple } from '../module-print.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';

export interface GroupNormOptions extends FactoryOptions {
  /** Added to the variance, default 1e-5. */
  readonly eps?: number;
  /** Learn a factor and an offset per channel, default true. */
  readonly affine?: boolean;
  /** Learn the offset, default true. */
  readonly bias?: boolean;
}

/** Mean 0 and variance 1 per group of channels: [batch, numChannels, *]. Source: Wu & He 2018. */
export class GroupNorm extends Module {
  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options: GroupNormOptions = {},
  ) {
    super();
    requireCount(numGroups, 'numGroups', 'GroupNorm');
    if (numChannels % numGroups !== 0)
      throw new ArgumentError(`GroupNorm: ${numChannels} channels cannot be split into ${numGroups} groups.`);
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    this.weight = this.affine ? emptyParameter([numChannels], options) : null;
    this.bias = this.affine && options.bias !== false ? emptyParameter([numChannels], options) : null;
    this.resetParameters();
  }

  /** Factor 1, offset 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    return groupNorm(input, this.numGroups, this);
  }

  override extraRepr(): string {
    const bias = this.affine && this.bias === null ? ', bias=False' : '';
    return `${this.numGroups}, ${this.numChannels}, eps=${float(this.eps)}, affine=${bool(this.affine)}${bias}`;
  }
}

export interface LayerNormOptions extends FactoryOptions {
  readonly eps?: number;
  /** Learn a factor and an offset per element, default true. */
  readonly elementwiseAffine?: boolean;
  /** Learn the offset, default true. */
  readonly bias?: boolean;
}

/** Mean 0 and variance 1 over the last dimensions, which must be `normalizedShape`. Source: Ba et al. 2016. */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.weight = this.elementwiseAffine ? emptyParameter(this.normalizedShape, options) : null;
    this.bias = this.elementwiseAffine && options.bias !== false ? emptyParameter(this.normalizedShape, options) : null;
    this.resetParameters();
  }

  /** Factor 1, offset 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    return layerNorm(input, this.normalizedShape, this);
  }

  override extraRepr(): string {
    const bias = this.elementwiseAffine && this.bias === null ? ', bias=False' : '';
    return `${tuple(this.normalizedShape)}, eps=${float(this.eps)}, elementwise_affine=${bool(this.elementwiseAffine)}${bias}`;
  }
}

export interface RMSNormOptions extends FactoryOptions {
  /** Added to the mean of squares; null (default) for the smallest relative step of the type. */
  readonly eps?: number | null;
  /** Learn a factor per element, default true. */
  readonly elementwiseAffine?: boolean;
}

/** Divides by the root of the mean of squares over the last dimensions. Source: Zhang & Sennrich 2019. */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? null;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.weight = this.elementwiseAffine ? emptyParameter(this.normalizedShape, options) : null;
    this.resetParameters();
  }

  /** Factor 1. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
  }

  override forward(input: Tensor): Tensor {
    return rmsNorm(input, this.normalizedShape, this);
  }

  override extraRepr(): string {
    const eps = this.eps === null ? 'None' : float(this.eps);
    return `${tuple(this.normalizedShape)}, eps=${eps}, elementwise_affine=${bool(this.elementwiseAffine)}`;
  }
}

/** Divides each channel by the size of its neighbours. Source: Krizhevsky et al. 2012. */
export class LocalResponseNorm extends Module {
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(
    readonly size: number,
    options: { readonly alpha?: number; readonly beta?: number; readonly k?: number } = {},
  ) {
    super();
    this.alpha = options.alpha ?? 1e-4;
    this.beta = options.beta ?? 0.75;
    this.k = options.k ?? 1;
  }

  override forward(input: Tensor): Tensor {
    return localResponseNorm(input, this.size, this);
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${float(this.alpha)}, beta=${float(this.beta)}, k=${float(this.k)}`;
  }
}
