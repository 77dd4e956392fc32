/** Models: from the seed text's ConvNet to Vision Transformers, by class or by name. */
export type { ModelOptionName, ModelOptions, ModelSpec } from './catalogue.js';
export { CifarResNet, type CifarResNetOptions, type ShortcutOption } from './cifar-res-net.js';
export { CNNBlock, ConvNet, type ConvNetOptions } from './conv-net.js';
export {
  ConvNeXt,
  ConvNeXtBlock,
  type ConvNeXtOptions,
  ConvNeXtStage,
  LayerNorm2d,
} from './conv-next.js';
export { createModel, modelNames, modelSpec } from './create.js';
export {
  describeModel,
  type LayerDescription,
  type ModelDescription,
  trainingBytes,
} from './describe.js';
export { type Head, headOf, isInHead } from './head.js';
export { type MeasureOptions, type ModelSpeed, measureModel, type Speed } from './measure.js';
export { MLP, type MLPOptions } from './multilayer-perceptron.js';
export * from './pretrained/index.js';
export { BasicBlock, Bottleneck, ResNet, type ResNetOptions } from './res-net.js';
export { type ResNetStem, resNetStems, type StemChoice, scaledStem } from './stem.js';
export {
  Attention,
  Block,
  PatchEmbed,
  VisionTransformer,
  type VisionTransformerOptions,
} from './vision-transformer.js';
