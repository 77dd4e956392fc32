/** Progressive resizing: the sides of the epochs, what they cost, what the network gets to see, and when the recipe takes it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AugmentationSpec, type AugmentationStep, buildAugmentation } from '../../src/data/augment/index.js';
import type { Batch, ChannelStatistics } from '../../src/data/types.js';
import { nn, type Tensor, torch } from '../../src/index.js';
import { writeReport } from '../../src/report/index.js';
import { trainSchema } from '../../src/train/config/schema.js';
import { loadRun, train } from '../../src/train/index.js';
import { forecast } from '../../src/train/progress.js';
import {
  costAt,
  describeProgress,
  epochsWithin,
  growing,
  shrinking,
  sideAt,
  usualProgress,
  workFrom,
} from '../../src/train/progressive.js';
import { augmentationFor, presetOf } from '../../src/train/recipe/augmentation.js';
import { chooseEpochs } from '../../src/train/recipe/epochs.js';
import { planOf } from '../../src/train/recipe/record.js';
import { epochOverhead, resolve } from '../../src/train/recipe/resolve.js';
import { metricsOf, quick, temporaryFolder, tinyFlowers } from './runs.js';

const sides = (whole: number, epochs: number): number[] =>
  Array.from({ length: epochs }, (_, epoch) => sideAt(usualProgress, whole, epoch, epochs));

describe('sides of progressive resizing', () => {
  it('are half until the middle, grow evenly by eights, and whole for the last fifth', () => {
    assert.deepEqual(sides(128, 20), [...new Array(11).fill(64), 72, 88, 96, 104, 120, 128, 128, 128, 128]);
  });

  it('end whole however few epochs there are, whatever the side', () => {
    for (const whole of [8, 30, 32, 96, 100, 224])
      for (let epochs = 1; epochs <= 12; epochs++) {
        const all = sides(whole, epochs);
        assert.equal(all.at(-1), whole);
        for (const [i, side] of all.entries()) {
          assert.ok(side >= (all[i - 1] ?? 0) && side <= whole, `${whole}, ${epochs} epochs: ${all}`);
          assert.ok(side === whole || side % 8 === 0);
        }
      }
  });

  it('are told in words', () => {
    assert.equal(
      describeProgress(usualProgress, [96, 128], 20),
      'pictures of 64×48 until epoch 11, growing to 128×96 by epoch 17',
    );
    assert.equal(describeProgress(usualProgress, [96, 128], 1), 'whole pictures');
  });
});

describe('time of progressive resizing', () => {
  it('is the sum over the epochs, also from within one', () => {
    const all = Array.from({ length: 10 }, (_, epoch) => costAt(usualProgress, epoch, 10));
    const sum = all.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(workFrom(usualProgress, 0, 10) - sum) < 1e-12);
    assert.ok(Math.abs(workFrom(usualProgress, 9.25, 10) - 0.75) < 1e-12);
    assert.equal(workFrom(usualProgress, 10, 10), 0);
    assert.equal(workFrom(undefined, 2.5, 10), 7.5);
    // As docs/train.md says.
    assert.ok(Math.abs(costAt(usualProgress, 0, 10) - 0.44) < 0.005);
    assert.ok(Math.abs(workFrom(usualProgress, 0, 109) / 109 - 0.63) < 0.01, String(workFrom(usualProgress, 0, 109)));
    assert.ok(sum > 5.8 && sum < 6.8, `some 0.65 of the time of whole pictures, found ${sum}`);
  });

  it('tells how many epochs fit: most that do, three at least, no more than wanted', () => {
    const within = epochsWithin(usualProgress, 20, 100);
    assert.ok(workFrom(usualProgress, 0, within) <= 20 && workFrom(usualProgress, 0, within + 1) > 20);
    assert.ok(within > 29 && within < 35, String(within));
    assert.equal(epochsWithin(usualProgress, 0.1, 100), 3);
    assert.equal(epochsWithin(usualProgress, 0.1, 2), 2);
    assert.equal(epochsWithin(undefined, 20.7, 100), 20);
    assert.equal(epochsWithin(undefined, Number.POSITIVE_INFINITY, 100), 100);
  });

  it('leaves half of a budget for training, and says why there are fewer epochs', () => {
    const choice = { epochs: 100, epochsAreFree: true, progressive: usualProgress };
    const whole = chooseEpochs(choice, { budget: 10 }, 10, 0);
    const late = chooseEpochs(choice, { budget: 10 }, 10, 590);
    assert.ok(whole.minutes <= 10 && whole.minutes > 9.5, String(whole.minutes));
    assert.ok(late.minutes <= 5 && late.minutes > 4.5, String(late.minutes));
    assert.match(whole.why, /100 would take longer than the budget of 10 minutes/);
    const plain = chooseEpochs({ epochs: 100, epochsAreFree: true }, { budget: 10 }, 10, 0);
    assert.equal(plain.epochs, Math.floor(600 / (10 * epochOverhead)));
    assert.deepEqual(chooseEpochs({ ...choice, epochsAreFree: false }, { budget: 1 }, 10, 0).epochs, 100);
    assert.equal(chooseEpochs(choice, { budget: 'off' }, 10, 0).why, '');
  });

  it('is forecast: at the pace so far, with what later epochs cost more', () => {
    const progress = { step: 0, seconds: 0 };
    const plan = { progressive: usualProgress, epochs: 10, batches: 4 };
    const left = forecast(plan, progress);
    const second = (epoch: number) => costAt(usualProgress, epoch, 10) * 12;
    for (let epoch = 0; epoch < 4; epoch++) progress.seconds += second(epoch);
    progress.step = 16;
    const expected = [4, 5, 6, 7, 8, 9].reduce((sum, epoch) => sum + second(epoch), 0);
    assert.ok(Math.abs(left() - expected) < 1e-9, `${left()}, expected ${expected}`);
    // A rollback to before its beginning has nothing to divide by.
    const back = { step: 8, seconds: 5 };
    const later = forecast(plan, back);
    back.step = 4;
    assert.ok(later() >= 0 && Number.isFinite(later()));
  });
});

describe('shrunken batches', () => {
  const context = { seed: 0, samples: [0, 1], classes: 2 };
  const batch = () => ({
    input: torch.rand([2, 3, 32, 48]),
    target: torch.tensor([0, 1]),
    index: torch.tensor([0, 1]),
  });

  it('at half the side are the means of four pixels; whole ones are passed on as they are', () => {
    const given = batch();
    const shrink = shrinking(usualProgress, 10);
    const small = shrink(given, { ...context, epoch: 0 });
    assert.deepEqual(small.input.shape, [2, 3, 16, 24]);
    const mean = nn.functional.avgPool2d(given.input, 2);
    assert.ok(small.input.sub(mean).abs().max().item() < 1e-6);
    assert.equal(small.target, given.target);
    assert.equal(shrink(given, { ...context, epoch: 9 }), given);
    assert.deepEqual(shrink(given, { ...context, epoch: 6 }).input.shape, [2, 3, 24, 32]);
  });

  it('of rows are left alone', () => {
    const rows = { ...batch(), input: torch.rand([2, 5]) };
    assert.equal(shrinking(usualProgress, 10)(rows, { ...context, epoch: 0 }), rows);
  });
});

describe('pictures that are made small before they are changed', () => {
  const count = 64;
  const options = { statistics: { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] } as ChannelStatistics };
  // Smooth ones: half the side shows the same.
  const smooth = (): Batch => {
    torch.manualSeed(3);
    const input = nn.functional.interpolate(torch.rand([count, 3, 6, 6]), { size: [96, 96], mode: 'bicubic' });
    const index = torch.arange(count);
    return { input: input.clamp(0, 1).mul(255).to({ dtype: 'uint8' }), target: index.remainder(3), index };
  };
  const context = (epoch: number) => ({
    seed: 5,
    epoch,
    classes: 3,
    samples: Array.from({ length: count }, (_, i) => i),
  });
  const of = (...steps: AugmentationStep[]): AugmentationSpec => ({
    steps: [{ name: 'randomResizedCrop', options: { size: [64, 64], scale: [0.5, 1] } }, ...steps],
  });
  const flip = { name: 'randomHorizontalFlip' };
  const grow = (spec: AugmentationSpec) => growing(spec, options, { plan: usualProgress, epochs: 10 });

  it('are the same pictures, and the whole ones those without growing, bit for bit', () => {
    const spec = of(flip, { name: 'colorJitter', options: { brightness: 0.3 } }, { name: 'mixup' });
    const usual = buildAugmentation(spec, options);
    const small = grow(spec)(smooth(), context(0));
    const shrunk = shrinking(usualProgress, 10)(usual(smooth(), context(0)), context(0));
    assert.deepEqual(small.input.shape, [count, 3, 32, 32]);
    assert.ok(small.input.sub(shrunk.input).abs().mean().item() < 0.03);
    assert.ok(
      small.input
        .sub(shrunk.input.flip([3]))
        .abs()
        .mean()
        .item() > 0.3,
      'pictures of nothing would pass',
    );
    assert.ok(torch.equal(small.target, shrunk.target));
    assert.deepEqual(grow(spec)(smooth(), context(6)).input.shape, [count, 3, 40, 40]);
    const whole = grow(spec)(smooth(), context(9));
    assert.ok(torch.equal(whole.input, usual(smooth(), context(9)).input));
  });

  it('are moved as much less by TrivialAugment', () => {
    const white = { ...smooth(), input: torch.full([count, 3, 96, 96], 255, { dtype: 'uint8' }) };
    const spec = of({ name: 'trivialAugmentWide' });
    const black = (epoch: number) =>
      grow(spec)(white, context(epoch)).input.select(1, 0).lt(0).to({ dtype: 'float32' }).mean([1, 2]);
    const [small, whole] = [black(0), black(9)];
    assert.ok(whole.max().item() > 0.4, 'nothing was moved');
    // Of the same draws the same share comes in from outside, to a row of pixels.
    const same = (epoch: number) => buildAugmentation(spec, options)(white, context(epoch)).input.select(1, 0).lt(0);
    assert.ok(torch.equal(same(9).to({ dtype: 'float32' }).mean([1, 2]), whole));
    const atWhole = same(0).to({ dtype: 'float32' }).mean([1, 2]);
    assert.ok(small.sub(atWhole).abs().max().item() < 0.06, String(small.sub(atWhole).abs().max().item()));
  });

  it('are made small afterwards where a change is in pixels, or nothing is cut', () => {
    const blurred = of({ name: 'gaussianBlur', options: { kernelSize: 9 } });
    for (const spec of [blurred, { steps: [flip] }]) {
      const given = { ...smooth(), input: smooth().input.at(':', ':', ':64', ':64') };
      const expected = shrinking(usualProgress, 10)(buildAugmentation(spec, options)(given, context(0)), context(0));
      assert.ok(torch.equal(grow(spec)(given, context(0)).input, expected.input));
    }
  });
});

describe('the recipe', () => {
  const settings = trainSchema.parse({});
  const many = { samples: 3000, classes: 5, side: 128 };
  const chosen = (given: object, facts: object = {}) => resolve(trainSchema.parse(given), { ...many, ...facts });

  it('takes a deep stem from 96 pixels on', () => {
    assert.equal(chosen({}).modelOptions.stem, 'deep');
    assert.equal(chosen({ size: 96 }).modelOptions.stem, 'deep');
    assert.equal(chosen({ size: 64 }).modelOptions.stem, undefined);
    assert.equal(chosen({ model: 'resnet18' }).modelOptions.stem, undefined);
  });

  it('resizes progressively in long trainings of residual networks on larger pictures, with twice the epochs', () => {
    assert.deepEqual(chosen({}).progressive, usualProgress);
    assert.equal(chosen({}).epochs, 110);
    assert.equal(chosen({ progressive: 'off' }).progressive, undefined);
    assert.equal(chosen({ progressive: 'off' }).epochs, 60);
    for (const given of [{ epochs: 5 }, { size: 64 }, { model: 'vit-tiny' }])
      assert.equal(chosen(given).progressive, undefined, JSON.stringify(given));
    for (const samples of [1000, 20_000]) assert.equal(chosen({}, { samples }).progressive, undefined);
    assert.deepEqual(chosen({}, { samples: 16_000 }).progressive, usualProgress);
    assert.deepEqual(chosen({ epochs: 5, progressive: 'on' }).progressive, usualProgress);
  });

  it('refuses it for networks of one size, and for rows', () => {
    assert.throws(() => chosen({ model: 'vit-tiny', progressive: 'on' }), /vit-tiny takes pictures of one size only/);
    assert.throws(() => chosen({ progressive: 'on' }, { side: undefined }), /rows of numbers have no size/);
  });

  it('changes pictures more where each is seen often', () => {
    assert.equal(presetOf(settings, many, 60, true).augment, 'strong');
    assert.match(presetOf(settings, many, 60, true).choices[0]?.reason ?? '', /seen 60 times/);
    assert.deepEqual(presetOf(settings, many, 59, true), { augment: 'auto', choices: [] });
    assert.equal(presetOf(settings, many, 200, false).augment, 'auto');
    // What is enough for many pictures stays light, and what was asked for stays.
    assert.equal(presetOf(settings, { ...many, samples: 30_000 }, 110, true).augment, 'auto');
    assert.equal(presetOf({ ...settings, augment: 'medium' }, many, 110, true).augment, 'medium');
    const form = { height: 128, width: 128, channels: 3, fit: 'squash', decode: 'fast' } as const;
    const preset = presetOf(settings, many, 110, true).augment;
    assert.equal(augmentationFor({ ...settings, augment: preset }, many, form, ['rose', 'tulip']).preset, 'strong');
  });
});

/** Remembers the sides of what it was trained and validated on. */
class Watcher extends nn.Module {
  pool = new nn.AdaptiveAvgPool2d(1);
  head = new nn.Linear(3, 3);
  readonly seen: { readonly training: boolean; readonly side: number }[] = [];
  override forward(x: Tensor): Tensor {
    this.seen.push({ training: this.training, side: x.shape[2] as number });
    return this.head.call(this.pool.call(x).flatten(1)) as Tensor;
  }
}

