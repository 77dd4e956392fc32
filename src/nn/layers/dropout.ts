/** Dropout layers. Source: https://docs.pytorch.org/docs/stable/nn.html#dropout-layers */
import type { Tensor } from '../../torch/index.js';
import * as F from '../functional-dropout.js';
import { Module } from '../module.js';
import { bool, float } from '../module-print.js';

export interface DropoutLayerOptions {
  readonly inplace?: boolean;
}

/** What the dropout layers share: active in training, the identity in evaluation. */
abstract class DropoutLayer extends Module {
  readonly inplace: boolean;

  /** @param p share that is set to zero, default 0.5 */
  constructor(
    readonly p = 0.5,
    options: DropoutLayerOptions = {},
  ) {
    super();
    F.requireProbability(p, new.target.name);
    this.inplace = options.inplace ?? false;
  }

  override extraRepr(): string {
    return `p=${float(this.p)}, inplace=${bool(this.inplace)}`;
  }
}

/** Sets elements to zero in training. Source: Hinton et al. 2012. */
export class Dropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return this.training ? F.dropout(input, this) : input;
  }
}

/** Sets whole channels of [batch, channels, length] to zero in training. */
export class Dropout1d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout1d(input, this);
  }
}

/** Sets whole channels of [batch, channels, height, width] to zero in training. Source: Tompson et al. 2015. */
export class Dropout2d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout2d(input, this);
  }
}

/** Sets whole channels of [batch, channels, depth, height, width] to zero in training. */
export class Dropout3d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout3d(input, this);
  }
}

/** Dropout that keeps mean and variance, for SELU networks. Source: Klambauer et al. 2017. */
export class AlphaDropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    // PyTorch's layer ignores `inplace` here.
    return F.alphaDropout(input, { p: this.p, training: this.training });
  }
}

/** AlphaDropout of whole channels. */
export class FeatureAlphaDropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.featureAlphaDropout(input, { p: this.p, training: this.training });
  }
}

/** Leaves out a residual branch at random in training, for the whole batch or per row. Source: Huang et al. 2016; torchvision. */
export class StochasticDepth extends Module {
  constructor(
    readonly p: number,
    readonly mode: 'batch' | 'row',
  ) {
    super();
    F.requireProbability(p, 'StochasticDepth');
  }

  override forward(input: Tensor): Tensor {
    return F.stochasticDepth(input, this);
  }

  /** torchvision prints it in one piece, `StochasticDepth(p=0.1, mode=row)`. */
  override extraRepr(): string {
    return `p=${float(this.p)}, mode=${this.mode}`;
  }
}
