/**
 * Selection after the fact, as the seed text has it: train on, keep the best by validation, restore it at the end. Also the average of the
 * best checkpoints, where the validation says that it is better.
 */
import type { StateDict } from '../../nn/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { loadCheckpoint } from '../checkpoint.js';
import type { Classifier } from '../compute.js';
import { type Evaluation, evaluate } from '../evaluate.js';
import type { Training } from '../loop.js';
import type { Calibration } from './calibrate.js';

export interface Selected {
  /** Epochs done when the chosen weights were validated. */
  readonly epoch: number;
  readonly step: number;
  /** Whether they are averages over the last updates. */
  readonly averaged: boolean;
  /** How many checkpoints were averaged; 1 for the best alone. */
  readonly checkpoints: number;
  readonly evaluation: Evaluation;
  readonly calibration?: Calibration;
  readonly text: string;
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** The weights of a checkpoint that were validated: the moving average where there was one. */
export async function validatedWeights(model: Classifier, file: string): Promise<Map<string, Tensor>> {
  const state = await loadCheckpoint(file);
  const weights = new Map(Object.entries(state.model));
  if (state.average === undefined) return weights;
  // The average is kept by position: parameters first, then buffers.
  for (const [i, [name]] of model.namedParameters().entries())
    weights.set(name, state.average.tensors[`average.${i}`] as Tensor);
  for (const [i, [name]] of model.namedBuffers().entries()) {
    const copy = state.average.tensors[`buffer.${i}`];
    if (copy !== undefined && weights.has(name)) weights.set(name, copy);
  }
  return weights;
}

/** The mean of several sets of weights; what is no floating-point number (counters) is the first's. */
export function averageWeights(sets: readonly ReadonlyMap<string, Tensor>[]): Map<string, Tensor> {
  const [first = new Map<string, Tensor>()] = sets;
  return torch.noGrad(
    () =>
      new Map(
        [...first].map(([name, tensor]) => {
          if (!tensor.isFloatingPoint() || sets.length === 1) return [name, tensor] as const;
          const sum = sets.slice(1).reduce((total, set) => total.add(set.get(name) as Tensor), tensor);
          return [name, sum.div(sets.length)] as const;
        }),
      ),
  );
}

/** Puts the best weights into the model. @returns undefined when it was asked to stop */
export async function selectBest(training: Training): Promise<Selected | undefined> {
  const { keeper, model, plan, validation, stop, progress } = training;
  const best = await keeper.best();
  const [winner] = best;
  if (winner === undefined) return undefined;
  const judge = () =>
    evaluate(model, validation, {
      machine: plan.machine,
      classes: plan.data.classes,
      multiLabel: plan.data.multiLabel,
      stop,
    });
  const alone = await validatedWeights(model, winner.file);
  model.loadStateDict(alone);
  const evaluation = await judge();
  if (evaluation === undefined) return undefined;
  const when = progress.validations.find((one) => one.step === winner.step);
  const epoch = Math.round((when?.epoch ?? winner.epoch) * 100) / 100;
  const averaged = plan.optimisation.ema !== undefined;
  const chosen = `epoch ${epoch} of ${progress.epoch}, ${percent(evaluation.score)} ${evaluation.scoreName} on the validation part`;
  const result = { epoch, step: winner.step, averaged, checkpoints: 1, evaluation, text: `${chosen}.` };
  if (!plan.averageBest || best.length < 2) return result;
  const others = await Promise.all(best.slice(1).map((info) => validatedWeights(model, info.file)));
  model.loadStateDict(averageWeights([alone, ...others]));
  const together = await judge();
  if (together === undefined) return undefined;
  const { score, loss } = evaluation;
  if (together.score > score || (together.score === score && together.loss < loss))
    return {
      ...result,
      checkpoints: best.length,
      evaluation: together,
      text: `the average of the ${best.length} best checkpoints (around epoch ${epoch} of ${progress.epoch}), ${percent(together.score)} ${together.scoreName} on the validation part (${percent(score)} with the best alone).`,
    };
  model.loadStateDict(alone);
  return {
    ...result,
    text: `${chosen}; averaging the best ${best.length} checkpoints would not help (${percent(together.score)}).`,
  };
}

/** The chosen weights as a state dict on the CPU, in the contiguous format that every reader expects. */
export function portableWeights(model: Classifier): StateDict {
  return Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, tensor]) => [name, tensor.detach().cpu().contiguous()]),
  );
}
