/** Looking at data: what is in it, what is wrong with it, and what to do. */
export { exclusionsFrom, writeFixList } from './fix-list.js';
export { type LookEvent, type LookOptions, look, lookQuickly, type QuickLook } from './look.js';
export { type LookPageOptions, lookPage, writeLookPage } from './page/page.js';
export { sampleDetail } from './pictures/detail.js';
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
export { type TerminalOptions, terminalSummary } from './terminal.js';
