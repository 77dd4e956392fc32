/** Activation layers. Source: https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import * as F from '../functional-activations.js';
import { constant_ } from '../init.js';
import { Module } from '../module.js';
import { float, quoted } from '../module-print.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions } from './factory.js';

/** An activation that can change its input itself. */
abstract class InplaceActivation extends Module {
  readonly inplace: boolean;

  constructor(options: F.InplaceOption = {}) {
    super();
    this.inplace = options.inplace ?? false;
  }

  /** The options but `inplace`, for the print. */
  protected described(): string {
    return '';
  }

  override extraRepr(): string {
    const described = this.described();
    if (!this.inplace) return described;
    return described === '' ? 'inplace=True' : `${described}, inplace=True`;
  }
}

/** max(0, x). */
export class ReLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.relu(input, this);
  }
}

/** min(max(0, x), 6). */
export class ReLU6 extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.relu6(input, this);
  }
}

/** Self-normalising ELU. Source: Klambauer et al. 2017. */
export class SELU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.selu(input, this);
  }
}

/** x · sigmoid(x), also called swish. */
export class SiLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.silu(input, this);
  }
}

/** x · tanh(softplus(x)). */
export class Mish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.mish(input, this);
  }
}

/** x · relu6(x + 3) / 6. */
export class Hardswish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.hardswish(input, this);
  }
  // PyTorch does not print this one's options.
  override extraRepr(): string {
    return '';
  }
}

/** relu6(x + 3) / 6. */
export class Hardsigmoid extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return F.hardsigmoid(input, this);
  }
  // PyTorch does not print this one's options.
  override extraRepr(): string {
    return '';
  }
}

/** x where positive, negativeSlope · x elsewhere. */
export class LeakyReLU extends InplaceActivation {
  readonly negativeSlope: number;

  /** @param options `negativeSlope`, default 0.01 */
  constructor(options: F.InplaceOption & { readonly negativeSlope?: number } = {}) {
    super(options);
    this.negativeSlope = options.negativeSlope ?? 0.01;
  }
  override forward(input: Tensor): Tensor {
    return F.leakyRelu(input, this);
  }
  protected override described(): string {
    return `negative_slope=${float(this.negativeSlope)}`;
  }
}

/** x where positive, alpha · (eˣ − 1) elsewhere. */
export class ELU extends InplaceActivation {
  readonly alpha: number;

  /** @param options `alpha`, default 1 */
  constructor(options: F.InplaceOption & { readonly alpha?: number } = {}) {
    super(options);
    this.alpha = options.alpha ?? 1;
  }
  override forward(input: Tensor): Tensor {
    return F.elu(input, this);
  }
  protected override described(): string {
    return `alpha=${float(this.alpha)}`;
  }
}

/** max(0, x) + min(0, alpha · (e^(x/alpha) − 1)). */
export class CELU extends InplaceActivation {
  readonly alpha: number;

  /** @param options `alpha`, default 1 */
  constructor(options: F.InplaceOption & { readonly alpha?: number } = {}) {
    super(options);
    this.alpha = options.alpha ?? 1;
  }
  override forward(input: Tensor): Tensor {
    return F.celu(input, this);
  }
  protected override described(): string {
    return `alpha=${float(this.alpha)}`;
  }
}

/** x held between minVal (−1) and maxVal (1). */
export class Hardtanh extends InplaceActivation {
  readonly minVal: number;
  readonly maxVal: number;

  constructor(options: F.InplaceOption & { readonly minVal?: number; readonly maxVal?: number } = {}) {
    super(options);
    this.minVal = options.minVal ?? -1;
    this.maxVal = options.maxVal ?? 1;
    if (!(this.maxVal > this.minVal))
      throw new ArgumentError(`Hardtanh: maxVal (${this.maxVal}) must be above minVal (${this.minVal}).`);
  }
  override forward(input: Tensor): Tensor {
    return F.hardtanh(input, this);
  }
  protected override described(): string {
    return `min_val=${float(this.minVal)}, max_val=${float(this.maxVal)}`;
  }
}

/** Leaky ReLU with a slope drawn between lower (1/8) and upper (1/3) in training, their mean otherwise. */
export class RReLU extends InplaceActivation {
  readonly lower: number;
  readonly upper: number;

  constructor(options: F.InplaceOption & { readonly lower?: number; readonly upper?: number } = {}) {
    super(options);
    this.lower = options.lower ?? 1 / 8;
    this.upper = options.upper ?? 1 / 3;
  }
  override forward(input: Tensor): Tensor {
    return F.rrelu(input, this);
  }
  protected override described(): string {
    return `lower=${float(this.lower)}, upper=${float(this.upper)}`;
  }
}

