/** The deterministic operators behind the random transforms; parameters one per picture. */
export type { PerPicture } from './blocks.js';
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  rgbToGrayscale,
} from './functional-colour.js';
export {
  type Box,
  crop,
  horizontalFlip,
  type PadOptions,
  type PicturePadding,
  pad,
  verticalFlip,
} from './functional-crop.js';
export { adjustSharpness, gaussianBlurImages } from './functional-filter.js';
export { blendRows, erase, normalizePictures, pasteRows, softTargets, toFloatPictures } from './functional-mix.js';
export { type ResizedCropOptions, resizedCrop } from './functional-resize.js';
export { autocontrast, equalize, invert, posterize, solarize } from './functional-tone.js';
export {
  type AffineParameters,
  affine,
  type CenteredWarpOptions,
  type Corners,
  type Point,
  perspective,
  perspectiveCoefficients,
  rotate,
  type WarpOptions,
} from './functional-warp.js';
