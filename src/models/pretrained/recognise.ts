/** Which of Praxis's models weights belong to, from their names and shapes alone. */
import type { Tensor } from '../../torch/index.js';
import type { ModelOptions } from '../catalogue.js';
import { scaledStem } from '../stem.js';
import type { Weights } from './keys.js';

/** What can be told from weights. */
export interface Recognised {
  /** Name for `createModel`. */
  readonly model: string;
  /** What makes `createModel` build a network of their shape, but for the number of classes and the size of the pictures. */
  readonly options: Omit<ModelOptions, 'classes'>;
  /** Classes of their head; 0 without one. */
  readonly classes: number;
  /** Channels of their pictures. */
  readonly channels: number;
  /** Patches from top to bottom and from left to right, of a Vision Transformer: its position embeddings. */
  readonly grid?: readonly [number, number];
  /** Names of the head begin so: `fc.`. */
  readonly head: string;
  /** The convolution that pictures enter. */
  readonly first: string;
}

const size = (tensor: Tensor | undefined, dimension: number): number => tensor?.shape[dimension] ?? 0;

/** How many `<before>N<after>` there are, N from 0. */
function count(weights: Weights, before: string, after: string): number {
  let number = 0;
  while (`${before}${number}${after}` in weights) number++;
  return number;
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Only what differs from the named model, so that its plan stays readable. */
const unlessUsual = <T>(name: string, value: T, usual: T): Record<string, T> =>
  JSON.stringify(value) === JSON.stringify(usual) ? {} : { [name]: value };

function transformer(weights: Weights): Recognised {
  const side = Math.round(Math.sqrt(size(weights.pos_embed, 1) - 1));
  const width = size(weights.cls_token, 2);
  const depth = count(weights, 'blocks.', '.attn.qkv.weight');
  const projection = weights['patch_embed.proj.weight'];
  const usual = width === 192 ? 'vit-tiny' : 'vit-small';
  return {
    model: usual,
    options: {
      ...unlessUsual('width', width, width === 192 ? 192 : 384),
      ...unlessUsual('depth', depth, 12),
      ...unlessUsual('patch', size(projection, 2), 16),
    },
    classes: size(weights['head.weight'], 0),
    channels: size(projection, 1),
    grid: [side, side],
    head: 'head.',
    first: 'patch_embed.proj.weight',
  };
}

function convNext(weights: Weights): Recognised {
  const stages = count(weights, 'stages.', '.blocks.0.conv_dw.weight');
  const numbers = Array.from({ length: stages }, (_, stage) => stage);
  const blocks = numbers.map((stage) => count(weights, `stages.${stage}.blocks.`, '.conv_dw.weight'));
  const widths = numbers.map((stage) => size(weights[`stages.${stage}.blocks.0.conv_dw.weight`], 0));
  const linear = weights['stages.0.blocks.0.mlp.fc1.weight']?.ndim === 2;
  const first = widths[0] ?? 0;
  const model = linear ? 'convnext-tiny' : first >= 64 ? 'convnext-pico' : 'convnext-atto';
  const usual = { 'convnext-tiny': 96, 'convnext-pico': 64, 'convnext-atto': 40 }[model] as number;
  const doubling = widths.every((width, stage) => width === first * 2 ** stage);
  return {
    model,
    options: {
      ...(doubling ? unlessUsual('width', first, usual) : { widths }),
      ...unlessUsual('blocks', blocks, linear ? [3, 3, 9, 3] : [2, 2, 6, 2]),
      ...unlessUsual('patch', size(weights['stem.0.weight'], 2), 4),
    },
    classes: size(weights['head.fc.weight'], 0),
    channels: size(weights['stem.0.weight'], 1),
    head: 'head.fc.',
    first: 'stem.0.weight',
  };
}

function cifarResNet(weights: Weights): Recognised {
  // One of Praxis's own, for pictures several times as large.
  const scale = size(weights['conv1.weight'], 2) / 3;
  const depth = 6 * count(weights, 'layer1.', '.conv1.weight') + 2;
  const named = [20, 32, 44, 56].includes(depth);
  return {
    model: named ? `resnet${depth}` : 'resnet20',
    options: {
      ...(named ? {} : { depth }),
      ...unlessUsual('width', size(weights['conv1.weight'], 0), 16),
      ...('layer2.0.shortcut.0.weight' in weights ? { shortcut: 'B' as const } : {}),
      ...(scale > 1 && Number.isInteger(scale) ? { stem: scaledStem('cifar', scale) } : {}),
    },
    classes: size(weights['linear.weight'], 0),
    channels: size(weights['conv1.weight'], 1),
    head: 'linear.',
    first: 'conv1.weight',
  };
}

function resNet(weights: Weights): Recognised {
  const stages = [1, 2, 3, 4, 5, 6].filter((stage) => `layer${stage}.0.conv1.weight` in weights);
  const blocks = stages.map((stage) => count(weights, `layer${stage}.`, '.conv1.weight'));
  const widths = stages.map((stage) => size(weights[`layer${stage}.0.conv1.weight`], 0));
  const bottleneck = 'layer1.0.conv3.weight' in weights;
  const model = bottleneck ? 'resnet50' : same(blocks, [3, 4, 6, 3]) ? 'resnet34' : 'resnet18';
  const first = widths[0] ?? 0;
  const doubling = widths.every((width, stage) => width === first * 2 ** stage);
  // Of three convolutions, or the one.
  const deep = 'conv1.0.weight' in weights;
  const entry = deep ? 'conv1.0.weight' : 'conv1.weight';
  const kernel = size(weights[entry], 2);
  return {
    model,
    options: {
      ...(doubling ? unlessUsual('width', first, 64) : { widths }),
      ...unlessUsual('blocks', blocks, model === 'resnet18' ? [2, 2, 2, 2] : [3, 4, 6, 3]),
      ...(deep
        ? { stem: 'deep' as const }
        : kernel === 3
          ? { stem: 'cifar' as const }
          : kernel === 4
            ? { stem: 'patch4' as const }
            : {}),
    },
    classes: size(weights['fc.weight'], 0),
    channels: size(weights[entry], 1),
    head: 'fc.',
    first: entry,
  };
}

/** The model that converted weights are of; undefined for one that Praxis does not build. */
export function recognise(weights: Weights): Recognised | undefined {
  if ('cls_token' in weights && 'blocks.0.attn.qkv.weight' in weights) return transformer(weights);
  if ('stem.0.weight' in weights && 'stages.0.blocks.0.conv_dw.weight' in weights) return convNext(weights);
  if ('layer1.0.conv1.weight' in weights && ('conv1.weight' in weights || 'conv1.0.weight' in weights)) {
    if ('linear.weight' in weights || ('layer3.0.conv1.weight' in weights && !('layer4.0.conv1.weight' in weights)))
      return cifarResNet(weights);
    return resNet(weights);
  }
  return undefined;
}
