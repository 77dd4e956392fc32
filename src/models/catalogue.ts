/** The models by name, each with what a person needs to choose it. */
import type * as nn from '../nn/index.js';
import { CifarResNet, type ShortcutOption } from './cifar-res-net.js';
import { ConvNet } from './conv-net.js';
import { ConvNeXt } from './conv-next.js';
import { MLP } from './multilayer-perceptron.js';
import { ResNet } from './res-net.js';
import type { StemChoice } from './stem.js';
import { VisionTransformer } from './vision-transformer.js';

/** What `createModel` may be told. Each model takes some of it (`modelSpec(name).takes`). */
export interface ModelOptions {
  /** Number of classes. */
  readonly classes: number;
  /** Channels of the pictures, default 3. */
  readonly channels?: number;
  /** Height and width of the pictures, default the model's own. Only MLP and Vision Transformer are built for one size. */
  readonly size?: readonly [number, number];
  /** Channels of the first stage, units of the hidden layers, length of a token: what makes the model wider. */
  readonly width?: number;
  /** Blocks or layers: what makes the model deeper. */
  readonly depth?: number;
  /** Channels of each stage. */
  readonly widths?: readonly number[];
  /** Blocks of each stage. */
  readonly blocks?: readonly number[];
  /** How pictures enter a residual network: a name, or kernel, stride and border of one's own, see `resNetStems`. */
  readonly stem?: StemChoice;
  /** How the shortcuts of a CIFAR ResNet change size: `A` without weights (default), `B` by a convolution. */
  readonly shortcut?: ShortcutOption;
  /** Share of units left out before the last layer, default 0. */
  readonly dropout?: number;
  /** Share of residual branches left out in the last block, growing from 0 in the first (stochastic depth), default 0. */
  readonly dropPath?: number;
  /** Height and width of a patch. */
  readonly patch?: number;
}

/** Options a model may take or not; `classes`, `channels` and `size` are for all. */
export type ModelOptionName = Exclude<keyof ModelOptions, 'classes' | 'channels' | 'size'>;

/** What a person needs to choose a model. */
export interface ModelSpec {
  readonly name: string;
  /** What it is, in a sentence. */
  readonly summary: string;
  /** When to pick it, in a sentence. */
  readonly when: string;
  /** Where it comes from. */
  readonly source: string;
  /** Height and width it was made for. */
  readonly size: readonly [number, number];
  /** How pictures enter it by default, if it is a residual network. */
  readonly stem?: StemChoice;
  /** The options it takes beside `classes`, `channels` and `size`. */
  readonly takes: readonly ModelOptionName[];
}

/** Options with the size settled. @internal */
export interface SettledOptions extends ModelOptions {
  readonly channels: number;
  readonly size: readonly [number, number];
}

/** @internal */
export interface ModelEntry extends Omit<ModelSpec, 'name'> {
  readonly make: (options: SettledOptions) => nn.Module;
}

const residual = 'He et al. 2015, https://arxiv.org/abs/1512.03385';

/** Channels of each stage: as given, or doubling from the width. */
const doubling = (options: SettledOptions, first: number, stages: number): readonly number[] =>
  options.widths ?? Array.from({ length: stages }, (_, stage) => (options.width ?? first) * 2 ** stage);

const cifar = (depth: number, when: string): ModelEntry => ({
  summary: `residual network of ${depth} layers for small pictures, as in the paper's CIFAR experiments`,
  when,
  source: `${residual}, section 4.2`,
  size: [32, 32],
  stem: 'cifar',
  takes: ['width', 'depth', 'shortcut', 'stem', 'dropout'],
  make: ({ classes, channels: inputChannels, width, depth: given, shortcut: option, stem, dropout }) =>
    new CifarResNet({ classes, inputChannels, depth: given ?? depth, width, option, stem, dropout }),
});

const imageNet = (
  layers: number,
  blocks: readonly number[],
  block: 'basic' | 'bottleneck',
  when: string,
): ModelEntry => ({
  summary: `residual network of ${layers} layers, torchvision's resnet${layers}`,
  when,
  source: residual,
  size: [224, 224],
  stem: 'imagenet',
  takes: ['width', 'widths', 'blocks', 'stem', 'dropout'],
  make: (options) => {
    const { classes, channels, stem, dropout } = options;
    const counts = options.blocks ?? blocks;
    const widths = doubling(options, 64, counts.length);
    return new ResNet({ classes, inputChannels: channels, block, blocks: counts, widths, stem, dropout });
  },
});

