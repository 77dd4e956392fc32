/** Pretrained weights: opened from wherever they are, and made into a model for other classes and pictures. */

import { DataError } from '../../data/errors.js';
import { imagenetStatistics } from '../../data/normalise/index.js';
import type { ChannelStatistics } from '../../data/types.js';
import type * as nn from '../../nn/index.js';
import { ArgumentError, torch } from '../../torch/index.js';
import type { ModelOptions } from '../catalogue.js';
import { createModel, modelSpec } from '../create.js';
import { type StemChoice, scaledStem } from '../stem.js';
import { adaptWeights } from './adapt.js';
import { convertKeys, findState, type Weights } from './keys.js';
import { type ObtainOptions, obtainWeights } from './obtain.js';
import { type Recognised, recognise } from './recognise.js';

/** Weights that somebody trained, ready to be put into a model. */
export interface PretrainedWeights {
  /** Where they came from: a known name, an address, or a path. */
  readonly source: string;
  readonly file: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** Name for `createModel`. */
  readonly model: string;
  /** Options that give a network of their shape, beside classes and size. */
  readonly options: Omit<ModelOptions, 'classes'>;
  /** Classes of their head; 0 without one. */
  readonly classes: number;
  /** What the classes of their head are, where that is known. */
  readonly classNames?: readonly string[];
  readonly channels: number;
  /** Side of the pictures they were trained on, where that is known. */
  readonly side?: number;
  /** How those pictures were normalised, which those they get from now on must be, too. */
  readonly statistics: ChannelStatistics;
  /** Whether somebody said so, or ImageNet's are assumed. */
  readonly statisticsAreKnown: boolean;
  readonly trainedOn?: string;
  /** @internal */
  readonly recognised: Recognised;
  /** By the names of Praxis's models. */
  readonly weights: Weights;
}

/** Reads the tensors of a file and finds out of what they are. @throws DataError when they are of no model that Praxis builds */
export async function readWeights(
  file: string,
): Promise<{ readonly weights: Weights; readonly recognised: Recognised }> {
  const state = findState(await torch.load(file));
  if (state === undefined) throw new DataError(`${file}: there are no weights in it, no tensors by name.`);
  const weights = convertKeys(state);
  const recognised = recognise(weights);
  if (recognised === undefined) {
    const some = Object.keys(state).slice(0, 4).join(', ');
    throw new DataError(
      `${file}: these weights are of no model that Praxis builds (ResNet, CIFAR ResNet, Vision Transformer, ConvNeXt); their names begin with ${some}.`,
    );
  }
  return { weights, recognised };
}

/**
 * Opens weights by name, file, folder, address or place on the hub, see `obtainWeights`; downloads them if need be.
 * @throws DataError when they cannot be had or are of another kind of network
 */
export async function openWeights(source: string, options: ObtainOptions = {}): Promise<PretrainedWeights> {
  const got = await obtainWeights(source, options);
  const { weights, recognised } = await readWeights(got.file);
  const { model, options: shape, classes, channels } = recognised;
  return {
    source: got.source,
    file: got.file,
    sha256: got.sha256,
    model,
    options: shape,
    classes,
    channels,
    ...(got.side === undefined ? {} : { side: got.side }),
    statistics: got.statistics ?? imagenetStatistics,
    statisticsAreKnown: got.statistics !== undefined,
    ...(got.trainedOn === undefined ? {} : { trainedOn: got.trainedOn }),
    recognised,
    weights,
  };
}

export interface PretrainedOptions {
  /** Default: as many as the weights' own head has, which is then kept. */
  readonly classes?: number;
  /** Height and width of the pictures; default the model's own. */
  readonly size?: readonly [number, number];
  /** Channels of the pictures; default the weights' own. */
  readonly channels?: number;
  /** A new head also for as many classes as before; default false. */
  readonly newHead?: boolean;
  readonly dropout?: number;
  readonly dropPath?: number;
  /**
   * Of residual networks: how many times larger the pictures are than those that the weights saw. The first convolution and its stride grow so
   * many times, and all other layers see what they are used to. Default 1.
   */
  readonly stemScale?: number;
}

