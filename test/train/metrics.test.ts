/** Metrics against scikit-learn, and by hand. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleRandom } from '../../src/data/random.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import {
  averagePrecision,
  bootstrapIntervals,
  ClassificationMetrics,
  MultiLabelMetrics,
  wilson,
} from '../../src/train/metrics.js';
import { python, runPython, skipLive } from '../support/python.js';
import { throwsArgument } from '../support/throws.js';

const script = fileURLToPath(new URL('metrics.py', import.meta.url));
const skip =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import sklearn, scipy'], { env: python?.environment })
    .status !== 0 &&
    'Python has no scikit-learn');

const near = (ours: number, theirs: number, what: string, tolerance = 1e-9) =>
  assert.ok(
    Math.abs(ours - theirs) <= tolerance * Math.max(1, Math.abs(theirs)) || Object.is(ours, theirs),
    `${what}: ${ours}, wanted ${theirs}`,
  );

interface Case {
  readonly logits: number[][];
  readonly target: number[];
}

/** Random outputs that favour the right class; `skew` leaves classes out of the targets. */
function randomCase(count: number, classes: number, seed: number, skew = classes): Case {
  const draws = sampleRandom(seed, 0, 0, 20);
  const target = Array.from({ length: count }, () => draws.integer(skew));
  const logits = target.map((label) =>
    Array.from({ length: classes }, (_, j) => draws.normal() * 2 + (j === label ? 2 : 0)),
  );
  return { logits, target };
}

function gather(one: Case, batch: number, tensor = (rows: number[][]) => torch.tensor(rows, { dtype: 'float64' })) {
  const metrics = new ClassificationMetrics({ classes: one.logits[0]?.length ?? 0 });
  for (let i = 0; i < one.target.length; i += batch)
    metrics.update(
      tensor(one.logits.slice(i, i + batch)),
      torch.tensor(one.target.slice(i, i + batch), { dtype: 'int64' }),
    );
  return metrics;
}

