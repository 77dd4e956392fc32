/** The deterministic operators behind the random transforms; parameters one per picture. */
export type { PerPicture } from './blocks.js';
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  rgbToGrayscale,
} from './colour.js';
export {
  type Box,
  crop,
  horizontalFlip,
  type PadOptions,
  type PicturePadding,
  pad,
  verticalFlip,
} from './crop.js';
export { adjustSharpness, gaussianBlurImages } from './filter.js';
export { blendRows, erase, normalizePictures, pasteRows, softTargets, toFloatPictures } from './mix.js';
export { type ResizedCropOptions, resizedCrop } from './resize.js';
export { autocontrast, equalize, invert, posterize, solarize } from './tone.js';
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
} from './warp.js';
