/** Training in processes of its own, and killing them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sampleRandom } from '../../src/data/random.js';
import { CheckpointKeeper, loadLast } from '../../src/train/checkpoint.js';

const program = fileURLToPath(new URL('checkpoint-child.ts', import.meta.url));
const environment = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };

/** Trains in a fresh process; gives the hash of everything at the end. */
export function train(place: string, from: number, to: number): string {
  const ended = spawnSync(process.execPath, ['--import', 'tsx', program, place, String(from), String(to)], {
    env: environment,
    encoding: 'utf8',
  });
  assert.equal(ended.status, 0, ended.stderr);
  return ended.stdout.trim();
}

/** Kills a training that does little but save, again and again; each time it must leave a good checkpoint, and end as if never killed. */
export async function killWhileSaving(place: string, kills: number): Promise<void> {
  const draws = sampleRandom(4, 0, 0, 20);
  let before = 0;
  for (let i = 0; i < kills; i++) {
    const child = spawn(process.execPath, ['--import', 'tsx', program, place, '0', '100000', 'loop'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    setTimeout(() => child.kill('SIGKILL'), draws.uniform(0, 60));
    await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(child.signalCode, 'SIGKILL');
    const { state, refused } = await loadLast(place);
    assert.deepEqual(refused, []);
    assert.ok(state.step > before, `${state.step} after ${before}`);
    before = state.step;
  }
  await new CheckpointKeeper(place).truncateAfter(before);
  assert.deepEqual(
    fs.readdirSync(place).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.equal(train(place, before, before + 3), train(`${place}-never`, 0, before + 3));
}
