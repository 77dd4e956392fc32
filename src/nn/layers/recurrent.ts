/** Recurrent layers. Source: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { float } from '../module-print.js';
import { operator } from '../operators.js';

import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';

const ops = {
  lstm: operator('lstm'),
  gru: operator('gru'),
  tanh: operator('rnn_tanh'),
  relu: operator('rnn_relu'),
};

export interface RecurrentOptions extends FactoryOptions {
  /** Layers on top of each other, default 1. */
  readonly numLayers?: number;
  /** Learn biases, default true. */
  readonly bias?: boolean;
  /** Tensors are [batch, length, features] instead of [length, batch, features]. */
  readonly batchFirst?: boolean;
  /** Dropout between the layers in training, default 0. */
  readonly dropout?: number;
  /** Also run from the end to the start; the outputs stand side by side. */
  readonly bidirectional?: boolean;
}

/** What the recurrent layers share. Parameters are named as in PyTorch: `weight_ih_l0`, `bias_hh_l1_reverse`, … */
abstract class Recurrent<State> extends Module<[input: Tensor, state?: State | null], [output: Tensor, state: State]> {
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** Names of the parameters in the order the engine takes them. */
  private readonly weightNames: string[] = [];

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: RecurrentOptions,
    gates: number,
    /** Size of the output when it is a linear map of the hidden state; 0 for none. */
    readonly projSize = 0,
  ) {
    super();
    const title = new.target.name;
    this.numLayers = options.numLayers ?? 1;
    this.bias = options.bias ?? true;
    this.batchFirst = options.batchFirst ?? false;
    this.dropout = options.dropout ?? 0;
    this.bidirectional = options.bidirectional ?? false;
    requireCount(inputSize, 'inputSize', title);
    requireCount(hiddenSize, 'hiddenSize', title);
    requireCount(this.numLayers, 'numLayers', title);
    requireCount(projSize, 'projSize', title, 0);
    if (projSize >= hiddenSize)
      throw new ArgumentError(`${title}: projSize (${projSize}) must be below hiddenSize (${hiddenSize}).`);
    if (!(this.dropout >= 0 && this.dropout <= 1))
      throw new ArgumentError(`${title}: dropout must be between 0 and 1, got ${this.dropout}.`);
    const outputSize = projSize > 0 ? projSize : hiddenSize;
    const directions = this.bidirectional ? 2 : 1;
    for (let layer = 0; layer < this.numLayers; layer++)
      for (const suffix of ['', '_reverse'].slice(0, directions)) {
        const add = (name: string, shape: readonly number[]): void => {
          this.weightNames.push(`${name}_l${layer}${suffix}`);
          this.registerParameter(`${name}_l${layer}${suffix}`, emptyParameter(shape, options));
        };
        add('weight_ih', [gates * hiddenSize, layer === 0 ? inputSize : outputSize * directions]);
        add('weight_hh', [gates * hiddenSize, outputSize]);
        if (this.bias) {
          add('bias_ih', [gates * hiddenSize]);
          add('bias_hh', [gates * hiddenSize]);
        }
        if (projSize > 0) add('weight_hr', [projSize, hiddenSize]);
      }
    this.resetParameters();
  }

  /** Draws all parameters anew: uniform over ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform_(parameter, { a: -bound, b: bound });
  }

  /** One run of the engine's operator: batched input and state to output and state. */
  protected abstract run(input: Tensor, state: State, weights: readonly Tensor[]): [Tensor, State];
  /** The state before the first step. */
  protected abstract start(input: Tensor, batch: number): State;
  /** Applies a change to each tensor of a state. */
  protected abstract change(state: State, change: (part: Tensor, size: number) => Tensor): State;

  override forward(input: Tensor, state?: State | null): [Tensor, State] {
    const title = this.constructor.name;
    const { ndim } = input;
    if ((ndim !== 2 && ndim !== 3) || input.size(-1) !== this.inputSize)
      throw new ArgumentError(
        `${title}: the input must be ${this.batchFirst ? '[batch, length, ' : '[length, batch, '}${this.inputSize}] or [length, ${this.inputSize}], got [${input.shape.join(', ')}].`,
      );
    const batched = ndim === 3;
    const batchDim = this.batchFirst ? 0 : 1;
    const sequence = batched ? input : input.unsqueeze(batchDim);
    const batch = sequence.size(batchDim);
    const layers = this.numLayers * (this.bidirectional ? 2 : 1);
    const first =
      state === undefined || state === null
        ? this.start(sequence, batch)
        : this.change(state, (part, size) => {
            const wide = batched ? part : part.unsqueeze(1);
            const [a, b, c] = wide.shape;
            if (wide.ndim !== 3 || a !== layers || b !== batch || c !== size)
              throw new ArgumentError(
                `${title}: the state must be [${layers}, ${batched ? `${batch}, ` : ''}${size}], got [${part.shape.join(', ')}].`,
              );
            return wide;
          });
    const fields = this as unknown as Readonly<Record<string, Tensor>>;
    const weights = this.weightNames.map((name) => fields[name] as Tensor);
    const [output, last] = this.run(sequence, first, weights);
    return batched ? [output, last] : [output.squeeze(batchDim), this.change(last, (part) => part.squeeze(1))];
  }

  protected zeros(input: Tensor, batch: number, size: number): Tensor {
    const layers = this.numLayers * (this.bidirectional ? 2 : 1);
    return torch.zeros([layers, batch, size], { dtype: input.dtype, device: input.device });
  }

  override extraRepr(): string {
    return [
      `${this.inputSize}, ${this.hiddenSize}`,
      this.projSize === 0 ? '' : `, proj_size=${this.projSize}`,
      this.numLayers === 1 ? '' : `, num_layers=${this.numLayers}`,
      this.bias ? '' : ', bias=False',
      this.batchFirst ? ', batch_first=True' : '',
      this.dropout === 0 ? '' : `, dropout=${float(this.dropout)}`,
      this.bidirectional ? ', bidirectional=True' : '',
    ].join('');
  }
}

