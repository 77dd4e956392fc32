/** What goes wrong in a run. Each message is one sentence: what, where, and what to do. */
export { RunError } from '../track/errors.js';

/** A setting that is unknown or cannot be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
