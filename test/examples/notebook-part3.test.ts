import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drawFlowers } from '../../src/data/drawn/index.js';
import { ConvNet } from '../../src/models/index.js';
import { torch } from '../../src/torch/index.js';
import { runExample } from '../support/example.js';
import { python, runPython, skipLive } from '../support/python.js';
import type { LoopCase, LoopResult } from './notebook-part3-loop.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = path.join(root, 'scripts/golden/notebook_part3.py');
const golden = JSON.parse(readFileSync(path.join(root, 'test/golden/notebook-part3.json'), 'utf8')) as {
  readonly losses: readonly number[];
};
const modern = Number(torch.version.split('.')[0]) >= 2;

/** What the text shows of `net.to(device)`; it breaks off after `eps=1e-05, `. */
const shown = `ConvNet(
  (network): Sequential(
    (0): Conv2d(3, 32, kernel_size=(11, 11), stride=(2, 2), padding=(5, 5))
    (1): CNNBlock(
      (c1): Conv2d(32, 64, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 64, eps=1e-05, affine=True)
      (c2): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (n2): GroupNorm(1, 64, eps=1e-05, affine=True)
      (relu): ReLU()
      (skip): Conv2d(32, 64, kernel_size=(1, 1), stride=(2, 2))
    )
    (2): CNNBlock(
      (c1): Conv2d(64, 128, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 128, eps=1e-05, affine=True)
      (c2): Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (n2): GroupNorm(1, 128, eps=1e-05, affine=True)
      (relu): ReLU()
      (skip): Conv2d(64, 128, kernel_size=(1, 1), stride=(2, 2))
    )
    (3): CNNBlock(
      (c1): Conv2d(128, 256, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 256, eps=1e-05, `;

function runLoop(given: LoopCase): LoopResult {
  const result = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'test/examples/notebook-part3-loop.ts', JSON.stringify(given)],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, TSX_TSCONFIG_PATH: `${root}tsconfig.check.json` },
    },
  );
  assert.equal(result.status, 0, result.stderr.split('\n').slice(-20).join('\n'));
  return JSON.parse(result.stdout) as LoopResult;
}

const largest = (found: readonly number[], expected: readonly number[]): number =>
  Math.max(...found.map((loss, i) => Math.abs(loss - (expected[i] as number))));

describe('part three of the notebook', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-part3-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('the network prints, character for character, what the text shows', () => {
    assert.equal(String(new ConvNet({ channels: 32, blocks: 4 })).slice(0, shown.length), shown);
  });

  test('its first 20 losses are those that Python stored', () => {
    const { losses } = runLoop({ channels: 8, lr: 0.005, size: 48, epochs: 5 });
    assert.equal(losses.length, 20);
    assert.equal(golden.losses.length, 20);
    // Another processor or another version rounds elsewhere, and every step makes more of it: 3e-4 between AVX512, where they were stored, and AVX2.
    const off = largest(losses, golden.losses);
    assert.ok(off < (modern ? 1e-3 : 2e-3), `${off} off`);
    assert.ok((losses[19] as number) < (losses[0] as number) - 0.5, 'it learns');
  });

  test('its first 20 losses are Python’s, to 1e-5: made pictures', { skip: skipLive }, () => {
    const { losses } = runLoop({ channels: 8, lr: 0.005, size: 48, epochs: 5 });
    const { losses: expected } = runPython<{ losses: number[] }>([script, '--stored']);
    assert.ok(largest(losses, expected) < 1e-5, `${largest(losses, expected)} off`);
  });

  const pillow =
    python !== null && spawnSync(python.command, ['-c', 'import PIL'], { env: python.environment }).status === 0;

  test('its first 20 losses are Python’s, to 1e-5: from JPEG files, through the loaders of both', {
    skip: skipLive || (pillow ? false : 'Python has no Pillow'),
  }, async () => {
    const flowers = path.join(folder, 'flowers');
    await drawFlowers(flowers, { pictures: 80, species: 4, size: 80 });
    const given = { channels: 32, lr: 0.005, size: 64 };
    const { losses, epochs } = runLoop({ ...given, epochs: 4, folder: flowers });
    assert.equal(losses.length, 20);
    assert.notDeepEqual(epochs[0], epochs[1], 'the order is new in each epoch');
    const expected = runPython<number[]>([script], { ...given, epochs });
    assert.ok(largest(losses, expected) < 1e-5, `${largest(losses, expected)} off`);
  });

  test('without Flowers-102 it says so, draws, trains, validates, saves and logs', () => {
    const out = path.join(folder, 'out');
    const text = runExample('notebook/part3.ts', {
      args: ['--data', path.join(folder, 'nothing'), '--epochs', '1', '--out', out, '--pictures', '40'],
    });
    assert.match(text, /nothing does not hold Oxford Flowers-102/);
    assert.match(text, /^(CUDA backend available\.|Arm mac GPU available, using GPU\.|GPU not available, using CPU)$/m);
    assert.ok(text.includes(shown));
    const epoch = /^epoch 0: loss\/train (\S+), loss\/valid (\S+), accuracy\/train (\S+), accuracy\/valid (\S+)$/m.exec(
      text,
    );
    assert.ok(
      epoch?.slice(1).every((x) => Number.isFinite(Number(x))),
      text,
    );
    assert.ok(readdirSync(out).includes('model_0.pth'));
    assert.match(readdirSync(path.join(out, 'events')).join(), /events\.out\.tfevents/);
  });
});
