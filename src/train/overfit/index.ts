/** Overfitting: where it sits in a network, and when it began in a run. */
export { type LayerGroup, layerGroups } from './layers.js';
export {
  type ClassGap,
  type LateSample,
  type LayerProbe,
  type OverfitOptions,
  type OverfitReport,
  overfit,
} from './overfit.js';
export { linearProbe, type ProbeData, type ProbeOptions, type ProbeResult } from './probe.js';
export { type OverfittingSeen, overfittingSeen, type Remedy } from './seen.js';
