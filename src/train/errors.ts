/** What goes wrong in a run. Each message is one sentence: what, where, and what to do. */
export { RunError } from '../track/errors.js';

/** Ends the stages before the training, when somebody asked to stop. */
export class StoppedEarly extends Error {
  override readonly name = 'StoppedEarly';
}

/** A setting that is unknown or cannot be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
