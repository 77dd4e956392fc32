/** `probe()`: what pretrained features are worth for data, before anything is trained. */
import type { Dataset } from '../../data/types.js';
import { sampleDetail } from '../../look/index.js';
import { fasterProductDtype } from '../../optim/index.js';
import { torch } from '../../torch/index.js';
import { type Machine, placeModel } from '../compute.js';
import type { TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { pickDevice } from '../device.js';
import { ConfigError, RunError } from '../errors.js';
import type { DataPlan, ModelPlan } from '../plan.js';
import { makeSplit, normalise, openData, sampledSide } from '../recipe/data.js';
import { buildModel } from '../recipe/rebuild.js';
import { workersFor } from '../recipe/resolve.js';
import { openPretrained, transferFrom } from '../recipe/transfer.js';
import type { TrainOptions } from '../train.js';
import { type HeadStart, headStart, headStartText } from './head-start.js';

export interface ProbeResult extends HeadStart {
  /** Samples of the training part, from which was learnt, and of the validation part. */
  readonly samples: { readonly train: number; readonly validation: number };
  /** Name of the model that the weights are of. */
  readonly model: string;
  /** Height and width of the pictures. */
  readonly size: readonly [number, number];
}

/** How far a probe is: a title and a sentence, or the share of a stage that is done. */
export interface ProbeProgress {
  readonly stage: 'look' | 'split' | 'normalise' | 'model' | 'head start';
  readonly text: string;
  readonly share?: number;
}

/**
 * A linear probe and the nearest neighbours on the frozen features of pretrained weights, learnt from the training part and measured on the
 * validation part. Nothing is trained but the probe, nothing is written but the cache of features; the test part stays sealed.
 * @param settings as for `train`: `pretrained` says which weights
 * @throws ConfigError, DataError, RunError
 */
export async function probe(
  given: Omit<TrainOptions, 'model'> & { readonly pretrained: string },
  onProgress: (progress: ProbeProgress) => void = () => {},
): Promise<ProbeResult> {
  const { data, ...rest } = given;
  return probeWith(data, checkSettings(rest, 'probe()'), onProgress);
}

/** The same with settings that were checked. @internal */
export async function probeWith(
  data: string | Dataset,
  settings: TrainSettings,
  onProgress: (progress: ProbeProgress) => void,
): Promise<ProbeResult> {
  const dataset = await openData(data, settings);
  if (dataset.multiLabel)
    throw new RunError(
      `${dataset.root}: pictures with any number of labels cannot be probed yet; praxis finetune takes them.`,
    );
  const opened = await openPretrained(settings, dataset);
  const side = dataset.kind === 'pictures' ? await sampledSide(dataset) : undefined;
  onProgress({
    stage: 'look',
    text: `${dataset.length.toLocaleString('en-GB')} samples, ${dataset.classes.length} classes${side === undefined ? '' : `; about ${side} pixels on the shorter side`}.`,
  });
  const split = await makeSplit(dataset, settings, (done, all) =>
    onProgress({ stage: 'split', text: 'comparing pictures', share: done / Math.max(1, all) }),
  );
  const { train, validation } = split;
  onProgress({
    stage: 'split',
    text: `learns from ${train.length.toLocaleString('en-GB')} pictures, is measured on ${validation.length.toLocaleString('en-GB')} of the validation part; ${split.test.length.toLocaleString('en-GB')} stay sealed.`,
  });
  const detail = dataset.kind === 'pictures' ? await sampleDetail(dataset) : null;
  const facts = {
    samples: train.length,
    classes: dataset.classes.length,
    ...(side === undefined ? {} : { side }),
    ...(side === undefined || detail === null ? {} : { detail: detail.share * side }),
  };
  const start = transferFrom(opened, settings, facts, dataset);
  if (start === undefined) throw new ConfigError('pretrained: a probe is of pretrained weights; say which.');
  const { choice, weights } = start;
  const { form } = choice;
  if (form === undefined || train.kind !== 'pictures')
    throw new RunError(`${dataset.root}: a probe of pretrained weights takes pictures.`);
  // Only the data's own normalisation must be measured.
  const channels = Array<number>(form.channels).fill(0.5);
  const measured =
    settings.normalisation === 'data'
      ? await normalise(train, form, settings)
      : { mean: channels, std: channels, pictures: 0, counts: [], skipped: [] };
  const { statistics, text } = start.normalise(measured);
  onProgress({ stage: 'normalise', text: `${form.width}×${form.height} pixels; ${text}` });
  const modelPlan: ModelPlan = {
    name: choice.model,
    options: { ...choice.modelOptions, classes: dataset.classes.length, size: [form.height, form.width] },
  };
  const model = buildModel({ seed: settings.seed, model: modelPlan });
  onProgress({ stage: 'model', text: `${choice.model}${start.fill(model, modelPlan)}.` });
  const { device } = pickDevice(settings.device);
  const machine: Machine = {
    device,
    // Where there is bfloat16, it takes half the time; a probe is no place for a third digit.
    precision: settings.precision === 'auto' ? fasterProductDtype(device).dtype : settings.precision,
    memoryFormat: settings.memoryFormat === 'auto' ? 'channels-last' : settings.memoryFormat,
    threads: settings.threads === 'auto' ? torch.getNumThreads() : settings.threads,
  };
  placeModel(model, machine);
  const dataPlan: DataPlan = {
    path: dataset.root,
    name: dataset.name,
    classes: dataset.classes,
    multiLabel: false,
    form,
    statistics: { mean: statistics.mean, std: statistics.std },
    workers: workersFor(settings),
    cache: settings.cache,
  };
  const { layer: _, ...found } = await headStart({
    model,
    plan: { data: dataPlan, seed: settings.seed, machine, model: modelPlan },
    parts: { train, validation },
    sha256: weights.sha256,
    onProgress: (share) => onProgress({ stage: 'head start', text: 'features', share }),
  });
  onProgress({ stage: 'head start', text: headStartText(found) });
  return {
    ...found,
    samples: { train: train.length, validation: validation.length },
    model: choice.model,
    size: [form.height, form.width],
  };
}
