/** Residual networks as torchvision builds them, with a free stem, depth and width. Source: He et al. 2015, https://arxiv.org/abs/1512.03385 */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, type Tensor } from '../torch/index.js';
import { requireRate, requireWhole, requireWholes } from './options.js';
import { type StemChoice, stemOf } from './stem.js';

/** A 3 × 3 convolution without bias: the normalisation after it has one. */
const conv3 = (inputs: number, outputs: number, stride = 1): nn.Conv2d =>
  new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
const conv1 = (inputs: number, outputs: number, stride = 1): nn.Conv2d =>
  new nn.Conv2d(inputs, outputs, 1, { stride, bias: false });

/** Adds the shortcut (null: the input itself) to what a block computed. */
const residual = (out: Tensor, x: Tensor, downsample: nn.Sequential | null): Tensor =>
  out.add_(downsample === null ? x : downsample.forward(x));

/** Two 3 × 3 convolutions beside a shortcut. */
export class BasicBlock extends nn.Module {
  static readonly expansion: number = 1;
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  relu = new nn.ReLU({ inplace: true });
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  downsample: nn.Sequential | null;

  constructor(inputs: number, width: number, stride: number, downsample: nn.Sequential | null) {
    super();
    this.conv1 = conv3(inputs, width, stride);
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = conv3(width, width);
    this.bn2 = new nn.BatchNorm2d(width);
    this.downsample = downsample;
  }

  override forward(x: Tensor): Tensor {
    const out = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    return this.relu.forward(residual(this.bn2.forward(this.conv2.forward(out)), x, this.downsample));
  }

  /** The normalisation that ends the branch. */
  get last(): nn.BatchNorm2d {
    return this.bn2;
  }
}

/** 1 × 1 to fewer channels, 3 × 3, 1 × 1 to four times as many, beside a shortcut; the stride is in the 3 × 3 (torchvision's "V1.5"). */
export class Bottleneck extends nn.Module {
  static readonly expansion: number = 4;
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  conv3: nn.Conv2d;
  bn3: nn.BatchNorm2d;
  relu = new nn.ReLU({ inplace: true });
  downsample: nn.Sequential | null;

  constructor(inputs: number, width: number, stride: number, downsample: nn.Sequential | null) {
    super();
    this.conv1 = conv1(inputs, width);
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = conv3(width, width, stride);
    this.bn2 = new nn.BatchNorm2d(width);
    this.conv3 = conv1(width, 4 * width);
    this.bn3 = new nn.BatchNorm2d(4 * width);
    this.downsample = downsample;
  }

  override forward(x: Tensor): Tensor {
    const first = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    const second = this.relu.forward(this.bn2.forward(this.conv2.forward(first)));
    return this.relu.forward(residual(this.bn3.forward(this.conv3.forward(second)), x, this.downsample));
  }

  /** The normalisation that ends the branch. */
  get last(): nn.BatchNorm2d {
    return this.bn3;
  }
}

export interface ResNetOptions {
  /** Classes, default 1000. */
  readonly classes?: number;
  /** Channels of the pictures, default 3. */
  readonly inputChannels?: number;
  readonly block?: 'basic' | 'bottleneck';
  /** Blocks of each stage; every stage but the first halves the size. Default [2, 2, 2, 2]. */
  readonly blocks?: readonly number[];
  /** Channels of each stage (of a bottleneck: inside it), default 64 and doubling. */
  readonly widths?: readonly number[];
  /** Default `imagenet`, for pictures of about 224; `cifar` for about 32. */
  readonly stem?: StemChoice;
  /** Shrinks shortcuts by averaging instead of leaving three pixels of four out ("ResNet-D", He et al. 2018). Default: with a deep stem. */
  readonly averageDown?: boolean;
  /** Lets each block start as the identity: the factor of its last normalisation is 0 (Goyal et al. 2017). Default false. */
  readonly zeroInitResidual?: boolean;
  /** Dropout before the last layer, default 0. */
  readonly dropout?: number;
}

/**
 * A residual network: [n, inputChannels, height, width] → logits [n, classes]. Keys, print and first weights are torchvision's:
 * `new ResNet()` is `torchvision.models.resnet18()`, `{ blocks: [3, 4, 6, 3], block: 'bottleneck' }` is `resnet50()`; with `stem: 'deep'` they are
 * timm's `resnet18d` and `resnet50d`.
 */
export class ResNet extends nn.Module {
  conv1: nn.Conv2d | nn.Sequential;
  bn1: nn.BatchNorm2d;
  relu = new nn.ReLU({ inplace: true });
  maxpool: nn.Module;
  // Declared only: they become fields in the order of the print when they are assigned.
  declare readonly layer1: nn.Sequential;
  declare readonly layer2: nn.Sequential;
  declare readonly layer3: nn.Sequential;
  declare readonly layer4: nn.Sequential;
  declare avgpool: nn.Module;
  declare dropout?: nn.Module;
  declare fc: nn.Module;
  private readonly stages: number;

