/** Linear layers. Source: https://docs.pytorch.org/docs/stable/nn.html#linear-layers */
import type { Tensor } from '../../torch/index.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { bool } from '../module-print.js';
import { operator } from '../operators.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount, resetLinear } from './factory.js';

const linear = operator('linear');
const bilinear = operator('bilinear');

export interface LinearOptions extends FactoryOptions {
  /** Add a learnt bias, default true. */
  readonly bias?: boolean;
}

/** x · weightᵀ + bias: [*, inFeatures] → [*, outFeatures]. */
export class Linear extends Module {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    requireCount(inFeatures, 'inFeatures', 'Linear', 0);
    requireCount(outFeatures, 'outFeatures', 'Linear', 0);
    this.weight = emptyParameter([outFeatures, inFeatures], options);
    this.bias = options.bias === false ? null : emptyParameter([outFeatures], options);
    this.resetParameters();
  }

  /** Draws the parameters anew: uniform over ±1/√inFeatures. */
  resetParameters(): void {
    resetLinear(this.weight, this.bias);
  }

  override forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${bool(this.bias !== null)}`;
  }
}

/** x₁ᵀ · weight · x₂ + bias: [*, in1Features] and [*, in2Features] → [*, outFeatures]. */
export class Bilinear extends Module<[Tensor, Tensor]> {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    requireCount(in1Features, 'in1Features', 'Bilinear');
    this.weight = emptyParameter([outFeatures, in1Features, in2Features], options);
    this.bias = options.bias === false ? null : emptyParameter([outFeatures], options);
    this.resetParameters();
  }

  /** Draws the parameters anew: uniform over ±1/√in1Features. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, { a: -bound, b: bound });
    if (this.bias !== null) uniform_(this.bias, { a: -bound, b: bound });
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${bool(this.bias !== null)}`;
  }
}

/** Gives back what it gets; the place of a layer that is not needed. */
export class Identity extends Module {
  override forward(input: Tensor): Tensor {
    return input;
  }
}
