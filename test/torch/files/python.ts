import { fileURLToPath } from 'node:url';
import { python, runPython as run, skipLive } from '../../support/python.js';
import type { Description } from './describe.js';

const script = fileURLToPath(new URL('../../../scripts/golden/files.py', import.meta.url));

/** Runs a command of scripts/golden/files.py. */
export const runPython = (...args: string[]) => run<Record<string, Description>>([script, ...args]);

/** For node:test's `skip`. */
export const skip = skipLive;
/** Whether Python's torch is 2.0 or newer. */
export const modernPython = python !== null && !python.torch.startsWith('1.');
/** For node:test's `skip` where safetensors is needed too. */
export const skipSafetensors = skip || (runPython('facts').safetensors === null && 'this Python has no safetensors');
