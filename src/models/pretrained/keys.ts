/** Brings the names of other people's weights into the form of Praxis's models, which is torchvision's for ResNets and timm's for the rest. */
import { Tensor } from '../../torch/index.js';

export type Weights = Record<string, Tensor>;

/** Under which names training programs keep the weights among other things; those of an average first: they are what was evaluated. */
const containers = [
  'state_dict_ema',
  'model_ema',
  'state_dict',
  'model_state',
  'model_state_dict',
  'model',
  'net',
  'teacher',
];
/** What wrappers put before every name. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'backbone.', 'net.', 'base_encoder.'];

const isWeights = (value: unknown): value is Weights =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Tensor) &&
  Object.values(value).some((entry) => entry instanceof Tensor);

/** The tensors by name in what a file holds; undefined where there are none. */
export function findState(loaded: unknown): Weights | undefined {
  if (typeof loaded !== 'object' || loaded === null || loaded instanceof Tensor) return undefined;
  const record = (loaded instanceof Map ? Object.fromEntries(loaded) : loaded) as Readonly<Record<string, unknown>>;
  for (const name of containers) {
    const inside = record[name] instanceof Map ? Object.fromEntries(record[name]) : record[name];
    if (isWeights(inside)) return tensorsOf(inside);
  }
  return isWeights(record) ? tensorsOf(record) : undefined;
}

const tensorsOf = (record: Readonly<Record<string, unknown>>): Weights =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor));

function withoutPrefixes(weights: Weights): Weights {
  let found = weights;
  for (let changed = true; changed; ) {
    changed = false;
    for (const prefix of prefixes) {
      const names = Object.keys(found);
      if (names.length === 0 || !names.every((name) => name.startsWith(prefix))) continue;
      found = Object.fromEntries(Object.entries(found).map(([name, value]) => [name.slice(prefix.length), value]));
      changed = true;
    }
  }
  return found;
}

type Rename = readonly [RegExp, string];

const renamed = (weights: Weights, rules: readonly Rename[]): Weights =>
  Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [
      rules.reduce((text, [from, to]) => text.replace(from, to), name),
      value,
    ]),
  );

/** torchvision's Vision Transformer: https://github.com/pytorch/vision/blob/main/torchvision/models/vision_transformer.py */
const torchvisionTransformer: readonly Rename[] = [
  [/^class_token$/, 'cls_token'],
  [/^conv_proj\./, 'patch_embed.proj.'],
  [/^encoder\.pos_embedding$/, 'pos_embed'],
  [/^encoder\.layers\.encoder_layer_(\d+)\./, 'blocks.$1.'],
  [/^encoder\.ln\./, 'norm.'],
  [/\.ln_([12])\./, '.norm$1.'],
  [/\.self_attention\.in_proj_(weight|bias)$/, '.attn.qkv.$1'],
  [/\.self_attention\.out_proj\./, '.attn.proj.'],
  [/\.mlp\.(?:0|linear_1)\./, '.mlp.fc1.'],
  [/\.mlp\.(?:3|linear_2)\./, '.mlp.fc2.'],
  [/^heads\.(?:head|0)\./, 'head.'],
];

/** The ConvNeXt of its authors, as timm's own filter has it: https://github.com/facebookresearch/ConvNeXt */
const authorsConvNext: readonly Rename[] = [
  [/^downsample_layers\.0\./, 'stem.'],
  [/^downsample_layers\.(\d+)\.(\d+)/, 'stages.$1.downsample.$2'],
  [/^stages\.(\d+)\.(\d+)\./, 'stages.$1.blocks.$2.'],
  [/\.dwconv\./, '.conv_dw.'],
  [/\.pwconv([12])\./, '.mlp.fc$1.'],
  [/^head\./, 'head.fc.'],
  [/^norm\./, 'head.norm.'],
];

/** torchvision's ConvNeXt counts stem, stages and what halves the size between them through. */
function fromTorchvisionConvNext(weights: Weights): Weights {
  const names: Weights = {};
  for (const [name, value] of Object.entries(weights)) {
    const [, number, rest = ''] = /^features\.(\d+)\.(.*)$/.exec(name) ?? [];
    if (number === undefined) {
      names[name.replace(/^classifier\.0\./, 'head.norm.').replace(/^classifier\.2\./, 'head.fc.')] = value;
      continue;
    }
    const place = Number(number);
    if (place === 0) names[`stem.${rest}`] = value;
    else if (place % 2 === 0) names[`stages.${place / 2}.downsample.${rest}`] = value;
    else {
      const inside = rest
        .replace(/\.block\.0\./, '.conv_dw.')
        .replace(/\.block\.2\./, '.norm.')
        .replace(/\.block\.3\./, '.mlp.fc1.')
        .replace(/\.block\.5\./, '.mlp.fc2.')
        .replace(/\.layer_scale$/, '.gamma');
      // [channels, 1, 1] there.
      names[`stages.${(place - 1) / 2}.blocks.${inside}`] = inside.endsWith('.gamma') ? value.flatten() : value;
    }
  }
  return names;
}

/**
 * Weights as Praxis's models name them: out of what a training program wrapped them in, and from the names that torchvision, the
 * authors or a parallel wrapper use. Values are not changed.
 */
export function convertKeys(given: Weights): Weights {
  const weights = withoutPrefixes(given);
  if ('class_token' in weights) return renamed(weights, torchvisionTransformer);
  if ('features.0.0.weight' in weights && 'classifier.2.weight' in weights) return fromTorchvisionConvNext(weights);
  if ('downsample_layers.0.0.weight' in weights) return renamed(weights, authorsConvNext);
  return weights;
}
