/** What models with residual branches share. Source of stochastic depth: Huang et al. 2016, https://arxiv.org/abs/1603.09382 */
import * as nn from '../nn/index.js';
import { type Tensor, torch } from '../torch/index.js';

/** The share of each of `count` branches, growing from 0 to `last` as timm's `linspace` in float32 does. */
export const dropPathRates = (last: number, count: number): readonly number[] =>
  torch.linspace(0, last, count).toArray() as number[];

/** Leaves a residual branch out per sample in training, or nothing where the share is 0. */
export const dropPath = (share: number): nn.Module =>
  share > 0 ? new nn.StochasticDepth(share, 'row') : new nn.Identity();

/** Weights from a normal distribution of deviation 0.02 and offsets of 0: where timm starts its transformers and ConvNeXts. */
export function initLikeTimm(network: nn.Module, kinds: 'linear' | 'linear and convolution'): void {
  for (const module of network.modules()) {
    const linear = module instanceof nn.Linear;
    if (!linear && !(kinds !== 'linear' && module instanceof nn.Conv2d)) continue;
    // timm keeps the older way to draw them.
    nn.init.truncNormal_(module.weight, { std: 0.02, method: 'inverse' });
    if (module.bias !== null) nn.init.zeros_(module.bias);
  }
}

export interface MlpOptions {
  /** Units between, default four times as many. */
  readonly hidden?: number;
  /** Dropout after each layer, default 0. */
  readonly dropout?: number;
  /** 1 × 1 convolutions on [n, channels, height, width] instead of linear layers on [*, channels]. Default false. */
  readonly convolution?: boolean;
}

/** Two layers with GELU between, the same number of channels in and out. */
export class Mlp extends nn.Module {
  fc1: nn.Module;
  act = new nn.GELU();
  drop1: nn.Module;
  fc2: nn.Module;
  drop2: nn.Module;

  constructor(channels: number, options: MlpOptions = {}) {
    super();
    const { hidden = 4 * channels, dropout = 0, convolution = false } = options;
    const layer = (inputs: number, outputs: number): nn.Module =>
      convolution ? new nn.Conv2d(inputs, outputs, 1) : new nn.Linear(inputs, outputs);
    this.fc1 = layer(channels, hidden);
    this.drop1 = new nn.Dropout(dropout);
    this.fc2 = layer(hidden, channels);
    this.drop2 = new nn.Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    return this.drop2.forward(this.fc2.forward(this.drop1.forward(this.act.forward(this.fc1.forward(x)))));
  }
}
