/** Metrics of classification. */

export {
  ClassificationMetrics,
  type ClassificationMetricsOptions,
  type ClassificationReport,
  type ClassReport,
  confusionReport,
  type ReliabilityBin,
} from './metrics/classification.js';
export { bootstrapIntervals, type Interval, type IntervalOptions, wilson } from './metrics/intervals.js';
export {
  averagePrecision,
  MultiLabelMetrics,
  type MultiLabelReport,
} from './metrics/multi-label.js';
