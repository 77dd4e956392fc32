/** Optimisers, learning-rate schedules, and the range test that finds a rate. */
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamOptions, AdamW } from './adam.js';
export { Lion, type LionOptions } from './lion.js';
export type { MemoryPerParameter } from './memory.js';
export { Muon, type MuonOptions } from './muon.js';
export {
  type CommonOptions,
  type GroupSpecification,
  type Implementation,
  Optimizer,
  type ParameterGroup,
  type Parameters,
} from './optimizer.js';
export type { PythonStateDict } from './python-state.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export * from './schedules/index.js';
export { SGD, type SGDOptions } from './sgd.js';
export type { OptimizerState } from './state.js';
