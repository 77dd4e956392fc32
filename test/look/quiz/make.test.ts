import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { openSource } from '../../../src/data/open-source.js';
import { contentsOf } from '../../../src/data/sources/sealing.js';
import { splitDataset } from '../../../src/data/split/index.js';
import { secretsOf } from '../../../src/data/split/seal-events.js';
import type { PictureDataset } from '../../../src/data/types.js';
import { drawSample, makeQuiz } from '../../../src/look/quiz/make.js';
import { addBroken, squares } from './data.js';

const tally = (labels: readonly number[], classes: number): number[] =>
  Array.from({ length: classes }, (_, label) => labels.filter((one) => one === label).length);

describe('drawSample', () => {
  test('gives each class its share, rounded up or down', () => {
    const sizes = [70, 20, 7, 3];
    const labels = sizes.flatMap((size, label) => new Array<number>(size).fill(label));
    for (let seed = 0; seed < 50; seed++) {
      const { chosen } = drawSample(labels, 30, seed);
      assert.equal(new Set(chosen).size, 30, 'no picture twice');
      const counts = tally(
        chosen.map((position) => labels[position] as number),
        4,
      );
      for (const [label, size] of sizes.entries()) {
        const share = (30 * size) / 100;
        assert.ok((counts[label] as number) >= Math.floor(share), `seed ${seed}: ${counts}`);
        assert.ok((counts[label] as number) <= Math.ceil(share), `seed ${seed}: ${counts}`);
      }
    }
  });

  test('every sample has the same chance, and the order tells nothing', () => {
    const labels = [...new Array<number>(30).fill(0), ...new Array<number>(10).fill(1)];
    const drawn = new Array<number>(40).fill(0);
    let firstOfSmall = 0;
    const rounds = 4000;
    for (let seed = 0; seed < rounds; seed++) {
      const { chosen } = drawSample(labels, 6, seed);
      for (const position of chosen) drawn[position] = (drawn[position] as number) + 1;
      if (labels[chosen[0] as number] === 1) firstOfSmall++;
    }
    // Binomial with p = 6/40: five standard deviations.
    const expected = (rounds * 6) / 40;
    const margin = 5 * Math.sqrt(expected * (1 - 6 / 40));
    for (const [position, times] of drawn.entries())
      assert.ok(Math.abs(times - expected) < margin, `${position} was drawn ${times} times of ${expected}`);
    assert.ok(
      Math.abs(firstOfSmall - rounds / 4) < 5 * Math.sqrt((rounds * 3) / 16),
      `${firstOfSmall} of ${rounds / 4}`,
    );
  });

  test('all of them, and replacements of the same class', () => {
    const labels = [0, 0, 0, 1, 1, 1];
    const all = drawSample(labels, 6, 1);
    assert.deepEqual([...all.chosen].sort(), [0, 1, 2, 3, 4, 5]);
    assert.equal(all.replace(0), undefined);
    const two = drawSample(labels, 2, 1);
    const [first] = two.chosen as [number];
    const others = [two.replace(first), two.replace(first), two.replace(first)];
    assert.equal(others[2], undefined);
    for (const other of others.slice(0, 2)) {
      assert.equal(labels[other as number], labels[first]);
      assert.ok(!two.chosen.includes(other as number));
    }
  });
});