describe('larger pictures in the test than in training', () => {
  const many = { samples: 3000, classes: 5, side: 128 };
  const side = (given: object, facts: object = {}) => {
    const { form, testForm } = resolve(trainSchema.parse(given), { ...many, ...facts });
    return [form?.height, testForm?.height, testForm?.width];
  };

  it('are an eighth larger where pictures grow and are cut, and the side was left to the recipe', () => {
    assert.deepEqual(side({}), [128, 144, 144]);
    assert.deepEqual(side({}, { side: 100 }), [96, 112, 112]);
    for (const given of [
      { size: 128 },
      { progressive: 'off' },
      { augment: 'light' },
      { crops: 'move' },
      { testSize: 'off' },
    ])
      assert.equal(side(given)[1], undefined, JSON.stringify(given));
    // Of so many pictures per class small parts are not cut.
    assert.equal(side({}, { samples: 12_000 })[1], undefined);
    assert.deepEqual(side({ size: [96, 128], testSize: 120 }), [96, 120, 160]);
    assert.deepEqual(side({ size: 64, testSize: 64 }), [64, undefined, undefined]);
    assert.equal(side({ model: 'vit-tiny' })[1], undefined);
    assert.throws(
      () => side({ model: 'vit-tiny', testSize: 160 }),
      /testSize: the model vit-tiny takes pictures of one size/,
    );
  });
});

