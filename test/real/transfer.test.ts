/**
 * Real transfer: others' ResNet-20, trained on CIFAR-10, fine-tuned on a tenth of 4,317 photographs of flowers at 64 × 64, beside the very same
 * network (its first convolution enlarged as well) from scratch, with as many epochs, the same augmentation and the same split. Each as the recipe
 * does it by itself, chosen on the validation part and measured on the test part, three quarters of the pictures. How far they are apart depends on
 * how long both train: from scratch catches up. Twelve epochs by default, PRAXIS_EPOCHS says it otherwise; PRAXIS_SEEDS says which seeds, 0,1,2 by
 * default; PRAXIS_PLAIN=1 also trains the recipe's own ResNet-20 from scratch, which takes pictures as they are and four times as long.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createModel, scaledStem } from '../../src/models/index.js';
import { torch } from '../../src/torch/index.js';
import { probe, type TrainSettings, testRun, train } from '../../src/train/index.js';
import { planOf } from '../../src/train/recipe/record.js';

const data = process.env.PRAXIS_DATA ?? fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const pretrained = path.join(data, 'resnet20-12fca82f.th');
const flowers = path.join(data, 'flowers5.tar');
const skip = !(existsSync(pretrained) && existsSync(flowers)) && `there is no ${pretrained} with ${flowers}`;
const seeds = (process.env.PRAXIS_SEEDS ?? '0,1,2').split(',').map(Number);
const epochs = Number(process.env.PRAXIS_EPOCHS ?? 12);
const place = mkdtempSync(path.join(tmpdir(), 'praxis-transfer-'));
// Nothing is known from before.
process.env.PRAXIS_CACHE_DIR = path.join(place, 'cache');
after(() => rmSync(place, { recursive: true, force: true }));

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
const common = { size: 64, split: [0.1, 0.15, 0.75], budget: 'off', out: place } satisfies TrainSettings;

describe('transfer', { skip }, () => {
  it('a linear probe on a tenth of the pictures reports within 20 seconds', async () => {
    // The archive is unpacked once, by whoever comes first.
    await probe({ ...common, data: flowers, pretrained, size: 32, nearDuplicates: false });
    const began = performance.now();
    const found = await probe({ ...common, data: flowers, pretrained });
    const seconds = (performance.now() - began) / 1000;
    console.log(
      `probe of ${found.samples.train} + ${found.samples.validation} pictures: ${percent(found.probe)}, nearest neighbours ${percent(found.neighbours)}; features and probe ${found.seconds.toFixed(1)} s, with comparing all 4,317 for copies ${seconds.toFixed(1)} s`,
    );
    assert.equal(found.cached, false);
    assert.ok(found.samples.train > 400 && found.samples.train < 460);
    assert.ok(found.probe > 0.4, percent(found.probe));
    assert.ok(seconds <= 20, `${seconds.toFixed(1)} s`);
  });

  const gains: number[] = [];
  for (const seed of seeds)
    it(`fine-tuned and from scratch, seed ${seed}`, async () => {
      const settings = { ...common, data: flowers, seed, epochs };
      const tuned = await train({ ...settings, pretrained, name: `tuned-${seed}` });
      const plan = planOf(tuned.folder);
      const { learningRate } = plan.optimisation;
      // These flowers are 32 × 32, enlarged.
      assert.deepEqual(plan.model.options.stem, scaledStem('cifar', 2));
      const alike = { ...settings, splitFile: path.join(tuned.folder, 'split.json') };
      torch.manualSeed(seed);
      const model = createModel('resnet20', plan.model.options);
      const scratch = await train({
        ...{ ...alike, model, name: `scratch-${seed}`, augment: plan.augmentation?.preset as 'medium', crops: 'move' },
      });
      const other = planOf(scratch.folder);
      assert.deepEqual(other.augmentation, plan.augmentation);
      assert.equal(other.optimisation.batchSize, plan.optimisation.batchSize);
      // Trained before the test part is opened, which all of them share.
      const plain =
        process.env.PRAXIS_PLAIN === '1'
          ? await train({ ...alike, model: 'resnet20', name: `plain-${seed}` })
          : undefined;
      const [a, b] = [await testRun(tuned.folder), await testRun(scratch.folder, { model })];
      gains.push(a.score - b.score);
      console.log(
        `seed ${seed}, ${epochs} epochs: fine-tuned (rate ${learningRate.toPrecision(2)}) ${percent(a.score)} of ${a.samples} test pictures, validation ${percent(tuned.score as number)}; from scratch (rate ${other.optimisation.learningRate.toPrecision(2)}) ${percent(b.score)}, validation ${percent(scratch.score as number)}; gain ${(100 * (a.score - b.score)).toFixed(1)} points`,
      );
      if (plain === undefined) return;
      const c = await testRun(plain.folder);
      console.log(`seed ${seed}: the recipe's own resnet20 from scratch ${percent(c.score)}`);
    });

  it('beats the same network from scratch by 8 points', () => {
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    console.log(`mean gain over ${gains.length} seeds: ${(100 * mean).toFixed(1)} points`);
    assert.ok(gains.length === seeds.length && mean >= 0.08, `${(100 * mean).toFixed(1)} points`);
  });
});
