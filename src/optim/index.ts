/** Optimisers, learning-rate schedules, and the range test that finds a rate. */

export { type AccumulationOptions, GradientAccumulation } from './accumulate.js';
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamOptions, AdamW } from './adam.js';
export { ExponentialMovingAverage, type MovingAverageOptions, type MovingAverageState } from './average.js';
export { type ClipNormOptions, clipGradNorm_, clipGradValue_ } from './clip.js';
export { Lion, type LionOptions } from './lion.js';
export type { BatchSource, PositionedSource } from './lr-batches.js';
export type { Sweep } from './lr-curve.js';
export { type LrFindOptions, lrFind } from './lr-find.js';
export { type Band, LrFindResult, type Suggestions } from './lr-result.js';
export type { MemoryPerParameter } from './memory.js';
export { fasterProductDtype, Muon, type MuonOptions } from './muon.js';
export { type MuonGroupsOptions, MuonWithAdamW, type MuonWithAdamWOptions, muonGroups } from './muon-with-adamw.js';
export {
  type CommonOptions,
  type GroupSpecification,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
export {
  layersByName,
  type ModelParameters,
  type NoDecayRule,
  type ParameterRule,
  type ParamGroup,
  type ParamGroupsOptions,
  paramGroups,
  type SplitForMuonOptions,
  splitForMuon,
} from './param-groups.js';
export type { ModelTensors } from './preserve.js';
export type { PythonStateDict } from './python-state.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export * from './schedules/index.js';
export { SGD, type SGDOptions } from './sgd.js';
export type { OptimizerState } from './state.js';
export { AveragedModel, type AveragedModelOptions, type UpdateBnOptions, updateBn } from './swa.js';
