/** Gains and their intervals on known numbers; an ablation that is stopped, goes on and ends the same. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { sampleRandom } from '../../../src/data/random.js';
import { createModel, weightsFolder } from '../../../src/models/index.js';
import { torch } from '../../../src/torch/index.js';
import { listRuns } from '../../../src/track/index.js';
import { usualChanges } from '../../../src/train/ablate/changes.js';
import { studentPoint } from '../../../src/train/ablate/gain.js';
import { costOfRounds, seedsFor } from '../../../src/train/ablate/schedule.js';
import { readConfigFile } from '../../../src/train/config/settings.js';
import { ablate, gainsOf, type Pair, resumeAblation, roundsFor, type TrainSettings } from '../../../src/train/index.js';
import type { TrainPlan } from '../../../src/train/plan.js';
import { planOf } from '../../../src/train/recipe/record.js';
import { StopSignal } from '../../../src/train/stop.js';
import { noiseTable } from '../noise-table.js';
import { quick, temporaryFolder, tinyFlowers } from '../runs.js';

const place = temporaryFolder();
after(() => fs.rmSync(place, { recursive: true, force: true }));

const pairOf = (seed: number, base: number, changed: number): Pair => ({
  seed,
  base: { score: base, right: [] },
  changed: { score: changed, right: [] },
});

describe('gainsOf', () => {
  it('pools the noise of seeds over all changes', () => {
    const [first, second, single] = gainsOf([
      [pairOf(0, 0.5, 0.61), pairOf(1, 0.52, 0.61)],
      [pairOf(0, 0.5, 0.5), pairOf(1, 0.52, 0.54)],
      [pairOf(0, 0.5, 0.51)],
    ]) as [ReturnType<typeof gainsOf>[number], ReturnType<typeof gainsOf>[number], ReturnType<typeof gainsOf>[number]];
    assert.ok(Math.abs(first.value - 0.1) < 1e-12);
    // Differences 0.11, 0.09 and 0, 0.02: squares 0.0002 + 0.0002 over 2 degrees of freedom.
    const within = 4.303 * Math.sqrt(0.0002 / 2);
    assert.ok(Math.abs(first.interval.low - (0.1 - within)) < 1e-9, `${first.interval.low}`);
    assert.deepEqual([first.verdict, second.verdict], ['helps', 'within noise']);
    assert.ok(Math.abs(single.interval.high - (0.01 + 4.303 * Math.sqrt(0.0002))) < 1e-9, 'one seed is less sure');
  });

  it('names one in twenty changes that do nothing, and not more', () => {
    const draws = sampleRandom(4, 0, 0, 47);
    let named = 0;
    for (let trial = 0; trial < 300; trial++) {
      const changes = Array.from({ length: 5 }, () =>
        [0, 1, 2].map((seed) => pairOf(seed, 0.7 + 0.01 * draws.normal(), 0.7 + 0.01 * draws.normal())),
      );
      named += gainsOf(changes).filter(({ verdict }) => verdict !== 'within noise').length;
    }
    assert.ok(named / 1500 > 0.02 && named / 1500 < 0.08, `${named} of 1500`);
  });

  it('counts the validation samples too: on few of them nothing is sure', () => {
    const pairs = (count: number): Pair[] =>
      [0, 1, 2].map((seed) => ({
        seed,
        base: { score: 0.5, right: Uint8Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1 : 0)) },
        changed: { score: 0.6, right: Uint8Array.from({ length: count }, (_, i) => (i % 5 < 3 ? 1 : 0)) },
      }));
    const [few] = gainsOf([pairs(20)]);
    const [many] = gainsOf([pairs(20_000)]);
    assert.equal(few?.verdict, 'within noise');
    assert.equal(many?.verdict, 'helps');
  });

  it("has Student's points", () => {
    for (const [freedom, point] of [
      [1, 12.706],
      [4, 2.776],
      [12, 2.179],
      [30, 2.042],
      [1000, 1.962],
    ] as const)
      assert.ok(Math.abs(studentPoint(freedom) - point) < 2e-3, `${freedom}: ${studentPoint(freedom)}`);
  });
});

it('roundsFor halves the changes while seeds grow; seedsFor keeps to the budget', () => {
  assert.deepEqual(roundsFor(8, 6), [
    { changes: 8, seeds: 2 },
    { changes: 4, seeds: 4 },
    { changes: 2, seeds: 6 },
  ]);
  assert.deepEqual(roundsFor(1, 3), [{ changes: 1, seeds: 3 }]);
  const ones = new Array<number>(8).fill(1);
  assert.equal(costOfRounds(roundsFor(8, 6), ones), 6 + 16 + 8 + 4);
  assert.equal(seedsFor(ones, 34), 6);
  assert.equal(seedsFor(ones, 33), 5);
  assert.equal(seedsFor(ones, 1), 2, 'one seed tells nothing of noise');
});

describe('ablate', () => {
  const settings = {
    ...{ model: 'mlp', width: 8, depth: 1, epochs: 2, batchSize: 32, learningRate: 1e-3, warmup: 0 },
    ...{ precision: 'float32', memoryFormat: 'contiguous', threads: 1, workers: 0, device: 'cpu' },
    out: path.join(place, 'runs'),
  } satisfies TrainSettings;
  const changes = [
    { kind: 'epochs', name: 'ten times the epochs', settings: { epochs: 20 } },
    { kind: 'decay', name: 'no decay', settings: { weightDecay: 0 } },
  ] as const;

  it('stopped and gone on with, it ends as one that was not; the best is a file for praxis train', async (t) => {
    const data = noiseTable(place, { rows: 360, useless: 2 });
    const whole = await ablate({ data, changes, seeds: 2, settings: { ...settings, name: 'whole' } });
    const stop = new StopSignal();
    let trained = 0;
    const emit = (event: { kind: string }): void => {
      if (event.kind === 'checkpoint' && ++trained === 5) stop.request('enough');
    };
    const parts = await ablate({ data, changes, seeds: 2, settings: { ...settings, name: 'parts' }, stop, emit });
    assert.equal(parts.state, 'stopped');
    assert.equal(parts.ablation, undefined);
    const gone = await resumeAblation({ folder: parts.folder });
    const figures = (folder: string): unknown =>
      JSON.parse(fs.readFileSync(path.join(folder, 'ablation.json'), 'utf8'));
    assert.deepEqual(figures(gone.folder), figures(whole.folder));
    // Two epochs are too few for these data, and decay hardly matters in them.
    const [best, other] = whole.ablation?.rows ?? [];
    assert.equal(best?.name, 'ten times the epochs');
    assert.equal(best?.seeds, 2);
    assert.ok((best?.value as number) > 0.05, String(best?.value));
    assert.ok(Math.abs(other?.value as number) < 0.05, String(other?.value));
    assert.equal(whole.ablation?.best?.name, best?.verdict === 'helps' ? 'ten times the epochs' : undefined);
    assert.match(fs.readFileSync(path.join(whole.folder, 'ablation.svg'), 'utf8'), /^<svg[\s\S]*ten times the epochs/);
    const config = await readConfigFile(path.join(whole.folder, 'best.config.json'));
    assert.equal(config.epochs, best?.verdict === 'helps' ? 20 : 2);
    assert.equal(config.width, 8);
    assert.equal(config.out, undefined);

    const errors: string[] = [];
    t.mock.method(process.stderr, 'write', (text: string) => errors.push(text) > 0);
    assert.equal(await main(['ablate', data, '--only', 'droput']), 1);
    assert.match(errors.join(''), /no kind of change 'droput'; there are pretrained, augmentation, /);
    await assert.rejects(ablate({ data, seeds: 1 }), /two seeds or more/);
  });

  it('a fine-tuned baseline is compared with the same network from scratch', async () => {
    const data = await tinyFlowers(place);
    const weights = path.join(place, 'weights.safetensors');
    torch.manualSeed(1);
    await torch.save(createModel('resnet20', { classes: 10, depth: 8, width: 4 }).stateDict(), weights);
    const { model: _, width: __, depth: ___, ...rest } = quick;
    const tuned = { ...rest, learningRate: 'auto', epochs: 1, pretrained: weights, name: 'tuned' } as const;
    const { folder, ablation } = await ablate({
      data,
      seeds: 2,
      only: ['pretrained'],
      settings: { ...tuned, out: path.join(place, 'runs') },
    });
    assert.deepEqual(
      ablation?.rows.map(({ name, seeds }) => [name, seeds]),
      [['from scratch', 2]],
    );
    const plans = listRuns(path.join(folder, 'trainings')).map((run) => ({ name: run.name, ...planOf(run.path) }));
    const [tunedPlan, scratchPlan] = ['baseline, seed 0', 'from scratch, seed 0'].map((name) =>
      plans.find((plan) => plan.name === name),
    );
    assert.equal(scratchPlan?.transfer, undefined);
    assert.ok(tunedPlan?.transfer !== undefined);
    assert.deepEqual(scratchPlan?.model, tunedPlan.model);
    assert.deepEqual(scratchPlan?.data.form, tunedPlan.data.form);
    assert.equal(scratchPlan?.optimisation.epochs, tunedPlan.optimisation.epochs);
  });

  it('a baseline from scratch is compared with weights that are on this machine, and only with those', () => {
    const before = process.env.PRAXIS_CACHE_DIR;
    process.env.PRAXIS_CACHE_DIR = path.join(place, 'cache');
    try {
      const form = { height: 32, width: 32, channels: 3, fit: 'squash', decode: 'fast' } as const;
      const plan = {
        data: { form, multiLabel: false, classes: ['a', 'b'] },
        model: { name: 'resnet-small', options: { classes: 2 } },
        optimisation: { weightDecay: 0, labelSmoothing: 0, epochs: 4 },
      } as unknown as TrainPlan;
      const kinds = (settings: object = {}) =>
        usualChanges(plan, { augment: 'none', ...settings }).filter(({ kind }) => kind === 'pretrained');
      assert.deepEqual(kinds(), []);
      fs.mkdirSync(weightsFolder(), { recursive: true });
      fs.writeFileSync(path.join(weightsFolder(), 'resnet20-12fca82f.th'), 'weights');
      assert.deepEqual(kinds(), [
        {
          kind: 'pretrained',
          name: 'pretrained resnet20.cifar10',
          settings: { size: [32, 32], learningRate: 'auto', model: 'auto', pretrained: 'resnet20.cifar10' },
        },
      ]);
      assert.deepEqual(kinds({ width: 8 }), [], 'weights have the width that they have');
    } finally {
      if (before === undefined) delete process.env.PRAXIS_CACHE_DIR;
      else process.env.PRAXIS_CACHE_DIR = before;
    }
  });
});
