import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { bits, type Hashes, hashDistance } from '../../../src/data/duplicates/hash.js';
import { findDuplicates } from '../../../src/data/duplicates/index.js';
import { measurePictures } from '../../../src/data/duplicates/measure.js';
import { pairsWithin } from '../../../src/data/duplicates/search.js';
import { sampleRandom } from '../../../src/data/random.js';
import { PictureSamples } from '../../../src/data/sources/samples.js';
import { splitDataset } from '../../../src/data/split/index.js';
import { secretsOf } from '../../../src/data/split/seal-events.js';
import type { PictureDataset } from '../../../src/data/types.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-duplicates-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A picture of soft random blobs. */
async function blobs(seed: number, width = 160, height = 120): Promise<Buffer> {
  const draws = sampleRandom(seed, 0, 0);
  const shapes = Array.from({ length: 14 }, () => {
    const colour = `rgb(${draws.integer(256)},${draws.integer(256)},${draws.integer(256)})`;
    return `<ellipse cx="${draws.integer(width)}" cy="${draws.integer(height)}" rx="${8 + draws.integer(40)}" ry="${8 + draws.integer(40)}" fill="${colour}"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#557"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).flatten().jpeg({ quality: 92 }).toBuffer();
}

function datasetOf(files: readonly string[]): PictureDataset {
  return new PictureSamples(
    { name: 'made', root: folder, length: files.length, classes: ['a', 'b'] },
    {
      name: (index) => path.basename(files[index] as string),
      labels: (index) => [index % 2],
      location: (index) => ({ kind: 'file', path: files[index] as string }),
    },
  );
}

const originals = 60;
let files: string[] = [];
const copies: Record<string, (file: string) => Promise<Buffer> | Buffer> = {
  same: (file) => readFileSync(file),
  half: (file) => sharp(file).resize(80).jpeg().toBuffer(),
  png: (file) => sharp(file).png().toBuffer(),
  poor: (file) => sharp(file).jpeg({ quality: 30 }).toBuffer(),
  bright: (file) => sharp(file).linear(1.15, 8).jpeg().toBuffer(),
  cropped: (file) => sharp(file).extract({ left: 8, top: 6, width: 144, height: 108 }).jpeg().toBuffer(),
  sided: (file) => sharp(file).extract({ left: 12, top: 0, width: 148, height: 120 }).jpeg().toBuffer(),
};

describe('findDuplicates', () => {
  before(async () => {
    mkdirSync(path.join(folder, 'pictures'));
    for (let i = 0; i < originals; i++) {
      const file = path.join(folder, 'pictures', `${i}.jpg`);
      writeFileSync(file, await blobs(i));
      files.push(file);
    }
    const kinds = Object.entries(copies);
    for (let i = 0; i < 49; i++) {
      const [kind, make] = kinds[i % kinds.length] as (typeof kinds)[number];
      const file = path.join(folder, 'pictures', `${i}-${kind}.${kind === 'png' ? 'png' : 'jpg'}`);
      writeFileSync(file, await make(files[i] as string));
      files.push(file);
    }
    files = [...files];
  });

  it('finds every kind of copy and takes no two different pictures for one', async () => {
    const found = await findDuplicates(datasetOf(files));
    const wrong = found.groups.filter(
      ({ members }) => new Set(members.map((m) => path.basename(files[m] as string).split(/[-.]/)[0])).size > 1,
    );
    assert.deepEqual(wrong, []);
    assert.equal(found.groups.length, 49, `${found.groups.length} of 49 copies`);
    for (const { members, kind, distance } of found.groups) {
      const same = members.some((m) => (files[m] as string).includes('-same'));
      assert.equal(kind, same ? 'exact' : 'near');
      assert.ok(same ? distance === 0 : distance <= 0.035);
    }
    assert.deepEqual(found.unreadable, []);
  });

  it('finds only equal files at the level exact', async () => {
    const found = await findDuplicates(datasetOf(files), { level: 'exact' });
    assert.equal(found.groups.length, 7);
    assert.ok(found.groups.every(({ kind }) => kind === 'exact'));
  });

  it('keeps copies on one side of a split', async () => {
    const split = await splitDataset(datasetOf(files), { seed: 3 });
    const part = new Map(Object.entries(secretsOf(split).parts).flatMap(([name, list]) => list.map((i) => [i, name])));
    for (let i = 0; i < 49; i++) assert.equal(part.get(i), part.get(originals + i), `${files[originals + i]}`);
    assert.match(
      split.findings.find(({ check }) => check === 'leaks')?.message ?? '',
      /49 groups of them \(98 samples\) stay together/,
    );
  });

  it('names what cannot be read, and changes no file', async () => {
    const odd = path.join(folder, 'odd');
    mkdirSync(odd);
    const write = (name: string, bytes: Uint8Array): void => writeFileSync(path.join(odd, name), bytes);
    const good = readFileSync(files[0] as string);
    write('empty.jpg', new Uint8Array());
    write('truncated.jpg', good.subarray(0, good.length / 2));
    write('text.jpg', Buffer.from('no picture'));
    write(
      'black.png',
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#000' } })
        .png()
        .toBuffer(),
    );
    write(
      'white.png',
      await sharp({ create: { width: 7, height: 9, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    copyFileSync(files[1] as string, path.join(odd, '日本 ü.jpg'));
    const names = readdirSync(odd).sort();
    const list = names.map((name) => path.join(odd, name));
    const state = (): string[] =>
      list.map((file) => `${statSync(file).mtimeMs} ${readFileSync(file).toString('base64')}`);
    const earlier = state();
    const found = await findDuplicates(datasetOf(list));
    const bad = found.unreadable.map(({ index, reason }) => `${names[index]}: ${reason}`);
    assert.equal(bad.length, 3, bad.join('; '));
    assert.ok(bad.some((line) => line.startsWith('empty.jpg: empty')));
    assert.ok(bad.some((line) => line.startsWith('truncated.jpg: ')));
    assert.deepEqual(found.groups, [], 'plain pictures are not taken for copies');
    assert.deepEqual(state(), earlier);
  });

  it('measures size, brightness and colour', async () => {
    const file = path.join(folder, 'orange.png');
    await sharp({ create: { width: 30, height: 20, channels: 3, background: { r: 255, g: 128, b: 0 } } })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toFile(file);
    const measured = await measurePictures(datasetOf([file]));
    assert.deepEqual([measured.width[0], measured.height[0]], [20, 30]);
    assert.ok(Math.abs((measured.brightness[0] as number) - 0.594) < 0.01);
    assert.ok(Math.abs((measured.saturation[0] as number) - 1) < 0.02);
    assert.ok(Math.abs((measured.warmth[0] as number) - 1) < 0.02);
  });

  it('can be broken off', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(findDuplicates(datasetOf([...files]), { signal }), { name: 'AbortError' });
  });
});

describe('the search for hashes', () => {
  it('finds exactly the pairs that comparing all finds', async () => {
    const draws = sampleRandom(1, 0, 0);
    const word = (): number => draws.integer(4294967296);
    const count = 1500;
    const low = Uint32Array.from({ length: count }, word);
    const high = Uint32Array.from({ length: count }, word);
    // Half of them are others with some bits turned.
    for (let i = count / 2; i < count; i++) {
      const from = draws.integer(count / 2);
      low[i] = low[from] as number;
      high[i] = high[from] as number;
      for (let turned = draws.integer(20); turned > 0; turned--) {
        if (draws.chance(0.5)) low[i] = (low[i] as number) ^ (1 << draws.integer(32));
        else high[i] = (high[i] as number) ^ (1 << draws.integer(32));
      }
    }
    const hashes: Hashes = { low, high };
    for (const radius of [0, 3, 7, 11, 15]) {
      const found: string[] = [];
      await pairsWithin(hashes, hashes, radius, (i, j, distance) => {
        assert.equal(distance, hashDistance(hashes, i, j));
        found.push(`${i} ${j}`);
        return true;
      });
      const expected: string[] = [];
      for (let i = 0; i < count; i++)
        for (let j = i + 1; j < count; j++) if (hashDistance(hashes, i, j) <= radius) expected.push(`${i} ${j}`);
      assert.deepEqual(found.sort(), expected.sort());
    }
    assert.equal(bits(0xffffffff), 32);
    assert.equal(bits(0x80000001), 2);
  });
});
