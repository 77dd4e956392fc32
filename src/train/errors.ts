/** What goes wrong in a run. Each message is one sentence: what, where, and what to do. */

/** A setting that is unknown or cannot be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A run that cannot start, go on or be read. */
export class RunError extends Error {
  override readonly name = 'RunError';
}