/** Four samples of three classes, small enough to follow: predictions 0, 1, 0, 0. */
const small: Case = {
  logits: [
    [2, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [3, 0, 0],
  ],
  target: [0, 1, 1, 0],
};

describe('ClassificationMetrics', () => {
  test('by hand', () => {
    const report = gather(small, 3).report();
    assert.deepEqual(report.confusion, [
      [2, 0, 0],
      [1, 1, 0],
      [0, 0, 0],
    ]);
    assert.equal(report.accuracy, 0.75);
    assert.equal(report.balancedAccuracy, 0.75);
    assert.deepEqual(report.perClass[0], { precision: 2 / 3, recall: 1, f1: 0.8, support: 2, predicted: 3 });
    assert.deepEqual(report.perClass[2], { precision: 0, recall: 0, f1: 0, support: 0, predicted: 0 });
    near(report.macroF1, (0.8 + 2 / 3) / 2, 'macro F1');
    const loss = (own: number, top: number) => Math.log(Math.exp(top) + 2) - own;
    near(report.logLoss, (loss(2, 2) + loss(1, 1) + loss(0, 1) + loss(3, 3)) / 4, 'log loss');
    assert.equal(report.top5, undefined);
    // As PyTorch's cross entropy has it.
    near(
      report.logLoss,
      torch
        .tensor(small.logits, { dtype: 'float64' })
        .logSoftmax(1)
        .mul(-1)
        .gather(1, torch.tensor(small.target, { dtype: 'int64' }).unsqueeze(1))
        .mean()
        .item(),
      'cross entropy',
    );
  });

  test('the same whatever the batches', () => {
    const one = randomCase(200, 7, 1);
    const whole = gather(one, 200).report();
    for (const batch of [1, 7, 64]) assert.deepEqual(gather(one, batch).report(), whole);
  });

  test("scikit-learn's figures, and SciPy's intervals", { skip }, () => {
    const single = [
      small,
      randomCase(500, 7, 2),
      randomCase(300, 102, 3, 60),
      randomCase(50, 2, 4),
      // Confident to the last bit, and wrong: the loss must not be infinite where scikit-learn's is not.
      {
        logits: [
          [30, -30],
          [-30, 30],
          [20, -5],
        ],
        target: [0, 1, 0],
      },
    ];
    const draws = sampleRandom(9, 0, 0, 20);
    const multi = [30, 400].map((count) => {
      const target = Array.from({ length: count }, () => Array.from({ length: 4 }, () => (draws.chance(0.3) ? 1 : 0)));
      // Rounded, so that there are equal scores.
      const scores = target.map((row) => row.map((label) => Math.round((draws.normal() + label) * 5) / 5));
      return { scores, target };
    });
    const intervals = [
      [0, 10],
      [10, 10],
      [7, 9],
      [780, 1000],
      [1, 100000],
    ].map(([successes, count], i) => ({
      successes,
      count,
      confidence: i === 3 ? 0.99 : 0.95,
    })) as { successes: number; count: number; confidence: number }[];
    const theirs = runPython<{
      single: Record<string, number | number[] | number[][]>[];
      multi: Record<string, number | number[]>[];
      wilson: [number, number][];
    }>([script], { single, multi, wilson: intervals });
    for (const [i, one] of single.entries()) {
      const report = gather(one, 37).report();
      const wanted = theirs.single[i] as Record<string, number>;
      for (const name of [
        'accuracy',
        'balancedAccuracy',
        'macroF1',
        'macroPrecision',
        'macroRecall',
        'logLoss',
        'calibrationError',
      ] as const)
        near(report[name], wanted[name] as number, `${name} of case ${i}`);
      for (const name of ['precision', 'recall', 'f1', 'support'] as const)
        report.perClass.forEach((found, j) => {
          near(found[name], (wanted[name] as unknown as number[])[j] as number, `${name} of class ${j}, case ${i}`);
        });
      assert.deepEqual(report.confusion, wanted.confusion as unknown);
      if (report.top5 !== undefined) near(report.top5, wanted.top5 as number, 'top-5');
    }
    for (const [i, one] of multi.entries()) {
      const metrics = new MultiLabelMetrics({ classes: 4 });
      for (let at = 0; at < one.target.length; at += 13)
        metrics.update(
          torch.tensor(one.scores.slice(at, at + 13), { dtype: 'float64' }),
          torch.tensor(one.target.slice(at, at + 13)),
        );
      const report = metrics.report();
      const wanted = theirs.multi[i] as Record<string, number>;
      report.averagePrecision.forEach((value, j) => {
        near(value, (wanted.averagePrecision as unknown as number[])[j] as number, `average precision ${j}`);
      });
      for (const name of ['microF1', 'macroF1', 'exactMatch'] as const)
        near(report[name], wanted[name] as number, name);
    }
    for (const [i, { successes, count, confidence }] of intervals.entries()) {
      const { low, high } = wilson(successes, count, confidence);
      near(low, theirs.wilson[i]?.[0] as number, `low of ${successes}/${count}`, 1e-8);
      near(high, theirs.wilson[i]?.[1] as number, `high of ${successes}/${count}`, 1e-8);
    }
  });

  test('stored answers of scikit-learn', () => {
    const report = gather(randomCase(100, 7, 5), 10).report();
    const golden = {
      accuracy: 0.32,
      balancedAccuracy: 0.32490282826417277,
      macroF1: 0.30539181315578834,
      logLoss: 2.090258558853686,
      calibrationError: 0.29156434298411416,
      top5: 0.87,
    } as const;
    for (const [name, value] of Object.entries(golden)) near(report[name as 'top5'] as number, value, name);
    near(averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.8333333333333333, 'average precision');
    assert.ok(Number.isNaN(averagePrecision([1, 2], [0, 0])));
  });

  test('probabilities, half precision, integers of any type', () => {
    const one = randomCase(60, 7, 6);
    const probabilities = new ClassificationMetrics({ classes: 7, input: 'probabilities' });
    probabilities.update(
      torch.tensor(one.logits, { dtype: 'float64' }).softmax(1),
      torch.tensor(one.target, { dtype: 'int32' }),
    );
    const wanted = gather(one, 60).report();
    near(probabilities.report().logLoss, wanted.logLoss, 'log loss');
    near(probabilities.report().calibrationError, wanted.calibrationError, 'calibration error');
    const half: Tensor = torch.tensor(one.logits).bfloat16();
    const metrics = new ClassificationMetrics({ classes: 7 });
    metrics.update(half, torch.tensor(one.target, { dtype: 'int64' }));
    near(metrics.report().logLoss, wanted.logLoss, 'log loss in bfloat16', 2e-2);
  });

  test('NaN is counted and not hidden', () => {
    const metrics = new ClassificationMetrics({ classes: 2 });
    metrics.update(
      torch.tensor([
        [Number.NaN, 1],
        [0, 1],
      ]),
      torch.tensor([0, 1], { dtype: 'int64' }),
    );
    const report = metrics.report();
    assert.equal(report.notFinite, 1);
    assert.ok(Number.isNaN(report.logLoss));
    assert.equal(report.count, 2);
  });

  test('what does not fit is refused', () => {
    const metrics = new ClassificationMetrics({ classes: 3 });
    throwsArgument(() => metrics.report(), /there are no samples/);
    throwsArgument(
      () => metrics.update(torch.zeros([2, 4]), torch.zeros([2])),
      /'output' must be \[N, 3\], got \[2, 4\]/,
    );
    throwsArgument(() => metrics.update(torch.zeros([2, 3]), torch.zeros([3])), /'target' must be \[2\], got \[3\]/);
    throwsArgument(
      () => metrics.update(torch.zeros([1, 3]), torch.tensor([3], { dtype: 'int64' })),
      /a target is 3; classes are 0 to 2/,
    );
    throwsArgument(() => new ClassificationMetrics({ classes: 0 }), /'classes' must be a positive integer/);
  });
});

describe('intervals', () => {
  test('the bootstrap is seeded, and holds the truth about as often as it says', () => {
    const metrics = gather(randomCase(150, 7, 7), 50);
    const first = metrics.intervals({ resamples: 200, seed: 1 });
    assert.deepEqual(metrics.intervals({ resamples: 200, seed: 1 }), first);
    assert.notDeepEqual(metrics.intervals({ resamples: 200, seed: 2 }), first);
    const report = metrics.report();
    for (const name of ['accuracy', 'balancedAccuracy', 'macroF1', 'logLoss'] as const)
      assert.ok(first[name].low < report[name] && report[name] < first[name].high, name);
    let inside = 0;
    for (let seed = 0; seed < 100; seed++) {
      const draws = sampleRandom(seed, 0, 0, 21);
      const values = Array.from({ length: 60 }, () => draws.normal());
      const { mean } = bootstrapIntervals(
        60,
        (positions) => ({ mean: positions.reduce((sum, i) => sum + (values[i] as number), 0) / 60 }),
        { resamples: 200, seed },
      );
      if (mean.low <= 0 && 0 <= mean.high) inside++;
    }
    assert.ok(inside >= 86 && inside <= 99, `${inside} of 100`);
  });
});
