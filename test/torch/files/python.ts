import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineFolder } from '../../../src/torch/engine.js';
import type { Description } from './describe.js';

const script = fileURLToPath(new URL('../../../scripts/golden/files.py', import.meta.url));

interface Python {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `torch.__version__`. */
  readonly torch: string;
  /** Version of safetensors, or null. */
  readonly safetensors: string | null;
}

/** The Python to compare with: `PRAXIS_PARITY_PYTHON`, or what `npm run setup:parity` found; null when there is none. */
function find(): Python | null {
  let command = process.env.PRAXIS_PARITY_PYTHON;
  const environment = { ...process.env };
  const parity = path.join(engineFolder(), 'parity.json');
  if (!command && existsSync(parity)) {
    const found = JSON.parse(readFileSync(parity, 'utf8')) as { python: string; pythonPath: string };
    command = found.python;
    if (found.pythonPath) environment.PYTHONPATH = found.pythonPath;
  }
  if (!command) return null;
  const facts = spawnSync(command, ['-W', 'ignore', script, 'facts'], { env: environment, encoding: 'utf8' });
  if (facts.status !== 0) return null;
  return { command, environment, ...(JSON.parse(facts.stdout) as { torch: string; safetensors: string | null }) };
}

export const python = find();

/** Runs a command of scripts/golden/files.py; its output as JSON, or the end of its errors thrown. */
export function runPython(...args: string[]): Record<string, Description> {
  if (python === null) throw new Error('there is no Python with torch');
  const result = spawnSync(python.command, ['-W', 'ignore', script, ...args], {
    env: python.environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (result.status !== 0) throw new Error(result.stderr.trim().split('\n').slice(-8).join('\n'));
  return JSON.parse(result.stdout) as Record<string, Description>;
}
