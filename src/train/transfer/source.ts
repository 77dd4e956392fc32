/** Where fine-tuning starts from: pretrained weights of others, or a finished run of one's own. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { sha256Of } from '../../data/known/checksum.js';
import {
  fillModel,
  headOf,
  type ObtainOptions,
  openWeights,
  type PretrainedWeights,
  VisionTransformer,
} from '../../models/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import type { Classifier } from '../compute.js';
import { RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';
import { buildBody } from '../recipe/rebuild.js';
import { loadModel, planOf } from '../recipe/record.js';
import type { TransferPlan } from './plan.js';

/** The run folder that a path means: the folder itself, or that of a run's `model.safetensors`. */
function runOf(source: string): string | undefined {
  if (!existsSync(source)) return undefined;
  const folder = statSync(source).isDirectory() ? source : path.dirname(source);
  if (folder !== source && path.basename(source) !== 'model.safetensors') return undefined;
  return existsSync(path.join(folder, 'run.json')) ? path.resolve(folder) : undefined;
}

/** The network of a finished pre-training. @throws RunError when it is not finished */
async function loadPretrained(folder: string, plan: TrainPlan): Promise<Classifier> {
  const file = path.join(folder, 'model.safetensors');
  if (!existsSync(file))
    throw new RunError(`${folder}: there is no model.safetensors yet; finish the run first (praxis resume ${folder}).`);
  const model = buildBody(plan);
  model.loadStateDict((await torch.load(file)) as Record<string, Tensor>);
  return model.eval();
}

/** The chosen weights of a run, with what its plan says of them. */
async function openRun(folder: string): Promise<PretrainedWeights> {
  const plan = planOf(folder);
  const { data } = plan;
  if (plan.model.name === '')
    throw new RunError(
      `${folder}: this run was given its model as an object, so it cannot be built again for other classes.`,
    );
  if (data.form === undefined || data.statistics === undefined)
    throw new RunError(`${folder}: this run was trained on rows, and fine-tuning takes networks for pictures.`);
  const labels = plan.contrastive === undefined;
  const model = labels ? await loadModel(folder, plan) : await loadPretrained(folder, plan);
  const { classes, size, channels = 3, ...options } = plan.model.options;
  const weights = model.stateDict();
  const first = Object.entries(weights).find(([, tensor]) => tensor.ndim === 4)?.[0] ?? '';
  const patch =
    model instanceof VisionTransformer ? ((weights['patch_embed.proj.weight'] as Tensor).shape[2] as number) : 0;
  const [height, width] = size ?? [data.form.height, data.form.width];
  const file = path.join(folder, 'model.safetensors');
  return {
    source: folder,
    file,
    sha256: await sha256Of(file),
    model: plan.model.name,
    options,
    classes,
    // What learned without labels has a last layer that names nothing.
    ...(labels ? { classNames: data.classes } : {}),
    channels,
    side: Math.min(height, width),
    statistics: data.statistics,
    statisticsAreKnown: true,
    trainedOn: labels ? `${data.name} (${data.classes.length} classes)` : `${data.name} without labels`,
    recognised: {
      model: plan.model.name,
      options,
      classes,
      channels,
      head: `${headOf(model).name}.`,
      first,
      ...(patch > 0 ? { grid: [height / patch, width / patch] as const } : {}),
    },
    weights,
  };
}

/**
 * Opens what fine-tuning starts from: the folder of a finished run, or weights as `openWeights` takes them.
 * @throws RunError for a run that cannot be started from; DataError, ArgumentError as `openWeights`
 */
export async function openStart(source: string, options: ObtainOptions = {}): Promise<PretrainedWeights> {
  const run = runOf(source);
  return run === undefined ? openWeights(source, options) : openRun(run);
}

/** Puts the weights of a plan into its model again. @throws RunError when the file is no longer the same */
export async function loadStart(transfer: TransferPlan): Promise<PretrainedWeights> {
  if (!existsSync(transfer.file))
    throw new RunError(
      `The weights that this run starts from are not at ${transfer.file} any more; put them back, or start it again.`,
    );
  const run = runOf(transfer.file);
  const weights = run === undefined ? await openWeights(transfer.file) : await openRun(run);
  if (weights.sha256 !== transfer.sha256)
    throw new RunError(`${transfer.file} has changed since this run began; start it again.`);
  return weights;
}

/** Puts weights into a freshly built model of a plan. @returns what was done to them, in sentences */
export function fillFrom(
  model: Classifier,
  weights: PretrainedWeights,
  plan: {
    readonly classes: number;
    readonly channels: number;
    readonly size: readonly [number, number];
    readonly newHead: boolean;
  },
): readonly string[] {
  return fillModel(model as unknown as Parameters<typeof fillModel>[0], weights, plan);
}
