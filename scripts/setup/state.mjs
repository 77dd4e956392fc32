/** Where set-up keeps things: the engine folder, its `current.json`, and the lock that keeps two set-ups apart. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SetupError } from './report.mjs';

/** The folder that holds package.json. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * The engine folder: the option, else PRAXIS_ENGINE_DIR, else `.engine` in the package.
 * @param {string | undefined} option
 * @param {NodeJS.ProcessEnv} env
 */
export function engineFolder(option, env) {
  return path.resolve(option ?? (env.PRAXIS_ENGINE_DIR || path.join(packageRoot, '.engine')));
}

/** @param {...(string | NodeJS.ArrayBufferView)} parts */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    // The length keeps ('ab', 'c') and ('a', 'bc') apart.
    hash.update(`${typeof part === 'string' ? part.length : part.byteLength}:`);
    hash.update(part);
  }
  return hash.digest('hex').slice(0, 20);
}

/**
 * @typedef {object} CurrentEngine
 * @property {string} addon path of the built `praxis.node`
 * @property {string} torch version, e.g. `2.13.0`
 * @property {string} build version with its build label where one is known, e.g. `2.13.0+cpu`
 * @property {string} lib folder of `libtorch_cpu`
 * @property {string[]} include header folders
 * @property {string} source how it was found, in words
 * @property {string} kind `environment`, `python`, `system` or `own`
 * @property {string | null} python the Python it came with, if it did
 * @property {string | null} packageFolder the Python package folder `torch/` it lies in, if it does
 * @property {boolean} cxx11Abi
 * @property {string} fingerprint size and date of `libtorch_cpu`
 * @property {string} environment the environment variables that decided the choice, hashed
 * @property {string} key the build key
 * @property {string | null} [jpeg] path of the built `praxis_jpeg.node`, if libjpeg is there
 * @property {string} compiler compiler and version
 * @property {string} nodeModules Node's ABI number
 */

/** @param {string} folder @returns {CurrentEngine | null} null when there is none or it cannot be read */
export function readCurrent(folder) {
  try {
    const value = JSON.parse(readFileSync(path.join(folder, 'current.json'), 'utf8'));
    return typeof value?.addon === 'string' && typeof value?.lib === 'string' ? value : null;
  } catch {
    return null;
  }
}

/**
 * Writes a JSON file so that a reader sees the old one or the new one, never a part.
 * @param {string} file
 * @param {unknown} value
 */
export function writeJson(file, value) {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}

/** Creates the engine folder, or says why it cannot be. @param {string} folder */
export function makeEngineFolder(folder) {
  try {
    mkdirSync(path.join(folder, 'build'), { recursive: true });
  } catch (error) {
    throw new SetupError(`The engine folder ${folder} cannot be created (${/** @type {Error} */ (error).message}).`, [
      'Choose another one: set PRAXIS_ENGINE_DIR to a folder you may write to.',
    ]);
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** A lock left behind by a set-up that is gone: its process has ended, or (another machine) it is very old. @param {string} lock */
function isStale(lock) {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    const owner = JSON.parse(readFileSync(path.join(lock, 'owner.json'), 'utf8'));
    return owner.host === hostname() ? !isAlive(owner.pid) : age > 3_600_000;
  } catch {
    // No owner yet: its maker is between mkdir and write, unless that was long ago.
    try {
      return Date.now() - statSync(lock).mtimeMs > 10_000;
    } catch {
      return false;
    }
  }
}

/**
 * Runs `work` while no other set-up of the same engine folder runs.
 * @template T
 * @param {string} folder
 * @param {(text: string) => void} note told once when it has to wait
 * @param {() => Promise<T>} work
 * @param {{ waitSeconds?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(folder, note, work, { waitSeconds = 1800 } = {}) {
  const lock = path.join(folder, 'setup.lock');
  const deadline = Date.now() + waitSeconds * 1000;
  for (let told = false; ; ) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (isStale(lock)) {
      // Renamed before removal, so that of two that see it only one removes it.
      const grave = `${lock}.${process.pid}.stale`;
      try {
        renameSync(lock, grave);
        rmSync(grave, { recursive: true, force: true });
      } catch {
        // Another set-up was quicker.
      }
      continue;
    }
    if (Date.now() > deadline) {
      throw new SetupError(`Another set-up has held ${lock} for too long.`, [
        `If none is running, remove that folder.`,
      ]);
    }
    if (!told) {
      note('waiting for another set-up to finish');
      told = true;
    }
    await sleep(200);
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  const interrupted = () => {
    release();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    writeFileSync(path.join(lock, 'owner.json'), JSON.stringify({ pid: process.pid, host: hostname() }));
    return await work();
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    release();
  }
}

/** Size and date of a file, to see that it was replaced. @param {string} file */
export function fingerprint(file) {
  if (!existsSync(file)) return 'missing';
  const { size, mtimeMs } = statSync(file);
  return `${size}-${Math.round(mtimeMs)}`;
}
