/** What an ablation tries: one change of the settings at a time, each a remedy of the course or its opposite. */
import { areKept, findWeights, modelSpec } from '../../models/index.js';
import type { TrainOptions } from '../config/schema.js';
import type { TrainPlan } from '../plan.js';

export interface Change {
  /** Short, part of folder names: `dropout 0.5`. */
  readonly name: string;
  /** What of the seed text's chapter on overfitting it is. */
  readonly kind: ChangeKind;
  readonly settings: TrainOptions;
}

export const changeKinds = [
  'pretrained',
  'augmentation',
  'mixing',
  'dropout',
  'decay',
  'smoothing',
  'smaller',
  'larger',
  'epochs',
  'average',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** Widths that models have where nobody says otherwise; none for those whose stages are given one by one. */
const usualWidths: Readonly<Record<string, number>> = {
  mlp: 256,
  convnet: 32,
  'resnet-small': 32,
  resnet20: 16,
  resnet32: 16,
  resnet44: 16,
  resnet56: 16,
  resnet18: 64,
  resnet34: 64,
  resnet50: 64,
  'convnext-atto': 40,
  'convnext-pico': 64,
  'convnext-tiny': 96,
};

/** What of a baseline's settings its changes depend on. */
export type BaselineSettings = Pick<TrainOptions, 'pretrained' | 'width' | 'depth' | 'optimizer'> & {
  /** The preset, whoever chose it. */
  readonly augment: string;
};

/**
 * From scratch where the baseline is fine-tuned: the same network. Else from weights that are on this machine already: those of the
 * baseline's network, or where there are none of the one that is usual for pictures of that size. The size stays as it is.
 */
function pretrainedChange(plan: TrainPlan, settings: BaselineSettings): Change | undefined {
  const { form, multiLabel } = plan.data;
  if (form === undefined || plan.model.name === '') return undefined;
  // Rates are for one way of beginning, not for both.
  const shared: TrainOptions = { size: [form.height, form.width], learningRate: 'auto' };
  if (plan.transfer !== undefined) {
    const { width, depth } = plan.model.options;
    const own = {
      model: plan.model.name,
      ...(width === undefined ? {} : { width }),
      ...(depth === undefined ? {} : { depth }),
    };
    return { kind: 'pretrained', name: 'from scratch', settings: { ...shared, ...own, pretrained: 'off' } };
  }
  if (settings.width !== undefined || settings.depth !== undefined || settings.optimizer === 'muon') return undefined;
  if (form.channels !== 3 || multiLabel) return undefined;
  const usual = Math.min(form.height, form.width) <= 40 ? 'resnet20' : 'resnet18';
  const known = [plan.model.name, usual].map(findWeights).find((one) => one !== undefined && areKept(one));
  if (known === undefined) return undefined;
  return {
    kind: 'pretrained',
    name: `pretrained ${known.name}`,
    settings: { ...shared, model: 'auto', pretrained: known.name },
  };
}

/** Changes that make sense for a baseline: what it has already is not tried again. */
export function usualChanges(plan: TrainPlan, settings: BaselineSettings): Change[] {
  const { optimisation, model, data } = plan;
  const takes = model.name === '' ? [] : modelSpec(model.name).takes;
  const changes: Change[] = [];
  const add = (kind: ChangeKind, name: string, change: TrainOptions): void => {
    changes.push({ kind, name, settings: change });
  };
  const start = pretrainedChange(plan, settings);
  if (start !== undefined) changes.push(start);
  if (data.form !== undefined) {
    for (const preset of ['none', 'light', 'medium', 'strong'] as const)
      if (preset !== settings.augment) add('augmentation', `augmentation ${preset}`, { augment: preset });
    const steps = plan.augmentation?.steps.map((step) => step.name) ?? [];
    const mixes = steps.includes('mixup') || steps.includes('cutmix');
    if (mixes) add('mixing', 'no mixup, no CutMix', { mixup: 'off', cutmix: 'off' });
    else {
      add('mixing', 'mixup 0.2', { mixup: 0.2 });
      add('mixing', 'CutMix 1', { cutmix: 1 });
    }
  }
  if (takes.includes('dropout')) {
    const own = model.options.dropout ?? 0;
    for (const share of [0, 0.2, 0.5])
      if (share !== own) add('dropout', share === 0 ? 'no dropout' : `dropout ${share}`, { dropout: share });
  }
  if (takes.includes('dropPath') && model.options.dropPath === undefined)
    add('dropout', 'stochastic depth 0.1', { dropPath: 0.1 });
  const { weightDecay, labelSmoothing, epochs, ema } = optimisation;
  if (weightDecay > 0) add('decay', 'no decay', { weightDecay: 0 });
  const more =
    weightDecay === 0 ? 0.05 : Number(((weightDecay < 0.1 ? 10 : 3) * Math.min(3, weightDecay)).toPrecision(3));
  add('decay', `decay ${more}`, { weightDecay: more });
  if (labelSmoothing > 0) add('smoothing', 'no label smoothing', { labelSmoothing: 0 });
  for (const share of [0.1, 0.2])
    if (labelSmoothing < share) add('smoothing', `label smoothing ${share}`, { labelSmoothing: share });
  const width = model.options.width ?? usualWidths[model.name];
  // Weights have the width that they have.
  if (takes.includes('width') && width !== undefined && plan.transfer === undefined) {
    if (width >= 2) add('smaller', 'half the width', { width: Math.round(width / 2) });
    add('larger', 'twice the width', { width: 2 * width });
  }
  if (epochs >= 4) add('epochs', 'half the epochs', { epochs: Math.round(epochs / 2) });
  add('epochs', 'twice the epochs', { epochs: 2 * epochs });
  if (ema === undefined) add('average', 'averaged weights 0.998', { ema: 0.998 });
  else add('average', 'no averaged weights', { ema: 'off' });
  return changes;
}

/** How much longer a training takes with a change: for the budget. */
export function costFactor(change: Change, plan: TrainPlan): number {
  const { epochs, width } = change.settings;
  const longer = typeof epochs === 'number' ? epochs / plan.optimisation.epochs : 1;
  const own = plan.model.options.width ?? usualWidths[plan.model.name];
  // Twice the channels are four times the multiply-adds.
  const wider = width === undefined || own === undefined ? 1 : Math.max(0.5, (width / own) ** 2);
  return longer * wider;
}
