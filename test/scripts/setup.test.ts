/** The set-up script as a user runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../scripts/setup/state.mjs';
import { temporaryFolder } from './trees.js';

function setup(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const script = path.join(packageRoot, 'scripts', 'setup.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

test('once all is in place a run says one line, and none when it is to be quiet', () => {
  const first = setup(['--no-typescript']);
  assert.equal(first.status, 0, first.stdout + first.stderr);
  const again = setup(['--no-typescript']);
  assert.equal(again.status, 0, again.stdout + again.stderr);
  assert.match(again.stdout, /^✔ ready: libtorch \d+\.\d+\S* from .+\n$/);
  assert.deepEqual(setup(['--no-typescript', '--quiet']), { status: 0, stdout: '', stderr: '' });
});

test('a wrong LIBTORCH ends in one sentence, a remedy and exit code 1, also when it is to be quiet', (t) => {
  const engine = temporaryFolder(t);
  const { status, stdout } = setup(['--quiet', '--engine', engine, '--no-typescript'], {
    LIBTORCH: path.join(engine, 'typo'),
  });
  assert.equal(status, 1);
  assert.match(stdout, /✘ LIBTORCH=.*typo is no usable libtorch: .*typo does not exist\./);
  assert.match(stdout, /or unset it\./);
  assert.doesNotMatch(stdout, /\bat .*\.mjs:\d+/, 'no stack trace');
});

test('help answers with exit code 0, an unknown option with one sentence and 2', () => {
  const help = setup(['--help']);
  assert.equal(help.status, 0);
  for (const option of ['--engine', '--rebuild', '--offline', '--no-typescript', '--quiet'])
    assert.ok(help.stdout.includes(option));
  const wrong = setup(['--fast']);
  assert.equal(wrong.status, 2);
  assert.equal(wrong.stderr, "Unknown option '--fast'. See praxis setup --help.\n");
});
