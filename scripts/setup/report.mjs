/**
 * What set-up says while it works: one short line for each step that did something, with its time.
 * Steps that find everything in place say nothing, so a second run is quiet.
 */

/** A failure whose message is already a clear sentence for the user; no stack trace is shown for it. */
export class SetupError extends Error {
  /**
   * @param {string} message what was wrong and where
   * @param {string[]} [remedy] lines that say what to do
   */
  constructor(message, remedy = []) {
    super(message);
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/**
 * @typedef {object} StepResult
 * @property {boolean} changed whether the step had to do anything
 * @property {string} detail what it did or found, in a few words
 */

/** @param {number} milliseconds */
export function formatTime(milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export class Reporter {
  /**
   * @param {{ quiet?: boolean, write?: (line: string) => void }} [options] quiet keeps everything but failures to itself
   */
  constructor({ quiet = false, write = (line) => process.stdout.write(`${line}\n`) } = {}) {
    this.quiet = quiet;
    this.write = write;
    /** How many steps had something to do. */
    this.changes = 0;
    this.started = performance.now();
  }

  /** A line on something that takes a while or that the user should know. @param {string} text */
  note(text) {
    if (!this.quiet) this.write(`  ${text}`);
  }

  /**
   * Runs one step, times it and reports it when it changed something or failed.
   * @template {StepResult} T
   * @param {string} name
   * @param {() => Promise<T> | T} work
   * @returns {Promise<T>}
   */
  async step(name, work) {
    const start = performance.now();
    try {
      const result = await work();
      if (result.changed) {
        this.changes += 1;
        if (!this.quiet) this.write(`✔ ${name}: ${result.detail} (${formatTime(performance.now() - start)})`);
      }
      return result;
    } catch (error) {
      // Failures are always shown: a quiet set-up that fails silently would leave its caller guessing.
      this.write(`✘ ${name} (${formatTime(performance.now() - start)})`);
      throw error;
    }
  }

  /** The closing line. @param {string} summary */
  done(summary) {
    if (this.quiet) return;
    const time = formatTime(performance.now() - this.started);
    this.write(this.changes === 0 ? `✔ ready: ${summary}` : `✔ ready in ${time}: ${summary}`);
  }

  /** Prints a failure and what to do about it. @param {unknown} error */
  failure(error) {
    if (error instanceof SetupError) {
      this.write(`✘ ${error.message}`);
      for (const line of error.remedy) this.write(`  ${line}`);
    } else {
      this.write(
        `✘ set-up failed unexpectedly: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
}
