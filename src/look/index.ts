/** Looking at data: what is in it, what is wrong with it, and what to do. */
export { type LookEvent, type LookOptions, look, lookQuickly, type QuickLook } from './look.js';
export type {
  ClassCount,
  ColumnSummary,
  FindingSample,
  LookFinding,
  LookKind,
  LookReport,
  LookSeverity,
  PictureSummary,
  Separability,
  SizedFile,
  Spread,
  TableSummary,
  TextSummary,
} from './report.js';
