/** Augmentation on whole batches, with torchvision's names in camelCase. */

export {
  type RandAugmentOptions,
  randAugment,
  type TrivialAugmentOptions,
  trivialAugmentWide,
  usualTranslate,
} from './auto.js';
export { type ColorJitterOptions, colorJitter, randomGrayscale } from './colour.js';
export { compose, normalize, randomApply, randomChoice, toFloat } from './compose.js';
export {
  alternatingFlip,
  type ChanceOptions,
  type RandomCropOptions,
  type RandomResizedCropOptions,
  randomCrop,
  randomHorizontalFlip,
  randomResizedCrop,
  randomVerticalFlip,
} from './crop.js';
export * as augmentFunctional from './functional/index.js';
export {
  type RandomAffineOptions,
  type RandomPerspectiveOptions,
  type RandomRotationOptions,
  randomAffine,
  randomPerspective,
  randomRotation,
} from './geometry.js';
export { cutmix, type MixOptions, mixup, type RandomErasingOptions, randomErasing } from './mix.js';
export { keepLabels, type LabelKind, labelKind, policyReason } from './policy.js';
export {
  type AugmentationChanges,
  type AugmentationPreset,
  augmentationPreset,
  augmentationPresets,
  type CropWay,
  changeAugmentation,
  describeAugmentation,
  type PresetOptions,
  presetFor,
} from './presets.js';
export {
  type AugmentationSpec,
  type AugmentationStep,
  type BuildAugmentationOptions,
  buildAugmentation,
} from './spec.js';
export {
  type GaussianBlurOptions,
  gaussianBlur,
  type RandomAdjustSharpnessOptions,
  type RandomPosterizeOptions,
  type RandomSolarizeOptions,
  randomAdjustSharpness,
  randomAutocontrast,
  randomEqualize,
  randomInvert,
  randomPosterize,
  randomSolarize,
} from './tone.js';
export type { Augmentation, AugmentationName } from './transform.js';
