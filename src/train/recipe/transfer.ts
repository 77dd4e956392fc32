/** Fine-tuning in the recipe: what it does differently at each stage. Without pretrained weights none of it happens. */
import { type ChannelMeasurement, compareStatistics } from '../../data/normalise/index.js';
import type { Dataset } from '../../data/types.js';
import type { PretrainedWeights } from '../../models/index.js';
import { torch } from '../../torch/index.js';
import type { RunFolder } from '../../track/index.js';
import type { Classifier } from '../compute.js';
import type { TrainSettings } from '../config/schema.js';
import { ConfigError } from '../errors.js';
import type { TrainEvent } from '../events.js';
import type { ModelPlan, OptimisationPlan, TrainPlan } from '../plan.js';
import {
  checkStart,
  recommendation,
  settingsFor,
  statisticsFor,
  transferPlan,
  tuneChoices,
  tuningRate,
} from '../transfer/defaults.js';
import { beginHead, headStart, headStartText } from '../transfer/head-start.js';
import type { TransferPlan } from '../transfer/plan.js';
import { fillFrom, openStart } from '../transfer/source.js';
import { type DataFacts, type Resolved, resolve } from './resolve.js';
import type { ReadyParts } from './rows.js';

/** What a fine-tuning starts from, and its part in each stage. */
export class Start {
  constructor(
    readonly weights: PretrainedWeights,
    readonly settings: TrainSettings,
    private readonly classes: readonly string[],
    readonly choice: Resolved,
  ) {}

  /** The measured statistics with the mean and deviation that the weights want; the measured counts stay. */
  normalise(measured: ChannelMeasurement): {
    statistics: ChannelMeasurement;
    text: string;
    warning: string | undefined;
  } {
    const { statistics, text } = statisticsFor(this.settings, this.weights, measured);
    const numbers = (values: readonly number[]): string => values.map((x) => Number(x.toFixed(3))).join(' ');
    return {
      statistics: { ...measured, mean: [...statistics.mean], std: [...statistics.std] },
      text: `mean ${numbers(statistics.mean)}, deviation ${numbers(statistics.std)}: ${text}.`,
      warning: this.settings.normalisation === 'data' ? undefined : compareStatistics(measured, statistics),
    };
  }

  /** Puts the weights into a model that was built for the run. @returns what to say of it */
  fill(model: Classifier, { options }: ModelPlan): string {
    const { classes, channels = 3, size = [0, 0] } = options;
    const notes = fillFrom(model, this.weights, { classes, channels, size, newHead: this.newHead });
    const { source, trainedOn } = this.weights;
    const head = this.newHead ? [] : ['the classes are the same, and so is the head'];
    return `; with the weights of ${source}${trainedOn === undefined ? '' : `, trained on ${trainedOn}`}; ${[...notes, ...head].join('; ')}`;
  }

  /** The rate of the head at batches of 64. */
  get rate(): number {
    return tuningRate(this.weights, this.choice.optimizer);
  }

  private get newHead(): boolean {
    return this.plan({ epochs: 1, batches: 1, batchSize: 1 }).newHead;
  }

  /**
   * The head start: measures what the frozen features are worth and says it; a new head begins with the linear probe.
   * @returns what the plan keeps of it
   */
  async begin(given: {
    readonly model: Classifier;
    readonly plan: TrainPlan;
    readonly parts: ReadyParts;
    readonly run: RunFolder;
    readonly emit: (event: TrainEvent) => void;
  }): Promise<Pick<TransferPlan, 'head'>> {
    const { model, plan, parts, run, emit } = given;
    const stage = 'head start';
    const { layer, ...found } = await headStart({
      ...{ model, plan, parts, sha256: this.weights.sha256 },
      onProgress: (share) => emit({ kind: 'working', stage, text: 'features', share }),
    });
    emit({ kind: 'stage', stage, text: headStartText(found), facts: { ...found } });
    if (!this.newHead) return {};
    const head = 'head-start.safetensors';
    await torch.save({ weight: layer.weight, bias: layer.bias }, run.file(head));
    beginHead(model, layer);
    return { head };
  }

  plan(facts: Pick<OptimisationPlan, 'epochs' | 'batches' | 'batchSize'>): TransferPlan {
    return transferPlan(this.settings, this.weights, { ...facts, classes: this.classes });
  }
}

/**
 * Opens the weights that the settings name, before any picture is looked at: a name that is misspelt is told at once.
 * @returns undefined where none are named
 */
export async function openPretrained(
  settings: TrainSettings,
  data: Pick<Dataset, 'kind'>,
  ownModel = false,
): Promise<PretrainedWeights | undefined> {
  if (settings.pretrained === undefined || settings.pretrained === 'off') return undefined;
  if (ownModel)
    throw new ConfigError(
      'pretrained: a model given as an object keeps the weights that it has; load them into it yourself.',
    );
  if (data.kind !== 'pictures')
    throw new ConfigError(
      'pretrained: pretrained weights are for pictures; a table or a text is trained from scratch.',
    );
  const weights = await openStart(settings.pretrained);
  checkStart(settings, weights);
  return weights;
}

/** Settles what depends on the weights. @returns undefined where there are none */
export function transferFrom(
  weights: PretrainedWeights | undefined,
  settings: TrainSettings,
  facts: DataFacts,
  data: { readonly classes: readonly string[]; readonly multiLabel: boolean },
): Start | undefined {
  if (weights === undefined) return undefined;
  const usable = { ...settings, headStart: settings.headStart && !data.multiLabel };
  const adjusted = settingsFor(usable, weights, facts);
  const tuned = tuneChoices(resolve(adjusted, facts), adjusted, weights, facts);
  const gentler = { setting: 'augment', value: adjusted.augment, reason: 'gentler than from scratch' } as const;
  const choices = settings.augment === 'auto' ? [...tuned.choices, gentler] : tuned.choices;
  return new Start(weights, adjusted, data.classes, { ...tuned, choices });
}

const ways = {
  discriminative: (factor: number) => `three groups of layers, each at ${factor} of the rate of the next`,
  'layer-decay': (factor: number) => `each block at ${factor} of the rate of the next`,
  same: () => 'all layers at one rate',
} as const;

/** `the head alone for 2 epochs, then all: …`, for the line of the training. */
export function describeTransfer(plan: TransferPlan): string {
  const { head, headEpochs, layerRates, layerDecay, batchNorm } = plan;
  const begun = head === undefined ? '' : ', which begins as the linear probe,';
  const first =
    headEpochs === 0
      ? 'all layers from the start'
      : `the head${begun} alone for ${headEpochs} epoch${headEpochs === 1 ? '' : 's'}, then all`;
  const norm =
    batchNorm === 'keep'
      ? "batch normalisation keeps the weights' statistics"
      : 'batch normalisation then learns these pictures';
  return `${first}, ${ways[layerRates](layerDecay)}; ${norm}`;
}

/** Where nothing pretrained was asked for and there are few pictures: what to try, after a semicolon, else nothing. */
export function hintAt(
  settings: TrainSettings,
  facts: DataFacts,
  model: string,
  given: { readonly data: unknown; readonly model?: unknown },
): string {
  if (given.model !== undefined) return '';
  const hint = recommendation(settings, facts, model, typeof given.data === 'string' ? given.data : 'DATA');
  return hint === undefined ? '' : `; ${hint}`;
}
