import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drawResizedCrop } from '../../../src/data/augment/crop.js';
import { perspectiveCoefficients } from '../../../src/data/augment/functional/warp.js';
import { drawCorners } from '../../../src/data/augment/geometry.js';
import * as augment from '../../../src/data/augment/index.js';
import { drawBeta, drawErasing } from '../../../src/data/augment/mix.js';
import { type Draws, sampleRandom } from '../../../src/data/random.js';
import { torch } from '../../../src/torch/index.js';
import { runPython, skipLive } from '../../support/python.js';
import { batchOf, contextOf } from './batches.js';

const count = 4000;
const [height, width] = [120, 90];

function samples<T>(draw: (draws: Draws) => T): T[] {
  return Array.from({ length: count }, (_, i) => draw(sampleRandom(7, 0, i, 16)));
}

function own(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const crops = samples((x) => drawResizedCrop(x, height, width, [0.08, 1], [3 / 4, 4 / 3]));
  const erased = samples((x) => drawErasing(x, height, width, [0.02, 0.33], [0.3, 3.3]));
  for (const key of ['top', 'left', 'height', 'width'] as const) {
    found.set(
      `resizedCrop.${key}`,
      crops.map((box) => box[key]),
    );
    found.set(
      `erasing.${key}`,
      erased.map((box) => box?.[key] ?? { top: 0, left: 0, height, width }[key]),
    );
  }
  const start = [
    [0, 0],
    [width - 1, 0],
    [width - 1, height - 1],
    [0, height - 1],
  ] as const;
  const sets = samples((x) => perspectiveCoefficients(start, drawCorners(x, height, width, 0.4)));
  for (let i = 0; i < 8; i++)
    found.set(
      `perspective.${i}`,
      sets.map((set) => set[i] as number),
    );
  for (const alpha of [0.2, 1, 3])
    found.set(
      `beta.${alpha.toFixed(1)}`,
      samples((x) => drawBeta(x, alpha)),
    );
  const targets = torch.arange(count).remainder(2).to('int64');
  const batch = { input: torch.zeros([count, 1, height, width], { dtype: 'uint8' }), target: targets, index: targets };
  const mixed = augment.cutmix()(batch, contextOf(count, { classes: 2 }));
  // Neighbours have different labels, so the share of the own label is the weight.
  found.set('cutmix', mixed.target.gather(1, targets.unsqueeze(1)).flatten().toArray() as number[]);
  return found;
}

/** Greatest distance between two distribution functions (Kolmogorov and Smirnov). */
function distance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [[...a].sort((p, q) => p - q), [...b].sort((p, q) => p - q)];
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i] as number, y[j] as number);
    while (i < x.length && (x[i] as number) <= at) i++;
    while (j < y.length && (y[j] as number) <= at) j++;
    most = Math.max(most, Math.abs(i / x.length - j / y.length));
  }
  return most;
}

describe('draws follow the distributions of torchvision', () => {
  test('boxes, corners and weights, against draws of its own', { skip: skipLive }, (context) => {
    let theirs: Record<string, number[]>;
    try {
      theirs = runPython<Record<string, number[]>>([fileURLToPath(new URL('./draws.py', import.meta.url))]);
    } catch (error) {
      if (/ModuleNotFoundError|ImportError/.test(String(error))) return context.skip('Python has no torchvision');
      throw error;
    }
    const ours = own();
    assert.deepEqual(Object.keys(theirs).sort(), [...ours.keys()].sort());
    // One in 10,000 that equal distributions differ by more; the draws are always the same ones.
    const limit = Math.sqrt(-Math.log(0.0001 / 2) / count);
    for (const [name, list] of ours) {
      // Coefficients of perspective are single-precision there.
      const rounded = list.map(Math.fround);
      const between = distance(rounded, (theirs[name] as number[]).map(Math.fround));
      assert.ok(between < limit, `${name}: ${between} ≥ ${limit}`);
    }
    return undefined;
  });

  test('a wrong distribution would be found', () => {
    const right = samples((x) => drawBeta(x, 1));
    const wrong = samples((x) => drawBeta(x, 2));
    assert.ok(distance(right, wrong) > Math.sqrt(-Math.log(0.0001 / 2) / count));
  });

  test('mean and spread of Beta(α, α)', () => {
    for (const alpha of [0.1, 0.5, 1, 4]) {
      const values = samples((x) => drawBeta(x, alpha));
      const mean = values.reduce((a, b) => a + b, 0) / count;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / count;
      assert.ok(Math.abs(mean - 0.5) < 0.025, `${alpha}: mean ${mean}`);
      assert.ok(Math.abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.008, `${alpha}: variance ${variance}`);
      assert.ok(values.every((x) => x >= 0 && x <= 1));
    }
  });
});

