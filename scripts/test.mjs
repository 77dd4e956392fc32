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

// gc() lets the tests of memory ask for a collection; they would otherwise have to wait for one.
const args = ['--expose-gc', '--import', 'tsx', '--test', '--test-reporter=spec', '--test-timeout=900000', ...files];
const result = spawnSync(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'inherit', 'inherit'] });
process.exitCode = result.status ?? 1;
