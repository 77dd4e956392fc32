/** What fine-tuning does differently from training from scratch, where the settings leave it to the recipe. */
import { presetFor } from '../../data/augment/index.js';
import type { ChannelStatistics } from '../../data/types.js';
import {
  findWeights,
  modelSpec,
  type PretrainedWeights,
  type StemChoice,
  scaledStem,
  stemOfWeights,
} from '../../models/index.js';
import type { TrainSettings } from '../config/schema.js';
import { ConfigError } from '../errors.js';
import type { OptimizerName } from '../plan.js';
import type { Choice, DataFacts, Resolved } from '../recipe/resolve.js';
import type { LayerRates, TransferPlan } from './plan.js';

/** Rates that fine-tune well at batches of 64: the head's; layers before it learn more slowly. */
const tuningRates: Readonly<Record<OptimizerName, number>> = {
  adamw: 1e-3,
  adam: 1e-3,
  sgd: 0.02,
  lion: 1e-4,
  rmsprop: 5e-4,
  // Not taken: `settingsFor` refuses it.
  muon: 0.02,
};

/**
 * The same for convolutional networks that saw small pictures, and few: what they know is rougher, and they have further to go. The half of the body
 * that is nearer the head then learns about as fast as in a training from scratch.
 */
const bolderRates: Readonly<Record<OptimizerName, number>> = {
  ...tuningRates,
  adamw: 1e-2,
  adam: 1e-2,
  sgd: 0.1,
  lion: 1e-3,
  rmsprop: 5e-3,
};

/** Whether a network's layers are blocks after a stem, with normalisation of their own: these are tuned by layer decay. */
const isBlocky = ({ model }: PretrainedWeights): boolean => model.startsWith('vit') || model.startsWith('convnext');

/** Side of the pictures that weights saw. */
function sideSeen({ side, model, options: { stem } }: PretrainedWeights): number {
  if (side !== undefined) return side;
  if (!model.startsWith('resnet') || /^resnet(18|34|50)$/.test(model)) return 224;
  // Praxis's own may have been fitted to larger ones before.
  return 32 * (typeof stem === 'object' ? stem.stride : 1);
}

/** Whether weights come from small pictures, CIFAR's or those of a run of one's own, and not from a million large ones. */
const knowsLittle = (weights: PretrainedWeights): boolean => !isBlocky(weights) && sideSeen(weights) < 160;

/** The rate of the head at batches of 64. */
export const tuningRate = (weights: PretrainedWeights, optimizer: OptimizerName): number =>
  (knowsLittle(weights) ? bolderRates : tuningRates)[optimizer];

const multiple = (x: number, of: number): number => Math.max(of, Math.round(x / of) * of);

/**
 * The side of the pictures: as in training from scratch, but not further from what the weights saw than half or double, where features of one
 * size still mean something; a whole number of patches for a Vision Transformer.
 */
function sideFor(weights: PretrainedWeights, facts: DataFacts): number {
  const { side = 64 } = facts;
  const saw = sideSeen(weights);
  const usual = side <= 40 ? 32 : side <= 80 ? 64 : 96;
  const wanted = Math.min(2 * saw, Math.max(usual, saw / 2));
  return weights.recognised.grid === undefined ? Math.round(wanted) : multiple(wanted, weights.options.patch ?? 16);
}

/**
 * How many times as large as what the weights saw the first convolution takes pictures. Filters of small pictures' weights mean things of a few
 * pixels: at twice the size they find other things, and the network does four times the work. Where the pictures were enlarged nothing is lost; where
 * they hold more detail than the weights ever saw, a network that can see it learns more. Weights of large pictures saw things of many sizes.
 * Source: on train and test sizes Touvron et al. 2019, https://arxiv.org/abs/1906.06423; on resizing the first kernel Beyer et al. 2022,
 * https://arxiv.org/abs/2212.08013
 */
function stemScale(
  { resizeStem }: TrainSettings,
  weights: PretrainedWeights,
  size: readonly [number, number],
  { detail = Number.POSITIVE_INFINITY }: DataFacts,
): number {
  if (resizeStem === 'off' || stemOfWeights(weights) === undefined || !knowsLittle(weights)) return 1;
  const side = Math.min(...size);
  const needed = Math.max(sideSeen(weights), resizeStem === 'on' ? 0 : Math.min(side, detail));
  // Detail is known to a sixteenth.
  return Math.max(1, Math.floor(side / needed + 1 / 8));
}

/** A step gentler than in a training from scratch: there are fewer epochs to get used to it, and the weights have seen many pictures before. */
const gentler = { strong: 'medium', medium: 'light', light: 'light' } as const;

/** @throws ConfigError where the settings name another model than that of the weights, or change its shape */
export function checkStart(settings: TrainSettings, weights: PretrainedWeights): void {
  if (settings.model !== 'auto' && modelSpec(settings.model).name !== weights.model)
    throw new ConfigError(
      `model: the weights of ${weights.source} are of ${weights.model}, not of ${settings.model}; leave model out.`,
    );
  if (settings.optimizer === 'muon')
    throw new ConfigError(
      'optimizer: muon has no rates for single layers, which fine-tuning wants; take adamw or sgd.',
    );
  for (const name of ['width', 'depth'] as const)
    if (settings[name] !== undefined && settings[name] !== weights.options[name])
      throw new ConfigError(`${name}: pretrained weights have the ${name} that they have; leave it out.`);
}

