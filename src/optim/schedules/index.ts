export {
  type CosineOptions,
  type CosineRestartsOptions,
  constant,
  cosine,
  cosineRestarts,
  exponential,
  linear,
  multiStep,
  polynomial,
  step,
} from './basic.js';
export { type BatchScaling, scaleForBatchSize } from './batch-size.js';
export { chain, sequence, type WarmupOptions, warmup } from './compose.js';
export { type OneCycleOptions, oneCycle } from './one-cycle.js';
export { Plateau, type PlateauOptions, type PlateauState } from './plateau.js';
export { makeSchedule, type Schedule, type ScheduleDrawing } from './schedule.js';
export { Scheduler, type SchedulerState } from './scheduler.js';
