/** A long training holds no more memory, and no more tensors, than a short one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, tinyFlowers } from '../train/runs.js';

const program = fileURLToPath(new URL('training-memory-child.ts', import.meta.url));

it('memory is flat over twenty epochs', async (t) => {
  const place = temporaryFolder();
  t.after(() => fs.rmSync(place, { recursive: true, force: true }));
  const data = await tinyFlowers(place);
  const ended = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', program, data, path.join(place, 'runs')],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined } },
  );
  assert.equal(ended.status, 0, ended.stderr);
  const epochs = ended.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number]);
  assert.equal(epochs.length, 24);
  const [early, late] = [epochs[3] as [number, number], epochs.at(-1) as [number, number]];
  const mebibytes = (late[0] - early[0]) / 2 ** 20;
  t.diagnostic(
    `${(early[0] / 2 ** 20).toFixed(0)} MiB after 4 epochs, ${mebibytes.toFixed(1)} more after 24; tensors ${early[1]}, ${late[1]}`,
  );
  assert.ok(mebibytes < 8, `${mebibytes.toFixed(1)} MiB more`);
  // It goes up and down by one set of weights from epoch to epoch.
  const most = Math.max(...epochs.slice(0, 8).map(([, tensors]) => tensors));
  assert.ok(late[1] <= most + 4, `at most ${most} tensors in 8 epochs, then ${late[1]}`);
});
