import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import * as tar from 'tar';
import { drawFlowers, quickFlowers } from '../../src/data/drawn/index.js';
import { openSource } from '../../src/data/open-source.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-open-'));
process.env.PRAXIS_CACHE_DIR = path.join(folder, 'cache');
after(() => rmSync(folder, { recursive: true, force: true }));

test('a folder and an archive of it are the same data set', async () => {
  const flowers = path.join(folder, 'flowers');
  await drawFlowers(flowers, { ...quickFlowers, pictures: 6 });
  const archive = path.join(folder, 'flowers.tar');
  await tar.create({ file: archive, cwd: folder }, ['flowers']);
  const [plain, packed] = [await openSource(flowers), await openSource(archive)];
  assert.equal(plain.length, 6);
  const names = (set: typeof plain) => Array.from({ length: set.length }, (_, i) => set.sampleName(i));
  assert.deepEqual(names(packed), names(plain));
  assert.deepEqual([packed.classes, packed.name], [plain.classes, 'flowers']);
});

test('the binary files of CIFAR-10 are known by their names, from the folder above and from their own', async () => {
  const inner = path.join(folder, 'cifar', 'cifar-10-batches-bin');
  mkdirSync(inner, { recursive: true });
  const record = new Uint8Array(3073).fill(7);
  for (const name of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)) writeFileSync(path.join(inner, name), record);
  writeFileSync(path.join(inner, 'test_batch.bin'), record);
  for (const place of [path.join(folder, 'cifar'), inner]) {
    const dataset = await openSource(place);
    assert.deepEqual([dataset.length, dataset.classes[7]], [6, 'horse'], place);
    assert.equal((await openSource(dataset.root)).length, 6, 'its root opens again');
  }
});

test('what is nothing of the kind is told in one sentence', async () => {
  await assert.rejects(openSource(path.join(folder, 'missing')), /missing: no such file or folder$/);
  await assert.rejects(openSource(path.join(folder, 'missing.tar')), /missing\.tar: no such file or folder$/);
});
