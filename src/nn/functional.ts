/**
 * `F`: what layers compute, without anything to hold. Tensors stand first, everything else in one options object.
 * Source: https://docs.pytorch.org/docs/stable/nn.functional.html
 */
export * from './functional-activations.js';
export * from './functional-attention.js';
export { type NtXentOptions, ntXentLogits, ntXentLoss, ntXentPartners } from './functional-contrastive.js';
export * from './functional-convolution.js';
export {
  alphaDropout,
  type DropoutOptions,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from './functional-dropout.js';
export {
  cosineSimilarity,
  type EmbeddingBagOptions,
  type EmbeddingOptions,
  embedding,
  embeddingBag,
  oneHot,
  pairwiseDistance,
} from './functional-embedding.js';
export * from './functional-losses.js';
export * from './functional-margin-losses.js';
export * from './functional-normalisation.js';
export * from './functional-pooling.js';
export * from './functional-vision.js';
export type { Reduction, ReductionOption } from './reduction.js';
