/** Residual networks for small pictures. Source: He et al. 2015, https://arxiv.org/abs/1512.03385, section 4.2 */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, type Tensor } from '../torch/index.js';
import { requireRate, requireWhole } from './options.js';
import { type StemChoice, stemOf } from './stem.js';

/** How a shortcut changes size and channels: `A` leaves pixels out and fills new channels with zeros (no weights), `B` is a 1 × 1 convolution. */
export type ShortcutOption = 'A' | 'B';

/** Every second pixel, and zeros for the channels that are new, half of them on either side. */
class PadShortcut extends nn.Module {
  constructor(
    private readonly inputs: number,
    private readonly outputs: number,
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const missing = this.outputs - this.inputs;
    const before = Math.floor(missing / 2);
    return nn.functional.pad(x.at(':', ':', '::2', '::2'), [0, 0, 0, 0, before, missing - before]);
  }
}

/** Two 3 × 3 convolutions beside a shortcut. */
class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  shortcut: nn.Module;

  constructor(inputs: number, outputs: number, stride: number, option: ShortcutOption) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    if (stride === 1 && inputs === outputs) this.shortcut = new nn.Sequential();
    else if (option === 'A') this.shortcut = new PadShortcut(inputs, outputs);
    else
      this.shortcut = new nn.Sequential(
        new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }),
        new nn.BatchNorm2d(outputs),
      );
  }

  override forward(x: Tensor): Tensor {
    const first = nn.functional.relu(this.bn1.forward(this.conv1.forward(x)));
    const out = this.bn2.forward(this.conv2.forward(first)).add(this.shortcut.forward(x));
    return nn.functional.relu(out);
  }
}

export interface CifarResNetOptions {
  /** Layers with weights: 6n + 2, such as 20, 32, 44, 56, 110. Default 20. */
  readonly depth?: number;
  /** Channels of the first stage, default 16; the second has twice, the third four times as many. */
  readonly width?: number;
  /** Classes, default 10. */
  readonly classes?: number;
  /** Channels of the pictures, default 3. */
  readonly inputChannels?: number;
  /** Default `A`, as the paper uses for CIFAR. */
  readonly option?: ShortcutOption;
  /** How pictures enter, default `cifar`: a 3 × 3 convolution that keeps their size. */
  readonly stem?: StemChoice;
  /** Dropout before the last layer, default 0. */
  readonly dropout?: number;
}

/**
 * The residual network of the paper's CIFAR experiments: three stages at full, half and quarter size.
 * [n, inputChannels, height, width] → logits [n, classes]. Keys are those of the implementation whose trained weights are widely
 * used (https://github.com/akamaster/pytorch_resnet_cifar10), and its first weights: Kaiming, fan in.
 */
export class CifarResNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  declare maxpool?: nn.Module;
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  declare dropout?: nn.Module;
  declare linear: nn.Module;

  constructor(options: CifarResNetOptions = {}) {
    super();
    const { depth = 20, width = 16, classes = 10, inputChannels = 3, option = 'A', dropout = 0 } = options;
    refuseUnknown('CifarResNet', options, known);
    for (const [name, value] of Object.entries({ width, classes, inputChannels }))
      requireWhole('CifarResNet', name, value);
    requireRate('CifarResNet', 'dropout', dropout);
    const blocks = (depth - 2) / 6;
    if (!Number.isInteger(blocks) || blocks < 1)
      throw new ArgumentError(`CifarResNet: depth must be 6n + 2, such as 20, 32, 44 or 56, got ${String(depth)}.`);
    if (option !== 'A' && option !== 'B')
      throw new ArgumentError(`CifarResNet: option must be A or B, got '${String(option)}'.`);
    const { kernel, stride, padding, pool, deep } = stemOf('CifarResNet', options.stem ?? 'cifar');
    if (deep) throw new ArgumentError('CifarResNet: a deep stem is for ResNet; choose quarter, which shrinks as much.');
    this.conv1 = new nn.Conv2d(inputChannels, width, kernel, { stride, padding, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    if (pool) this.maxpool = new nn.MaxPool2d(3, { stride: 2, padding: 1 });
    const stage = (inputs: number, outputs: number): nn.Sequential =>
      new nn.Sequential(
        ...Array.from({ length: blocks }, (_, i) =>
          i === 0
            ? new BasicBlock(inputs, outputs, inputs === outputs ? 1 : 2, option)
            : new BasicBlock(outputs, outputs, 1, option),
        ),
      );
    this.layer1 = stage(width, width);
    this.layer2 = stage(width, 2 * width);
    this.layer3 = stage(2 * width, 4 * width);
    if (dropout > 0) this.dropout = new nn.Dropout(dropout);
    this.linear = new nn.Linear(4 * width, classes);
    for (const module of this.modules())
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) nn.init.kaimingNormal_(module.weight);
  }

  override forward(x: Tensor): Tensor {
    let first = nn.functional.relu(this.bn1.forward(this.conv1.forward(x)));
    if (this.maxpool !== undefined) first = this.maxpool.forward(first);
    let features = this.layer3.forward(this.layer2.forward(this.layer1.forward(first))).mean([2, 3]);
    if (this.dropout !== undefined) features = this.dropout.forward(features);
    return this.linear.forward(features);
  }
}

const known: readonly (keyof CifarResNetOptions)[] = [
  'depth',
  'width',
  'classes',
  'inputChannels',
  'option',
  'stem',
  'dropout',
];
