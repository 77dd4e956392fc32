/** Learning curves: what more data would bring. */
export {
  type CurveResult,
  type CurveTraining,
  type LearningCurve,
  type LearningCurveOptions,
  learningCurve,
  resumeCurve,
} from './curve.js';
export { type CurvePoint, errorAt, fitPowerLaw, type PowerLaw, predictError } from './power-law.js';
