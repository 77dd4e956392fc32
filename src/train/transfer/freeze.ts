/** Holding the body still while a new head learns, and what its batch normalisation does meanwhile and afterwards. */
import { headOf, isInHead } from '../../models/index.js';
import * as nn from '../../nn/index.js';
import type { Classifier } from '../compute.js';
import type { TransferPlan } from './plan.js';

const keepsStatistics = (module: nn.AnyModule): boolean =>
  module instanceof nn.BatchNorm1d || module instanceof nn.BatchNorm2d || module instanceof nn.BatchNorm3d;

/**
 * Brings a model into the phase that an epoch belongs to: in the first ones the body's weights get no gradient and all of it is evaluated
 * as in a test, so that neither its statistics nor its dropout move; later all learn, and normalisation as the plan says.
 * @returns what must be put into eval mode whenever the model is put into train mode
 */
export function enterPhase(model: Classifier, plan: TransferPlan, epoch: number): readonly nn.AnyModule[] {
  const head = headOf(model);
  const frozen = epoch < plan.headEpochs;
  for (const [name, parameter] of model.namedParameters()) if (!isInHead(head, name)) parameter.requiresGrad_(!frozen);
  const body = model.namedModules().filter(([name, module]) => name !== head.name && module.children().length === 0);
  // Dropout that stands before the head works for the head.
  const still = frozen
    ? body.filter(([, module]) => !(module instanceof nn.Dropout))
    : plan.batchNorm === 'keep'
      ? body.filter(([, module]) => keepsStatistics(module))
      : [];
  return still.map(([, module]) => module);
}
