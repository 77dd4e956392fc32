/** Reports: what a run was, how good it is, where it fails, what to try next; one page that needs nothing else. */
export type { Advice } from './advice.js';
export type { ComparedRun, ComparisonData, Pair as RunPair } from './compare.js';
export type { ReportData } from './report-data.js';
export { type Comparison, type Report, type ReportOptions, writeComparison, writeReport } from './write.js';
