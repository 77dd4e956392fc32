/** Fully connected layers. */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, type Tensor } from '../torch/index.js';
import { requireRate, requireWhole } from './options.js';

export interface MLPOptions {
  /** Numbers that enter per sample: columns of a table, or channels × height × width of a picture. */
  readonly inputs: number;
  /** Units of the hidden layers, default [256, 256]; none gives a linear classifier. */
  readonly hidden?: readonly number[];
  /** Classes, default 10. */
  readonly classes?: number;
  /** Dropout before each layer but the first: fully connected layers are where the seed text wants it. Default 0. */
  readonly dropout?: number;
}

/** Linear layers with ReLU between them: [n, …] → logits [n, classes], whatever the shape of a sample that holds `inputs` numbers. */
export class MLP extends nn.Module {
  network: nn.Sequential;

  constructor(options: MLPOptions) {
    super();
    const { inputs, hidden = [256, 256], classes = 10, dropout = 0 } = options;
    refuseUnknown('MLP', options, known);
    requireWhole('MLP', 'inputs', inputs);
    requireWhole('MLP', 'classes', classes);
    requireRate('MLP', 'dropout', dropout);
    if (!Array.isArray(hidden))
      throw new ArgumentError(`MLP: hidden must be a list of numbers of units, got ${JSON.stringify(hidden)}.`);
    for (const units of hidden as readonly number[]) requireWhole('MLP', 'hidden', units);
    const layers: nn.Module[] = [new nn.Flatten()];
    let width = inputs;
    for (const units of hidden as readonly number[]) {
      layers.push(new nn.Linear(width, units), new nn.ReLU());
      if (dropout > 0) layers.push(new nn.Dropout(dropout));
      width = units;
    }
    layers.push(new nn.Linear(width, classes));
    this.network = new nn.Sequential(...layers);
  }

  override forward(x: Tensor): Tensor {
    return this.network.forward(x);
  }
}

const known: readonly (keyof MLPOptions)[] = ['inputs', 'hidden', 'classes', 'dropout'];
