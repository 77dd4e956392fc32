/** Groups, clipping, averaged weights, accumulated gradients. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';
import { difference, makeOptimizer, makeParameters, type OptimizerCase, run, setGradients, valuesOf } from './cases.js';

const script = fileURLToPath(new URL('../../scripts/golden/optimizers.py', import.meta.url));

/** Norms and matrices by the names a transformer has. */
function model(): optim.ModelParameters & { readonly all: Map<string, Tensor> } {
  const all = new Map<string, Tensor>();
  const add = (name: string, ...shape: number[]) => all.set(name, torch.ones(shape).requiresGrad_());
  add('embed.weight', 10, 4);
  for (const i of [0, 1, 2]) {
    add(`blocks.${i}.norm.weight`, 4);
    add(`blocks.${i}.linear.weight`, 4, 4);
    add(`blocks.${i}.linear.bias`, 4);
  }
  add('head.weight', 3, 4);
  all.set('head.frozen', torch.ones([3, 3]));
  return { all, namedParameters: () => all.entries() };
}

describe('paramGroups', () => {
  const named = (net: ReturnType<typeof model>, group: optim.ParamGroup | undefined) =>
    [...net.all].filter(([, tensor]) => group?.params.includes(tensor)).map(([name]) => name);

  test('biases and norms do not decay; frozen parameters are left out', () => {
    const net = model();
    const groups = optim.paramGroups(net, { weightDecay: 0.05 });
    assert.deepEqual(
      groups.map(({ name, weightDecay, params }) => [name, weightDecay, params.length]),
      [
        ['decay', 0.05, 5],
        ['no decay', 0, 6],
      ],
    );
    assert.deepEqual(named(net, groups[0]), [
      'embed.weight',
      'blocks.0.linear.weight',
      'blocks.1.linear.weight',
      'blocks.2.linear.weight',
      'head.weight',
    ]);
    const optimizer = new optim.AdamW(groups, { lr: 0.1 });
    assert.deepEqual(
      optimizer.paramGroups.map((group) => group.weightDecay),
      [0.05, 0],
    );
  });

  test('rules by name, expression and function', () => {
    const net = model();
    const rule = (noDecayOn: optim.ParamGroupsOptions['noDecayOn']) =>
      named(
        net,
        optim.paramGroups(net, { noDecayOn }).find(({ name }) => name === 'no decay'),
      ).length;
    assert.equal(rule('bias'), 3);
    assert.equal(rule(/^embed/), 1);
    assert.equal(rule(['vectors', /embed/]), 7);
    assert.equal(
      rule((name) => name.startsWith('head')),
      1,
    );
    assert.equal(rule([]), 0);
  });

  test('layers learn the slower the nearer they are to the input', () => {
    const net = model();
    const groups = optim.paramGroups(net, { lr: 0.01, layerDecay: 0.5, weightDecay: 0.1 });
    const rates = new Map(groups.flatMap((group) => named(net, group).map((name) => [name, group.lr] as const)));
    assert.equal(rates.get('head.weight'), 0.01);
    assert.equal(rates.get('blocks.2.linear.weight'), 0.005);
    assert.equal(rates.get('blocks.2.norm.weight'), 0.005);
    assert.equal(rates.get('blocks.0.linear.bias'), 0.01 * 0.5 ** 3);
    assert.equal(rates.get('embed.weight'), 0.01 * 0.5 ** 4);
    const own = optim.paramGroups(net, {
      lr: 1,
      layerDecay: 0.1,
      layerOf: (name) => (name.startsWith('head') ? 1 : 0),
    });
    assert.deepEqual([...new Set(own.map((group) => group.lr))], [0.1, 1]);
  });

  test('takes a network, and splits it for Muon', () => {
    const net = new nn.Sequential(
      new nn.Linear(4, 8),
      new nn.LayerNorm([8]),
      new nn.ReLU(),
      new nn.Linear(8, 8),
      new nn.Linear(8, 3),
    );
    const groups = optim.paramGroups(net, { weightDecay: 0.1 });
    assert.deepEqual(
      groups.map((group) => group.params.length),
      [3, 5],
    );
    const { matrices, others } = optim.splitForMuon(net);
    assert.deepEqual(
      matrices.map((x) => x.shape),
      [
        [8, 4],
        [8, 8],
      ],
    );
    assert.equal(others.length, 6);
    new optim.Muon(matrices);
  });

  test('messages', () => {
    const net = model();
    assert.throws(() => optim.paramGroups({} as never), /takes a model first/);
    assert.throws(() => optim.paramGroups(net, { layerDecay: 0.5 }), /layerDecay needs lr/);
    assert.throws(
      () => optim.paramGroups(net, { lr: 1, layerDecay: 1.5 }),
      /layerDecay must be a number above 0 and at most 1/,
    );
    assert.throws(() => optim.paramGroups(net, { noDecayOn: 'norms' as never }), /noDecayOn takes 'vectors', 'bias'/);
    assert.throws(() => optim.paramGroups(net, { decay: 1 } as never), /there is no option 'decay'/);
    assert.throws(() => optim.paramGroups({ namedParameters: () => [] }), /no parameter that needs a gradient/);
    assert.throws(
      () => optim.paramGroups(net, { lr: 1, layerDecay: 0.5, layerOf: () => -1 }),
      /layerOf\('embed\.weight'\) must be/,
    );
  });
});

