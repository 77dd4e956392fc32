#!/usr/bin/env node
/**
 * Sets up (engine, bridge, TypeScript; Python for comparisons where possible), then runs the tests.
 *
 *     npm test                            all of test/ except test/real
 *     npm test -- test/torch/print        only files whose path contains one of the words
 *     npm run test:real                   test/real: real files and long runs
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { packageRoot } from './setup/state.mjs';
import { main as setup } from './setup.mjs';
import { setupParity } from './setup-parity.mjs';

const real = process.argv.includes('--real');
const words = process.argv.slice(2).filter((arg) => arg !== '--real');

const status = await setup([]);
if (status !== 0) process.exit(status);
await setupParity();

const folder = path.join(packageRoot, 'test');
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
  .map((entry) => path.relative(packageRoot, path.join(entry.parentPath ?? entry.path, entry.name)))
  .filter((file) => file.startsWith(path.join('test', 'real') + path.sep) === real)
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  process.stderr.write(
    `No test file below ${existsSync(folder) ? folder : 'test/'} matches ${words.join(' ') || 'test/real'}.\n`,
  );
  process.exit(1);
}

// gc() lets the tests of memory ask for a collection; they would otherwise have to wait for one. As many files run at a time as there are
// processors (Node would leave one idle): many tests wait for other processes. A file that hangs is given up after fifteen minutes, which
// is many times what the longest takes, and the others go on meanwhile.
const args = [
  '--expose-gc',
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${real ? 1 : Math.max(2, availableParallelism())}`,
  `--test-timeout=${real ? 10_800_000 : 900_000}`,
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  `--test-reporter=${new URL('slowest.mjs', import.meta.url).href}`,
  '--test-reporter-destination=stdout',
  ...files,
];
const result = spawnSync(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'inherit', 'inherit'] });
process.exitCode = result.status ?? 1;
