/** The range test: what it suggests, and that it leaves no trace. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as F from '../../src/nn/functional.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { suggest } from '../../src/optim/lr-curve.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { valuesOf } from './cases.js';

describe('on a quadratic of known curvature', () => {
  const quadratic = (curvatures: readonly number[], seed: number) => {
    torch.manualSeed(seed);
    const scale = torch.tensor([...curvatures]);
    const weight = torch.randn([curvatures.length]).requiresGrad_();
    return {
      model: { parameters: () => [weight], buffers: () => [] },
      optimizer: new optim.SGD([weight], { lr: 0.1 }) as optim.Optimizer,
      batches: [0],
      loss: () => weight.mul(weight).mul(scale).sum().mul(0.5),
    };
  };
  const spectra: Readonly<Record<string, readonly number[]>> = {
    one: [1],
    flat: [0.37],
    steep: [5000],
    three: [20, 1, 0.1],
    'badly conditioned': [100, 50, 3, 1, 0.01],
    many: Array.from({ length: 50 }, (_, i) => 1000 / (i + 1)),
  };
  for (const [name, curvatures] of Object.entries(spectra))
    test(`${name}: the highest rate is within 1.5 of 2 / L`, async () => {
      for (const seed of [5, 6, 7]) {
        const found = await optim.lrFind(quadratic(curvatures, seed));
        const ratio = (found.suggestions.highest.lr * Math.max(...curvatures)) / 2;
        assert.ok(ratio < 1.5 && ratio > 1 / 1.5, `seed ${seed}: ${ratio} times 2 / L`);
        assert.ok(found.lr <= found.suggestions.highest.lr / 2);
        assert.ok(found.complete);
      }
    });

  test('a loss that never spikes is said to', async () => {
    const found = await optim.lrFind({ ...quadratic([0.001], 1), steps: 30 });
    assert.ok(!found.complete);
    assert.match(found.text(), /did not spike up to 10 with every seed: the highest rate may be higher/);
  });

  test('timers and signals have their turn, though a batch is always ready', async () => {
    let turns = 0;
    let over = false;
    const count = (): void => {
      turns++;
      if (!over) setImmediate(count);
    };
    count();
    await optim.lrFind({ ...quadratic([0.001], 1), steps: 20, seeds: [1], trialSteps: 0 });
    over = true;
    assert.ok(turns >= 20, `${turns} turns`);
  });

  test('groups keep the ratio of their rates', async () => {
    const [a, b] = [torch.ones([1]).requiresGrad_(), torch.ones([1]).requiresGrad_()];
    const optimizer = new optim.SGD([
      { params: a, lr: 1 },
      { params: b, lr: 0.1 },
    ]);
    const seen: number[] = [];
    await optim.lrFind({
      model: { parameters: () => [a, b], buffers: () => [] },
      optimizer,
      batches: [0],
      steps: 20,
      seeds: [1],
      loss: () => {
        seen.push((optimizer.paramGroups[1]?.lr as number) / (optimizer.paramGroups[0]?.lr as number));
        return a.mul(a).add(b.mul(b)).sum();
      },
    });
    assert.ok(seen.every((ratio) => Math.abs(ratio - 0.1) < 1e-12));
    assert.deepEqual(
      optimizer.paramGroups.map((group) => group.lr),
      [1, 0.1],
    );
  });
});

test('readings of a curve', () => {
  const rates = Array.from({ length: 101 }, (_, i) => 10 ** (-7 + i * 0.08));
  // Flat with noise, a fall between 1e-4 and 1e-1, a spike.
  const losses = rates.map((rate, i) => {
    const t = Math.min(1, Math.max(0, (Math.log10(rate) + 4) / 3));
    return 2.3 + 0.02 * Math.sin(7 * i) - 2 * t + (rate > 0.1 ? 3 * Math.log10(rate / 0.1) ** 2 : 0);
  });
  const found = suggest({ seed: 0, rates, losses, diverged: true });
  const near = (value: number, expected: number, factor: number) =>
    assert.ok(value / expected < factor && expected / value < factor, `${value} is not near ${expected}`);
  near(found.valley, 10 ** -2.4, 2);
  assert.ok(found.steepest > 1e-4 && found.steepest < 0.1);
  near(found.minimum, 0.0125, 2);
  near(found.edge, 0.125, 1.7);
});

describe('leaves no trace', () => {
  /** Dropout draws random numbers, BatchNorm has buffers, AdamW has state. */
  function setUp() {
    torch.manualSeed(11);
    const net = new nn.Sequential(
      new nn.Linear(6, 16),
      new nn.BatchNorm1d(16),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(16, 3),
    );
    const optimizer = new optim.AdamW(net.parameters(), { lr: 0.01 });
    const inputs = torch.randn([64, 6]);
    const targets = inputs.narrow(1, 0, 3).argmax(1);
    const generator = new torch.Generator();
    generator.manualSeed(3);
    const batch = () => torch.randint(0, 64, [16], { generator });
    const loss = (index: Tensor) =>
      F.crossEntropy(net.forward(inputs.indexSelect(0, index)) as Tensor, targets.indexSelect(0, index));
    const train = (steps: number) => {
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        loss(batch()).backward();
        optimizer.step();
      }
    };
    const everything = () => ({
      weights: valuesOf([...net.parameters(), ...net.buffers()]),
      gradients: net.parameters().map((x) => x.grad?.toArray() ?? null),
      optimizer: Object.entries(optimizer.state().tensors).map(([key, tensor]) => [key, tensor.toArray()]),
      steps: optimizer.state().steps,
      groups: optimizer.state().groups,
      random: torch.getRngState().toArray(),
      own: generator.getState().toArray(),
    });
    return { net, optimizer, generator, batch, loss, train, everything };
  }
  type Parts = ReturnType<typeof setUp>;
  const options = (parts: Parts) => ({
    model: parts.net,
    optimizer: parts.optimizer as optim.Optimizer,
    batches: () => parts.batch(),
    loss: parts.loss,
    generators: [parts.generator],
    steps: 25,
    seeds: [1, 2],
    trialSteps: 4,
  });

  for (const warm of [0, 7])
    test(`the run after it is bit-equal to one without it, ${warm} steps into training`, async () => {
      const without = setUp();
      without.train(warm);
      without.train(15);
      const parts = setUp();
      parts.train(warm);
      const before = parts.everything();
      const found = await optim.lrFind(options(parts));
      assert.equal(found.sweeps.length, 2);
      assert.deepEqual(parts.everything(), before);
      parts.train(15);
      assert.deepEqual(parts.everything(), without.everything());
    });

  test('state that was there stays the same tensors', async () => {
    const parts = setUp();
    parts.train(3);
    const own = parts.optimizer.state().tensors['0.expAvg'] as Tensor;
    await optim.lrFind(options(parts));
    assert.equal(parts.optimizer.state().tensors['0.expAvg'], own);
  });

  test('also when the loss or the batches throw', async () => {
    for (const kind of ['loss', 'batches'] as const) {
      const parts = setUp();
      parts.train(2);
      const before = parts.everything();
      let calls = 0;
      const fail = <T>(value: () => T): T => {
        if (++calls === 40) throw new Error(`${kind} failed`);
        return value();
      };
      await assert.rejects(
        optim.lrFind({
          ...options(parts),
          ...(kind === 'loss'
            ? { loss: (index: Tensor) => fail(() => parts.loss(index)) }
            : { batches: () => fail(() => parts.batch()) }),
        }),
        new RegExp(`${kind} failed`),
      );
      assert.deepEqual(parts.everything(), before);
    }
  });

  test('a source with a position is put back there; an array is read from its start', async () => {
    const parts = setUp();
    const list = Array.from({ length: 5 }, () => parts.batch());
    const source = {
      position: 2,
      state() {
        return this.position;
      },
      restore(position: number) {
        this.position = position;
      },
      async *[Symbol.asyncIterator]() {
        while (this.position < list.length) yield list[this.position++] as Tensor;
        this.position = 0;
      },
    };
    await optim.lrFind({ ...options(parts), batches: source });
    assert.equal(source.position, 2);
    const seen: Tensor[] = [];
    await optim.lrFind({
      ...options(parts),
      batches: list,
      loss: (index) => {
        seen.push(index);
        return parts.loss(index);
      },
    });
    assert.deepEqual(seen.slice(0, 6), [...list, list[0]]);
  });

  test('frees its copies', async () => {
    const parts = setUp();
    parts.train(2);
    await optim.lrFind(options(parts));
    const before = torch.memory({ collect: true }).handles;
    await optim.lrFind(options(parts));
    assert.ok(torch.memory({ collect: true }).handles <= before);
  });

  test('progress is reported, the result prints and draws', async () => {
    const parts = setUp();
    const shares: number[] = [];
    const found = await optim.lrFind({ ...options(parts), onProgress: (share) => shares.push(share) });
    assert.equal(shares[0], 0);
    assert.ok(shares.every((share, i) => share <= 1 && (i === 0 || share > (shares[i - 1] as number))));
    const text = String(found);
    for (const word of [
      'valley',
      'steepest',
      'minimum',
      'highest',
      'Begin with',
      'mean and range of 2 seeds',
      'learning rate',
    ])
      assert.ok(text.includes(word), text);
    assert.ok(
      text.split('\n').every((line) => line.length <= 110),
      text,
    );
    const svg = await found.svg();
    assert.match(svg, /^<svg/);
    for (const word of ['valley', 'highest', 'learning rate']) assert.ok(svg.includes(word));
    assert.ok(!svg.includes('NaN'));
    for (const band of Object.values(found.suggestions)) assert.ok(band.low <= band.lr && band.lr <= band.high);
  });
});

