/** `praxis normalise`, run as a command. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { measureChannels } from '../../src/data/normalise/index.js';
import { sampleRandom } from '../../src/data/random.js';
import { imageFolder } from '../../src/data/sources/index.js';
import { saveSplit, splitDataset } from '../../src/data/split/index.js';
import { praxis, type Said } from '../support/command.js';

let root: string;
let flowers: string;
let plants: string;

before(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-normalise-'));
  flowers = path.join(root, 'flores ñ');
  const draws = sampleRandom(1, 0, 0, 34);
  for (const name of ['rose', 'tulip']) {
    mkdirSync(path.join(flowers, name), { recursive: true });
    for (let i = 0; i < 20; i++)
      await sharp(
        Uint8Array.from({ length: 24 * 24 * 3 }, () => draws.integer(250)),
        { raw: { width: 24, height: 24, channels: 3 } },
      )
        .png()
        .toFile(path.join(flowers, name, `${i}.png`));
  }
  plants = path.join(root, 'plants.csv');
  const rows = Array.from({ length: 60 }, (_, i) =>
    [
      Math.exp(3 + 1.5 * draws.normal()),
      i % 9 === 0 ? '' : draws.normal(),
      ['red', 'blue'][i % 2],
      7,
      `k${i % 3}`,
    ].join(','),
  );
  writeFileSync(plants, `size,height,colour,place,label\n${rows.join('\n')}\n`);
});
after(() => rmSync(root, { recursive: true, force: true }));

/** What the command prints, and its exit code. */
const run = (...args: string[]): Promise<Said> => praxis('normalise', ...args);

test('pictures: the training part of the same seed, told, written and drawn', async () => {
  const [out, picture] = ['n.json', 'n.svg'].map((name) => path.join(root, name)) as [string, string];
  const told = await run(flowers, '--size', '24', '--seed', '4', '--out', out, '--picture', picture);
  assert.equal(told.code, 0, told.err);
  const { train } = await splitDataset(imageFolder(flowers), { seed: 4, train: 0.7, validation: 0.15, test: 0.15 });
  const measured = await measureChannels(train, { form: { height: 24, width: 24 }, workers: 0, cache: false });
  const stored = JSON.parse(readFileSync(out, 'utf8'));
  assert.deepEqual([stored.mean, stored.std, stored.pictures], [measured.mean, measured.std, train.length]);
  assert.match(told.out, new RegExp(`${train.length} pictures at 24×24`));
  assert.match(told.out, new RegExp(`red {4}mean ${(measured.mean[0] as number).toFixed(4)} `));
  assert.match(readFileSync(picture, 'utf8'), /^<svg/);
  const json = await run(flowers, '--size', '24', '--seed', '4', '--json');
  assert.deepEqual(JSON.parse(json.out), stored);
});

test('a split that is given is used, and nothing is written unless asked for', async () => {
  const split = await splitDataset(imageFolder(flowers), { seed: 9, train: 0.5, validation: 0.25, test: 0.25 });
  const file = path.join(root, 'own.json');
  await saveSplit(split, file);
  const before = readdirSync(root).sort();
  const { out, code, err } = await run(flowers, '--size', '24', '--split-file', file);
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`: ${split.train.length} pictures`));
  assert.deepEqual(readdirSync(root).sort(), before);
});

test('tables: a line a column', async () => {
  const out = path.join(root, 'rows.json');
  const told = await run(plants, '--out', out);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /size +log\(1 \+ x\) .*after the logarithm/);
  assert.match(told.out, /height +as it is .*% missing/);
  assert.match(told.out, /colour +categories .*2 categories/);
  assert.match(told.out, /place +dropped .*the same value everywhere, 7/);
  assert.equal(JSON.parse(readFileSync(out, 'utf8')).kind, 'table');
});

test('what cannot be is one sentence', async () => {
  for (const [args, message] of [
    [[plants, '--picture', path.join(root, 'x.svg')], /--picture draws the channels of pictures/],
    [[flowers, '--size', '0'], /--size takes a whole number of pixels/],
    [[flowers, '--size', 'big'], /--size takes a whole number of pixels/],
    [[flowers, '--seed', 'x'], /seed/],
    [[path.join(root, 'nothing')], /no such file/],
    [[flowers, '--split-file', path.join(root, 'nothing.json')], /there is no split file/],
    [[flowers, '--channels', '2'], /Allowed choices are/],
    [[flowers, '--size', '24', '--out', path.join(root, 'no', 'where', 'n.json')], /n\.json/],
  ] as const) {
    const { code, err } = await run(...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(err, message);
    assert.equal(err.trim().split('\n').length, 1, err);
  }
  assert.equal(existsSync(path.join(root, 'x.svg')), false);
});
