/** Schedules: PyTorch's numbers over whole runs, resuming, pictures, messages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as optim from '../../src/optim/index.js';
import { torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';
import { type ScheduleCase, scheduleCases, scheduleTable } from './schedule-cases.js';

interface Run {
  readonly rates: readonly (readonly number[])[];
  readonly momenta: readonly number[];
}

/** The rates and momenta that an optimiser is given in the course of a case. */
function runHere(index: number, item: ScheduleCase): Run {
  const groups = item.base.map((lr) => ({ params: [torch.zeros([1]).requiresGrad_()], lr }));
  const optimizer = item.optimizer === 'AdamW' ? new optim.AdamW(groups) : new optim.SGD(groups, { momentum: 0.9 });
  const own = scheduleTable[index]?.[1];
  const scheduler = own !== undefined && 'title' in own ? new optim.Scheduler(optimizer as optim.Optimizer, own) : null;
  const plateau =
    scheduler === null ? (own as (o: optim.Optimizer) => optim.Plateau)(optimizer as optim.Optimizer) : null;
  const rates: number[][] = [];
  const momenta: number[] = [];
  for (let step = 0; step < item.steps; step++) {
    rates.push(optimizer.paramGroups.map((group) => group.lr));
    const [first] = optimizer.paramGroups as { momentum?: number; betas?: readonly [number, number] }[];
    momenta.push(first?.momentum ?? (first?.betas?.[0] as number));
    scheduler?.step();
    plateau?.report(item.metrics?.[step] as number);
  }
  return { rates, momenta };
}

function check(index: number, item: ScheduleCase, expected: Run): void {
  const own = runHere(index, item);
  const { kind, options } = item.scheduler;
  const title = `${kind} ${JSON.stringify(options)}`;
  expected.rates.forEach((rates, step) => {
    rates.forEach((rate, group) => {
      // Relative to the base: PyTorch multiplies from step to step, and its rounding is of that size when the rate nears 0.
      const gap = Math.abs(rate - (own.rates[step]?.[group] as number)) / Math.max(...item.base);
      assert.ok(gap <= 1e-12, `${title}: ${rate} and ${own.rates[step]?.[group]} at step ${step}, group ${group}`);
    });
    const gap = Math.abs((expected.momenta[step] as number) - (own.momenta[step] as number));
    assert.ok(gap <= 1e-12, `${title}: momentum ${expected.momenta[step]} and ${own.momenta[step]} at step ${step}`);
  });
}

describe("PyTorch's numbers over a whole run", () => {
  const golden = JSON.parse(
    readFileSync(fileURLToPath(new URL('../golden/schedules.json', import.meta.url)), 'utf8'),
  ) as { cases: { case: ScheduleCase; result: Run }[] };
  test('stored', () => {
    assert.deepEqual(
      golden.cases.map((x) => x.case),
      JSON.parse(JSON.stringify(scheduleCases())),
      'write test/golden/schedules.json anew: scripts/golden/optimizers.py --golden',
    );
    golden.cases.forEach(({ case: item, result }, i) => {
      check(i, item, result);
    });
  });

  test('live', { skip: skipLive }, () => {
    const script = fileURLToPath(new URL('../../scripts/golden/optimizers.py', import.meta.url));
    // Python's 1.13 wants its own polynomial and chained schedulers built otherwise; it compares with what it has.
    const cases = scheduleCases();
    const results = runPython<Run[]>([script], { task: 'schedules', cases });
    results.forEach((result, i) => {
      check(i, cases[i] as ScheduleCase, result);
    });
  });
});

describe('schedules', () => {
  test('are functions of the step alone', () => {
    const schedule = optim.warmup(optim.cosine({ steps: 90 }), { steps: 10 });
    assert.equal(schedule(37), schedule(37));
    assert.equal(schedule(0), 1 / 11);
    assert.equal(schedule(10), 1);
    assert.equal(schedule(10, 0.3), 0.3);
    assert.equal(schedule.steps, 100);
    assert.ok(Math.abs(schedule(100)) < 1e-12);
    assert.ok(Math.abs(schedule(10_000)) < 1e-12, 'cosine stays at its minimum after the end');
  });

  test('warm-up stands in front of any of them', () => {
    for (const schedule of [
      optim.constant(),
      optim.step({ every: 5 }),
      optim.multiStep({ milestones: [4] }),
      optim.exponential({ gamma: 0.9 }),
      optim.linear({ steps: 20 }),
      optim.polynomial({ steps: 20 }),
      optim.cosine({ steps: 20 }),
      optim.cosineRestarts({ steps: 20 }),
      optim.oneCycle({ steps: 20 }),
    ])
      for (const shape of ['linear', 'cosine'] as const) {
        const warm = optim.warmup(schedule, { steps: 4, start: 0.25, shape });
        assert.ok(Math.abs(warm(0) - 0.25 * schedule(0)) < 1e-15, warm.title);
        for (let step = 0; step < 20; step++) assert.equal(warm(4 + step), schedule(step), warm.title);
        assert.ok(warm(1) > warm(0) && warm(3) > warm(1) && warm(3) <= schedule(0));
      }
  });

  test('fractions of a step are fine', () => {
    const schedule = optim.cosineRestarts({ steps: 10 });
    assert.ok(schedule(2.5) < schedule(2) && schedule(2.5) > schedule(3));
  });

  test('one-cycle without a highest rate takes the base, and holds its last rate', () => {
    const schedule = optim.oneCycle({ steps: 50 });
    assert.ok(Math.abs(schedule(14, 0.2) - 0.2) < 1e-12);
    assert.equal(schedule(49, 0.2), schedule(500, 0.2));
    assert.equal(optim.oneCycle({ steps: 1 })(0) > 0, true);
    assert.ok(Number.isFinite(optim.oneCycle({ steps: 20, rising: 0 })(0)));
  });
});