describe('clipping', () => {
  const problem: OptimizerCase = { optimizer: 'SGD', options: {}, dtype: 'float32', shapes: 'mixed', steps: 0 };
  const gradients = (): Tensor[] => {
    const parameters = makeParameters(problem);
    setGradients(parameters, 0);
    return parameters;
  };
  const gradientValues = (parameters: readonly Tensor[]) => valuesOf(parameters.map((x) => x.grad as Tensor));

  test('by norm: the whole is as long as allowed, the direction stays', () => {
    const parameters = gradients();
    const before = torch.cat(parameters.map((x) => (x.grad as Tensor).reshape([-1])));
    const total = optim.clipGradNorm_(parameters, 1);
    assert.ok(Math.abs(total.item() - before.norm().item()) < 1e-5);
    const after = torch.cat(parameters.map((x) => (x.grad as Tensor).reshape([-1])));
    assert.ok(Math.abs(after.norm().item() - 1) < 1e-5);
    assert.ok(after.sub(before.div(before.norm())).abs().max().item() < 1e-5);
    assert.ok(optim.clipGradNorm_(parameters, 100).item() < 1.001);
    assert.deepEqual(gradientValues(parameters), gradientValues(parameters));
  });

  test('by value', () => {
    const parameters = gradients();
    optim.clipGradValue_(parameters, 0.5);
    const values = gradientValues(parameters).flat();
    assert.equal(Math.max(...values), 0.5);
    assert.equal(Math.min(...values), -0.5);
  });

  test("PyTorch's numbers", { skip: skipLive }, () => {
    const cases = [
      { ...problem, norm: 1, norm_type: 2 },
      { ...problem, norm: 1000, norm_type: 2 },
      { ...problem, norm: 0.3, norm_type: 'inf' },
      { ...problem, norm: 2, norm_type: 1 },
      { ...problem, norm: 0.7, norm_type: 3.5, step: 1 },
      { ...problem, norm: 0.7, norm_type: 2, dtype: 'float64' as const },
      { ...problem, value: 0.4 },
    ];
    const results = runPython<{ total: number | null; gradients: number[][] }[]>([script], { task: 'clips', cases });
    cases.forEach((item, i) => {
      const parameters = makeParameters(item);
      setGradients(parameters, 'step' in item ? (item.step as number) : 0);
      const expected = results[i] as (typeof results)[number];
      if ('value' in item) optim.clipGradValue_(parameters, item.value as number);
      else {
        const normType = item.norm_type === 'inf' ? Infinity : (item.norm_type as number);
        const total = optim.clipGradNorm_(parameters, item.norm as number, { normType }).item();
        assert.ok(Math.abs(total - (expected.total as number)) <= 1e-6 * total, JSON.stringify(item));
      }
      const own = gradientValues(parameters.filter((x) => x.grad !== null));
      assert.ok(difference(own, expected.gradients) <= 1e-6, JSON.stringify(item));
    });
  });

  test('leaves nothing behind', () => {
    const parameters = gradients();
    optim.clipGradNorm_(parameters, 1);
    const before = torch.memory({ collect: true }).handles;
    for (let i = 0; i < 20; i++) {
      optim.clipGradNorm_(parameters, 1).dispose();
      optim.clipGradValue_(parameters, 1);
    }
    assert.equal(torch.memory({ collect: true }).handles, before);
  });

  test('without gradients, and with those that overflowed', () => {
    assert.equal(optim.clipGradNorm_(makeParameters(problem), 1).item(), 0);
    optim.clipGradValue_(makeParameters(problem), 1);
    const weight = torch.zeros([2]).requiresGrad_();
    weight.grad = torch.tensor([1, Infinity]);
    assert.throws(
      () => optim.clipGradNorm_(weight, 1, { errorIfNonfinite: true }),
      /the norm of the gradients is Infinity, so they cannot be clipped/,
    );
    assert.deepEqual(weight.grad.toArray(), [1, Infinity]);
    assert.throws(() => optim.clipGradNorm_(weight, -1), /maxNorm must be a number, at least 0; got -1/);
    assert.throws(() => optim.clipGradNorm_(['x'] as never, 1), /each parameter must be a Tensor, got string/);
    assert.throws(() => optim.clipGradValue_(weight, Number.NaN), /clipValue must be a number at least 0, got NaN/);
  });
});