describe('messages', () => {
  const weight = torch.ones([1]).requiresGrad_();
  const good = {
    model: { parameters: () => [weight], buffers: () => [] },
    optimizer: new optim.SGD([weight]) as optim.Optimizer,
    batches: [0],
    loss: () => weight.mul(weight).sum(),
  };
  function* generator() {
    yield 0;
  }
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ model: weight }, /model must be a network, something with parameters\(\) and buffers\(\)/],
    [{ optimizer: {} }, /optimizer must be one of optim's/],
    [{ loss: 3 }, /loss must be a function from a batch to its loss/],
    [{ from: 0 }, /from must be a number above 0, got 0/],
    [{ to: 1e-9 }, /to must be a number above 1e-7, got 1e-9/],
    [{ steps: 5 }, /steps must be a whole number, at least 10; got 5/],
    [{ seeds: [] }, /seeds must be a list of at least one seed/],
    [{ batches: generator() }, /batches is a generator, whose batches would be used up/],
    [{ batches: 7 }, /batches must be an array, a loader or a function of the index; got number/],
    [{ batches: [] }, /batches is empty/],
    [{ loss: () => torch.ones([2]).requiresGrad_() }, /loss must give a tensor of one number, got shape \[2\]/],
    [{ sedes: [1] }, /there is no option 'sedes'; did you mean 'seeds'\?/],
  ];
  for (const [change, expected] of cases)
    test(String(expected), async () => {
      await assert.rejects(optim.lrFind({ ...good, ...change } as never), expected);
    });
});
