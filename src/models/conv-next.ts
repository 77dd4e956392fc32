/** ConvNeXt, a ResNet made over with what transformers taught. Source: Liu et al. 2022, https://arxiv.org/abs/2201.03545; keys as in timm. */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { dropPath, dropPathRates, initLikeTimm, Mlp } from './branches.js';
import { requireRate, requireWhole, requireWholes } from './options.js';

/** Layer normalisation over the channels of [n, channels, height, width]. */
export class LayerNorm2d extends nn.LayerNorm {
  constructor(channels: number) {
    super(channels, { eps: 1e-6 });
  }

  override forward(x: Tensor): Tensor {
    return super.forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
  }
}

/** A 7 × 7 convolution per channel, normalisation and an MLP over the channels, beside a shortcut. */
export class ConvNeXtBlock extends nn.Module {
  static override readonly stateNames = { convDw: 'conv_dw', dropPath: 'drop_path' };
  gamma: nn.Parameter;
  convDw: nn.Conv2d;
  norm: nn.LayerNorm;
  mlp: Mlp;
  dropPath: nn.Module;

  constructor(
    channels: number,
    share: number,
    /** Whether the MLP is made of 1 × 1 convolutions, as in timm's small forms. */
    private readonly convolution: boolean,
  ) {
    super();
    this.convDw = new nn.Conv2d(channels, channels, 7, { padding: 3, groups: channels });
    this.norm = convolution ? new LayerNorm2d(channels) : new nn.LayerNorm(channels, { eps: 1e-6 });
    this.mlp = new Mlp(channels, { convolution });
    // So small that each block starts nearly as the identity (Touvron et al. 2021, "LayerScale").
    this.gamma = new nn.Parameter(torch.full([channels], 1e-6));
    this.dropPath = dropPath(share);
  }

  override forward(x: Tensor): Tensor {
    let y = this.convDw.forward(x);
    if (!this.convolution) y = y.permute(0, 2, 3, 1);
    y = this.mlp.forward(this.norm.forward(y));
    if (!this.convolution) y = y.permute(0, 3, 1, 2);
    return this.dropPath.forward(y.mul(this.gamma.reshape(1, -1, 1, 1))).add(x);
  }
}

/** Blocks of one size; all stages but the first begin by halving it. */
export class ConvNeXtStage extends nn.Module {
  downsample: nn.Module;
  blocks: nn.Sequential;

  constructor(
    inputs: number,
    outputs: number,
    rates: readonly number[],
    options: { readonly first: boolean; readonly convolution: boolean },
  ) {
    super();
    this.downsample = options.first
      ? new nn.Identity()
      : new nn.Sequential(new LayerNorm2d(inputs), new nn.Conv2d(inputs, outputs, 2, { stride: 2 }));
    this.blocks = new nn.Sequential(...rates.map((share) => new ConvNeXtBlock(outputs, share, options.convolution)));
  }

  override forward(x: Tensor): Tensor {
    return this.blocks.forward(this.downsample.forward(x));
  }
}

/** Mean over the picture, normalisation, dropout, a linear layer. */
class Head extends nn.Module {
  norm: LayerNorm2d;
  drop: nn.Dropout;
  fc: nn.Module;

  constructor(channels: number, classes: number, dropout: number) {
    super();
    this.norm = new LayerNorm2d(channels);
    this.drop = new nn.Dropout(dropout);
    this.fc = new nn.Linear(channels, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(this.norm.forward(x.mean([2, 3], true)).flatten(1)));
  }
}

export interface ConvNeXtOptions {
  /** Blocks of each stage, default [2, 2, 6, 2]. */
  readonly blocks?: readonly number[];
  /** Channels of each stage, default [40, 80, 160, 320]. */
  readonly widths?: readonly number[];
  /** Height and width of the patches the picture is cut into at first, default 4. */
  readonly patch?: number;
  /** Classes, default 1000. */
  readonly classes?: number;
  /** Channels of the pictures, default 3. */
  readonly inputChannels?: number;
  /** The MLPs as 1 × 1 convolutions, as timm's atto to nano have them; else linear layers, as from tiny on. Default true. */
  readonly convolutionMlp?: boolean;
  /** Dropout before the last layer, default 0. */
  readonly dropout?: number;
  /** Share of branches left out in the last block, growing from 0 in the first; default 0. */
  readonly dropPath?: number;
}

/**
 * A ConvNeXt: [n, inputChannels, height, width] → logits [n, classes], from about 32 pixels on. Keys and first weights are timm's:
 * `new ConvNeXt()` is `convnext_atto`.
 */
export class ConvNeXt extends nn.Module {
  stem: nn.Sequential;
  stages: nn.Sequential;
  head: Head;

  constructor(options: ConvNeXtOptions = {}) {
    super();
    const {
      blocks = [2, 2, 6, 2],
      widths = [40, 80, 160, 320],
      patch = 4,
      classes = 1000,
      inputChannels = 3,
    } = options;
    const { convolutionMlp = true, dropout = 0, dropPath: lastDropPath = 0 } = options;
    refuseUnknown('ConvNeXt', options, known);
    for (const [name, value] of Object.entries({ patch, classes, inputChannels }))
      requireWhole('ConvNeXt', name, value);
    requireWholes('ConvNeXt', 'blocks', blocks);
    requireWholes('ConvNeXt', 'widths', widths, blocks.length);
    requireRate('ConvNeXt', 'dropout', dropout);
    requireRate('ConvNeXt', 'dropPath', lastDropPath);
    if (typeof convolutionMlp !== 'boolean')
      throw new ArgumentError(`ConvNeXt: convolutionMlp must be true or false, got ${String(convolutionMlp)}.`);
    const first = widths[0] as number;
    this.stem = new nn.Sequential(
      new nn.Conv2d(inputChannels, first, patch, { stride: patch }),
      new LayerNorm2d(first),
    );
    const total = blocks.reduce((sum, count) => sum + count, 0);
    const rates = [...dropPathRates(lastDropPath, total)];
    let channels = first;
    this.stages = new nn.Sequential(
      ...blocks.map((count, stage) => {
        const inputs = channels;
        channels = widths[stage] as number;
        return new ConvNeXtStage(inputs, channels, rates.splice(0, count), {
          first: stage === 0,
          convolution: convolutionMlp,
        });
      }),
    );
    this.head = new Head(channels, classes, dropout);
    initLikeTimm(this, 'linear and convolution');
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.stages.forward(this.stem.forward(x)));
  }
}

const known: readonly (keyof ConvNeXtOptions)[] = [
  'blocks',
  'widths',
  'patch',
  'classes',
  'inputChannels',
  'convolutionMlp',
  'dropout',
  'dropPath',
];
