/** Ensembles: several models whose probabilities are averaged. */
export {
  type AverageFacts,
  type AverageOptions,
  type AverageResult,
  type AverageWay,
  averageRuns,
  type Ingredient,
} from './average.js';
export { EnsembleClassifier, type EnsembleMemberPlan, type EnsemblePlan } from './classifier.js';
export {
  averageProbabilities,
  type CompareOptions,
  compareEnsemble,
  type Disagreement,
  type EnsembleComparison,
  type Gain,
  gainOver,
  type Opinion,
  type Question,
  type Scored,
} from './compare.js';
export { type EnsembleResult, type JoinOptions, joinRuns } from './join.js';
export { joinSnapshots } from './snapshots.js';
export { type DistilOptions, type DistilResult, distil, readEnsemble, type StudentFacts } from './student.js';
export {
  atTemperature,
  type CrossFitted,
  chanceCalibrationError,
  crossFitTemperature,
  fitTemperature,
} from './temperature.js';
export { resumeEnsemble, type TrainEnsembleOptions, type TrainedEnsemble, trainEnsemble } from './train.js';
export type { EnsembleCost, EnsembleFacts } from './write.js';