/** Settings of a fine-tuning with the model that its weights are of. */
export function settingsFor(settings: TrainSettings, weights: PretrainedWeights, facts: DataFacts): TrainSettings {
  return {
    ...settings,
    model: weights.model,
    optimizer: settings.optimizer === 'auto' ? 'adamw' : settings.optimizer,
    width: undefined,
    depth: undefined,
    // Filters of small pictures know things of one size: those who trained them moved pictures and did not cut them.
    crops: settings.crops === 'auto' && knowsLittle(weights) && sideSeen(weights) <= 40 ? 'move' : settings.crops,
    augment: settings.augment === 'auto' ? gentler[presetFor(facts.samples / facts.classes)] : settings.augment,
    size: settings.size === 'auto' ? sideFor(weights, facts) : settings.size,
    // A fine-tuning is short, and its filters know things of one size.
    progressive: settings.progressive === 'auto' ? 'off' : settings.progressive,
  };
}

/** The choices of the recipe, changed to what suits weights that know something already. */
export function tuneChoices(
  choice: Resolved,
  settings: TrainSettings,
  weights: PretrainedWeights,
  facts: DataFacts,
): Resolved {
  const choices: Choice[] = choice.choices.filter(({ setting }) => setting !== 'epochs' && setting !== 'model');
  const epochs =
    settings.epochs === 'auto' ? Math.min(30, Math.max(5, Math.round(60_000 / facts.samples))) : choice.epochs;
  if (settings.epochs === 'auto')
    choices.push({ setting: 'epochs', value: epochs, reason: 'pretrained weights need fewer' });
  const { size } = choice.modelOptions;
  const scale = size === undefined ? 1 : stemScale(settings, weights, size, facts);
  if (scale > 1)
    choices.push({
      setting: 'resizeStem',
      value: scale,
      reason: `the weights saw pictures of ${sideSeen(weights)} pixels${settings.resizeStem === 'on' ? '' : ', and these were enlarged'}`,
    });
  return {
    ...choice,
    // How pictures enter is part of what the weights are of.
    modelOptions: {
      ...weights.options,
      ...choice.modelOptions,
      stem: scale > 1 ? scaledStem(stemOfWeights(weights) as StemChoice, scale) : weights.options.stem,
    },
    epochs,
    choices,
  };
}

/** How the layers of a fine-tuning learn, with everything settled. */
export function transferPlan(
  settings: TrainSettings,
  weights: PretrainedWeights,
  facts: {
    readonly classes: readonly string[];
    readonly epochs: number;
    readonly batches: number;
    readonly batchSize: number;
  },
): TransferPlan {
  const kept =
    weights.classNames !== undefined &&
    weights.classNames.length === facts.classes.length &&
    weights.classNames.every((name, i) => name === facts.classes[i]);
  const layerRates: LayerRates =
    settings.layerRates === 'auto' ? (isBlocky(weights) ? 'layer-decay' : 'discriminative') : settings.layerRates;
  const usualDecay = layerRates === 'same' ? 1 : layerRates === 'layer-decay' ? 0.75 : 0.3;
  // A head that begins as the linear probe needs little; a random one has to move some thirty times before what it sends back means something.
  const headEpochs = kept
    ? 0
    : settings.headStart
      ? 1
      : Math.min(Math.ceil(30 / facts.batches), Math.max(1, Math.floor(facts.epochs / 4)));
  return {
    source: weights.source,
    file: weights.file,
    sha256: weights.sha256,
    newHead: !kept,
    headEpochs: settings.headEpochs === 'auto' ? headEpochs : Math.min(settings.headEpochs, facts.epochs),
    layerRates,
    layerDecay: settings.layerDecay === 'auto' ? usualDecay : settings.layerDecay,
    // The linear probe is fitted to features under the weights' statistics: under others it would have to begin again. But a body that is to go
    // far cannot go with statistics that stand still.
    batchNorm:
      settings.batchNorm === 'auto'
        ? facts.batchSize < 16 || (settings.headStart && !knowsLittle(weights))
          ? 'keep'
          : 'learn'
        : settings.batchNorm,
  };
}

const spread = ({ mean, std }: ChannelStatistics, channels: number): ChannelStatistics => {
  if (mean.length === channels) return { mean, std };
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return { mean: Array(channels).fill(average(mean)), std: Array(channels).fill(average(std)) };
};

/** How the pictures are normalised for these weights, and in words. */
export function statisticsFor(
  settings: TrainSettings,
  weights: PretrainedWeights,
  data: ChannelStatistics,
): { readonly statistics: ChannelStatistics; readonly text: string } {
  const channels = data.mean.length;
  const half = { mean: Array<number>(channels).fill(0.5), std: Array<number>(channels).fill(0.5) };
  switch (settings.normalisation) {
    case 'data':
      return { statistics: data, text: 'that of these pictures, as asked for' };
    case 'imagenet':
      return {
        statistics: spread({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }, channels),
        text: "ImageNet's, as asked for",
      };
    case 'half':
      return { statistics: half, text: 'to −1…1, as asked for' };
    default:
      return {
        statistics: spread(weights.statistics, channels),
        text: weights.statisticsAreKnown
          ? "the weights' own"
          : "ImageNet's, since nothing says what the weights saw (--normalisation says it)",
      };
  }
}

/** Models to recommend where nothing pretrained was asked for, by the side of the pictures. */
export function recommendation(
  settings: TrainSettings,
  facts: DataFacts,
  model: string,
  data: string,
): string | undefined {
  if (facts.side === undefined || settings.channels !== 3) return undefined;
  if (facts.samples / facts.classes >= 500) return undefined;
  const known = findWeights(model) ?? findWeights(facts.side <= 40 ? 'resnet20' : 'resnet18');
  if (known === undefined) return undefined;
  return `with ${Math.round(facts.samples / facts.classes)} pictures a class, pretrained weights usually help most: praxis finetune ${known.name} ${data}`;
}
