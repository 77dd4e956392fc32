/** Splitting a data set: parts, folds, checks, files. What opens the seal is not here (`seal.ts`, for the test step alone). */
export { type DuplicateGroup, type DuplicatePair, type Duplicates, findDuplicates } from '../duplicates/index.js';
export { type CheckOptions, checkSplit } from './check.js';
export { loadSplit, saveSplit } from './file.js';
export type { Severity, SplitFinding } from './findings.js';
export { type DatasetFingerprint, datasetFingerprint } from './fingerprint.js';
export { type Fold, type KFoldOptions, kFold } from './kfold.js';
export type { SplitOptions } from './options.js';
export type { SealUse } from './seal-events.js';
export { type Split, type SplitSettings, splitDataset } from './split.js';
