/** The Python whose torch the live comparisons use: `PRAXIS_PARITY_PYTHON`, or what `npm run setup:parity` found. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { engineFolder } from '../../src/torch/engine.js';
import { torch } from '../../src/torch/index.js';

export interface ParityPython {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `torch.__version__`, e.g. `2.13.0+cpu`. */
  readonly torch: string;
}

/** `2.13.0+cpu` and `1.13.0a0` as numbers to compare: `2.13`, `1.13`. */
const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

function find(): ParityPython | string {
  let command = process.env.PRAXIS_PARITY_PYTHON;
  const environment: NodeJS.ProcessEnv = { ...process.env };
  const noted = path.join(engineFolder(), 'parity.json');
  if (!command && existsSync(noted)) {
    const found = JSON.parse(readFileSync(noted, 'utf8')) as { python: string; pythonPath: string };
    command = found.python;
    if (found.pythonPath) environment.PYTHONPATH = found.pythonPath;
  }
  if (!command) return 'no Python with torch to compare with (npm run setup:parity)';
  const answer = spawnSync(command, ['-W', 'ignore', '-c', 'import torch; print(torch.__version__)'], {
    env: environment,
    encoding: 'utf8',
  });
  if (answer.status !== 0) return `${command} cannot import torch`;
  const version = answer.stdout.trim();
  if (minor(version) !== minor(torch.version))
    return `Python has torch ${version}, the engine is ${torch.version}: their numbers need not be equal`;
  return { command, environment, torch: version };
}

const found = find();

/** The Python with the engine's version of torch, or null. */
export const python: ParityPython | null = typeof found === 'string' ? null : found;

/** For node:test's `skip`: false, or why the live comparison cannot run. */
export const skipLive: string | false = typeof found === 'string' ? found : false;

/** Runs a Python script (path, then arguments); gives what it prints, parsed as JSON. Input, if any, goes to its stdin as JSON. */
export function runPython<Result>(args: readonly string[], input?: unknown): Result {
  if (python === null) throw new Error(String(skipLive));
  const result = spawnSync(python.command, ['-W', 'ignore', ...args], {
    env: python.environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
    ...(input === undefined ? {} : { input: JSON.stringify(input) }),
  });
  if (result.status !== 0) throw new Error(result.stderr.trim().split('\n').slice(-8).join('\n'));
  return JSON.parse(result.stdout) as Result;
}
