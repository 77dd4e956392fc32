/** The drawn flower set: the same bytes for the same settings, a truth that is true, and no harm to other files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import sharp from 'sharp';
import {
  type DrawOptions,
  drawFlower,
  drawFlowers,
  quickFlowers,
  speciesNames,
} from '../../../src/data/drawn/index.js';
import { DataError } from '../../../src/data/errors.js';

let root: string;
let folder: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-drawn-'));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(root, 'one-')), 'set');
});

const tiny: DrawOptions = { pictures: 12, species: 3, size: 24, difficulty: 0.3 };
const files = (where = folder) =>
  readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(where, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
const read = (name: string, where = folder) => readFileSync(path.join(where, name));

const refuses = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, message);
    return true;
  });

describe('what is drawn', () => {
  test('an image folder of the pictures asked for, evenly shared', async () => {
    const set = await drawFlowers(folder, quickFlowers);
    assert.equal(set.drawn, 60);
    assert.deepEqual(readdirSync(folder).sort(), ['daisy', 'drawn.json', 'sunflower', 'tulip']);
    for (const name of ['daisy', 'sunflower', 'tulip']) assert.equal(readdirSync(path.join(folder, name)).length, 20);
    const { width, height, format, channels } = await sharp(read('daisy/daisy-0001.jpg')).metadata();
    assert.deepEqual([width, height, format, channels], [48, 48, 'jpeg', 3]);
  });

  test('the same settings give the same bytes, another seed gives others', async () => {
    await drawFlowers(folder, tiny);
    const again = `${folder}-again`;
    await drawFlowers(again, tiny);
    assert.deepEqual(files(again), files());
    for (const name of files()) assert.deepEqual(read(name, again), read(name), name);
    const larger = `${folder}-larger`;
    await drawFlowers(larger, { ...tiny, pictures: 18 });
    for (const name of files().filter((file) => file.endsWith('.jpg')))
      assert.deepEqual(read(name, larger), read(name), name);
    const other = `${folder}-other`;
    await drawFlowers(other, { ...tiny, seed: 1 });
    for (const name of files().filter((file) => file.endsWith('.jpg')))
      assert.notDeepEqual(read(name, other), read(name), name);
  });

  test('every species, at every difficulty, is a picture with something in it', async () => {
    for (const species of speciesNames) {
      for (const difficulty of [0, 1]) {
        for (let number = 0; number < 3; number++) {
          const { channels } = await sharp(await drawFlower(species, { size: 48, difficulty, number })).stats();
          assert.ok(Math.max(...channels.map(({ stdev }) => stdev)) > 12, `${species} at ${difficulty} is flat`);
        }
      }
    }
  });

  test('noise is of the size asked for', async () => {
    const size = 64;
    const pixels = async (noise: number) =>
      (await sharp(await drawFlower('tulip', { size, difficulty: 0, noise }))
        .raw()
        .toBuffer()) as Buffer;
    const clean = await pixels(0);
    const noisy = await pixels(0.08);
    let sum = 0;
    for (let i = 0; i < clean.length; i++) sum += ((noisy[i] as number) - (clean[i] as number)) ** 2;
    const deviation = Math.sqrt(sum / clean.length) / 255;
    // 0.5 to 1.5 times what is asked for, and JPEG takes some of it away.
    assert.ok(deviation > 0.015 && deviation < 0.13, String(deviation));
  });
});

describe('the truth', () => {
  test('wrong labels, copies and near-copies are as many as asked for, and are what drawn.json says', async () => {
    const set = await drawFlowers(folder, {
      ...tiny,
      pictures: 60,
      wrongLabels: 0.1,
      duplicates: 0.2,
      nearDuplicates: 0.1,
    });
    const wrong = set.pictures.filter(({ species, label }) => species !== label);
    const copies = set.pictures.filter(({ copyOf }) => copyOf !== undefined);
    const near = set.pictures.filter(({ nearCopyOf }) => nearCopyOf !== undefined);
    assert.deepEqual([wrong.length, copies.length, near.length], [6, 12, 6]);
    const all = files().filter((name) => name.endsWith('.jpg'));
    assert.deepEqual(set.pictures.map(({ file }) => file).sort(), all);
    for (const { file, label } of set.pictures) assert.ok(file.startsWith(`${label}/`));
    for (const { file, copyOf } of copies) assert.deepEqual(read(file), read(copyOf as string));
    for (const { file, nearCopyOf } of near) {
      assert.notDeepEqual(read(file), read(nearCopyOf as string));
      const [one, two] = await Promise.all(
        [file, nearCopyOf as string].map((name) => sharp(read(name)).blur(1.5).raw().toBuffer()),
      );
      let sum = 0;
      for (let i = 0; i < (one as Buffer).length; i++)
        sum += Math.abs(((one as Buffer)[i] as number) - ((two as Buffer)[i] as number));
      assert.ok(
        sum / (one as Buffer).length < 14,
        `${file} differs from ${nearCopyOf} by ${sum / (one as Buffer).length}`,
      );
    }
    // Nothing else is the same.
    const distinct = new Set(all.map((name) => read(name).toString('base64')));
    assert.equal(distinct.size, 60 - 12);
    const record = JSON.parse(read('drawn.json').toString()) as {
      complete: boolean;
      pictures: { file: string }[];
      settings: unknown;
    };
    assert.equal(record.complete, true);
    assert.deepEqual(record.settings, set.settings);
    assert.deepEqual(
      record.pictures.map(({ file }) => file),
      set.pictures.map(({ file }) => file),
    );
  });

  test('a wrongly labelled picture is the one its species would have had', async () => {
    const right = await drawFlowers(folder, { ...tiny, noise: 0 });
    const mixed = `${folder}-mixed`;
    const wrong = await drawFlowers(mixed, { ...tiny, noise: 0, wrongLabels: 0.5 });
    for (const [i, picture] of wrong.pictures.entries()) {
      assert.equal(picture.species, right.pictures[i]?.species);
      assert.deepEqual(read(picture.file, mixed), read(right.pictures[i]?.file as string));
    }
  });
});

describe('the folder', () => {
  test('what is there already is not drawn again; what is missing is', async () => {
    await drawFlowers(folder, tiny);
    const times = files().map((name) => statSync(path.join(folder, name)).mtimeMs);
    assert.equal((await drawFlowers(folder, tiny)).drawn, 0);
    assert.deepEqual(
      files().map((name) => statSync(path.join(folder, name)).mtimeMs),
      times,
    );
    const lost = read('tulip/tulip-0002.jpg');
    rmSync(path.join(folder, 'tulip/tulip-0002.jpg'));
    assert.equal((await drawFlowers(folder, tiny)).drawn, 1);
    assert.deepEqual(read('tulip/tulip-0002.jpg'), lost);
  });

  test('a set that was interrupted is finished', async () => {
    let count = 0;
    const stop = () => {
      if (++count === 5) throw new Error('stopped');
    };
    await assert.rejects(drawFlowers(folder, { ...tiny, onProgress: stop }), /stopped/);
    assert.equal((JSON.parse(read('drawn.json').toString()) as { complete: boolean }).complete, false);
    await drawFlowers(folder, tiny);
    const whole = `${folder}-whole`;
    await drawFlowers(whole, tiny);
    assert.deepEqual(files(), files(whole));
    for (const name of files()) assert.deepEqual(read(name), read(name, whole));
  });

  test('other settings are refused unless the set may be replaced; files of others stay', async () => {
    await drawFlowers(folder, { ...tiny, species: 4 });
    writeFileSync(path.join(folder, 'daisy/mine.jpg'), 'mine');
    await refuses(
      drawFlowers(folder, tiny),
      /set drawn otherwise \(species \["daisy","tulip","sunflower","rose"\] instead of/,
    );
    await drawFlowers(folder, { ...tiny, overwrite: true });
    assert.equal(files().filter((name) => name.endsWith('.jpg')).length, 13);
    assert.equal(read('daisy/mine.jpg').toString(), 'mine');
  });

  test('a picture that somebody changed is not drawn over', async () => {
    await drawFlowers(folder, tiny);
    writeFileSync(path.join(folder, 'rose.txt'), '');
    writeFileSync(path.join(folder, 'daisy/daisy-0001.jpg'), 'changed');
    await refuses(drawFlowers(folder, tiny), /daisy-0001\.jpg is not what Praxis drew any more/);
    assert.equal(read('daisy/daisy-0001.jpg').toString(), 'changed');
  });

  test('a folder of somebody else is refused', async () => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'thesis.tex'), 'text');
    await refuses(drawFlowers(folder, tiny), /not empty and was not drawn by Praxis/);
    for (const record of [
      '',
      '{}',
      '{"drawn":1,"pictures":[{"file":"../thesis.tex"}]}',
      '{"drawn":1,"pictures":[{"file":"thesis.tex"}]}',
    ]) {
      writeFileSync(path.join(folder, 'drawn.json'), record);
      await refuses(drawFlowers(folder, { ...tiny, overwrite: true }), /was not drawn by Praxis/);
    }
    assert.equal(read('thesis.tex').toString(), 'text');
    await refuses(drawFlowers(path.join(folder, 'thesis.tex'), tiny), /cannot be drawn into/);
  });
});

test('settings out of range are named', async () => {
  const bad: [DrawOptions, RegExp][] = [
    [{ pictures: 0 }, /pictures must be a whole number from 1/],
    [{ size: 8 }, /size must be a whole number from 16 to 2048, not 8/],
    [{ species: 99 }, /species must be a whole number from 1 to 16, not 99/],
    [{ species: ['daisy', 'triffid'] }, /cannot draw a species named 'triffid'/],
    [{ species: [] }, /at least one/],
    [{ species: ['daisy', 'daisy'] }, /twice/],
    [{ difficulty: Number.NaN }, /difficulty must be a number from 0 to 1, not NaN/],
    [{ wrongLabels: 0.5, duplicates: 0.5 }, /together may be 0.9/],
    [{ species: 1, wrongLabels: 0.1 }, /at least two species/],
  ];
  for (const [options, message] of bad) await refuses(drawFlowers(folder, options), message);
});
