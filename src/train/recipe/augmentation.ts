/** The augmentation of a run from its settings. */
import {
  type AugmentationChanges,
  type AugmentationPreset,
  type AugmentationSpec,
  augmentationPreset,
  changeAugmentation,
  keepLabels,
  labelKind,
  policyReason,
  presetFor,
} from '../../data/augment/index.js';
import type { PictureForm } from '../../data/types.js';
import type { TrainSettings } from '../config/schema.js';
import type { Choice, DataFacts } from './resolve.js';

/** Epochs from which stronger changes pay, where `auto` would take `medium`: so often seen, pictures changed a little are known by heart. */
const longEnough = 60;

/**
 * The preset of a training of so many epochs, with its reason where it is not what pictures per class alone would choose.
 * @param progressive whether pictures grow in its course: for those trainings it was measured
 */
export function presetOf(
  settings: TrainSettings,
  facts: DataFacts,
  epochs: number,
  progressive: boolean,
): { readonly augment: AugmentationPreset; readonly choices: readonly Choice[] } {
  const { augment } = settings;
  const longer =
    augment === 'auto' && progressive && epochs >= longEnough && presetFor(facts.samples / facts.classes) === 'medium';
  if (!longer) return { augment, choices: [] };
  const reason = `each picture is seen ${epochs} times, and changed a little only it would be known by heart`;
  return { augment: 'strong', choices: [{ setting: 'augment', value: 'strong', reason }] };
}

/** What is left out because it would change labels: by the names of the classes, unless `flips` says it. */
function kindOf(settings: TrainSettings, classes: readonly string[]): ReturnType<typeof labelKind> {
  if (settings.flips === 'on') return 'things';
  const kind = labelKind(classes);
  return settings.flips === 'off' && kind === 'things' ? 'sides' : kind;
}

/** Why the augmentation of a run leaves something out, to go on a line after `; `; empty where it does not. */
export function describePolicy(settings: TrainSettings, classes: readonly string[]): string {
  if (settings.augment === 'none' || settings.flips === 'on') return '';
  if (settings.flips === 'off' && labelKind(classes) === 'things') return '; no flips, as asked for';
  const reason = policyReason[labelKind(classes)];
  return reason === undefined ? '' : `; ${reason} (--flips on if they are not)`;
}

/**
 * The steps of the chosen preset, without what would change the label of such classes, with mixup and CutMix as the settings want them.
 * @param classes names, from which it is told whether they are letters, digits or sides
 */
export function augmentationFor(
  settings: TrainSettings,
  facts: DataFacts,
  form: PictureForm,
  classes: readonly string[],
): AugmentationSpec {
  const preset = augmentationPreset(settings.augment, {
    samplesPerClass: facts.samples / facts.classes,
    size: [form.height, form.width],
    crops: settings.crops,
  });
  const spec = keepLabels(preset, kindOf(settings, classes));
  const changes: Record<string, Readonly<Record<string, unknown>> | false> = {};
  for (const name of ['mixup', 'cutmix'] as const) {
    const value = settings[name];
    if (value === 'off') changes[name] = false;
    else if (typeof value === 'number') changes[name] = { alpha: value };
  }
  return changeAugmentation(spec, changes satisfies AugmentationChanges);
}

/**
 * The form in which training pictures are kept when parts of them are cut out and resized: half as large again as what the network takes, so
 * that a part still has its pixels, but no larger than the pictures are. Undefined where nothing is cut or nothing would be gained.
 */
export function formForCrops(
  form: PictureForm,
  spec: AugmentationSpec,
  side: number | undefined,
): PictureForm | undefined {
  if (!spec.steps.some((step) => step.name === 'randomResizedCrop')) return undefined;
  const factor = Math.min(1.5, (side ?? 0) / Math.min(form.height, form.width));
  if (factor < 1.1) return undefined;
  return { ...form, height: Math.round(form.height * factor), width: Math.round(form.width * factor) };
}
