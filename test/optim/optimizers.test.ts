/** Optimisers beyond their numbers: state, groups, conversion, memory, sparse gradients, messages. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import * as optim from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import {
  allCases,
  caseTitle,
  difference,
  makeOptimizer,
  makeParameters,
  muonCases,
  run,
  setGradients,
  valuesOf,
} from './cases.js';

const parameter = (...shape: number[]): Tensor => torch.ones(shape).requiresGrad_();

describe('resuming is bit-equal', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-optim-'));
  after(() => rmSync(folder, { recursive: true }));
  const cases = [...allCases('float32', 24), ...muonCases(24)];

  test('through state(), written as JSON and safetensors', async () => {
    for (const item of cases) {
      const parameters = makeParameters(item);
      const optimizer = makeOptimizer(item, parameters);
      run(optimizer, parameters, 0, 11);
      const { tensors, ...plain } = optimizer.state();
      const file = path.join(folder, 'state.safetensors');
      await torch.save(tensors, file);
      const written = JSON.stringify(plain);
      const resumed = parameters.map((x) => x.detach().clone().requiresGrad_());
      const next = makeOptimizer({ ...item, options: { lr: 1 } }, resumed);
      next.loadState({ ...JSON.parse(written), tensors: await torch.load<Record<string, Tensor>>(file) });
      run(optimizer, parameters, 11, 24);
      run(next, resumed, 11, 24);
      assert.deepEqual(valuesOf(resumed), valuesOf(parameters), caseTitle(item));
    }
  });

  test('through stateDict() in memory', () => {
    for (const item of cases) {
      const parameters = makeParameters(item);
      const optimizer = makeOptimizer(item, parameters);
      run(optimizer, parameters, 0, 11);
      const resumed = parameters.map((x) => x.detach().clone().requiresGrad_());
      const next = makeOptimizer(item, resumed);
      next.loadStateDict(optimizer.stateDict());
      run(optimizer, parameters, 11, 24);
      run(next, resumed, 11, 24);
      assert.deepEqual(valuesOf(resumed), valuesOf(parameters), caseTitle(item));
    }
  });
});

describe("PyTorch's state dict", () => {
  test('has its keys', () => {
    const weight = parameter(2, 3);
    const optimizer = new optim.AdamW([{ params: weight, lr: 0.1, name: 'all' }], { amsgrad: true });
    weight.grad = torch.ones([2, 3]);
    optimizer.step();
    const dict = optimizer.stateDict();
    assert.deepEqual(Object.keys(dict.state.get(0) as object).sort(), [
      'exp_avg',
      'exp_avg_sq',
      'max_exp_avg_sq',
      'step',
    ]);
    assert.equal(dict.state.get(0)?.step?.item(), 1);
    assert.deepEqual(dict.param_groups, [
      {
        foreach: null,
        capturable: false,
        differentiable: false,
        fused: null,
        lr: 0.1,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0.01,
        amsgrad: true,
        maximize: false,
        decoupled_weight_decay: true,
        name: 'all',
        params: [0],
      },
    ]);
  });

  test('keeps what a scheduler left in the groups', () => {
    const optimizer = new optim.SGD([parameter(2)], { lr: 0.1 });
    const dict = optimizer.stateDict();
    Object.assign(dict.param_groups[0] as object, { initial_lr: 0.5, max_lr: 0.7, param_names: ['w'] });
    optimizer.loadStateDict(dict);
    assert.equal(optimizer.paramGroups[0]?.initialLr, 0.5);
    const again = optimizer.stateDict().param_groups[0] as Record<string, unknown>;
    assert.equal(again.initial_lr, 0.5);
    assert.equal(again.max_lr, 0.7);
    assert.deepEqual(again.param_names, ['w']);
  });

  test('does not share memory with what was loaded', () => {
    const [a, b] = [parameter(3), parameter(3)];
    const [one, two] = [new optim.Adam([a]), new optim.Adam([b])];
    a.grad = torch.ones([3]);
    b.grad = torch.ones([3]);
    one.step();
    two.loadStateDict(one.stateDict());
    const before = two.stateDict().state.get(0)?.exp_avg?.toArray();
    one.step();
    assert.deepEqual(two.stateDict().state.get(0)?.exp_avg?.toArray(), before);
  });

  test('one error lists what does not fit', () => {
    const optimizer = new optim.Adam([parameter(3), parameter(2, 2)]);
    const own = () => ({ ...optimizer.stateDict() });
    const state = new Map([
      [0, { step: torch.tensor(1), exp_avg: torch.zeros([4]), exp_avg_sq: torch.zeros([3]) }],
      [1, { step: torch.tensor(1), square_avg: torch.zeros([2, 2]), speed: torch.zeros([2, 2]) }],
    ]);
    assert.throws(
      () => optimizer.loadStateDict({ ...own(), state }),
      /Adam: the state dict does not fit: 'expAvg' of parameter 0 has shape \[4\], the parameter \[3\]; it has 'speed' for parameter 1, which Adam does not keep\./,
    );
    assert.throws(
      () => optimizer.loadStateDict({ state: new Map(), param_groups: [{ lr: 1, params: [0] }] }),
      /its group 0 has 1 parameters, the optimiser's 2/,
    );
    assert.throws(
      () => optimizer.loadStateDict({ a: 1 }),
      /an object with 'state' and 'param_groups'; got the keys a\./,
    );
    assert.throws(() => optimizer.loadState({} as never), /Adam\.loadState\(\) takes what state\(\) gave/);
    assert.throws(
      () => optimizer.loadState(new optim.SGD([parameter(3), parameter(2, 2)]).state()),
      /the state is of SGD, not of Adam/,
    );
    const bad = own();
    Object.assign(bad.param_groups[0] as object, { lr: -1 });
    assert.throws(() => optimizer.loadStateDict(bad), /Adam: lr must be a number at least 0, got -1\./);
  });
});

describe('steps', () => {
  test('a closure computes the loss with gradients, also inside noGrad', () => {
    const weight = parameter(3);
    const optimizer = new optim.SGD([weight], { lr: 0.5 });
    const loss = torch.noGrad(() =>
      optimizer.step(() => {
        optimizer.zeroGrad();
        const value = weight.mul(weight).sum();
        value.backward();
        return value;
      }),
    );
    assert.equal(loss.item(), 3);
    assert.deepEqual(weight.detach().toArray(), [0, 0, 0]);
  });

  test('zeroGrad drops gradients, or fills them with zeros', () => {
    const weight = parameter(2);
    const optimizer = new optim.SGD([weight]);
    weight.grad = torch.ones([2]);
    optimizer.zeroGrad({ setToNone: false });
    assert.deepEqual(weight.grad?.toArray(), [0, 0]);
    optimizer.zeroGrad();
    assert.equal(weight.grad, null);
    optimizer.step();
  });

  test('inside torch.scope the state survives, and nothing else', () => {
    const parameters = [parameter(4, 4), parameter(4)];
    for (const Class of [optim.SGD, optim.Adam, optim.RMSprop, optim.Adagrad, optim.Lion]) {
      const make = Class as unknown as new (p: Tensor[], options: object) => optim.Optimizer;
      const optimizer = new make(parameters, Class === optim.SGD ? { momentum: 0.9 } : {});
      const step = () =>
        torch.scope(() => {
          for (const each of parameters) each.grad = torch.ones(each.shape);
          optimizer.step();
        });
      step();
      const before = torch.memory({ collect: true });
      for (let i = 0; i < 5; i++) step();
      const now = torch.memory({ collect: true });
      assert.deepEqual(now, before, Class.name);
    }
  });

  test('gradients laid out otherwise than their parameter', () => {
    const expected = [parameter(4, 6), parameter(2, 3, 4, 5)];
    const given = expected.map((x) => x.detach().clone().requiresGrad_());
    const gradients = expected.map((x) => torch.arange(x.numel(), { dtype: 'float32' }).reshape(x.shape).sin());
    const turned = [
      (gradients[0] as Tensor).T.contiguous().T,
      (gradients[1] as Tensor).to({ memoryFormat: 'channelsLast' }),
    ];
    assert.ok(turned.every((x) => !x.isContiguous()));
    const [one, two] = [new optim.AdamW(expected), new optim.AdamW(given)];
    for (let i = 0; i < 3; i++) {
      expected.forEach((x, k) => {
        x.grad = gradients[k] as Tensor;
      });
      given.forEach((x, k) => {
        x.grad = turned[k] as Tensor;
      });
      one.step();
      two.step();
    }
    assert.deepEqual(valuesOf(given), valuesOf(expected));
  });

  test('parameters that are not dense in memory', () => {
    const base = torch.ones([4, 6]);
    const slice = base.narrow(1, 0, 3).detach().requiresGrad_();
    const dense = torch.ones([4, 3]).requiresGrad_();
    const optimizer = new optim.AdamW([slice, dense], { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      for (const each of [slice, dense]) each.grad = torch.arange(12, { dtype: 'float32' }).reshape([4, 3]).sin();
      optimizer.step();
    }
    assert.ok(difference(valuesOf([slice]), valuesOf([dense])) < 1e-6);
    assert.deepEqual(base.narrow(1, 3, 3).toArray(), torch.ones([4, 3]).toArray());
  });

  test('a parameter that changes its type or layout takes its state along', () => {
    const still = torch.ones([2, 3, 4, 5]).requiresGrad_();
    const moving = torch.ones([2, 3, 4, 5]).requiresGrad_();
    const optimizer = new optim.AdamW([still, moving], { lr: 0.1 });
    const step = () => {
      for (const each of [still, moving])
        each.grad = torch.arange(120, { dtype: 'float32' }).reshape([2, 3, 4, 5]).sin();
      optimizer.step();
    };
    step();
    // What module.to({ memoryFormat: 'channelsLast' }) does.
    torch.noGrad(() => torch.ops.aten.set_data(moving, moving.detach().to({ memoryFormat: 'channelsLast' })));
    assert.ok(moving.isContiguous('channelsLast') && !moving.isContiguous());
    step();
    step();
    assert.deepEqual(valuesOf([moving]), valuesOf([still]));
    torch.noGrad(() => torch.ops.aten.set_data(moving, moving.detach().to('float64')));
    moving.grad = torch.zeros([2, 3, 4, 5], { dtype: 'float64' });
    still.grad = torch.zeros([2, 3, 4, 5]);
    optimizer.step();
    assert.equal(moving.dtype, 'float64');
    assert.ok(difference(valuesOf([moving]), valuesOf([still])) < 1e-6);
  });

  test('sparse gradients: SGD takes them, others say why not', () => {
    const weight = parameter(4, 2);
    const sparse = () => torch.sparseCooTensor(torch.tensor([[1n, 3n]]), torch.ones([2, 2]), [4, 2]);
    weight.grad = sparse();
    new optim.SGD([weight], { lr: 0.5 }).step();
    assert.deepEqual(weight.detach().toArray(), [
      [1, 1],
      [0.5, 0.5],
      [1, 1],
      [0.5, 0.5],
    ]);
    weight.grad = sparse();
    assert.throws(
      () => new optim.AdamW([weight]).step(),
      /AdamW: the gradient of a parameter of shape \[4, 2\] is sparse; only SGD/,
    );
    assert.throws(() => new optim.SGD([weight], { momentum: 0.9 }).step(), /is sparse/);
  });

  test('half types train', () => {
    // Before its fused operators the engine computed with float16 on accelerators only.
    for (const dtype of torch.hasOperator('_fused_adamw_')
      ? (['bfloat16', 'float16'] as const)
      : (['bfloat16'] as const)) {
      const weight = torch.ones([64], { dtype }).requiresGrad_();
      const optimizer = new optim.AdamW([weight], { lr: 0.125, weightDecay: 0 });
      weight.grad = torch.ones([64], { dtype });
      optimizer.step();
      assert.equal(weight.dtype, dtype);
      assert.ok(Math.abs((weight.detach().to('float32').mean().item() as number) - 0.875) < 0.01);
    }
  });
});

describe('memory', () => {
  test('is stated before the first step, and true', () => {
    const make = () => [torch.zeros([100, 30]).requiresGrad_(), torch.zeros([30]).requiresGrad_()];
    const table: readonly (readonly [optim.Optimizer, number])[] = [
      [new optim.SGD(make()), 0],
      [new optim.SGD(make(), { momentum: 0.9 }), 4],
      [new optim.RMSprop(make()), 4],
      [new optim.RMSprop(make(), { centered: true, momentum: 0.9 }), 12],
      [new optim.Adam(make()), 8],
      [new optim.AdamW(make(), { amsgrad: true }), 12],
      [new optim.Adagrad(make()), 4],
      [new optim.Lion(make()), 4],
      [new optim.Muon([torch.zeros([100, 30]).requiresGrad_()]), 4],
    ] as unknown as (readonly [optim.Optimizer, number])[];
    for (const [optimizer, state] of table) {
      const stated = optimizer.memoryPerParameter();
      assert.deepEqual(stated, { weight: 4, gradient: 4, state, total: 8 + state }, optimizer.name);
      const elements = optimizer.parameters().reduce((sum, x) => sum + x.numel(), 0);
      for (const each of optimizer.parameters()) each.grad = torch.ones(each.shape);
      optimizer.step();
      const kept = Object.values(optimizer.state().tensors).reduce((sum, x) => sum + x.nbytes, 0);
      assert.equal(kept / elements, state, optimizer.name);
    }
  });

  test('in words', () => {
    const net = [torch.zeros([1000, 1000]).requiresGrad_()];
    assert.equal(
      new optim.AdamW(net).describeMemory(),
      'AdamW keeps 2 numbers (expAvg, expAvgSq), 8 bytes, for each parameter: 7.6 MiB for 1,000,000 parameters. With weights (4) and gradients (4) training holds 16 bytes per parameter, 15.3 MiB in all.',
    );
    assert.match(new optim.SGD(net).describeMemory(), /^SGD keeps nothing for each parameter: 0 bytes for/);
  });
});

describe('messages', () => {
  const w = () => parameter(2);
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [() => new optim.SGD([]), /SGD: got no parameters; pass net\.parameters\(\), tensors or groups\./],
    [
      () => new optim.SGD(5 as never),
      /the first argument must be tensors or groups, e\.g\. net\.parameters\(\); got number/,
    ],
    [() => new optim.SGD([w(), { params: [w()] }] as never), /mix tensors with groups/],
    [() => new optim.SGD([{ parameters: [w()] }] as never), /group 0 must be an object with params/],
    [() => new optim.SGD([{ params: ['x'] }] as never), /parameter 0 of group 0 must be a Tensor, got string/],
    [() => new optim.SGD([w().mul(2)]), /was computed \(MulBackward0\); only leaves can be trained/],
    [
      () => new optim.SGD([torch.zeros([2], { dtype: 'int64' })]),
      /is int64; only floating-point tensors can be trained/,
    ],
    [
      () => {
        const same = w();
        return new optim.SGD([{ params: [same] }, { params: [same] }]);
      },
      /parameter 0 of group 1 \(shape \[2\]\) is there already; a parameter belongs to one group/,
    ],
    [() => new optim.AdamW([w()], { lr: -1 }), /AdamW: lr must be a number at least 0, got -1\./],
    [() => new optim.AdamW([w()], { lr: Number.NaN }), /AdamW: lr must be a number at least 0, got NaN\./],
    [
      () => new optim.AdamW([w()], { weigthDecay: 1 } as never),
      /AdamW: there is no option 'weigthDecay'; did you mean 'weightDecay'\?/,
    ],
    [() => new optim.AdamW([{ params: w(), momentum: 1 } as never]), /AdamW, group 0: there is no option 'momentum'/],
    [() => new optim.AdamW([w()], 0.1 as never), /options come as an object, e\.g\. \{ lr: 0\.01 \}; got 0\.1/],
    [() => new optim.AdamW([w()], { betas: [0.9, 1] }), /betas\[1\] must be a number at least 0 and below 1, got 1\./],
    [
      () => new optim.AdamW([w()], { betas: [0.9] } as never),
      /betas must be two numbers, e\.g\. \[0\.9, 0\.999\]; got \[0\.9\]/,
    ],
    [() => new optim.AdamW([w()], { amsgrad: 1 } as never), /amsgrad must be true or false, got 1/],
    [() => new optim.AdamW([w()], { implementation: 'slow' as never }), /implementation must be 'fused' or 'foreach'/],
    [() => new optim.SGD([w()], { nesterov: true }), /nesterov needs a momentum above 0 and dampening 0/],
    [() => new optim.RMSprop([w()], { alpha: -1 }), /RMSprop: alpha must be a number at least 0, got -1/],
    [() => new optim.Adagrad([w()], { lrDecay: -1 }), /Adagrad: lrDecay must be/],
    [() => new optim.Lion([w()], { betas: [2, 0.9] }), /Lion: betas\[0\] must be/],
    [() => new optim.Muon([w()]), /has shape \[2\]; Muon trains matrices only/],
    [() => new optim.Muon([parameter(2, 2)], { nsSteps: 100 }), /nsSteps must be below 100/],
    [
      () => new optim.Muon([parameter(2, 2)], { adjustLrFn: 'x' as never }),
      /adjustLrFn must be 'original' or 'match_rms_adamw'/,
    ],
  ];
  for (const [make, expected] of cases) test(String(expected), () => assert.throws(make, expected));

  test('after a message nothing has changed', () => {
    const optimizer = new optim.SGD([w()]);
    assert.throws(() => optimizer.addParamGroup({ params: [w()], lr: -1 }));
    assert.equal(optimizer.paramGroups.length, 1);
    const weight = optimizer.parameters() as Tensor[];
    setGradients(weight, 0);
    optimizer.step();
  });

  test('an optimiser prints its groups', () => {
    assert.match(
      String(new optim.AdamW([w()], { lr: 0.1 })),
      /^AdamW \(\nParameter Group 0\n {4}amsgrad: false\n {4}betas: \[0\.9, 0\.999\]\n/,
    );
  });
});
