/** `nn.init`: starting weights by formula, from data, and a check of them. */
export * from './init.js';
export { type CheckBatch, type CheckOptions, CheckReport, check } from './init-check.js';
export type { Finding, FindingCode } from './init-findings.js';
export {
  type InitFromDataOptions,
  InitFromDataReport,
  initFromData,
  type LayerSpread,
} from './init-from-data.js';
export type { LayerMeasure } from './init-measure.js';
export type { SampleBatch } from './init-probe.js';
