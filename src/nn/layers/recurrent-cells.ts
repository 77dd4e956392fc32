/** Single steps of recurrent layers. Source: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { operator } from '../operators.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';
import type { LSTMState } from './recurrent.js';

const ops = {
  lstm: operator('lstm_cell'),
  gru: operator('gru_cell'),
  tanh: operator('rnn_tanh_cell'),
  relu: operator('rnn_relu_cell'),
};

export interface CellOptions extends FactoryOptions {
  /** Learn biases, default true. */
  readonly bias?: boolean;
}

/** What the cells share: input [batch, inputSize] or [inputSize], states alike. */
abstract class RecurrentCell<State> extends Module<[input: Tensor, state?: State | null], State> {
  static override readonly stateNames = {
    weightIh: 'weight_ih',
    weightHh: 'weight_hh',
    biasIh: 'bias_ih',
    biasHh: 'bias_hh',
  };

  weightIh: Parameter;
  weightHh: Parameter;
  biasIh: Parameter | null;
  biasHh: Parameter | null;

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: CellOptions,
    gates: number,
  ) {
    super();
    requireCount(inputSize, 'inputSize', new.target.name);
    requireCount(hiddenSize, 'hiddenSize', new.target.name);
    const bias = options.bias !== false;
    this.weightIh = emptyParameter([gates * hiddenSize, inputSize], options);
    this.weightHh = emptyParameter([gates * hiddenSize, hiddenSize], options);
    this.biasIh = bias ? emptyParameter([gates * hiddenSize], options) : null;
    this.biasHh = bias ? emptyParameter([gates * hiddenSize], options) : null;
    this.resetParameters();
  }

  /** Draws all parameters anew: uniform over ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform_(parameter, { a: -bound, b: bound });
  }

  /** Runs one step on batched tensors and takes a batch that was not there off again. */
  protected step<Result>(
    input: Tensor,
    states: readonly (Tensor | null | undefined)[],
    run: (input: Tensor, states: Tensor[]) => readonly Tensor[],
    pack: (states: readonly Tensor[]) => Result,
  ): Result {
    const title = this.constructor.name;
    const batched = input.ndim === 2;
    if ((!batched && input.ndim !== 1) || input.size(-1) !== this.inputSize)
      throw new ArgumentError(
        `${title}: the input must be [batch, ${this.inputSize}] or [${this.inputSize}], got [${input.shape.join(', ')}].`,
      );
    const wide = batched ? input : input.unsqueeze(0);
    const { dtype, device } = input;
    const given = states.map((state) => {
      const shape = [wide.size(0), this.hiddenSize];
      if (state === null || state === undefined) return torch.zeros(shape, { dtype, device });
      const wideState = batched ? state : state.unsqueeze(0);
      if (String(wideState.shape) !== String(shape))
        throw new ArgumentError(
          `${title}: the state must be [${(batched ? shape : shape.slice(1)).join(', ')}], got [${state.shape.join(', ')}].`,
        );
      return wideState;
    });
    const results = run(wide, given);
    return pack(batched ? results : results.map((x) => x.squeeze(0)));
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.biasIh === null ? ', bias=False' : ''}`;
  }
}

/** One step of an LSTM: gives the new hidden and cell state. */
export class LSTMCell extends RecurrentCell<LSTMState> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, options, 4);
  }

  override forward(input: Tensor, state?: LSTMState | null): LSTMState {
    const { weightIh, weightHh, biasIh, biasHh } = this;
    return this.step(
      input,
      state ?? [null, null],
      (x, states) => ops.lstm(x, states, weightIh, weightHh, biasIh, biasHh),
      ([hidden, cell]) => [hidden as Tensor, cell as Tensor],
    );
  }
}

/** One step of a GRU: gives the new hidden state. */
export class GRUCell extends RecurrentCell<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, options, 3);
  }

  override forward(input: Tensor, state?: Tensor | null): Tensor {
    const { weightIh, weightHh, biasIh, biasHh } = this;
    return this.step(
      input,
      [state],
      (x, [hidden]) => [ops.gru(x, hidden as Tensor, weightIh, weightHh, biasIh, biasHh)],
      ([hidden]) => hidden as Tensor,
    );
  }
}

/** One step of a plain recurrent layer: gives the new hidden state. */
export class RNNCell extends RecurrentCell<Tensor> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: CellOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super(inputSize, hiddenSize, options, 1);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu')
      throw new ArgumentError(`RNNCell: nonlinearity must be 'tanh' or 'relu', got '${String(this.nonlinearity)}'.`);
  }

  override forward(input: Tensor, state?: Tensor | null): Tensor {
    const { weightIh, weightHh, biasIh, biasHh } = this;
    const cell = this.nonlinearity === 'tanh' ? ops.tanh : ops.relu;
    return this.step(
      input,
      [state],
      (x, [hidden]) => [cell(x, hidden as Tensor, weightIh, weightHh, biasIh, biasHh)],
      ([hidden]) => hidden as Tensor,
    );
  }

  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`}`;
  }
}
