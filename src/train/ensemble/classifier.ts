/** An ensemble as one network: whatever takes a model takes it. */
import type { ChannelStatistics } from '../../data/types.js';
import { createModel } from '../../models/index.js';
import * as nn from '../../nn/index.js';
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import type { Classifier } from '../compute.js';
import type { ModelPlan } from '../plan.js';

/** What an ensemble is made of; JSON, a part of its plan. */
export interface EnsemblePlan {
  readonly members: readonly EnsembleMemberPlan[];
  /** Divides the logarithm of the mean probability. */
  readonly temperature: number;
}

export interface EnsembleMemberPlan {
  /** What the member is called. */
  readonly name: string;
  readonly model: ModelPlan;
  /** Share in the mean; all sum to 1. */
  readonly weight: number;
  /** How the member's own pictures were normalised, where that is not how the ensemble's are. */
  readonly statistics?: ChannelStatistics;
}

/** Takes pictures normalised by one set of statistics as if by another: a factor and a shift for each channel. */
class Renormalise extends nn.Module {
  readonly #scale: readonly number[];
  readonly #shift: readonly number[];

  constructor(from: ChannelStatistics, to: ChannelStatistics) {
    super();
    this.#scale = from.std.map((std, i) => std / (to.std[i] as number));
    this.#shift = from.mean.map((mean, i) => (mean - (to.mean[i] as number)) / (to.std[i] as number));
  }

  override forward(x: Tensor): Tensor {
    const place = { dtype: x.dtype, device: x.device };
    const column = (values: readonly number[]): Tensor => torch.tensor([...values], place).view([1, -1, 1, 1]);
    return x.mul(column(this.#scale)).add(column(this.#shift));
  }
}

/**
 * Several classifiers that take the same input: [N, …] → [N, classes], the logarithm of their mean probability, divided by the temperature.
 * Its softmax is the mean (at temperature 1), so it can stand wherever a classifier with logits can.
 */
export class EnsembleClassifier extends nn.Module {
  members: nn.ModuleList<Classifier>;
  renormalise: nn.ModuleList<nn.Module>;
  readonly #weights: readonly number[];
  readonly #multiLabel: boolean;
  /** Divides the logits. */
  temperature: number;

  constructor(
    members: readonly Classifier[],
    options: {
      readonly weights?: readonly number[];
      readonly temperature?: number;
      readonly multiLabel?: boolean;
      /** Done to the input of each member, before it. */
      readonly renormalise?: readonly nn.Module[];
    } = {},
  ) {
    super();
    if (members.length === 0) throw new ArgumentError('EnsembleClassifier: it needs at least one member.');
    const { weights = members.map(() => 1 / members.length), temperature = 1, multiLabel = false } = options;
    if (weights.length !== members.length || Math.abs(weights.reduce((a, b) => a + b, 0) - 1) > 1e-6)
      throw new ArgumentError(
        `EnsembleClassifier: weights must be ${members.length} numbers that sum to 1, got ${JSON.stringify(weights)}.`,
      );
    this.members = new nn.ModuleList(members);
    this.renormalise = new nn.ModuleList(options.renormalise ?? members.map(() => new nn.Identity() as nn.Module));
    this.#weights = weights;
    this.#multiLabel = multiLabel;
    this.temperature = temperature;
  }

  /** A member that takes the ensemble's input. */
  memberAt(place: number): Classifier {
    const parts = [this.renormalise.at(place), this.members.at(place) as unknown as nn.Module];
    return new nn.Sequential(...parts) as unknown as Classifier;
  }

  /** Probabilities [N, classes] in float32, at temperature 1. */
  probabilities(x: Tensor): Tensor {
    let mean: Tensor | undefined;
    for (let i = 0; i < this.members.length; i++) {
      const logits = this.members.at(i).call(this.renormalise.at(i).forward(x)).float();
      const own = (this.#multiLabel ? logits.sigmoid() : logits.softmax(1)).mul(this.#weights[i] as number);
      mean = mean === undefined ? own : mean.add(own);
    }
    return mean as Tensor;
  }

  override forward(x: Tensor): Tensor {
    const mean = this.probabilities(x);
    // Softmax may give 0, whose logarithm no average could mend.
    const log = mean.clamp({ min: 1e-37 }).log();
    const logits = this.#multiLabel ? log.sub(mean.neg().add(1).clamp({ min: 1e-37 }).log()) : log;
    return logits.div(this.temperature);
  }
}

/** The network that a plan describes, with weights that are to be loaded. */
export function buildEnsemble(
  plan: EnsemblePlan,
  facts: { readonly multiLabel: boolean; readonly statistics?: ChannelStatistics },
): EnsembleClassifier {
  const { statistics } = facts;
  return new EnsembleClassifier(
    plan.members.map(({ model }) => createModel(model.name, model.options) as unknown as Classifier),
    {
      weights: plan.members.map(({ weight }) => weight),
      temperature: plan.temperature,
      multiLabel: facts.multiLabel,
      renormalise: plan.members.map((member) =>
        member.statistics === undefined || statistics === undefined
          ? new nn.Identity()
          : new Renormalise(statistics, member.statistics),
      ),
    },
  );
}

/** A network that takes pictures normalised by `from`, where it was trained on such normalised by `to`. */
export function renormalised(network: Classifier, from: ChannelStatistics, to: ChannelStatistics): Classifier {
  if (JSON.stringify(from) === JSON.stringify(to)) return network;
  return new nn.Sequential(new Renormalise(from, to), network as unknown as nn.Module) as unknown as Classifier;
}
