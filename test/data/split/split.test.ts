import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataError } from '../../../src/data/errors.js';
import { sampleRandom } from '../../../src/data/random.js';
import { kFold, type Split, splitDataset } from '../../../src/data/split/index.js';
import { secretsOf } from '../../../src/data/split/seal-events.js';
import type { Dataset, Part } from '../../../src/data/types.js';
import { type MadeSample, randomSamples, textDataset } from './memory.js';

const parts = ['train', 'validation', 'test'] as const;

/** Part of each sample: 0, 1 or 2. Only a test may look there. */
function partOf(split: Split, length: number): Uint8Array {
  const part = new Uint8Array(length).fill(255);
  const made = secretsOf(split).parts;
  parts.forEach((name, p) => {
    for (const index of made[name]) {
      assert.equal(part[index], 255, 'a sample is in one part only');
      part[index] = p;
    }
  });
  return part;
}

/** Keys that are in more than one part. */
function straddling(part: Uint8Array, key: (index: number) => string | undefined): string[] {
  const seen = new Map<string, number>();
  const bad: string[] = [];
  part.forEach((p, index) => {
    const own = key(index);
    if (own === undefined) return;
    if ((seen.get(own) ?? p) !== p) bad.push(own);
    seen.set(own, p);
  });
  return bad;
}

const plain = (counts: readonly number[]): MadeSample[] =>
  counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ labels: [label], text: `${label} ${i}` })),
  );

