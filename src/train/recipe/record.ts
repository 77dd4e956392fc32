/** What the folder of a run says of it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createModel } from '../../models/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { readRecord } from '../../track/index.js';
import type { Classifier } from '../compute.js';
import { buildEnsemble, renormalised } from '../ensemble/classifier.js';
import { RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';

/** The plan of a run. @throws RunError when it never came so far as to have one */
export function planOf(folder: string): TrainPlan {
  const record = readRecord(folder);
  const plan = record.configuration.plan as TrainPlan | undefined;
  if (plan === undefined)
    throw new RunError(
      `${folder}: this run ended before its training began (${record.reason ?? record.state}), so there is nothing to go on with; start it again.`,
    );
  return plan;
}

/** The network that a plan describes, an ensemble's too, with first weights. */
function networkOf(plan: TrainPlan): Classifier {
  if (plan.ensemble !== undefined) return buildEnsemble(plan.ensemble, plan.data) as unknown as Classifier;
  return createModel(plan.model.name, plan.model.options) as unknown as Classifier;
}

/** The samples that a run left out, one per line; empty where it left out none. */
export const exclusionsFile = 'exclusions.jsonl';

/** With which a run's data are to be opened again: what it left out, whatever list lies with the data by now. */
export function openOptionsOf(folder: string): { readonly exclude?: string } {
  const file = path.join(folder, exclusionsFile);
  return existsSync(file) ? { exclude: file } : {};
}

/** The chosen model of a finished run or ensemble, in eval mode. @throws RunError when it is not finished */
export async function loadModel(folder: string, plan: TrainPlan, given?: Classifier): Promise<Classifier> {
  const file = path.join(folder, 'model.safetensors');
  if (!existsSync(file))
    throw new RunError(`${folder}: there is no model.safetensors yet; finish the run first (praxis resume ${folder}).`);
  if (plan.contrastive !== undefined)
    throw new RunError(
      `${folder}: this run learned without labels and names no classes; praxis finetune ${folder} DATA teaches it some.`,
    );
  if (plan.model.name === '' && given === undefined)
    throw new RunError(`${folder}: this run was given its model as an object; give it again.`);
  const model = given ?? networkOf(plan);
  model.loadStateDict((await torch.load(file)) as Record<string, Tensor>);
  model.eval();
  return model;
}

/** Whom a plan's network learns from. @throws RunError when its folder is gone or tells other classes apart */
export async function teacherOf(plan: TrainPlan): Promise<Classifier | undefined> {
  if (plan.distillation === undefined) return undefined;
  const { teacher } = plan.distillation;
  const own = planOf(teacher);
  if (own.data.classes.join('\n') !== plan.data.classes.join('\n'))
    throw new RunError(`${teacher}: it tells other classes apart than these data have, so it cannot teach them.`);
  const sides = [own, plan].map(({ data: { form } }) => JSON.stringify([form?.height, form?.width, form?.channels]));
  if (sides[0] !== sides[1])
    throw new RunError(`${teacher}: it takes pictures of another size; train the student with the same --size.`);
  const network = await loadModel(teacher, own);
  return own.data.statistics === undefined || plan.data.statistics === undefined
    ? network
    : renormalised(network, plan.data.statistics, own.data.statistics);
}
