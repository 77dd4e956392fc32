/** Pre-training without labels. */
export type { PretrainingFigures, PretrainingResult } from './finish.js';
export { type PretrainOptions, pretrain } from './recipe.js';