/** The hidden state h and the cell state c, each [layers · directions, batch, size]. */
export type LSTMState = [hidden: Tensor, cell: Tensor];

/** Long short-term memory. Gives the outputs of the last layer and the state after the last step. Source: Hochreiter & Schmidhuber 1997. */
export class LSTM extends Recurrent<LSTMState> {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions & { readonly projSize?: number } = {}) {
    super(inputSize, hiddenSize, options, 4, options.projSize ?? 0);
  }

  protected override run(input: Tensor, state: LSTMState, weights: readonly Tensor[]): [Tensor, LSTMState] {
    const { bias, numLayers, dropout, training, bidirectional, batchFirst } = this;
    const [output, hidden, cell] = ops.lstm(
      input,
      state,
      weights,
      bias,
      numLayers,
      dropout,
      training,
      bidirectional,
      batchFirst,
    );
    return [output, [hidden, cell]];
  }

  protected override start(input: Tensor, batch: number): LSTMState {
    const outputSize = this.projSize > 0 ? this.projSize : this.hiddenSize;
    return [this.zeros(input, batch, outputSize), this.zeros(input, batch, this.hiddenSize)];
  }

  protected override change(state: LSTMState, change: (part: Tensor, size: number) => Tensor): LSTMState {
    return [change(state[0], this.projSize > 0 ? this.projSize : this.hiddenSize), change(state[1], this.hiddenSize)];
  }
}

/** A recurrent layer whose state is one tensor, [layers · directions, batch, hiddenSize]. */
abstract class SimpleRecurrent extends Recurrent<Tensor> {
  protected override start(input: Tensor, batch: number): Tensor {
    return this.zeros(input, batch, this.hiddenSize);
  }

  protected override change(state: Tensor, change: (part: Tensor, size: number) => Tensor): Tensor {
    return change(state, this.hiddenSize);
  }
}

/** Gated recurrent unit. Source: Cho et al. 2014. */
export class GRU extends SimpleRecurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, options, 3);
  }

  protected override run(input: Tensor, state: Tensor, weights: readonly Tensor[]): [Tensor, Tensor] {
    const { bias, numLayers, dropout, training, bidirectional, batchFirst } = this;
    return ops.gru(input, state, weights, bias, numLayers, dropout, training, bidirectional, batchFirst);
  }
}

/** The plain recurrent layer of Elman 1990: tanh or relu of a linear map of input and state. */
export class RNN extends SimpleRecurrent {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super(inputSize, hiddenSize, options, 1);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu')
      throw new ArgumentError(`RNN: nonlinearity must be 'tanh' or 'relu', got '${String(this.nonlinearity)}'.`);
  }

  protected override run(input: Tensor, state: Tensor, weights: readonly Tensor[]): [Tensor, Tensor] {
    const { bias, numLayers, dropout, training, bidirectional, batchFirst } = this;
    const step = this.nonlinearity === 'tanh' ? ops.tanh : ops.relu;
    return step(input, state, weights, bias, numLayers, dropout, training, bidirectional, batchFirst);
  }
}