describe('Scheduler', () => {
  const make = () => new optim.SGD([torch.zeros([1]).requiresGrad_()], { lr: 0.1, momentum: 0.9 });

  test('resumes from the step and the optimiser', () => {
    const schedule = optim.warmup(optim.cosine({ steps: 20 }), { steps: 5 });
    const first = make();
    const scheduler = new optim.Scheduler(first, schedule);
    for (let i = 0; i < 9; i++) scheduler.step();
    const second = make();
    const resumed = new optim.Scheduler(second, schedule);
    second.loadState(JSON.parse(JSON.stringify({ ...first.state(), tensors: {} })));
    resumed.loadState(JSON.parse(JSON.stringify(scheduler.state())));
    for (let i = 0; i < 16; i++) {
      assert.deepEqual(resumed.lastLr(), scheduler.lastLr());
      resumed.step();
      scheduler.step();
    }
  });

  test('a second scheduler starts from the same base', () => {
    const optimizer = make();
    new optim.Scheduler(optimizer, optim.linear({ steps: 10 })).step(9);
    new optim.Scheduler(optimizer, optim.constant());
    assert.equal(optimizer.paramGroups[0]?.lr, 0.1);
  });

  test('one schedule per group', () => {
    const groups = [1, 2].map((lr) => ({ params: [torch.zeros([1]).requiresGrad_()], lr }));
    const optimizer = new optim.SGD(groups);
    const scheduler = new optim.Scheduler(optimizer, [optim.constant(), optim.step({ every: 1, gamma: 0.5 })]);
    scheduler.step();
    assert.deepEqual(scheduler.lastLr(), [1, 1]);
    assert.throws(() => new optim.Scheduler(optimizer, [optim.constant()]), /got 1 schedules for 2 parameter groups/);
  });

  test('one-cycle moves the momentum, and needs one', () => {
    const optimizer = make();
    const scheduler = new optim.Scheduler(optimizer, optim.oneCycle({ steps: 10 }));
    assert.equal(optimizer.paramGroups[0]?.momentum, 0.95);
    scheduler.step();
    assert.ok((optimizer.paramGroups[0]?.momentum as number) < 0.95);
    const without = new optim.Adagrad([torch.zeros([1]).requiresGrad_()]);
    assert.throws(
      () => new optim.Scheduler(without, optim.oneCycle({ steps: 10 })),
      /Adagrad has none; say cycleMomentum: false/,
    );
  });

  test('the plateau rule resumes through JSON', () => {
    const one = make();
    const rule = new optim.Plateau(one, { patience: 2, factor: 0.5 });
    const two = make();
    const again = new optim.Plateau(two, { patience: 2, factor: 0.5 });
    again.loadState(JSON.parse(JSON.stringify(rule.state())));
    for (const value of [3, 2, 2, 2]) rule.report(value);
    again.loadState(JSON.parse(JSON.stringify(rule.state())));
    for (const value of [2, 2, 1.9, 2, 2, 2]) {
      assert.equal(again.report(value), rule.report(value));
      assert.equal(again.best, rule.best);
    }
    assert.ok((one.paramGroups[0]?.lr as number) < 0.1);
  });
});