describe('a progressive training', () => {
  const place = temporaryFolder();
  let data = '';
  before(async () => {
    data = await tinyFlowers(place);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('trains on growing pictures, validates on whole ones, and says so', async () => {
    const { model: _, width: __, depth: ___, ...settings } = quick;
    const watcher = new Watcher();
    const options = { ...settings, data, out: path.join(place, 'runs'), size: 32, epochs: 10 } as const;
    const training = train({ ...options, model: watcher, progressive: 'on' });
    let first = 0;
    let line = '';
    for await (const event of training) {
      if (event.kind === 'stage' && event.stage === 'train') {
        first = watcher.seen.length;
        line = event.text;
      }
    }
    const { folder } = await training;
    const { batches } = planOf(folder).optimisation;
    const during = watcher.seen.slice(first);
    const trained = during.filter((one) => one.training).map(({ side }) => side);
    const expected = [16, 16, 16, 16, 16, 16, 24, 24, 32, 32].flatMap((side) => new Array<number>(batches).fill(side));
    assert.deepEqual(trained, expected);
    assert.ok(during.every(({ training: isTraining, side }) => isTraining || side === 32));
    assert.match(line, /pictures of 16×16 until epoch 6, growing to 32×32 by epoch 9/);
    assert.equal(metricsOf(folder).filter(({ kind }) => kind === 'epoch').length, 10);
    const page = fs.readFileSync((await writeReport(folder)).file, 'utf8');
    assert.match(page, /It was trained on pictures of 16×16 until epoch 6, growing to 32×32 by epoch 9\./);
    assert.match(page, /validation is of pictures of 32×32 throughout/);
  });

  it('validates and predicts larger pictures, from the folder alone, too', async () => {
    const options = {
      ...quick,
      data,
      out: path.join(place, 'larger'),
      size: 32,
      testSize: 48,
      averageBest: false,
    } as const;
    const { folder, score } = await train(options);
    const plan = planOf(folder);
    assert.equal(plan.data.form?.height, 48);
    assert.equal(plan.data.trainForm?.height, 32);
    const lines = fs.readFileSync(path.join(folder, 'validation.jsonl'), 'utf8').trim().split('\n');
    const rows = lines.map((text) => JSON.parse(text) as { name: string; target: number; probabilities: number[] });
    const loaded = await loadRun(folder);
    const guesses = await loaded.predict(
      rows.map(({ name }) => path.join(data, name)),
      { top: 3 },
    );
    assert.ok(guesses.every((one) => one.guesses.length === 3));
    for (const [i, { probabilities }] of rows.entries())
      for (const { label, probability } of guesses[i]?.guesses ?? [])
        assert.ok(Math.abs((probabilities[loaded.classes.indexOf(label)] as number) - probability) < 1e-4);
    const hits = rows.filter(
      ({ target, probabilities }) => probabilities.indexOf(Math.max(...probabilities)) === target,
    );
    assert.equal(hits.length / rows.length, score);
  });

  it("leaves a user's own network alone unless it is asked for", async () => {
    const { model: _, width: __, depth: ___, ...settings } = quick;
    const watcher = new Watcher();
    const { folder } = await train({ ...settings, data, out: path.join(place, 'own'), size: 32, model: watcher });
    assert.equal(planOf(folder).optimisation.progressive, undefined);
    assert.ok(watcher.seen.every(({ side }) => side === 32));
  });
});