/** A model with pretrained weights, and what was done to them. */
export interface PretrainedModel {
  readonly model: nn.Module;
  /** What `createModel(name, options)` takes to build a network of the same shape. */
  readonly options: ModelOptions;
  /** In sentences without a full stop: `a new head for 5 classes`. */
  readonly notes: readonly string[];
  /** Whether the head is new: its weights are drawn from the current random state. */
  readonly newHead: boolean;
}

/** How pictures enter the network that weights are of; undefined for what is no residual network. */
export const stemOfWeights = ({
  model,
  options,
}: Pick<PretrainedWeights, 'model' | 'options'>): StemChoice | undefined => options.stem ?? modelSpec(model).stem;

/** Puts weights into a model that is there; whatever has no place, or no weights, must belong to the head. @throws ArgumentError */
export function fillModel(
  model: nn.Module,
  given: PretrainedWeights,
  options: Required<Pick<PretrainedOptions, 'classes' | 'channels' | 'size' | 'newHead'>>,
): readonly string[] {
  const expected = model.stateDict();
  const kernel = expected[given.recognised.first]?.shape[2];
  const to = kernel === undefined ? options : { ...options, kernel };
  const { weights, notes } = adaptWeights(given.weights, given.recognised, to);
  const wrong = (what: string): never => {
    throw new ArgumentError(`${given.source}: the weights do not fit ${given.model}: ${what}.`);
  };
  const unknown = Object.keys(weights).filter((name) => !(name in expected));
  if (unknown.length > 0)
    wrong(
      `there is no place for ${unknown.slice(0, 3).join(', ')}${unknown.length > 3 ? `, … (${unknown.length})` : ''}`,
    );
  for (const [name, tensor] of Object.entries(weights)) {
    const shape = expected[name]?.shape ?? [];
    if (tensor.shape.join() !== shape.join())
      wrong(`${name} is [${tensor.shape.join(', ')}] and should be [${shape.join(', ')}]`);
  }
  const missing = Object.keys(expected).filter(
    (name) =>
      !(name in weights) &&
      !(options.newHead && name.startsWith(given.recognised.head)) &&
      !name.endsWith('num_batches_tracked'),
  );
  if (missing.length > 0)
    wrong(
      `there is nothing for ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? `, … (${missing.length})` : ''}`,
    );
  model.loadStateDict(weights, { strict: false });
  return notes;
}

/**
 * A model with pretrained weights: [n, channels, height, width] → logits [n, classes]. The body is theirs; the head is theirs if nothing is
 * said of classes, and else new. Position embeddings and the first convolution are fitted to the pictures.
 * @throws ArgumentError when weights without a head are given no classes, or the weights do not fit
 */
export function createPretrained(given: PretrainedWeights, options: PretrainedOptions = {}): PretrainedModel {
  const { classes = given.classes, channels = given.channels } = options;
  if (classes === 0)
    throw new ArgumentError(`${given.source}: these weights have no head; say how many classes there are.`);
  const newHead = options.newHead ?? classes !== given.classes;
  const { stemScale = 1 } = options;
  const stem = stemOfWeights(given);
  if (stemScale !== 1 && stem === undefined)
    throw new ArgumentError(`createPretrained: stemScale is for residual networks; ${given.model} has no such stem.`);
  const shape: ModelOptions = {
    ...given.options,
    ...(stemScale === 1 ? {} : { stem: scaledStem(stem as StemChoice, stemScale) }),
    classes,
    channels,
    ...(options.size === undefined ? {} : { size: options.size }),
    ...(options.dropout ? { dropout: options.dropout } : {}),
    ...(options.dropPath ? { dropPath: options.dropPath } : {}),
  };
  const model = createModel(given.model, shape);
  const notes = fillModel(model, given, { classes, channels, newHead, size: options.size ?? [224, 224] });
  return { model, options: shape, notes, newHead };
}
