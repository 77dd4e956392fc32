import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

it('types accept what the engine accepts and refuse what it refuses', () => {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', 'test/types'], {
    cwd: root,
    encoding: 'utf8',
  });
  // Only this folder counts: a type error elsewhere is another test's to find.
  const errors = `${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('test/types/'));
  assert.deepEqual(errors, []);
  assert.ok(status === 0 || stdout !== '', stderr);
});