describe('chances', () => {
  const n = 2000;
  const batch = batchOf(n, { height: 4, width: 4, seed: 1 });
  const context = contextOf(n);
  /** Share of pictures that a transform changed. */
  const changed = (transform: augment.Augmentation): number =>
    transform(batch, context).input.ne(batch.input).flatten(1).any(1).to('float32').mean().item() as number;

  for (const [name, transform, p] of [
    ['flip, by default half', augment.randomHorizontalFlip(), 0.5],
    ['flip', augment.randomHorizontalFlip({ p: 0.2 }), 0.2],
    ['vertical flip', augment.randomVerticalFlip({ p: 0.7 }), 0.7],
    ['grey, by default a tenth', augment.randomGrayscale(), 0.1],
    ['invert', augment.randomInvert({ p: 0.3 }), 0.3],
    ['solarise', augment.randomSolarize({ threshold: 0, p: 0.25 }), 0.25],
    ['randomApply', augment.randomApply([augment.randomInvert({ p: 1 })], { p: 0.4 }), 0.4],
    [
      'randomChoice',
      augment.randomChoice([augment.randomInvert({ p: 1 }), augment.randomInvert({ p: 0 })], { p: [1, 3] }),
      0.25,
    ],
    ['never', augment.randomHorizontalFlip({ p: 0 }), 0],
    ['always', augment.randomHorizontalFlip({ p: 1 }), 1],
  ] as const)
    test(name, () => {
      const share = changed(transform);
      const margin = 4.5 * Math.sqrt((p * (1 - p)) / n);
      assert.ok(Math.abs(share - p) <= margin, `${share} of ${p}`);
    });

  test('RandAugment draws its fourteen operators equally, both ways', () => {
    // A picture of one pixel that only colours can change would tell little: count through the operators' own effects on levels.
    const even = { ...batch, input: torch.full([n, 3, 8, 8], 100, { dtype: 'uint8' }) };
    const out = augment.randAugment({ numOps: 1, magnitude: 30 })(even, context).input.flatten(1).to('float32');
    const level = out.at(':', 0);
    // Of an even grey picture: brightness ±0.9 gives 190 or 10; posterise to 4 bits 96; solarise from 0 on 155.
    const share = (value: number): number => out.eq(value).all(1).to('float32').mean().item() as number;
    for (const [value, p] of [
      [190, 0.5 / 14],
      [10, 0.5 / 14],
      [96, 1 / 14],
      [155, 1 / 14],
    ] as const)
      assert.ok(Math.abs(share(value) - p) < 4.5 * Math.sqrt(p / n), `${value}: ${share(value)} of ${p}`);
    assert.equal(level.shape[0], n);
  });

  test('colour jitter draws from the range it says, for each picture', () => {
    const grey = { ...batch, input: torch.full([n, 3, 2, 2], 0.5) };
    const out = augment.colorJitter({ brightness: 0.4 })(grey, context).input.at(':', 0, 0, 0).mul(2);
    const [low, high, mean] = [out.min().item(), out.max().item(), out.mean().item()] as [number, number, number];
    assert.ok(
      low >= 0.6 && low < 0.61 && high <= 1.4 && high > 1.39 && Math.abs(mean - 1) < 0.02,
      `${low}…${high}, ${mean}`,
    );
  });

  test('the order of colour jitter is drawn, too', () => {
    // Twice as bright and then half the contrast is not half the contrast and then twice as bright.
    const input = torch.tensor([0.1, 0.3, 0.5, 0.7]).view([1, 1, 2, 2]).expand([n, 3, 2, 2]).contiguous();
    const out = augment.colorJitter({ brightness: [2, 2], contrast: [0.5, 0.5] })({ ...batch, input }, context).input;
    const kinds = new Set((out.at(':', 0, 0, 0).toArray() as number[]).map((x) => x.toFixed(4)));
    assert.equal(kinds.size, 2);
  });
});
