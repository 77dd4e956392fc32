/** The file behind the command `praxis`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/torch/engine.js';

function run(root: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'bin', 'praxis.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('before anything is installed or built, set-up works and everything else says what to run', (t) => {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'praxis-test-')));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ['bin', 'scripts'])
    cpSync(path.join(packageRoot, folder), path.join(root, folder), { recursive: true });
  const doctor = run(root, ['doctor']);
  assert.equal(doctor.status, 1);
  const script = path.join(root, 'scripts', 'setup.mjs');
  assert.equal(doctor.stderr, `praxis is not built yet. Run this once: node ${script}\n`);
  const setup = run(root, ['setup', '--help']);
  assert.equal(setup.status, 0);
  assert.match(setup.stdout, /^Usage: praxis setup/);
});

const built = existsSync(path.join(packageRoot, 'dist', 'cli', 'main.js'));

test('once built it runs the command line', { skip: built ? false : 'dist/ is not built' }, () => {
  assert.match(run(packageRoot, ['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(run(packageRoot, ['frobnicate']).status, 2);
  const setup = run(packageRoot, ['setup', '--help']);
  assert.equal(setup.status, 0);
  assert.match(setup.stdout, /--no-typescript/);
});
