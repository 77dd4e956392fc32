/** Ablation: which remedy helps here, and by how much. */
export { type Ablated, type AblateOptions, ablate, resumeAblation } from './ablate.js';
export { type Change, type ChangeKind, changeKinds, usualChanges } from './changes.js';
export { type ChangeGain, gainsOf, type Outcome, type Pair } from './gain.js';
export type { AblationResult, AblationRow } from './result.js';
export { type Round, roundsFor } from './schedule.js';
