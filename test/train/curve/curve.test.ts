/** Power laws through points of a known one, and a learning curve of a table. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { sampleRandom } from '../../../src/data/random.js';
import {
  errorAt,
  fitPowerLaw,
  type LearningCurve,
  learningCurve,
  predictError,
  type TrainSettings,
} from '../../../src/train/index.js';
import { noiseTable } from '../noise-table.js';
import { temporaryFolder } from '../runs.js';

const place = temporaryFolder();
after(() => fs.rmSync(place, { recursive: true, force: true }));

const sizes = [100, 200, 400, 800, 1600];

describe('fitPowerLaw', () => {
  it('finds the law that points lie on', () => {
    const law = { floor: 0.08, factor: 3, exponent: 0.6 };
    const found = fitPowerLaw(sizes.map((samples) => ({ samples, error: errorAt(law, samples) })));
    for (const name of ['floor', 'factor', 'exponent'] as const)
      assert.ok(Math.abs(found[name] / law[name] - 1) < 1e-6, `${name}: ${found[name]}`);
    const flat = fitPowerLaw(sizes.map((samples) => ({ samples, error: 0.3 })));
    assert.ok(Math.abs(errorAt(flat, 3200) - 0.3) < 1e-9);
    const falling = fitPowerLaw(sizes.map((samples) => ({ samples, error: 5 / samples })));
    assert.ok(falling.floor >= 0 && errorAt(falling, 1e9) >= 0, 'no error below 0');
  });

  it('covers the truth of twice the data in nine of ten noisy curves or more', () => {
    const law = { floor: 0.1, factor: 2, exponent: 0.5 };
    let covered = 0;
    for (let trial = 0; trial < 40; trial++) {
      const draws = sampleRandom(trial, 0, 0, 49);
      const points = sizes.flatMap((samples) =>
        [0, 1].map(() => ({ samples, error: errorAt(law, samples) + 0.01 * draws.normal() })),
      );
      const { interval } = predictError(points, 3200, { resamples: 120 });
      if (interval.low <= errorAt(law, 3200) && errorAt(law, 3200) <= interval.high) covered += 1;
    }
    assert.ok(covered >= 34, `${covered} of 40`);
  });
});

it('praxis learning-curve trains on growing shares and says what twice the data would bring', async (t) => {
  const data = noiseTable(place, { rows: 400, useless: 6 });
  const settings = {
    ...{ model: 'mlp', width: 16, depth: 1, epochs: 4, batchSize: 16, learningRate: 5e-3, warmup: 0 },
    ...{ precision: 'float32', memoryFormat: 'contiguous', threads: 1, workers: 0, device: 'cpu' },
    out: path.join(place, 'runs'),
  } satisfies TrainSettings;
  const { curve, folder } = await learningCurve({ data, settings, shares: [0.1, 0.4, 1], seeds: 1 });
  const made = curve as LearningCurve;
  assert.deepEqual(
    made.trainings.map(({ samples }) => samples),
    [0.1, 0.4, 1].map((share) => made.trainings.find((one) => one.share === share)?.samples),
  );
  const [tenth, , whole] = made.trainings;
  assert.equal(whole?.samples, made.samples);
  assert.ok(Math.abs((tenth?.samples as number) / made.samples - 0.1) < 0.01);
  assert.ok((whole?.score as number) > (tenth?.score as number), JSON.stringify(made.trainings));
  assert.ok(made.twice.interval.low <= made.twice.score && made.twice.score <= made.twice.interval.high);
  assert.match(made.text, /^Twice the data \(\d+ samples\) would bring about [\d.]+ % accuracy/);
  assert.match(fs.readFileSync(path.join(folder, 'learning-curve.svg'), 'utf8'), /^<svg/);
  await assert.rejects(learningCurve({ data, shares: [0.5, 1] }), /three different shares/);
  const errors: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => errors.push(text) > 0);
  assert.equal(await main(['learning-curve', data, '--shares', '10,200']), 1);
  assert.match(errors.join(''), /--shares takes percents/);
});
