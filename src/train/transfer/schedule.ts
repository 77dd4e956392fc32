/** The rates of a fine-tuning: groups of parameters with rates of their own, and a schedule in two parts. */
import { headOf } from '../../models/index.js';
import { constant, paramGroups, type Schedule, sequence, warmup } from '../../optim/index.js';
import type { Tensor } from '../../torch/index.js';
import type { Classifier } from '../compute.js';
import type { OptimisationPlan } from '../plan.js';
import { layerGroups } from './layers.js';
import type { TransferPlan } from './plan.js';

/** Parameter groups whose `initialLr` is what the schedule's factor is multiplied with. */
export function tuningGroups(model: Classifier, plan: OptimisationPlan, transfer: TransferPlan) {
  const { learningRate: lr, weightDecay } = plan;
  const head = headOf(model);
  const layers = layerGroups(
    model.namedParameters() as readonly (readonly [string, Tensor])[],
    head,
    transfer.layerRates,
  );
  const groups = paramGroups(model, {
    weightDecay,
    lr,
    layerDecay: transfer.layerDecay,
    layerOf: (name) => layers.get(name) as number,
  });
  return groups.map((group) => ({ ...group, initialLr: group.lr as number }));
}

/** Updates of the epochs in which only the head learns. */
export const headUpdates = (plan: OptimisationPlan, { headEpochs }: TransferPlan): number =>
  headEpochs * Math.ceil(plan.batches / plan.accumulate);

/** First the head: up in the first half of its epochs, then level. Then everything, by the schedule of the run, from its beginning. */
export function twoPhases(head: number, all: Schedule): Schedule {
  return sequence([warmup(constant(), { steps: Math.floor(head / 2) }), all], { milestones: [head] });
}
