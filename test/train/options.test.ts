/** What the settings promise, tried on rows of numbers: every optimiser and schedule, batch sizes, patience, selection. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { tensorDataset } from '../../src/data/sources/index.js';
import { fasterProductDtype } from '../../src/optim/index.js';
import { torch } from '../../src/torch/index.js';
import { loadRun, type TrainEvent, type TrainOptions, train } from '../../src/train/index.js';
import { planOf } from '../../src/train/recipe/record.js';
import { metricsOf, temporaryFolder } from './runs.js';

const place = temporaryFolder();
after(() => fs.rmSync(place, { recursive: true, force: true }));

/** Rows of 5 numbers whose largest of the first three is the class. */
function rows(count: number) {
  torch.manualSeed(1);
  const input = torch.randn([count, 5]);
  return tensorDataset({ input, target: input.at(':', '0:3').argmax(1), classes: ['a', 'b', 'c'] });
}

let runs = 0;
async function fit(options: Partial<TrainOptions>, count = 200) {
  runs += 1;
  const training = train({
    ...{ data: rows(count), out: path.join(place, `runs-${runs}`), name: 'rows', model: 'mlp', width: 16, epochs: 1 },
    ...{ batchSize: 20, learningRate: 0.01, precision: 'float32', threads: 1, device: 'cpu', warmup: 0, ...options },
  });
  const events: TrainEvent[] = [];
  for await (const event of training) events.push(event);
  const result = await training;
  const rates = events.filter((event) => event.kind === 'step').map(({ learningRate }) => learningRate);
  return { ...result, events, rates };
}

const near = (found: readonly number[], expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries())
    assert.ok(Math.abs(value - (expected[i] as number)) < 1e-9, `step ${i + 1}: ${value}, expected ${expected[i]}`);
};

describe('settings of a run', () => {
  for (const optimizer of ['adamw', 'adam', 'sgd', 'lion', 'rmsprop', 'muon'] as const)
    it(`${optimizer} learns`, async () => {
      const { events, state, folder } = await fit({
        optimizer,
        learningRate: { lion: 0.003, rmsprop: 0.001 }[optimizer as string] ?? 0.01,
        epochs: 5,
      });
      assert.equal(state, 'finished');
      // Muon computes in what is fast here, and the plan says so.
      const fast = optimizer === 'muon' && fasterProductDtype('cpu').dtype === 'float32' ? 'float32' : undefined;
      assert.equal(planOf(folder).optimisation.nsDtype, fast);
      const losses = events.filter((event) => event.kind === 'epoch').map(({ trainLoss }) => trainLoss);
      assert.ok((losses.at(-1) as number) < (losses[0] as number), losses.join(' '));
    });

  it('schedules give the rates they promise', async () => {
    const steps = Array.from({ length: 14 }, (_, i) => i / 14);
    const { rates: constant } = await fit({ epochs: 2, schedule: 'constant' });
    near(
      constant,
      steps.map(() => 0.01),
    );
    const { rates: cosine } = await fit({ epochs: 2, schedule: 'cosine' });
    near(
      cosine,
      steps.map((t) => 0.005 * (1 + Math.cos(Math.PI * t))),
    );
    const { rates: linear } = await fit({ epochs: 2, schedule: 'linear' });
    near(
      linear,
      steps.map((t) => 0.01 * (1 - t)),
    );
    const { rates: falling } = await fit({ epochs: 2, schedule: 'step' });
    near(
      falling,
      steps.map((_, i) => 0.01 * 0.1 ** Math.floor(i / 4)),
    );
    const { rates: cycle } = await fit({ epochs: 2, schedule: 'one-cycle' });
    assert.ok(Math.abs(Math.max(...cycle) - 0.01) < 1e-3 && (cycle[0] as number) < 0.001);
    assert.ok((cycle.at(-1) as number) < 0.001);
    const { rates: warm } = await fit({ epochs: 2, schedule: 'constant', warmup: 0.5 });
    assert.ok((warm[0] as number) < 0.005 && warm.every((rate, i) => i === 0 || rate >= (warm[i - 1] as number)));
    assert.equal(warm[8], 0.01);
  });

  it('gathered gradients make fewer updates, and the schedule counts those', async () => {
    const { rates } = await fit({ epochs: 2, schedule: 'linear', accumulate: 3 });
    // 7 batches an epoch: updates after 3, 6 and 7.
    near(
      rates,
      [0, 0, 0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5].map((update) => 0.01 * (1 - update / 6)),
    );
  });

  it('batches larger than the data, and the largest that fits', async () => {
    const large = await fit({ batchSize: 5000 });
    assert.equal(large.rates.length, 1);
    const largest = await fit({ batchSize: 'largest' });
    assert.equal(largest.rates.length, 4, 'a power of two up to a quarter of 140 rows: 32');
  });

  it('patience ends a run that no longer improves, at the best epoch', async () => {
    const { events, epoch, state } = await fit({ epochs: 30, learningRate: 1e-12, ema: 'off', patience: 3 });
    assert.equal(state, 'finished');
    const epochs = events.filter((event) => event.kind === 'epoch');
    assert.ok(epochs.length < 30, `${epochs.length}`);
    const last = epochs.at(-1)?.epoch as number;
    assert.equal(last - (epochs.findLast(({ best }) => best)?.epoch as number), 3);
    assert.equal(epoch, last - 3);
    assert.ok(
      events.some((event) => event.kind === 'stage' && /ended 3 epochs after the best/.test(event.text)),
      'the report says so',
    );
  });

  it('averages the best checkpoints only where validation says it helps', async () => {
    for (const seed of [0, 1]) {
      const { folder, score, events } = await fit({ epochs: 6, seed, schedule: 'constant', learningRate: 0.03 });
      const alone = Math.max(
        ...metricsOf(folder)
          .filter(({ kind }) => kind === 'epoch')
          .map(({ validationAccuracy }) => validationAccuracy as number),
      );
      assert.ok((score as number) >= alone);
      const text = events.find((event) => event.kind === 'stage' && event.stage === 'select');
      assert.match((text as { text: string }).text, /the average of the 3 best|averaging the best 3 .* would not help/);
    }
  });

  it('validates within epochs and chooses among those, too', async () => {
    const { folder, score } = await fit({ epochs: 2, validateEvery: 2, averageBest: false });
    const lines = metricsOf(folder);
    const within = lines.filter(({ kind }) => kind === 'validation');
    assert.deepEqual(
      within.map(({ step }) => step),
      [2, 4, 6, 8, 10, 12],
    );
    const all = lines.map(({ accuracy, validationAccuracy }) => (accuracy ?? validationAccuracy ?? 0) as number);
    assert.equal(score, Math.max(...all));
  });

  it('the same seed gives the same run, another seed another', async () => {
    const losses = async (seed: number) =>
      (await fit({ seed })).events.filter((event) => event.kind === 'step').map(({ loss }) => loss);
    const first = await losses(3);
    assert.deepEqual(await losses(3), first);
    assert.notDeepEqual(await losses(4), first);
  });

  it('what does not fit together is told in a sentence', async () => {
    const { folder } = await fit({});
    await assert.rejects((await loadRun(folder)).predict('a.jpg'), /was trained on tensors/);
    await assert.rejects(fit({ dropPath: 0.5 }), /dropPath: the model mlp does not take it; it takes/);
    await assert.rejects(fit({ model: 'convnet' }), (error: Error) => /convnet/.test(error.message));
    assert.throws(
      () => train({ data: 'x', model: 'mlp', mixup: 0.2, cutmix: 1, augment: 'none' }),
      /augment is 'none'/,
    );
  });
});
