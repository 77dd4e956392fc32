/** The real label and split files of Oxford Flowers-102, compared with what SciPy reads from them. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drawFlower } from '../../src/data/drawn/index.js';
import { flowers102 } from '../../src/data/known/index.js';
import { readMat } from '../../src/data/known/mat5.js';
import { DataLoader } from '../../src/data/loader/index.js';
import { subset } from '../../src/data/sources/index.js';

const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const labelFile = path.join(shared, 'flowers102-imagelabels.mat');
const splitFile = path.join(shared, 'flowers102-setid.mat');
const skip = existsSync(labelFile) && existsSync(splitFile) ? false : `no ${labelFile}`;

test('1,020 / 1,020 / 6,149 pictures of 102 classes of 40 to 258, checksums right', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-flowers102-'));
  try {
    copyFileSync(labelFile, path.join(folder, 'imagelabels.mat'));
    copyFileSync(splitFile, path.join(folder, 'setid.mat'));
    mkdirSync(path.join(folder, 'jpg'));
    const picture = await drawFlower('rose', { size: 32 });
    for (let i = 1; i <= 8189; i++)
      writeFileSync(path.join(folder, 'jpg', `image_${String(i).padStart(5, '0')}.jpg`), picture);
    const data = await flowers102(folder);
    assert.equal(data.length, 8189);
    const { train = [], validation = [], test: last = [] } = data.officialParts ?? {};
    assert.deepEqual([train.length, validation.length, last.length], [1020, 1020, 6149]);
    assert.equal(new Set([...train, ...validation, ...last]).size, 8189);
    const counts = new Array<number>(102).fill(0);
    for (let i = 0; i < data.length; i++) counts[data.target(i)] = (counts[data.target(i)] as number) + 1;
    assert.equal(Math.min(...counts), 40);
    assert.equal(Math.max(...counts), 258);
    for (const part of [train, validation]) {
      const each = new Array<number>(102).fill(0);
      for (const i of part) each[data.target(i)] = (each[data.target(i)] as number) + 1;
      assert.deepEqual([...new Set(each)], [10], 'ten pictures of each class');
    }
    // What scipy.io.loadmat gives: the first training pictures, and labels here and there.
    assert.deepEqual(train.slice(0, 3), [6764, 6754, 6767]);
    assert.equal(data.classes[data.target(0)], 'passion flower');
    assert.equal(data.target(6764), 0);
    assert.equal(data.target(8188), 61);

    const form = { height: 16, width: 16 };
    const loader = new DataLoader({ dataset: subset(data, train), batchSize: 128, shuffle: true, form, cache: false });
    const loaded = new Array<number>(102).fill(0);
    for await (const { input, target } of loader) {
      assert.deepEqual(input.shape.slice(1), [3, 16, 16]);
      for (const label of target.toTypedArray() as BigInt64Array)
        loaded[Number(label)] = (loaded[Number(label)] as number) + 1;
    }
    await loader.close();
    assert.deepEqual([...new Set(loaded)], [10], 'ten pictures of each class in an epoch');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the arrays themselves', { skip }, async () => {
  const labels = readMat(await readFile(labelFile), labelFile).get('labels');
  assert.deepEqual(labels?.shape, [1, 8189]);
  const split = readMat(await readFile(splitFile), splitFile);
  assert.deepEqual([...split.keys()].sort(), ['trnid', 'tstid', 'valid']);
  const sum = labels?.values.reduce((a, b) => a + b, 0);
  assert.equal(sum, 466_705);
});
