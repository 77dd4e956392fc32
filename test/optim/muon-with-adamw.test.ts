/** Muon and AdamW as one optimiser. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, optim, type Tensor, torch } from '../../src/index.js';

const bits = (tensors: readonly Tensor[]): number[][] =>
  tensors.map((tensor) => [...(tensor.detach().contiguous().toTypedArray() as Float32Array)]);

const parameter = (seed: number, ...shape: number[]): Tensor => {
  torch.manualSeed(seed);
  return torch.randn(shape).requiresGrad_();
};

function train(optimizer: { step(): undefined }, parameters: readonly Tensor[], from: number, to: number): void {
  for (let step = from; step < to; step++) {
    torch.manualSeed(1000 + step);
    for (const each of parameters) each.grad = torch.randn(each.shape);
    optimizer.step();
  }
}

const network = () => {
  torch.manualSeed(3);
  return new nn.Sequential(
    new nn.Conv2d(3, 8, 3),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(32, 16),
    new nn.Linear(16, 4),
  );
};

describe('MuonWithAdamW', () => {
  test('matrices go as with Muon, the rest as with AdamW, bit for bit', () => {
    const options = { weightDecay: 0.1 };
    const [a, b, c] = [parameter(1, 12, 7), parameter(2, 12), parameter(3, 5, 12)];
    const own = new optim.MuonWithAdamW([
      { params: [a], muon: true, lr: 0.02, ...options },
      { params: [b, c], lr: 0.002, ...options },
    ]);
    const [d, e, f] = [parameter(1, 12, 7), parameter(2, 12), parameter(3, 5, 12)];
    const muon = new optim.Muon([d], { lr: 0.02, ...options });
    const adamw = new optim.AdamW([e, f], { lr: 0.002, ...options });
    train(own, [a, b, c], 0, 6);
    train(
      {
        step: () => {
          muon.step();
          adamw.step();
          return undefined;
        },
      },
      [d, e, f],
      0,
      6,
    );
    assert.deepEqual(bits([a, b, c]), bits([d, e, f]));
  });

  test('a convolution moves as the matrix [outputs, the rest] does, however it lies in memory', () => {
    for (const memoryFormat of ['contiguous', 'channelsLast'] as const) {
      const kernel = parameter(4, 6, 3, 2, 2).detach().contiguous({ memoryFormat }).requiresGrad_();
      const matrix = parameter(4, 6, 3, 2, 2).detach().flatten(1).requiresGrad_();
      const first = new optim.MuonWithAdamW([{ params: [kernel], muon: true }], { lr: 0.05 });
      const second = new optim.Muon([matrix], { lr: 0.05, weightDecay: 0.01 });
      for (let step = 0; step < 4; step++) {
        torch.manualSeed(step);
        const gradient = torch.randn([6, 3, 2, 2]);
        kernel.grad = gradient.contiguous({ memoryFormat });
        matrix.grad = gradient.flatten(1);
        first.step();
        second.step();
      }
      assert.deepEqual(bits([kernel.flatten(1)]), bits([matrix]), memoryFormat);
    }
  });

  /** What one step takes off a weight. */
  const updateOf = (nsDtype: 'bfloat16' | 'float32' | undefined, scale: number): Tensor => {
    const weight = parameter(5, 16, 4, 3, 3);
    const before = weight.detach().clone();
    const optimizer = new optim.MuonWithAdamW([{ params: [weight], muon: true }], { lr: 1, weightDecay: 0, nsDtype });
    weight.grad = torch.randn(weight.shape).mul(scale);
    optimizer.step();
    return before.sub(weight.detach()).flatten(1);
  };

  test('an update is a matrix whose singular values are about 1, whatever the size of the gradient', () => {
    for (const nsDtype of ['bfloat16', 'float32'] as const)
      for (const scale of [1e-4, 1e4]) {
        const values = [...(torch.linalg.svdvals(updateOf(nsDtype, scale)).toTypedArray() as Float32Array)];
        assert.ok(
          values.every((value) => value > 0.4 && value < 1.5),
          `${nsDtype}: ${values.map((value) => value.toFixed(2)).join(' ')}`,
        );
      }
  });

  test('float32 takes the steps of bfloat16, but for its rounding', () => {
    const [half, whole] = [updateOf('bfloat16', 1), updateOf('float32', 1)];
    const apart = Number(half.sub(whole).norm().item()) / Number(whole.norm().item());
    assert.ok(apart > 0 && apart < 0.02, String(apart));
    assert.deepEqual(bits([updateOf(undefined, 1)]), bits([half]));
  });

  test('its type goes into groups, print and state dicts only where it is not that of PyTorch', () => {
    const net = network();
    const plain = new optim.MuonWithAdamW(optim.muonGroups(net));
    const whole = new optim.MuonWithAdamW(optim.muonGroups(net, { nsDtype: 'float32' }));
    assert.deepEqual(
      whole.paramGroups.map((group) => group.nsDtype),
      ['float32', undefined, undefined],
    );
    const written = (optimizer: typeof plain) => optimizer.stateDict().param_groups.map((group) => group.ns_dtype);
    assert.deepEqual(written(plain), [undefined, undefined, undefined]);
    assert.equal('ns_dtype' in (plain.stateDict().param_groups[0] as object), false);
    assert.doesNotMatch(String(plain), /nsDtype/);
    assert.match(String(whole), /nsDtype: float32/);
    plain.loadStateDict(whole.stateDict());
    assert.equal(plain.paramGroups[0]?.nsDtype, 'float32');
    assert.deepEqual(written(plain), ['float32', undefined, undefined]);
  });

  test('what multiplies fast is measured, and the random state is left alone', () => {
    torch.manualSeed(4);
    const next = bits([torch.rand([3])]);
    torch.manualSeed(4);
    const { dtype, slower } = optim.fasterProductDtype('cpu');
    assert.deepEqual(bits([torch.rand([3])]), next);
    assert.ok(slower !== undefined && slower > 0);
    assert.equal(dtype, slower > 3 ? 'float32' : 'bfloat16');
    assert.deepEqual(optim.fasterProductDtype('cuda:1'), { dtype: 'bfloat16' });
    assert.deepEqual(optim.fasterProductDtype('mps'), { dtype: 'float32' });
  });

  test('muonGroups gives Muon every hidden weight, and nobody twice', () => {
    const net = network();
    const groups = optim.muonGroups(net, { lr: 0.03, others: 0.2, weightDecay: 0.05 });
    const names = new Map([...net.namedParameters()].map(([name, each]) => [each, name]));
    assert.deepEqual(
      groups.map(({ name, params, lr, weightDecay, muon }) => [
        name,
        params.map((x) => names.get(x)),
        lr,
        weightDecay,
        muon,
      ]),
      [
        ['hidden weights', ['0.weight', '4.weight'], 0.03, 0.05, true],
        ['other weights', ['5.weight'], 0.03 * 0.2, 0.05, undefined],
        ['biases and norms', ['0.bias', '1.weight', '1.bias', '4.bias', '5.bias'], 0.03 * 0.2, 0, undefined],
      ],
    );
  });

  test('goes on from its state bit for bit', () => {
    const [first, second] = [network(), network()];
    const make = (net: nn.Module) => new optim.MuonWithAdamW(optim.muonGroups(net));
    const whole = make(first);
    train(whole, [...first.parameters()], 0, 8);
    const half = make(second);
    train(half, [...second.parameters()], 0, 4);
    const resumed = network();
    resumed.loadStateDict(second.stateDict());
    const other = make(resumed);
    other.loadState(half.state());
    train(other, [...resumed.parameters()], 4, 8);
    assert.deepEqual(bits([...resumed.parameters()]), bits([...first.parameters()]));
  });

  test('messages', () => {
    assert.throws(
      () => new optim.MuonWithAdamW([{ params: [parameter(1, 3)], muon: true }]),
      /MuonWithAdamW: a group with muon: true has a parameter of shape \[3\]; .*muonGroups sorts them/,
    );
    assert.throws(() => new optim.MuonWithAdamW([parameter(1, 2, 2)], { muon: 1 as never }), /muon must be/);
    assert.throws(
      () => new optim.Muon([parameter(1, 2, 2)], { nsDtype: 'float16' as never }),
      /Muon: nsDtype must be 'bfloat16' or 'float32', got 'float16'\./,
    );
  });
});
