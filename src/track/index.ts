/** What a run leaves behind: its folder, its metrics, its event files. */
export { AppendLog, type AppendLogOptions, type AppendLogStatus } from './append-log.js';
export { removeTemporaries, replaceWithLink, writeFileAtomic, writeFileAtomicSync } from './atomic.js';
export { FileWriteError, RunError } from './errors.js';
export { commandLine, gitFacts, machineFacts } from './facts.js';
export { listRuns, type RunSummary, secondsOf } from './list.js';
export { type MetricsLine, readMetrics, truncateMetrics } from './metrics-log.js';
export type { RunRecord, RunSession, RunState } from './record.js';
export {
  type CreateRunOptions,
  type RunFacts,
  RunFolder,
  readRecord,
  stateOf,
  type WriteOptions,
} from './run-folder.js';
export * from './tensorboard/index.js';
