/** Running other programs from set-up: output captured, stdin closed, a time limit, never a shell. */

import { spawn } from 'node:child_process';

/**
 * @typedef {object} Finished
 * @property {boolean} ok exit status 0 within the time limit
 * @property {number | null} status exit status; null when killed or when the program could not be started
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} missing the program does not exist
 * @property {boolean} timedOut
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, seconds?: number }} [options]
 * @returns {Promise<Finished>}
 */
export function run(command, args, { cwd, env = process.env, seconds = 60 } = {}) {
  return new Promise((resolve) => {
    /** @type {Finished} */
    const finished = { ok: false, status: null, stdout: '', stderr: '', missing: false, timedOut: false };
    const child = spawn(command, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const timer = setTimeout(() => {
      finished.timedOut = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      finished.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      finished.stderr += text;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      finished.missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
      finished.stderr += error.message;
      resolve(finished);
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      finished.status = status;
      finished.ok = status === 0 && !finished.timedOut;
      resolve(finished);
    });
  });
}

/** The last lines of a program's output, for an error message. @param {Finished} finished @param {number} [count] */
export function lastLines(finished, count = 12) {
  const lines = `${finished.stdout}\n${finished.stderr}`.split('\n').filter((line) => line.trim() !== '');
  const tail = lines.slice(-count);
  if (finished.timedOut) tail.push('(stopped: it took too long)');
  return tail;
}
