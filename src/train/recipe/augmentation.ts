/** The augmentation of a run from its settings. */
import {
  type AugmentationChanges,
  type AugmentationSpec,
  augmentationPreset,
  changeAugmentation,
} from '../../data/augment/index.js';
import type { PictureForm } from '../../data/types.js';
import type { TrainSettings } from '../config/schema.js';
import type { DataFacts } from './resolve.js';

/** The steps of the chosen preset, with mixup and CutMix as the settings want them. */
export function augmentationFor(
  settings: TrainSettings,
  facts: DataFacts,
  form: PictureForm,
): { augmentation: AugmentationSpec } {
  const spec = augmentationPreset(settings.augment, {
    samplesPerClass: facts.samples / facts.classes,
    size: [form.height, form.width],
  });
  const changes: Record<string, Readonly<Record<string, unknown>> | false> = {};
  for (const name of ['mixup', 'cutmix'] as const) {
    const value = settings[name];
    if (value === 'off') changes[name] = false;
    else if (typeof value === 'number') changes[name] = { alpha: value };
  }
  return { augmentation: changeAugmentation(spec, changes satisfies AugmentationChanges) };
}
