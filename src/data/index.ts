/** Data: sources, known sets, splits, normalisation, loading, augmentation. */
export * from './archives/index.js';
export * from './augment/index.js';
export * from './drawn/index.js';
export { BadSampleError, DataError } from './errors.js';
export { type Exclusion, exclusionsName, exclusionsOf, readExclusions, withoutSamples } from './exclusions.js';
export * from './known/index.js';
export * from './loader/index.js';
export * from './normalise/index.js';
export { type OpenSourceOptions, openSource } from './open-source.js';
export { decodePicture } from './pictures/decode.js';
export { type PictureFacts, pictureFacts } from './pictures/facts.js';
export * from './preview/index.js';
export { type Draws, permutation, sampleRandom } from './random.js';
export * from './sources/index.js';
export * from './split/index.js';
export * from './types.js';