/** x where above threshold, value elsewhere. */
export class Threshold extends InplaceActivation {
  constructor(
    readonly threshold: number,
    readonly value: number,
    options: F.InplaceOption = {},
  ) {
    super(options);
  }
  override forward(input: Tensor): Tensor {
    return F.threshold(input, this);
  }
  /** As given: PyTorch prints an integer as an integer here. */
  protected override described(): string {
    const text = (x: number): string => (Number.isInteger(x) ? String(x) : float(x));
    return `threshold=${text(this.threshold)}, value=${text(this.value)}`;
  }
}

/** x · Φ(x), with Φ the normal distribution; `tanh` approximates it. Source: Hendrycks & Gimpel 2016. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { readonly approximate?: 'none' | 'tanh' } = {}) {
    super();
    this.approximate = options.approximate ?? 'none';
  }
  override forward(input: Tensor): Tensor {
    return F.gelu(input, this);
  }
  override extraRepr(): string {
    return `approximate=${quoted(this.approximate)}`;
  }
}

/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return F.sigmoid(input);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return F.tanh(input);
  }
}

/** ln(sigmoid(x)). */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return F.logSigmoid(input);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    return F.softsign(input);
  }
}

/** x − tanh(x). */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    return F.tanhshrink(input);
  }
}

/** ln(1 + e^(beta·x)) / beta; the identity where beta·x is above threshold. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options: { readonly beta?: number; readonly threshold?: number } = {}) {
    super();
    this.beta = options.beta ?? 1;
    this.threshold = options.threshold ?? 20;
  }
  override forward(input: Tensor): Tensor {
    return F.softplus(input, this);
  }
  override extraRepr(): string {
    return `beta=${float(this.beta)}, threshold=${float(this.threshold)}`;
  }
}

/** x, but 0 between −lambd and lambd. */
export class Hardshrink extends Module {
  /** @param lambd default 0.5 */
  constructor(readonly lambd = 0.5) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return F.hardshrink(input, this);
  }
  override extraRepr(): string {
    return float(this.lambd);
  }
}

/** x moved towards 0 by lambd. */
export class Softshrink extends Module {
  /** @param lambd default 0.5 */
  constructor(readonly lambd = 0.5) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return F.softshrink(input, this);
  }
  override extraRepr(): string {
    return float(this.lambd);
  }
}

/** x where positive, weight · x elsewhere, with one learnt weight or one per channel. Source: He et al. 2015. */
export class PReLU extends Module {
  weight: Parameter;
  readonly init: number;

  /** @param options `init`, the weight's first value, default 0.25 */
  constructor(
    readonly numParameters = 1,
    options: FactoryOptions & { readonly init?: number } = {},
  ) {
    super();
    this.init = options.init ?? 0.25;
    this.weight = emptyParameter([numParameters], options);
    this.resetParameters();
  }

  /** The weight's first value again. */
  resetParameters(): void {
    constant_(this.weight, this.init);
  }
  override forward(input: Tensor): Tensor {
    return F.prelu(input, this.weight);
  }
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

/** An activation along a dimension. */
abstract class DimensionActivation extends Module {
  /** @param dim the dimension whose numbers belong together, e.g. 1 for [batch, classes] */
  constructor(readonly dim: number) {
    super();
    if (!Number.isInteger(dim))
      throw new ArgumentError(`${new.target.name}: say along which dimension, e.g. 1 for [batch, classes].`);
  }
  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** eˣ / Σ eˣ along a dimension. */
export class Softmax extends DimensionActivation {
  override forward(input: Tensor): Tensor {
    return F.softmax(input, this.dim);
  }
}

/** softmax(−x) along a dimension. */
export class Softmin extends DimensionActivation {
  override forward(input: Tensor): Tensor {
    return F.softmin(input, this.dim);
  }
}

/** ln(softmax(x)) along a dimension. */
export class LogSoftmax extends DimensionActivation {
  override forward(input: Tensor): Tensor {
    return F.logSoftmax(input, this.dim);
  }
}

/** The first half along dim (the last) times the sigmoid of the second. */
export class GLU extends DimensionActivation {
  constructor(dim = -1) {
    super(dim);
  }
  override forward(input: Tensor): Tensor {
    return F.glu(input, this);
  }
}

/** Softmax over the channels of [batch, channels, height, width]. */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    if (input.ndim !== 3 && input.ndim !== 4)
      throw new ArgumentError(`Softmax2d: the input must have 3 or 4 dimensions, got ${input.ndim}.`);
    return F.softmax(input, -3);
  }
}
