/** Augmentation on whole batches, with torchvision's names in camelCase. */
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
export * as augmentFunctional from './functional.js';
export { cutmix, type MixOptions, mixup, type RandomErasingOptions, randomErasing } from './mix.js';
export type { Augmentation, AugmentationName } from './transform.js';
