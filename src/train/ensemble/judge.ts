/** Asking the validation part about weights that no run has judged yet: earlier moments of a run, and averages of weights. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DataLoader } from '../../data/loader/index.js';
import { loadSplit } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import type { StateDict } from '../../nn/index.js';
import { updateBn } from '../../optim/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { buildLoaders } from '../build.js';
import { type Classifier, logitsOf, placeInput, placeModel } from '../compute.js';
import { RunError } from '../errors.js';
import { type Evaluation, evaluate } from '../evaluate.js';
import { openData } from '../recipe/data.js';
import { narrowed } from '../recipe/part.js';
import { buildModel } from '../recipe/rebuild.js';
import { openOptionsOf } from '../recipe/record.js';
import { readyParts } from '../recipe/rows.js';
import { portableWeights } from '../recipe/select.js';
import type { MemberRun } from './members.js';

export interface JudgeOptions {
  /** Where the data are now, if they have moved; or the data set itself, where the run was given one. */
  readonly data?: string | Dataset;
  /** Called while pictures are read. */
  readonly onProgress?: (text: string, share: number) => void;
}

/** What was found of some weights. */
export interface Judged {
  readonly weights: StateDict;
  readonly evaluation: Evaluation;
  readonly opinion: Pick<MemberRun, 'probabilities' | 'target' | 'samples'>;
}

/** Enough to measure a mean and a variance per channel; a pass over a large training part would add nothing but time. */
const mostBatches = 100;

/** A run's network and its loaders, for weights of any origin. Close it afterwards. */
export class Judge {
  private constructor(
    readonly model: Classifier,
    private readonly member: Pick<MemberRun, 'plan' | 'folder'>,
    private readonly train: DataLoader,
    private readonly validation: DataLoader,
    private readonly onProgress: (text: string, share: number) => void,
  ) {}

  /** @throws RunError when the data are gone or have changed */
  static async open(member: Pick<MemberRun, 'plan' | 'folder'>, options: JudgeOptions = {}): Promise<Judge> {
    const { plan, folder } = member;
    const source = options.data ?? plan.data.path;
    if (source === '')
      throw new RunError(`${folder}: this run was given its data as an object; give it again with the option data.`);
    if (typeof source === 'string' && !existsSync(source))
      throw new RunError(`${folder}: its data are not at ${source} any more; say where they are now with --data PATH.`);
    const dataset = await openData(source, openOptionsOf(folder));
    const split = await loadSplit(path.join(folder, 'split.json'), dataset);
    const parts = readyParts(narrowed(split, plan.data.part), folder);
    const model = buildModel(plan);
    placeModel(model, plan.machine);
    const { train, validation } = buildLoaders(parts, plan);
    return new Judge(model, member, train, validation, options.onProgress ?? (() => undefined));
  }

  /**
   * What a network with these weights says of the validation part.
   * @param remeasure measures the statistics of batch normalisation first, on the training part as it is trained on
   */
  async ask(weights: StateDict, what: string, remeasure = false): Promise<Judged> {
    const { model, validation } = this;
    const { plan } = this.member;
    model.loadStateDict(weights);
    if (remeasure) await this.#remeasure(what);
    const evaluation = await evaluate(model, validation, {
      machine: plan.machine,
      classes: plan.data.classes,
      multiLabel: plan.data.multiLabel,
      onBatch: (done, all) => this.onProgress(`${what}: validation`, done / Math.max(1, all)),
    });
    const { predictions } = evaluation as Evaluation;
    return {
      // The model's own tensors change with the next question.
      weights: Object.fromEntries(Object.entries(portableWeights(model)).map(([name, t]) => [name, t.clone()])),
      evaluation: evaluation as Evaluation,
      opinion: {
        probabilities: Float64Array.from(predictions.probabilities),
        target: predictions.target,
        samples: [...predictions.index].map((position) => validation.dataset.sampleName(position)),
      },
    };
  }

  async #remeasure(what: string): Promise<void> {
    const { model, train } = this;
    const { machine, seed } = this.member.plan;
    // The same augmentation, and so the same statistics, whatever was asked before.
    train.setEpoch(0);
    torch.manualSeed(seed);
    const all = Math.min(mostBatches, train.length);
    // Those of the end of the training would be of whichever batches came last.
    const batches = async function* (): AsyncGenerator<Tensor> {
      for await (const { input } of train) {
        yield input;
        await turn();
      }
    };
    await updateBn(batches(), model, {
      forward: (input) => logitsOf(model, placeInput(input, machine), machine),
      onBatch: (done) => {
        this.onProgress(`${what}: batch normalisation`, done / Math.max(1, all));
        return done >= mostBatches;
      },
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.train.close(), this.validation.close()]);
  }
}

/** Whether weights have statistics of batch normalisation that do not agree, so that their mean would fit neither. */
export function statisticsDiffer(sets: readonly StateDict[]): boolean {
  const [first, ...others] = sets;
  if (first === undefined) return false;
  return Object.entries(first).some(
    ([name, tensor]) =>
      name.endsWith('running_mean') && others.some((set) => !torch.equal(tensor, set[name] as Tensor)),
  );
}
