import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';
import { throwsArgument } from '../support/throws.js';

const numbers = (x: Tensor): number[] => x.reshape([-1]).toArray() as number[];

describe('random numbers', () => {
  test('the same seed gives the same numbers, PyTorch’s', () => {
    torch.manualSeed(0);
    const first = numbers(torch.rand(3));
    torch.manualSeed(0);
    assert.deepEqual(numbers(torch.rand(3)), first);
    // torch.manual_seed(0); torch.rand(3) in Python
    assert.deepEqual(first, [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]);
  });

  test('every draw equals Python’s, bit for bit', { skip: skipLive }, () => {
    const script = `
import json, sys, torch
out = {}
def put(name, make):
    torch.manual_seed(1234)
    out[name] = make().reshape(-1).tolist()
put("randn", lambda: torch.randn(40))
put("randnDouble", lambda: torch.randn(5, dtype=torch.float64))
put("rand", lambda: torch.rand(33))
put("randint", lambda: torch.randint(3, 1000, (20,)))
put("randperm", lambda: torch.randperm(30))
put("normal_", lambda: torch.empty(20).normal_(2, 3))
put("uniform_", lambda: torch.empty(20).uniform_(-1, 1))
put("bernoulli", lambda: torch.bernoulli(torch.full((20,), 0.3)))
put("dropout", lambda: torch.nn.functional.dropout(torch.ones(50), 0.4))
put("multinomial", lambda: torch.multinomial(torch.arange(1., 9.), 4))
g = torch.Generator()
g.manual_seed(99)
out["generator"] = torch.rand(4, generator=g).tolist()
torch.manual_seed(-1)
out["negative"] = torch.rand(2).tolist()
print(json.dumps(out))`;
    const python = runPython<Record<string, number[]>>(['-c', script]);
    const mine: Record<string, () => Tensor> = {
      randn: () => torch.randn(40),
      randnDouble: () => torch.randn(5, { dtype: 'float64' }),
      rand: () => torch.rand(33),
      randint: () => torch.randint(3, 1000, [20]),
      randperm: () => torch.randperm(30),
      normal_: () => torch.empty(20).normal_(2, 3),
      uniform_: () => torch.empty(20).uniform_(-1, 1),
      bernoulli: () => torch.bernoulli(torch.full([20], 0.3)),
      dropout: () => torch.dropout(torch.ones(50), 0.4, true),
      multinomial: () => torch.multinomial(torch.arange(1, 9).float(), 4),
    };
    for (const [name, make] of Object.entries(mine)) assert.deepEqual(numbers(replay(1234, make)), python[name], name);
    assert.deepEqual(numbers(torch.rand(4, { generator: new torch.Generator().manualSeed(99) })), python.generator);
    assert.deepEqual(numbers(replay(-1, () => torch.rand(2))), python.negative);
  });

  test('a generator of one’s own leaves the default one alone', () => {
    const mine = new torch.Generator().manualSeed(7);
    const alone = numbers(replay(3, () => torch.rand(4)));
    torch.manualSeed(3);
    const a = numbers(torch.rand(2));
    const drawn = numbers(torch.rand(5, { generator: mine }));
    assert.deepEqual([...a, ...numbers(torch.rand(2))], alone);
    assert.deepEqual(numbers(replay(7, () => torch.rand(5))), drawn, 'its stream is the one of its seed');
    assert.deepEqual([mine.device, mine.initialSeed()], ['cpu', 7n]);
    const order = torch.randperm(6, { generator: mine });
    assert.deepEqual(numbers(order).sort(), [0, 1, 2, 3, 4, 5]);
    assert.equal(torch.randint(5, [2], { generator: mine }).shape[0], 2);
    assert.equal(torch.empty(2).normal_(0, 1, { generator: mine }).shape[0], 2);
  });

  test('the state can be read, kept and put back', () => {
    torch.manualSeed(5);
    torch.rand(3);
    const state = torch.getRngState();
    assert.deepEqual([state.shape, state.dtype], [[5056], 'uint8']);
    const next = numbers(torch.randn(7));
    torch.setRngState(state);
    assert.deepEqual(numbers(torch.randn(7)), next);
    const generator = new torch.Generator();
    generator.setState(state);
    assert.deepEqual(numbers(torch.randn(7, { generator })), next);
    assert.deepEqual(generator.getState().shape, [5056]);
  });

  test('forkRng puts the state back, also after an error', () => {
    const expected = numbers(replay(11, () => torch.rand(2)));
    torch.manualSeed(11);
    assert.equal(
      torch.forkRng(() => {
        torch.manualSeed(99);
        torch.rand(5);
        return 'result';
      }),
      'result',
    );
    assert.throws(() =>
      torch.forkRng(() => {
        torch.rand(5);
        throw new Error('inside');
      }),
    );
    assert.deepEqual(numbers(torch.rand(2)), expected);
  });

  test('seeds', () => {
    assert.equal(torch.manualSeed(2n ** 64n - 1n).initialSeed(), 2n ** 64n - 1n);
    assert.equal(torch.initialSeed(), 2n ** 64n - 1n);
    assert.deepEqual(numbers(replay(-1, () => torch.rand(2))), numbers(replay(2n ** 64n - 1n, () => torch.rand(2))));
    throwsArgument(() => torch.manualSeed(1.5), /A seed must be an integer/);
    throwsArgument(() => torch.manualSeed(Number.NaN), /A seed must be an integer/);
    throwsArgument(() => torch.manualSeed(2 ** 60), /a bigint beyond 2\^53/);
    throwsArgument(() => torch.manualSeed(2n ** 64n), /must fit 64 bits/);
    throwsArgument(() => torch.manualSeed(-(2n ** 63n) - 1n), /must fit 64 bits/);
    const state = torch.getRngState();
    const next = numbers(torch.rand(3));
    // At an odd address, as in the middle of a mapped file: libtorch itself dies of it, or refuses the state.
    const odd = torch.zeros([state.numel() + 1], { dtype: 'uint8' }).at('1:');
    odd.copy_(state);
    torch.setRngState(odd);
    assert.deepEqual(numbers(torch.rand(3)), next);
    assert.throws(() => torch.setRngState(torch.zeros(5)), /RNG|state|byte|ByteTensor/i);
    throwsArgument(() => torch.setRngState(5 as never), /'state' must be a Tensor, got number/);
    assert.throws(() => new torch.Generator('cuda'), /no accelerator of type cuda|cuda/);
    assert.throws(() => torch.rand(2, { generator: 5 as never }), /rand\(\[2\]/);
  });
});

function replay(seed: number | bigint, make: () => Tensor): Tensor {
  torch.manualSeed(seed);
  return make();
}