describe('ExponentialMovingAverage', () => {
  const item: OptimizerCase = {
    optimizer: 'AdamW',
    options: { lr: 0.05 },
    dtype: 'float64',
    shapes: 'mixed',
    steps: 40,
  };

  test("PyTorch's numbers", {
    skip: skipLive || torch.version.startsWith('1.') ? skipLive || 'PyTorch had none yet' : false,
  }, () => {
    const expected = runPython<number[][]>([script], { task: 'averages', case: item, decay: 0.9 });
    const parameters = makeParameters(item);
    const optimizer = makeOptimizer(item, parameters);
    const average = new optim.ExponentialMovingAverage(parameters, { decay: 0.9 });
    for (let step = 0; step < item.steps; step++) {
      run(optimizer, parameters, step, step + 1);
      average.update();
    }
    assert.ok(difference(valuesOf(average.averages), expected) <= 1e-12);
  });

  test('is the weighted mean of the weights', () => {
    const weight = torch.tensor([1]).requiresGrad_();
    const average = new optim.ExponentialMovingAverage([weight], { decay: 0.75 });
    const set = (value: number) => torch.noGrad(() => weight.fill_(value));
    for (const value of [4, 8, 16]) {
      set(value);
      average.update();
    }
    assert.equal(average.averages[0]?.item(), (4 * 0.75 + 8 * 0.25) * 0.75 + 16 * 0.25);
  });

  test('warm-up forgets the first weights sooner', () => {
    const weight = torch.tensor([0]).requiresGrad_();
    const average = new optim.ExponentialMovingAverage([weight], { decay: 0.999, warmUp: true });
    average.update();
    torch.noGrad(() => weight.fill_(1));
    for (let i = 1; i < 20; i++) {
      assert.equal(average.currentDecay(), (1 + i) / (10 + i));
      average.update();
    }
    assert.ok((average.averages[0]?.item() as number) > 0.9);
  });

  test('swaps in and out bit-equal, buffers too, also after a throw', async () => {
    const [weight, buffer] = [torch.randn([5]).requiresGrad_(), torch.randn([3])];
    const average = new optim.ExponentialMovingAverage([weight], { decay: 0.5, buffers: [buffer] });
    average.update();
    torch.noGrad(() => {
      weight.add_(1);
      buffer.add_(1);
    });
    average.update();
    torch.noGrad(() => buffer.mul_(3));
    const trained = valuesOf([weight, buffer]);
    const averaged = valuesOf(average.averages);
    average.within(() => {
      assert.ok(average.swapped);
      assert.deepEqual(valuesOf([weight]), averaged);
      assert.notDeepEqual(valuesOf([buffer]), trained.slice(1));
      assert.throws(() => average.update(), /swap\(\) back first/);
      assert.throws(() => average.state(), /swap\(\) back first/);
    });
    assert.deepEqual(valuesOf([weight, buffer]), trained);
    assert.throws(
      () =>
        average.within(() => {
          throw new Error('evaluation failed');
        }),
      /evaluation failed/,
    );
    assert.deepEqual(valuesOf([weight, buffer]), trained);
    await assert.rejects(
      average.within(async () => {
        throw new Error('later');
      }),
      /later/,
    );
    assert.deepEqual(valuesOf([weight, buffer]), trained);
    assert.deepEqual(valuesOf(average.averages), averaged);
    assert.ok(weight.requiresGrad && weight.isLeaf);
    average.copyToModel();
    assert.deepEqual(valuesOf([weight]), averaged);
  });

  test('resumes bit-equal', () => {
    const weight = torch.zeros([4]).requiresGrad_();
    const average = new optim.ExponentialMovingAverage([weight], { decay: 0.9, warmUp: true });
    const step = (i: number) => torch.noGrad(() => weight.copy_(torch.arange(4).add(i).sin()));
    for (let i = 0; i < 5; i++) {
      step(i);
      average.update();
    }
    const { tensors, ...plain } = average.state();
    const copies = Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, tensor.clone()]));
    const resumed = new optim.ExponentialMovingAverage([weight]);
    resumed.loadState({ ...JSON.parse(JSON.stringify(plain)), tensors: copies });
    for (let i = 5; i < 9; i++) {
      step(i);
      average.update();
      resumed.update();
    }
    assert.deepEqual(valuesOf(resumed.averages), valuesOf(average.averages));
    assert.throws(
      () => resumed.loadState({ ...plain, tensors: { 'average.0': torch.zeros([3]) } }),
      /average\.0 has shape \[3\], expected \[4\]/,
    );
    assert.throws(() => new optim.ExponentialMovingAverage([]), /got no parameters to average/);
    assert.throws(
      () => new optim.ExponentialMovingAverage([weight], { decay: 2 }),
      /decay must be a number at least 0 and at most 1, got 2/,
    );
  });
});

