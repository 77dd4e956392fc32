/** The deterministic operators behind the random transforms; parameters one per picture. */
export type { PerPicture } from './blocks.js';
export * from './functional-colour.js';
export {
  type Box,
  crop,
  horizontalFlip,
  type PadOptions,
  type PicturePadding,
  pad,
  verticalFlip,
} from './functional-crop.js';
export { blendRows, erase, normalizePictures, pasteRows, softTargets, toFloatPictures } from './functional-mix.js';
export { type ResizedCropOptions, resizedCrop } from './functional-resize.js';
