import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { native } from '../../src/torch/load.js';
import { python, skipLive } from '../support/python.js';
import { excluded } from './excluded.js';

const version = native.info().torch.split('.').slice(0, 2).join('.');
const script = fileURLToPath(new URL('./crashes.py', import.meta.url));
/** glibc's allocator that looks for damage at each free. */
const watchful = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64']
  .map((folder) => `${folder}/libc_malloc_debug.so.0`)
  .find(existsSync);

/** How each call ends in Python. */
function endings(calls: readonly string[], environment: NodeJS.ProcessEnv): string[] {
  const result = spawnSync(python?.command ?? '', ['-W', 'ignore', script], {
    env: { ...python?.environment, ...environment },
    input: JSON.stringify(calls),
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as string[];
}

/**
 * Asserts that the calls end Python. What reads or writes beyond its memory does not on every machine hit something that matters: a share of
 * them may get away.
 */
function assertDeadly(heap: boolean, environment: NodeJS.ProcessEnv, mayGetAway: number): void {
  const mine = excluded.filter((x) => x.torch === version && (x.heap === true) === heap);
  const ended = endings(
    mine.map((x) => x.python),
    environment,
  );
  const survived = mine.filter((_, i) => ended[i] === 'exit').map((x) => x.operator);
  assert.ok(survived.length <= mayGetAway * mine.length, `Python survives ${survived.join(', ')} of ${mine.length}`);
}

test('each operator left out of the fuzz ends Python, too', { skip: skipLive }, () => {
  assertDeadly(false, {}, 0.1);
});

test('each that writes beyond its memory is caught at it in Python, too', {
  skip: skipLive || (watchful === undefined && 'needs libc_malloc_debug'),
}, () => {
  assertDeadly(true, { LD_PRELOAD: watchful, MALLOC_CHECK_: '3', MALLOC_PERTURB_: '165' }, 0.3);
});

test('the list of operators left out is short, and names operators of the engine', () => {
  const names = native.operatorNames();
  assert.ok(excluded.length < names.length / 30);
  for (const { operator, torch } of excluded)
    if (torch === version) assert.ok(names.includes(`aten::${operator}`), operator);
});