  constructor(options: ResNetOptions = {}) {
    super();
    const { classes = 1000, inputChannels = 3, block = 'basic', blocks = [2, 2, 2, 2], dropout = 0 } = options;
    refuseUnknown('ResNet', options, known);
    requireWhole('ResNet', 'classes', classes);
    requireWhole('ResNet', 'inputChannels', inputChannels);
    requireWholes('ResNet', 'blocks', blocks);
    const widths = options.widths ?? blocks.map((_, stage) => 64 * 2 ** stage);
    requireWholes('ResNet', 'widths', widths, blocks.length);
    requireRate('ResNet', 'dropout', dropout);
    if (block !== 'basic' && block !== 'bottleneck')
      throw new ArgumentError(`ResNet: block must be basic or bottleneck, got '${String(block)}'.`);
    const { kernel, stride, padding, pool, deep } = stemOf('ResNet', options.stem ?? 'imagenet');
    const { averageDown = deep } = options;
    const Block = block === 'basic' ? BasicBlock : Bottleneck;
    let channels = widths[0] as number;
    const first = (outputs: number): nn.Conv2d =>
      new nn.Conv2d(inputChannels, outputs, kernel, { stride, padding, bias: false });
    this.conv1 = deep ? deepStem(first, channels) : first(channels);
    this.bn1 = new nn.BatchNorm2d(channels);
    this.maxpool = pool ? new nn.MaxPool2d(3, { stride: 2, padding: 1 }) : new nn.Identity();
    this.stages = blocks.length;
    for (const [stage, count] of blocks.entries()) {
      const width = widths[stage] as number;
      const outputs = width * Block.expansion;
      const blocksOf: nn.Module[] = [];
      for (let i = 0; i < count; i++) {
        const step = i === 0 && stage > 0 ? 2 : 1;
        const changes = step !== 1 || channels !== outputs;
        // Made before the block, as torchvision does: the random numbers are drawn in this order.
        const downsample = changes ? shortcut(channels, outputs, step, averageDown) : null;
        blocksOf.push(new Block(channels, width, step, downsample));
        channels = outputs;
      }
      this.registerModule(`layer${stage + 1}`, new nn.Sequential(...blocksOf));
    }
    this.avgpool = new nn.AdaptiveAvgPool2d([1, 1]);
    if (dropout > 0) this.dropout = new nn.Dropout(dropout);
    this.fc = new nn.Linear(channels, classes);
    for (const module of this.modules())
      if (module instanceof nn.Conv2d) nn.init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    if (options.zeroInitResidual ?? false)
      for (const module of this.modules())
        if ((module instanceof BasicBlock || module instanceof Bottleneck) && module.last.weight !== null)
          nn.init.zeros_(module.last.weight);
  }

  override forward(input: Tensor): Tensor {
    // torchvision pools what the ReLU let through. The largest of several is let through as it is, so the other order gives the same bits, with
    // a ReLU over a quarter of the points.
    let x = this.relu.forward(this.maxpool.forward(this.bn1.forward(this.conv1.forward(input))));
    for (let stage = 1; stage <= this.stages; stage++) x = this.stage(stage).forward(x);
    x = this.avgpool.forward(x).flatten(1);
    if (this.dropout !== undefined) x = this.dropout.forward(x);
    return this.fc.forward(x);
  }

  /** The blocks of one size, counted from 1: `layer1`, `layer2`, … */
  private stage(number: number): nn.Sequential {
    return (this as unknown as Readonly<Record<string, nn.Sequential>>)[`layer${number}`] as nn.Sequential;
  }
}

/** Three convolutions in place of one, as timm has them: half of the channels until the last. */
function deepStem(first: (outputs: number) => nn.Conv2d, channels: number): nn.Sequential {
  const half = Math.max(1, Math.floor(channels / 2));
  const between = (): nn.Module[] => [new nn.BatchNorm2d(half), new nn.ReLU({ inplace: true })];
  return new nn.Sequential(first(half), ...between(), conv3(half, half), ...between(), conv3(half, channels));
}

/** The shortcut where a block changes the number of channels or the size. */
function shortcut(inputs: number, outputs: number, stride: number, average: boolean): nn.Sequential {
  // As in timm something stands in the first place even where nothing is to be averaged: the keys count on it.
  const pool = () =>
    stride > 1 ? new nn.AvgPool2d(2, { stride: 2, ceilMode: true, countIncludePad: false }) : new nn.Identity();
  if (average) return new nn.Sequential(pool(), conv1(inputs, outputs), new nn.BatchNorm2d(outputs));
  return new nn.Sequential(conv1(inputs, outputs, stride), new nn.BatchNorm2d(outputs));
}

const known: readonly (keyof ResNetOptions)[] = [
  'classes',
  'inputChannels',
  'block',
  'blocks',
  'widths',
  'stem',
  'averageDown',
  'zeroInitResidual',
  'dropout',
];
