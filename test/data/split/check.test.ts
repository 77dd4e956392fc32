import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataError } from '../../../src/data/errors.js';
import { sampleRandom } from '../../../src/data/random.js';
import type { SplitFinding } from '../../../src/data/split/findings.js';
import { checkSplit, splitDataset } from '../../../src/data/split/index.js';
import { secretsOf } from '../../../src/data/split/seal-events.js';
import { randomSamples, textDataset } from './memory.js';

const labelFinding = (findings: readonly SplitFinding[]): SplitFinding =>
  findings.find(({ check }) => check === 'labels') as SplitFinding;

describe('checkSplit', () => {
  it('raises an alarm in at most 6 % of 1,000 random splits, at a level of 5 %', async () => {
    let alarms = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const draws = sampleRandom(seed, 0, 0);
      const classes = 2 + draws.integer(8);
      const count = 60 + draws.integer(400);
      const samples = Array.from({ length: count }, (_, i) => ({
        labels: [Math.floor(classes * draws.uniform() ** 1.5)],
        text: `${i}`,
      }));
      const split = await splitDataset(textDataset(samples, classes), { stratify: false, seed });
      if (labelFinding(split.findings).severity !== 'good') alarms++;
    }
    assert.ok(alarms <= 60, `${alarms} alarms`);
    assert.ok(alarms >= 25, `${alarms} alarms: a test that never speaks proves nothing`);
  });

  it('raises no more alarms when copies and groups stay together', async () => {
    let alarms = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { samples, classes } = randomSamples(seed + 900);
      const split = await splitDataset(textDataset(samples, classes), { stratify: false, seed });
      if (labelFinding(split.findings).severity !== 'good') alarms++;
    }
    assert.ok(alarms <= 18, `${alarms} of 200`);
  });

  it('flags a biased split', async () => {
    let flagged = 0;
    for (let seed = 0; seed < 100; seed++) {
      const draws = sampleRandom(seed, 2, 0);
      const samples = Array.from({ length: 400 }, (_, i) => ({ labels: [i % 4], text: `${i}` }));
      const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
      // Class 0 has half its share of the test part.
      samples.forEach(({ labels: [label] }, i) => {
        const test = label === 0 ? 0.08 : 0.24;
        parts[draws.chance(test) ? 'test' : draws.chance(0.2) ? 'validation' : 'train'].push(i);
      });
      const finding = labelFinding(await checkSplit(textDataset(samples, 4), parts));
      if (finding.severity !== 'good') {
        flagged++;
        assert.match(finding.message, /^Labels are distributed differently/);
        assert.ok(finding.remedy);
      }
    }
    assert.ok(flagged >= 60, `${flagged} of 100`);
    const sorted = textDataset(
      Array.from({ length: 90 }, (_, i) => ({ labels: [Math.floor(i / 30)], text: `${i}` })),
      3,
    );
    const range = (from: number) => Array.from({ length: 30 }, (_, i) => from + i);
    const finding = labelFinding(await checkSplit(sorted, { train: range(0), validation: range(30), test: range(60) }));
    assert.equal(finding.severity, 'warning');
    assert.ok((finding.evidence.pValue as number) < 1e-9);
  });

  it('lists copies across parts that were given', async () => {
    const samples = Array.from({ length: 40 }, (_, i) => ({
      labels: [i % 2],
      text: i === 39 ? 'TEXT  0' : `text ${i}`,
    }));
    const even = samples.map((_, i) => i);
    const parts = { train: even.slice(0, 20), validation: even.slice(20, 30), test: even.slice(30) };
    const dataset = textDataset(samples, 2, { officialParts: parts });
    const split = await splitDataset(dataset);
    const leak = split.findings.find(({ check }) => check === 'leaks') as SplitFinding;
    assert.equal(leak.severity, 'warning');
    assert.match(
      leak.message,
      /^1 group of copies lies in more than one part.*made\.csv#0 \(train\) and made\.csv#39 \(test\)\.$/,
    );
    assert.match(leak.remedy ?? '', /--no-official/);
    assert.deepEqual(secretsOf(split).parts.test, parts.test);
    const anew = await splitDataset(textDataset(samples, 2));
    assert.match(
      anew.findings.find(({ check }) => check === 'leaks')?.message ?? '',
      /^No copies straddle the parts; 1 group/,
    );
  });

  it('refuses parts that overlap or name what is not there', async () => {
    const dataset = textDataset(
      Array.from({ length: 4 }, (_, i) => ({ labels: [i % 2], text: `${i}` })),
      2,
    );
    const fails = (parts: Parameters<typeof checkSplit>[1], message: RegExp): Promise<void> =>
      assert.rejects(checkSplit(dataset, parts), (error) => error instanceof DataError && message.test(error.message));
    await fails({ train: [0, 1], validation: [1], test: [] }, /sample 1 .* in train and in validation/);
    await fails({ train: [0], validation: [9], test: [] }, /validation part names sample 9.* 0 to 3/);
  });
});
