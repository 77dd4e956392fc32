/** `praxis split`, run as a command. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { formatCounts } from '../../src/cli/split.js';
import { imageFolder } from '../../src/data/sources/index.js';
import { loadSplit } from '../../src/data/split/index.js';
import { praxis, type Said } from '../support/command.js';

let root: string;
let data: string;

/** A small picture that looks like no other. */
async function picture(file: string, seed: number): Promise<void> {
  const width = 24;
  const bytes = Uint8Array.from({ length: width * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const block = Math.floor(pixel / width / 4) * 6 + Math.floor((pixel % width) / 4);
    return ((seed + 1) * (block + 3) * (block + 7 * seed + 1) * 37) % 256;
  });
  await sharp(bytes, { raw: { width, height: width, channels: 3 } })
    .png()
    .toFile(file);
}

before(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-split-'));
  data = path.join(root, 'flores ñ');
  for (const [label, name] of ['rose', 'tulip'].entries()) {
    mkdirSync(path.join(data, name), { recursive: true });
    for (let i = 0; i < 20; i++) await picture(path.join(data, name, `plant${i % 10}_${i}.png`), label * 20 + i);
  }
});
after(() => rmSync(root, { recursive: true, force: true }));

/** What the command prints, and its exit code. */
const run = (...args: string[]): Promise<Said> => praxis('split', ...args);

test('prints the parts and the checks, and saves what can be loaded', async () => {
  const file = path.join(root, 'split.json');
  const { out, err, code } = await run(data, '--out', file, '--folds', '4');
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(out, /^flores ñ: 28 train, 6 validation, 6 test \(sealed\)\n\nclass +train +validation +test +all\n/);
  assert.match(out, /\nrose +14 +3 +3 +20\ntulip +14 +3 +3 +20\nall +28 +6 +6 +40\n/);
  assert.match(out, /\nfold 4 /);
  assert.match(out, /✔ Labels are distributed alike/);
  assert.match(out, /✔ No copies or near-copies/);
  assert.ok(out.endsWith(`Saved in ${file}; the labels of the test part are sealed until praxis test.\n`));
  assert.equal((await loadSplit(file, imageFolder(data))).train.length, 28);
});

test('does as its flags say', async () => {
  const dry = path.join(root, 'dry.json');
  const json = await run(
    data,
    '--out',
    dry,
    '--dry-run',
    '--json',
    '--train',
    '0.5',
    '--test',
    '0.25',
    '--seed',
    '3',
    '--no-stratify',
  );
  const answer = JSON.parse(json.out);
  assert.deepEqual(answer.samples, { train: 20, validation: 10, test: 10 });
  assert.equal(answer.settings.seed, 3);
  assert.equal(answer.settings.stratify, false);
  assert.equal(answer.saved, null);
  assert.ok(!existsSync(dry), '--dry-run saves nothing');
  assert.deepEqual(
    readdirSync(root).filter((name) => name.includes('dry')),
    [],
  );
  const grouped = await run(data, '--dry-run', '--json', '--group-by', '(plant\\d+)_');
  assert.equal(JSON.parse(grouped.out).settings.groups, true);
  const none = await run(data, '--dry-run', '--json', '--no-duplicates');
  assert.equal(JSON.parse(none.out).settings.duplicates, false);
  const exact = await run(data, '--dry-run', '--json', '--no-near-duplicates');
  assert.equal(JSON.parse(exact.out).settings.duplicates, 'exact');
});

test('answers every mistake in one sentence', async () => {
  const one = path.join(root, 'one');
  mkdirSync(path.join(one, 'rose'), { recursive: true });
  for (let i = 0; i < 4; i++) await picture(path.join(one, 'rose', `${i}.png`), i);
  const single = path.join(root, 'single');
  for (const [i, name] of ['a', 'b'].entries()) {
    mkdirSync(path.join(single, name), { recursive: true });
    await picture(path.join(single, name, '1.png'), i);
  }
  mkdirSync(path.join(root, 'empty'));
  const cases: [string[], RegExp][] = [
    [[path.join(root, 'nowhere')], /nowhere: no such file or folder/],
    [[path.join(root, 'empty')], /empty/],
    [[one], /all 4 samples have the label rose: there is nothing to learn from one class/],
    [[single], /2 .*3 parts/],
    [[data, '--train', '0.9', '--validation', '0.2', '--test', '0.1'], /must sum to 1; 0\.9 \+ 0\.2 \+ 0\.1 is 1\.2/],
    [[data, '--train', 'most'], /--train takes a number, not 'most'/],
    [[data, '--seed', '1.5'], /seed of a split must be a whole number/],
    [[data, '--folds', '1'], /folds must be a whole number from 2/],
    [[data, '--group-by', 'column'], /matches none of the names/],
    [[data, '--group-by', '('], /regular expression/],
    [[data, '--trian', '0.7'], /Unknown option '--trian'/],
    [[], /Missing required argument 'data'/],
    [[data, '--out', path.join(root, 'no', 'such', 'split.json')], /no.such.split\.json/],
  ];
  for (const [args, message] of cases) {
    const { err, code, out } = await run(...(args.includes('--out') ? args : [...args, '--dry-run']));
    assert.match(err, message);
    assert.ok(code !== 0, `${args.join(' ')} fails`);
    assert.equal(out, '');
    assert.ok(err.trim().split('\n').length <= 2 && !err.includes('    at '), err);
  }
});

test('changes no file of the user', async () => {
  const state = (): string[] =>
    readdirSync(data, { recursive: true }).map((name) => `${name} ${statSync(path.join(data, String(name))).mtimeMs}`);
  const earlier = state();
  await run(data, '--dry-run');
  assert.deepEqual(state(), earlier);
});

test('keeps the table to one screen', () => {
  const classes = Array.from({ length: 102 }, (_, i) => `class ${i}`);
  const counts = {
    train: classes.map((_, i) => 300 - i),
    validation: classes.map(() => 20),
    test: classes.map(() => 20),
  };
  const lines = formatCounts({ classes, counts });
  assert.ok(lines.length <= 24);
  assert.match(lines.join('\n'), /… 82 more classes/);
});
