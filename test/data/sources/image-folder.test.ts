import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { DataError } from '../../../src/data/errors.js';
import { datasetWarnings, imageFolder, subset } from '../../../src/data/sources/index.js';
import { locationOf, nameOf, readSealed, sealSamples, shownName } from '../../../src/data/sources/sealing.js';
import type { PictureDataset } from '../../../src/data/types.js';

const base = mkdtempSync(path.join(tmpdir(), 'praxis-folder-'));
after(() => rmSync(base, { recursive: true }));
let made = 0;

/** A new folder with these files, empty ones: sources do not open pictures. */
function folder(...files: string[]): string {
  const root = path.join(base, `data${made++}`);
  mkdirSync(root);
  for (const file of files) {
    const place = path.join(root, file);
    if (file.endsWith('/')) mkdirSync(place, { recursive: true });
    else {
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, '');
    }
  }
  return root;
}

const names = (dataset: PictureDataset): string[] =>
  Array.from({ length: dataset.length }, (_, i) => dataset.sampleName(i));
const reasons = (dataset: PictureDataset): Record<string, string> =>
  Object.fromEntries(dataset.skipped.map((entry) => [entry.path, entry.reason]));

describe('imageFolder', () => {
  it('takes pictures nested to any depth, in order by code units, with the first level as class', () => {
    const root = folder(
      'b/2.jpg',
      'b/10.JPEG',
      'a/deep/er/x.png',
      'a/Z.webp',
      'a/z.tif',
      'a/é.gif',
      'a/花.avif',
      'ä/1.bmp',
    );
    const dataset = imageFolder(root);
    assert.deepEqual(dataset.classes, ['a', 'b', 'ä']);
    assert.deepEqual(names(dataset), [
      'a/Z.webp',
      'a/deep/er/x.png',
      'a/z.tif',
      'a/é.gif',
      'a/花.avif',
      'b/10.JPEG',
      'b/2.jpg',
      'ä/1.bmp',
    ]);
    assert.deepEqual(
      [0, 5, 7].map((i) => dataset.target(i)),
      [0, 1, 2],
    );
    assert.deepEqual(dataset.labels(6), [1]);
    assert.deepEqual(dataset.location(1), { kind: 'file', path: `${root.split(path.sep).join('/')}/a/deep/er/x.png` });
    assert.equal(dataset.name, path.basename(root));
    assert.equal(dataset.officialParts, undefined);
    assert.deepEqual(datasetWarnings(dataset).length, 1); // ä has one picture
  });

  it('leaves out what is no picture, and says why', () => {
    const root = folder(
      'a/1.jpg',
      'a/.DS_Store',
      'a/Thumbs.db',
      'a/notes.txt',
      'a/none',
      'a/p.heic',
      '.git/x/1.jpg',
      '__MACOSX/a/1.jpg',
      'top.jpg',
      'empty/',
    );
    const dataset = imageFolder(root, { name: 'flowers' });
    assert.equal(dataset.name, 'flowers');
    assert.deepEqual(names(dataset), ['a/1.jpg']);
    assert.deepEqual(dataset.classes, ['a', 'empty']);
    assert.deepEqual(reasons(dataset), {
      '.git': 'hidden',
      __MACOSX: 'left by the operating system',
      'a/.DS_Store': 'hidden',
      'a/Thumbs.db': 'left by the operating system',
      'a/none': 'no extension',
      'a/notes.txt': 'not a picture (.txt)',
      'a/p.heic': 'HEIC is not read: convert it to JPEG',
      'top.jpg': 'not in a class folder',
    });
    assert.deepEqual(datasetWarnings(dataset), [
      'flowers has one sample only: nothing can be held back to test with',
      'flowers has samples of one class only (a): there is nothing to tell apart',
      'a class has no samples: empty',
    ]);
  });

  it('excludes by name', () => {
    const root = folder('a/1.jpg', 'a/2.jpg', 'b/1.jpg');
    const dataset = imageFolder(root, { exclude: new Set(['a/1.jpg']) });
    assert.deepEqual(names(dataset), ['a/2.jpg', 'b/1.jpg']);
    assert.deepEqual(reasons(dataset), { 'a/1.jpg': 'left out by name' });
  });

  it('reads folders named after parts as the official split', () => {
    const root = folder(
      'train/a/1.jpg',
      'train/b/1.jpg',
      'Valid/a/2.jpg',
      'test/b/3.jpg',
      'test/loose.jpg',
      'papers/x/1.jpg',
    );
    const dataset = imageFolder(root);
    assert.deepEqual(dataset.classes, ['a', 'b']);
    assert.deepEqual(names(dataset), ['Valid/a/2.jpg', 'test/b/3.jpg', 'train/a/1.jpg', 'train/b/1.jpg']);
    assert.deepEqual(dataset.officialParts, { train: [2, 3], validation: [0], test: [1] });
    assert.equal(dataset.target(1), 1);
    assert.deepEqual(reasons(dataset), {
      'papers/x/1.jpg': 'beside Valid, test, train',
      'test/loose.jpg': 'not in a class folder',
    });
    const lone = imageFolder(folder('train/a/1.jpg', 'train/b/1.jpg'));
    assert.deepEqual([lone.classes, lone.officialParts], [['a', 'b'], undefined]);
    const classes = imageFolder(folder('train/1.jpg', 'car/1.jpg', 'test/2.jpg'));
    assert.deepEqual(classes.classes, ['car', 'test', 'train']);
  });

  it('a directory called x.jpg is a folder, on any level', () => {
    const dataset = imageFolder(folder('x.jpg/1.png', 'a/y.jpg/2.png'));
    assert.deepEqual(names(dataset), ['a/y.jpg/2.png', 'x.jpg/1.png']);
    assert.deepEqual(dataset.classes, ['a', 'x.jpg']);
  });

  it('follows links once, and never in circles', () => {
    const root = folder('a/1.jpg', 'b/1.jpg');
    const outside = folder('p/2.jpg');
    symlinkSync('..', path.join(root, 'a', 'up'));
    symlinkSync(root, path.join(root, 'self'));
    symlinkSync('a', path.join(root, 'c'));
    symlinkSync(path.join(outside, 'p'), path.join(root, 'd'));
    symlinkSync('nowhere', path.join(root, 'b', 'gone.jpg'));
    symlinkSync('loop.jpg', path.join(root, 'b', 'loop.jpg'));
    symlinkSync('1.jpg', path.join(root, 'b', 'same.jpg'));
    const dataset = imageFolder(root);
    assert.deepEqual(names(dataset), ['a/1.jpg', 'b/1.jpg', 'b/same.jpg', 'd/2.jpg']);
    assert.deepEqual(dataset.classes, ['a', 'b', 'd']);
    assert.deepEqual(reasons(dataset), {
      'a/up': 'a link to a folder that is already read',
      'b/gone.jpg': 'a symbolic link to nothing',
      'b/loop.jpg': 'a symbolic link that leads round in a circle',
      c: 'a link to a folder that is already read',
      self: 'a link to a folder that is already read',
    });
  });

  it('very long paths', () => {
    const deep = `${'long folder name '.repeat(10)}/`.repeat(6);
    const dataset = imageFolder(folder(`a/${deep}1.jpg`, `a/${'x'.repeat(240)}.jpg`));
    assert.equal(dataset.length, 2);
    assert.ok(dataset.sampleName(0).length > 1000);
  });

  it('an unreadable folder is named', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, () => {
    const root = folder('a/1.jpg', 'b/1.jpg');
    chmodSync(path.join(root, 'b'), 0);
    const dataset = imageFolder(root);
    chmodSync(path.join(root, 'b'), 0o755);
    assert.deepEqual(reasons(dataset), { b: 'unreadable folder: not readable: permission denied' });
    assert.match(datasetWarnings(dataset).join(), /a folder could not be read: b/);
  });

  it('names that are not UTF-8 are named, not lost', { skip: process.platform !== 'linux' }, () => {
    const root = folder('a/1.jpg');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/a/`), Buffer.from([0xff, 0xfe]), Buffer.from('.jpg')]), '');
    const dataset = imageFolder(root);
    assert.equal(dataset.length, 1);
    assert.match(dataset.skipped[0]?.reason ?? '', /not valid UTF-8/);
  });

  it('says what it expected where there is nothing to take', () => {
    assert.throws(() => imageFolder(path.join(base, 'nowhere')), /no such folder/);
    const file = path.join(folder('a/1.jpg'), 'a', '1.jpg');
    assert.throws(() => imageFolder(file), /is a file: a folder with one folder of pictures per class was expected/);
    assert.throws(
      () => imageFolder(folder('1.jpg', '2.jpg')),
      /holds 2 pictures but none in a class folder: sort them into .*<class>/,
    );
    assert.throws(
      () => imageFolder(folder('a/readme.txt')),
      /holds no pictures: .*<class>\/picture\.jpg was expected .*readme\.txt/,
    );
    assert.throws(() => imageFolder(folder()), DataError);
  });

  it('20,000 files take seconds at most', () => {
    const root = folder();
    for (let c = 0; c < 20; c++) {
      mkdirSync(path.join(root, `c${c}`));
      for (let i = 0; i < 1000; i++) writeFileSync(path.join(root, `c${c}`, `${i}.jpg`), '');
    }
    const start = performance.now();
    const dataset = imageFolder(root);
    assert.equal(dataset.length, 20000);
    assert.ok(performance.now() - start < 3000);
  });
});

describe('the seal', () => {
  const dataset = imageFolder(folder('rose/1.jpg', 'rose/2.jpg', 'tulip/1.jpg', 'tulip/2.jpg'));
  const before = subset(dataset, [3, 0]);
  sealSamples(dataset, [1, 3]);

  it('hides label, name, path and group of sealed samples, in subsets made before and after too', () => {
    const after_ = subset(subset(dataset, [1, 2, 3]), [2, 1]);
    for (const [data, index] of [
      [dataset, 1],
      [dataset, 3],
      [before, 0],
      [after_, 0],
    ] as const) {
      for (const call of ['target', 'labels', 'sampleName', 'group', 'location'] as const)
        assert.throws(() => data[call]?.(index), /sealed test part/, call);
      assert.match(shownName(data, index), /^sealed\/00000/);
    }
    assert.equal(before.target(1), 0);
    assert.equal(after_.sampleName(1), 'tulip/1.jpg');
  });

  it('is not got round by printing, JSON or properties', () => {
    const everything =
      inspect(dataset, { depth: 9, showHidden: true }) + JSON.stringify(dataset) + inspect(Object.entries(dataset));
    assert.ok(!/rose\/2|tulip\/2/.test(everything), everything);
  });

  it('lets the test step read', () => {
    assert.deepEqual(readSealed(dataset, 3).labels, [1]);
    assert.equal(nameOf(before, 0), 'tulip/2.jpg');
    const location = locationOf(before, 0);
    assert.ok(location.kind === 'file' && location.path.endsWith('tulip/2.jpg'));
  });

  it('names samples that do not exist', () => {
    assert.throws(() => dataset.target(4), /has samples 0 to 3, there is no sample 4/);
    assert.throws(() => dataset.sampleName(-1), DataError);
    assert.throws(() => subset(dataset, [0, 9]), /there is no sample 9/);
    assert.throws(() => sealSamples(dataset, [7]), DataError);
    assert.throws(() => sealSamples({ ...dataset } as PictureDataset, [0]), /take a subset\(\) of it/);
  });
});

it('subset keeps names, places, classes and official parts', () => {
  const dataset = imageFolder(folder('train/a/1.jpg', 'train/b/1.jpg', 'test/a/2.jpg'));
  const part = subset(dataset, [2, 0], { name: 'part' });
  assert.deepEqual([part.name, part.length, part.classes], ['part', 2, ['a', 'b']]);
  assert.deepEqual(names(part), [dataset.sampleName(2), dataset.sampleName(0)]);
  assert.deepEqual(part.location(0), dataset.location(2));
  assert.deepEqual(part.officialParts, { train: [0], validation: [], test: [1] });
});