const transformer = (size: string, width: number, when: string): ModelEntry => ({
  summary: `Vision Transformer, ${size}: patches as tokens, 12 blocks of attention, ${width} numbers per token`,
  when,
  source:
    'Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; sizes: Touvron et al. 2020, https://arxiv.org/abs/2012.12877',
  size: [224, 224],
  takes: ['width', 'depth', 'patch', 'dropout', 'dropPath'],
  make: ({ classes, channels, size: pixels, width: given, depth, patch, dropout, dropPath }) =>
    new VisionTransformer({
      size: pixels,
      classes,
      inputChannels: channels,
      width: given ?? width,
      depth: depth ?? 12,
      patch: patch ?? 16,
      dropout: dropout ?? 0,
      dropPath: dropPath ?? 0,
    }),
});

const convNext = (size: string, blocks: readonly number[], width: number, when: string): ModelEntry => ({
  summary: `ConvNeXt, ${size}: convolutions arranged like a transformer`,
  when,
  source: 'Liu et al. 2022, https://arxiv.org/abs/2201.03545',
  size: [224, 224],
  takes: ['width', 'widths', 'blocks', 'patch', 'dropout', 'dropPath'],
  make: (options) => {
    const { classes, channels, patch = 4, dropout = 0, dropPath = 0 } = options;
    const counts = options.blocks ?? blocks;
    const widths = doubling(options, width, counts.length);
    const convolutionMlp = size !== 'tiny';
    return new ConvNeXt({
      classes,
      inputChannels: channels,
      blocks: counts,
      widths,
      patch,
      dropout,
      dropPath,
      convolutionMlp,
    });
  },
});

/** Small first. */
export const catalogue: Readonly<Record<string, ModelEntry>> = {
  mlp: {
    summary: 'fully connected layers with ReLU between them',
    when: 'For tables, and as the baseline that a network for pictures must beat.',
    source: 'Rumelhart, Hinton & Williams 1986, https://doi.org/10.1038/323533a0',
    size: [32, 32],
    takes: ['width', 'depth', 'dropout'],
    make: ({ classes, channels, size: [height, width], width: units = 256, depth = 2, dropout }) =>
      new MLP({ inputs: channels * height * width, hidden: new Array<number>(depth).fill(units), classes, dropout }),
  },
  convnet: {
    summary:
      "the seed text's convolutional network: 11 × 11 first, then blocks that halve the size and double the channels",
    when: 'To follow the text; any picture size. The residual networks reach more for the same time.',
    source: 'Deep learning in practice, "Making it work, in practice"',
    size: [128, 128],
    takes: ['width', 'depth'],
    make: ({ classes, channels, width = 32, depth = 4 }) =>
      new ConvNet({ channels: width, blocks: depth, classes, inputChannels: channels }),
  },
  'resnet-small': {
    summary: 'residual network of 18 layers at half the usual width, with a stem for small pictures',
    when: 'The first choice without pretrained weights: a few thousand pictures at 64 to 128 pixels, on a CPU.',
    source: residual,
    size: [64, 64],
    stem: 'half',
    takes: ['width', 'widths', 'blocks', 'stem', 'dropout'],
    make: (options) => {
      const { classes, channels, stem, dropout, blocks = [2, 2, 2, 2] } = options;
      const widths = doubling(options, 32, blocks.length);
      return new ResNet({ classes, inputChannels: channels, blocks, widths, stem, dropout, zeroInitResidual: true });
    },
  },
  resnet20: cifar(20, 'Pictures of about 32 pixels and little time.'),
  resnet32: cifar(32, 'Pictures of about 32 pixels, when resnet20 learns the training set too slowly.'),
  resnet44: cifar(44, 'Pictures of about 32 pixels and ten thousands of them.'),
  resnet56: cifar(56, 'Pictures of about 32 pixels, when accuracy counts more than time.'),
  resnet18: imageNet(
    18,
    [2, 2, 2, 2],
    'basic',
    'Pictures of 128 pixels and more on a GPU, or with pretrained weights.',
  ),
  resnet34: imageNet(34, [3, 4, 6, 3], 'basic', 'As resnet18, with more data and twice the time.'),
  resnet50: imageNet(50, [3, 4, 6, 3], 'bottleneck', "With pretrained weights on a GPU: the field's reference."),
  'convnext-atto': convNext(
    'atto',
    [2, 2, 6, 2],
    40,
    'With pretrained weights on a CPU, or ten thousands of pictures.',
  ),
  'convnext-pico': convNext('pico', [2, 2, 6, 2], 64, 'As convnext-atto, when it learns too slowly.'),
  'convnext-tiny': convNext(
    'tiny',
    [3, 3, 9, 3],
    96,
    'With pretrained weights on a GPU: more accurate than resnet50 at its cost.',
  ),
  'vit-tiny': transformer(
    'tiny',
    192,
    'With pretrained weights; from scratch it needs far more pictures than a ResNet.',
  ),
  'vit-small': transformer('small', 384, 'With pretrained weights on a GPU.'),
};
