/** Pretrained weights: known names, files and addresses, other people's key names, fitting to other classes and pictures. */
export { adaptChannels, resizePositions } from './adapt.js';
export { findWeights, type KnownWeights, knownWeights } from './known.js';
export { areKept, type Obtained, type ObtainOptions, obtainWeights, weightsFolder } from './obtain.js';
export {
  createPretrained,
  fillModel,
  openWeights,
  type PretrainedModel,
  type PretrainedOptions,
  type PretrainedWeights,
  stemOfWeights,
} from './weights.js';