describe('GradientAccumulation', () => {
  const inputs = torch.arange(32, { dtype: 'float64' }).reshape([8, 4]).mul(0.3).sin();
  const make = () => torch.arange(4, { dtype: 'float64' }).requiresGrad_();
  const lossOf = (weight: Tensor, rows: Tensor) => rows.mv(weight).sub(1).square().mean();

  test('several small batches are one large one', () => {
    const [whole, pieces] = [make(), make()];
    const one = new optim.AdamW([whole], { lr: 0.1 });
    const other = new optim.AdamW([pieces], { lr: 0.1 });
    const accumulation = new optim.GradientAccumulation(other, { steps: 4 });
    for (let epoch = 0; epoch < 5; epoch++) {
      one.zeroGrad();
      lossOf(whole, inputs).backward();
      one.step();
      const stepped = [0, 2, 4, 6].map((row) => accumulation.add(lossOf(pieces, inputs.narrow(0, row, 2))));
      assert.deepEqual(stepped, [false, false, false, true]);
    }
    assert.ok(difference(valuesOf([pieces]), valuesOf([whole])) < 1e-12);
  });

  test('what is left over is a step too, of its own mean', () => {
    const [whole, pieces] = [make(), make()];
    const one = new optim.SGD([whole], { lr: 0.1 });
    lossOf(whole, inputs.narrow(0, 0, 4)).backward();
    one.step();
    let clipped = 0;
    const accumulation = new optim.GradientAccumulation(new optim.SGD([pieces], { lr: 0.1 }), {
      steps: 3,
      beforeStep: () => clipped++,
    });
    accumulation.add(lossOf(pieces, inputs.narrow(0, 0, 2)));
    accumulation.add(lossOf(pieces, inputs.narrow(0, 2, 2)));
    assert.equal(accumulation.pending, 2);
    assert.equal(accumulation.finish(), true);
    assert.equal(accumulation.finish(), false);
    assert.equal(clipped, 1);
    assert.ok(difference(valuesOf([pieces]), valuesOf([whole])) < 1e-12);
  });

  test('messages', () => {
    const accumulation = new optim.GradientAccumulation(new optim.SGD([make()]), { steps: 2 });
    assert.throws(() => accumulation.add(torch.zeros([3])), /takes a loss, a single number; got shape \[3\]/);
    assert.throws(
      () => new optim.GradientAccumulation(new optim.SGD([make()]), { steps: 0 }),
      /steps must be a whole number, at least 1; got 0/,
    );
  });
});