describe('makeQuiz', () => {
  let folder: string;
  const open = (): Promise<PictureDataset> => openSource(path.join(folder, 'data')) as Promise<PictureDataset>;
  before(async () => {
    folder = await squares(['ash', 'beech', 'cedar'], [40, 20, 20]);
  });
  after(() => rmSync(folder, { recursive: true }));

  test('asks about the validation part alone, shows examples of the training part, nothing of the test part', async () => {
    const dataset = await open();
    const split = await splitDataset(dataset, { check: false, duplicates: false });
    const { dataset: sealed, parts } = secretsOf(split);
    const names = (indices: readonly number[]): Set<string> => new Set(indices.map((i) => contentsOf(sealed).name(i)));
    const quiz = await makeQuiz(dataset, { split, pictures: 1000 });
    const asked = new Set(quiz.pictures.map(({ name }) => name));
    assert.deepEqual(asked, names(parts.validation), 'all of it, when as many are wanted');
    const train = names(parts.train);
    assert.equal(quiz.examples.length, 9);
    for (const { name } of quiz.examples) assert.ok(train.has(name), name);
    for (const name of names(parts.test)) assert.ok(!asked.has(name), name);
    for (const { name, label } of [...quiz.pictures, ...quiz.examples])
      assert.equal(name.split('/')[0], quiz.classes[label]);
    assert.equal(quiz.splitFingerprint, split.fingerprint);
  });

  test('splits as the split itself does with the same seed; the same seed asks the same', async () => {
    const split = await splitDataset(await open(), { seed: 4, check: false });
    const [one, two, other] = [
      await makeQuiz(await open(), { seed: 4, pictures: 6 }),
      await makeQuiz(await open(), { seed: 4, pictures: 6, split: await splitDataset(await open(), { seed: 4 }) }),
      await makeQuiz(await open(), { seed: 5, pictures: 6 }),
    ];
    assert.equal(one.splitFingerprint, split.fingerprint);
    assert.equal(one.fingerprint, two.fingerprint);
    assert.deepEqual(one.pictures, two.pictures);
    assert.notEqual(one.fingerprint, other.fingerprint);
    const next = await makeQuiz(await open(), { seed: 4, pictures: 6, round: 2 });
    assert.equal(next.splitFingerprint, one.splitFingerprint, 'another round leaves the split alone');
    assert.notDeepEqual(
      next.pictures.map(({ name }) => name),
      one.pictures.map(({ name }) => name),
    );
  });

  test('from the training part: no example is asked', async () => {
    const quiz = await makeQuiz(await open(), { from: 'train', pictures: 20, examples: 5 });
    const asked = new Set(quiz.pictures.map(({ name }) => name));
    assert.equal(quiz.examples.length, 15);
    for (const { name } of quiz.examples) assert.ok(!asked.has(name), name);
  });

  test('shows what the network gets, without a trace of the file', async () => {
    const quiz = await makeQuiz(await open(), { pictures: 2, form: { height: 8, width: 12, channels: 1 } });
    const { width, height, channels, exif, icc, xmp } = await sharp(quiz.pictures[0]?.png).metadata();
    assert.deepEqual([width, height, channels], [12, 8, 1]);
    assert.deepEqual([exif, icc, xmp], [undefined, undefined, undefined]);
    for (const { png, name } of quiz.pictures) assert.ok(!Buffer.from(png).includes(path.basename(name)));
  });

  test('what cannot be read is replaced and named', async () => {
    const own = await squares(['a', 'b'], [12, 12]);
    try {
      for (let i = 0; i < 6; i++) addBroken(own, 'a', `broken-${i}.png`);
      const dataset = await openSource(path.join(own, 'data'));
      const split = await splitDataset(dataset, { duplicates: false, check: false });
      const draw = (round: number) => makeQuiz(dataset, { from: 'train', pictures: 8, split, round });
      let round = 1;
      let quiz = await draw(round);
      while (quiz.unreadable.length === 0 && round < 20) quiz = await draw(++round);
      assert.ok(quiz.unreadable.length > 0);
      assert.equal(quiz.pictures.length, 8);
      for (const { name, reason } of quiz.unreadable) {
        assert.match(name, /^a\/broken-\d\.png$/);
        assert.notEqual(reason, '');
      }
      assert.ok(quiz.pictures.every(({ name }) => !name.includes('broken')));
    } finally {
      rmSync(own, { recursive: true });
    }
  });

  test('bad input gets one sentence', async () => {
    const bad = async (options: object, pattern: RegExp): Promise<void> =>
      assert.rejects(
        makeQuiz(await open(), options),
        (error: Error) => error.name === 'DataError' && pattern.test(error.message),
      );
    await bad({ from: 'test' }, /from must be validation or train, got 'test'; the test part is sealed/);
    await bad({ pictures: 0 }, /pictures must be a whole number from 1 to 1000, got 0/);
    await bad({ examples: -1 }, /examples must be a whole number/);
    const dataset = await open();
    await makeQuiz(dataset, { pictures: 1 });
    await assert.rejects(makeQuiz(dataset, { pictures: 1 }), /sealed test part, so it cannot be split again/);
  });
});
