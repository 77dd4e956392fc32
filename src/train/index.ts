/** Training: the recipe, its pieces, and the use of what it leaves. */

export * from './ablate/index.js';
export { CheckpointKeeper, loadCheckpoint, loadLast, saveCheckpoint } from './checkpoint.js';
export type { Classifier, Machine, MemoryFormat as PictureMemoryFormat, Precision } from './compute.js';
export { defineConfig } from './config/define.js';
export type { TrainOptions as TrainSettings } from './config/schema.js';
export * from './curve/index.js';
export { type DeviceChoice, pickDevice } from './device.js';
export * from './ensemble/index.js';
export { ConfigError, RunError } from './errors.js';
export { type Evaluation, evaluate, type Predictions } from './evaluate.js';
export type { EpochEvent, Stage, StepEvent, TrainEvent } from './events.js';
export { type Fault, findFault } from './faults.js';
export * as metrics from './metrics.js';
export * from './overfit/index.js';
export type { TrainPlan } from './plan.js';
export {
  type Guess,
  LoadedRun,
  type LoadRunOptions,
  loadRun,
  type PredictInput,
  type Prediction,
  type PredictOptions,
} from './predict.js';
export * from './pretrain/index.js';
export type { RunResult } from './recipe/recipe.js';
export { type MembersTested, type StudentTested, type TestResult, testRun } from './test-run.js';
export { type ResumeOptions, resume, Training, type TrainOptions, train } from './train.js';
export { type ProbeResult, probe } from './transfer/probe-data.js';
export { type Tuned, type TuneOptions, tuneMachine } from './tune.js';
export type { EvalOptions, EvalResult } from './use/evaluate-run.js';
export { type ExportFormat, type ExportOptions, exportRun, runToOnnx } from './use/export-run.js';
export type { PictureInput, RawPicture } from './use/pictures.js';
export type { RowInput } from './use/rows.js';
