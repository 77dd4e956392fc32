/**
 * Distillation: one network learns what several say together. Teacher and student see the very same augmented picture, again and again:
 * "patient and consistent" teaching. Source: Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network" (2015); Beyer et al.,
 * "Knowledge distillation: a good teacher is patient and consistent" (2021)
 */
import type { BatchTransform } from '../../data/types.js';
import { functional as F } from '../../nn/index.js';
import { torch } from '../../torch/index.js';
import { type Classifier, logitsOf, type Machine, placeInput } from '../compute.js';

/** JSON, part of a plan. */
export interface DistillationPlan {
  /** Folder of the run or ensemble that teaches. */
  readonly teacher: string;
  /** How much of the target is the teacher's word; the rest is the label's. */
  readonly weight: number;
}

/** Replaces targets by what the teacher says of the pictures as they enter the network: [N, classes], shares. */
export function taught(teacher: Classifier, machine: Machine, weight: number, multiLabel: boolean): BatchTransform {
  teacher.eval();
  return (batch, context) => {
    const target = torch.scope(() =>
      torch.noGrad(() => {
        const logits = logitsOf(teacher, placeInput(batch.input, machine), machine);
        const said = multiLabel ? logits.sigmoid() : logits.softmax(1);
        if (weight === 1) return said;
        const own = batch.target.isFloatingPoint()
          ? batch.target
          : F.oneHot(batch.target, context.classes).to({ dtype: 'float32' });
        return said.mul(weight).add(own.to({ device: said.device }), { alpha: 1 - weight });
      }),
    );
    return { ...batch, target };
  };
}