describe('scaleForBatchSize', () => {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);

  test('scales by the size or its root', () => {
    assert.equal(optim.scaleForBatchSize(0.01, { from: 32, to: 64 }), 0.02);
    assert.equal(optim.scaleForBatchSize(0.01, { from: 64, to: 32 }), 0.005);
    assert.equal(optim.scaleForBatchSize(0.01, { from: 32, to: 128, rule: 'sqrt' }), 0.02);
  });

  test('cuts and warns as the rate approaches 1', () => {
    assert.equal(optim.scaleForBatchSize(0.1, { from: 32, to: 4096, onWarning }), 1);
    assert.match(
      warnings.pop() as string,
      /gives a learning rate of 12.8 for batches of 4096, cut to 1: near 1 the curvature/,
    );
    assert.equal(optim.scaleForBatchSize(0.1, { from: 32, to: 192, onWarning }), 0.6000000000000001);
    assert.match(warnings.pop() as string, /0.6 for batches of 192; so near 1 the rule is doubtful/);
    assert.equal(optim.scaleForBatchSize(0.1, { from: 32, to: 4096, cap: 0.3, onWarning }), 0.3);
    warnings.pop();
    assert.equal(optim.scaleForBatchSize(0.1, { from: 32, to: 4096, cap: false, onWarning }), 12.8);
    warnings.pop();
    optim.scaleForBatchSize(0.1, { from: 32, to: 64, onWarning });
    assert.deepEqual(warnings, []);
  });
});

describe('pictures', () => {
  test('in braille, within the width, with the rates at the axis', () => {
    const text = optim.warmup(optim.cosine({ steps: 90 }), { steps: 10 }).draw({ base: 0.1, width: 60, height: 8 });
    const lines = text.split('\n');
    assert.equal(lines.length, 11);
    assert.ok(
      lines.every((line) => line.length <= 60),
      text,
    );
    assert.match(text, /0\.1 ┤/);
    assert.match(text, /0\.05 ┤/);
    assert.match(text, /[⠁-⣿]/);
    assert.match(lines.at(-1) as string, /0 +step +100/);
    // The curve rises to the top near a tenth of the width and ends at the bottom right.
    const top = (lines[1] as string).slice(6);
    assert.ok(top.search(/[⠁-⣿]/) >= 4 && top.search(/[⠁-⣿]/) <= 8, text);
    assert.match(lines[8] as string, /[⠁-⣿]$/);
  });

  test('in SVG', async () => {
    const svg = await optim.oneCycle({ steps: 100 }).svg({ title: 'One cycle & more', base: 0.3 });
    assert.match(svg, /^<svg [^>]*width="720"/);
    assert.match(svg, /One cycle &amp; more/);
    assert.match(svg, /learning rate/);
    assert.match(svg, /<\/svg>\s*$/);
    assert.ok(!svg.includes('NaN'));
  });

  test('every schedule draws itself', async () => {
    for (const [, own] of scheduleTable)
      if ('title' in own) {
        assert.match(own.draw({ height: 4 }), /[⠁-⣿]/);
        assert.ok(!(await own.svg()).includes('NaN'), own.title);
      }
  });
});

describe('messages', () => {
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [() => optim.cosine({ steps: 0 }), /cosine\(\): steps must be a whole number, at least 1; got 0\./],
    [() => optim.cosine({ steps: 10, minimun: 1 } as never), /there is no option 'minimun'; did you mean 'minimum'\?/],
    [() => optim.linear({ steps: 5, start: -1 }), /linear\(\): start must be a number at least 0, got -1\./],
    [() => optim.exponential({ gamma: 0 }), /gamma must be a number above 0, got 0/],
    [() => optim.multiStep({ milestones: [] }), /milestones must be a list of steps/],
    [
      () => optim.warmup('x' as never, { steps: 3 }),
      /warmup\(\) takes schedules, e\.g\. cosine\(\{ steps: 100 \}\); got string/,
    ],
    [
      () => optim.warmup(optim.constant(), { steps: 3, shape: 'round' as never }),
      /shape must be 'linear' or 'cosine', got 'round'/,
    ],
    [() => optim.sequence([optim.constant(), optim.constant()]), /constant\(\) never ends; give milestones/],
    [() => optim.sequence([]), /at least one schedule/],
    [
      () => optim.sequence([optim.constant(), optim.constant()], { milestones: [1, 2] }),
      /2 schedules need 1 milestones, one less; got 2/,
    ],
    [() => optim.oneCycle({ steps: 10, shape: 'cos' as never }), /shape must be 'cosine' or 'linear', got 'cos'/],
    [() => optim.scaleForBatchSize(0, { from: 1, to: 2 }), /lr must be a number above 0, got 0/],
    [() => optim.scaleForBatchSize(1, { from: 1, to: 2, rule: 'cubic' as never }), /rule must be 'linear' or 'sqrt'/],
    [
      () => new optim.Plateau(new optim.SGD([torch.zeros([1]).requiresGrad_()]), { factor: 1 }),
      /Plateau: factor must be a number at least 0 and below 1, got 1\./,
    ],
    [
      () => new optim.Plateau(new optim.SGD([torch.zeros([1]).requiresGrad_()]), { minLr: [1, 2] }),
      /minLr has 2 rates, the optimiser 1 groups/,
    ],
    [
      () => new optim.Plateau(new optim.SGD([torch.zeros([1]).requiresGrad_()])).report(torch.zeros([]) as never),
      /takes a number/,
    ],
  ];
  for (const [make, expected] of cases) test(String(expected), () => assert.throws(make, expected));
});
