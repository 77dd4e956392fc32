/** The convolution whose gradient corrupts the heap in oneDNN: in a process of its own, which must live to tell. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nn, torch } from '../../src/index.js';

/** glibc's allocator that checks itself: it ends the process at the first damage. */
const checking = '/lib/x86_64-linux-gnu/libc_malloc_debug.so.0';

describe('strided 1 × 1 convolutions over few channels', () => {
  test('are learned with the channels last, and leave the heap whole', () => {
    const env = { ...process.env, ...(existsSync(checking) ? { LD_PRELOAD: checking, MALLOC_CHECK_: '3' } : {}) };
    const program = fileURLToPath(new URL('pointwise-child.ts', import.meta.url));
    const child = spawnSync(process.execPath, [...process.execArgv, program], {
      env,
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.equal(child.status, 0, `${child.signal ?? ''} ${child.stderr}`);
    const lines = child.stdout.trim().split('\n');
    assert.equal(lines.length, 3, child.stdout);
    for (const line of lines) {
      const { channels, apart } = JSON.parse(line) as { channels: number; apart: number };
      assert.ok(apart < 1e-5, `${channels} channels: gradients are ${apart} apart`);
    }
  });

  test('are as they were where nothing is learned, or the channels are many', () => {
    for (const channels of [4, 16]) {
      const layer = new nn.Conv2d(channels, 8, 1, { stride: 2 });
      const input = torch.randn([2, channels, 6, 6]).contiguous({ memoryFormat: 'channelsLast' });
      const run = () => layer.call(input);
      const output = channels === 4 ? torch.noGrad(run) : run();
      assert.equal(output.isContiguous('channelsLast'), true);
      assert.deepEqual(output.shape, [2, 8, 3, 3]);
    }
  });
});