describe('splitDataset', () => {
  it('never lets copies or groups straddle parts, in 1,000 random data sets', async () => {
    let groups = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const { samples, classes } = randomSamples(seed, seed % 4 === 3);
      const dataset = textDataset(samples, classes, { multiLabel: seed % 4 === 3 });
      const split = await splitDataset(dataset, { seed, stratify: seed % 5 !== 0, check: false });
      const part = partOf(split, samples.length);
      assert.ok(!part.includes(255), 'every sample is somewhere');
      const text = (index: number): string => (samples[index] as MadeSample).text.trim().toLowerCase();
      assert.deepEqual(straddling(part, text), []);
      assert.deepEqual(
        straddling(part, (index) => samples[index]?.group),
        [],
      );
      groups += samples.filter(({ group }) => group).length;
    }
    assert.ok(groups > 10000, 'there were groups to keep together');
  });

  it('keeps folds free of straddling copies and groups, in 200 random data sets', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { samples, classes } = randomSamples(seed + 5000);
      const dataset = textDataset(samples, classes);
      const folds = 2 + (seed % 6);
      const dealt = await kFold(dataset, { folds, seed });
      const foldOf = new Uint8Array(samples.length).fill(255);
      for (const { number, train, validation } of dealt) {
        assert.equal(train.length + validation.length, samples.length);
        for (let i = 0; i < validation.length; i++) {
          const index = Number(validation.sampleName(i).split('#')[1]);
          assert.equal(foldOf[index], 255);
          foldOf[index] = number;
        }
      }
      assert.ok(!foldOf.includes(255));
      assert.deepEqual(
        straddling(foldOf, (index) => samples[index]?.text.trim().toLowerCase()),
        [],
      );
      assert.deepEqual(
        straddling(foldOf, (index) => samples[index]?.group),
        [],
      );
    }
  });

  it('gives each class and each part its share to within one sample', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const draws = sampleRandom(seed, 3, 2);
      const counts = Array.from({ length: 2 + draws.integer(60) }, () => 8 + draws.integer(40));
      const shares =
        seed % 2 ? { train: 0.7, validation: 0.15, test: 0.15 } : { train: 0.75, validation: 0.125, test: 0.125 };
      const split = await splitDataset(textDataset(plain(counts), counts.length), { ...shares, seed, check: false });
      const total = counts.reduce((a, b) => a + b, 0);
      for (const part of parts) {
        counts.forEach((count, label) => {
          const got = split.counts[part][label] as number;
          assert.ok(Math.abs(got - shares[part] * count) < 1 + 1e-9, `${part} has ${got} of ${count}`);
        });
        assert.ok(
          Math.abs(split[part].length - shares[part] * total) <= 1.5,
          `${part} has ${split[part].length} of ${total}`,
        );
      }
    }
  });

  it('stratifies many labels per sample better than chance', async () => {
    const deviation = (split: Split): number =>
      parts.reduce((sum, part) => {
        const share = split[part].length / (split.train.length + split.validation.length + split.test.length);
        return split.classes.reduce((inner, _, label) => {
          const all = parts.reduce((count, other) => count + (split.counts[other][label] as number), 0);
          return inner + Math.abs((split.counts[part][label] as number) - share * all);
        }, sum);
      }, 0);
    let better = 0;
    for (let seed = 0; seed < 50; seed++) {
      const draws = sampleRandom(seed, 1, 1);
      const samples = Array.from({ length: 400 }, (_, i) => ({
        labels: Array.from({ length: 12 }, (_, l) => l).filter((l) => draws.chance(0.4 / (l + 1))),
        text: `${i}`,
      }));
      const make = (stratify: boolean) =>
        splitDataset(textDataset(samples, 12, { multiLabel: true }), { stratify, seed, check: false });
      const [with_, without] = [deviation(await make(true)), deviation(await make(false))];
      if (with_ < without / 2) better++;
    }
    assert.ok(better >= 48, `${better} of 50`);
  });

  it('puts every class with three samples into every part, and names those with fewer', async () => {
    const counts = [40, 3, 4, 2, 1];
    for (let seed = 0; seed < 20; seed++) {
      const split = await splitDataset(textDataset(plain(counts), 5), { seed });
      for (const part of parts) for (const label of [0, 1, 2]) assert.ok((split.counts[part][label] as number) > 0);
      assert.equal(split.counts.train[4], 1, 'what there is one of is for training');
      assert.equal(split.counts.train[3], 1);
      const rare = split.findings.find(({ check }) => check === 'rare-classes');
      assert.match(rare?.message ?? '', /^2 classes .*class 3 \(2\), class 4 \(1\)\.$/);
      assert.ok(rare?.remedy);
    }
  });

  it('gives the same split for the same seed and another for another', async () => {
    const { samples, classes } = randomSamples(11);
    const make = async (seed: number) =>
      partOf(await splitDataset(textDataset(samples, classes), { seed }), samples.length);
    assert.deepEqual(await make(4), await make(4));
    assert.notDeepEqual(await make(4), await make(5));
    // A fixed answer: splits must not change from one version to the next.
    const split = await splitDataset(textDataset(plain([5, 5]), 2), {
      train: 0.6,
      validation: 0.2,
      test: 0.2,
      seed: 1,
    });
    assert.deepEqual([...partOf(split, 10)], [1, 0, 2, 0, 0, 0, 2, 1, 0, 0]);
  });

  it('keeps parts that come with the data, and carves what is missing from the training part', async () => {
    const samples = plain([40, 40, 40]);
    const test = samples.map((_, i) => i).filter((i) => i % 4 === 0);
    const train = samples.map((_, i) => i).filter((i) => i % 4 !== 0);
    const dataset = () => textDataset(samples, 3, { officialParts: { train, validation: [], test } });
    const split = await splitDataset(dataset());
    const made = secretsOf(split).parts;
    assert.deepEqual(made.test, test);
    assert.deepEqual(
      [...made.train, ...made.validation].sort((a, b) => a - b),
      train,
    );
    assert.ok(Math.abs(split.validation.length - (90 * 0.15) / 0.85) <= 1);
    assert.match(
      split.findings.find(({ check }) => check === 'official-parts')?.message ?? '',
      /validation was carved/,
    );
    const anew = await splitDataset(dataset(), { official: false });
    assert.notDeepEqual(secretsOf(anew).parts.test, test);
    assert.equal(anew.settings.official, false);
  });

  it('says in one sentence what cannot be done', async () => {
    const dataset = (): Dataset => textDataset(plain([5, 5]), 2);
    const fails = (options: object, message: RegExp, of: Dataset = dataset()): Promise<void> =>
      assert.rejects(splitDataset(of, options), (error: Error) => {
        assert.ok(error instanceof DataError);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    await fails({ train: 0.7, validation: 0.2, test: 0.2 }, /must sum to 1.*1\.1/);
    await fails({ train: 1.5 }, /between 0 and 1/);
    await fails({ train: 0 }, /training part needs a share/);
    await fails({ seed: -1 }, /seed/);
    await fails({ groups: ['a'] }, /groups has 1 entries.*10/);
    await fails({}, /nothing to learn from one class/, textDataset(plain([9]), 2));
    await fails({}, /empty/, textDataset([], 2));
    const one = Array.from({ length: 6 }, (_, i) => ({ labels: [i % 2], text: 'same' }));
    await fails({}, /must stay together/, textDataset(one, 2));
    await assert.rejects(kFold(dataset(), { folds: 1 }), /folds must be/);
    await assert.rejects(kFold(dataset(), { folds: 11 }), /too few for 11 folds/);
  });

  it('splits 50,000 samples of 1,000 classes in a moment', async () => {
    const samples = Array.from({ length: 50000 }, (_, i) => ({ labels: [i % 1000], text: `${i}` }));
    const started = performance.now();
    const split = await splitDataset(textDataset(samples, 1000), { check: false });
    assert.ok(performance.now() - started < 10000);
    const sizes: Record<Part, number> = { train: 35000, validation: 7500, test: 7500 };
    for (const part of parts) assert.equal(split[part].length, sizes[part]);
  });
});
