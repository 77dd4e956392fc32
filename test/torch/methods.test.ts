import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DType, torch } from '../../src/torch/index.js';
import { throwsArgument } from '../support/throws.js';

const x = torch.tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('to', () => {
  test('an element type, a device, another tensor, options', () => {
    assert.equal(x.to('float64').dtype, 'float64');
    assert.equal(x.to('half').dtype, 'float16', 'PyTorch’s other names');
    assert.equal(x.to('cpu'), x, 'the tensor itself when nothing changes');
    assert.equal(x.to('float32'), x);
    assert.equal(x.to({}), x);
    assert.equal(x.to(torch.zeros(1, { dtype: 'int16' })).dtype, 'int16');
    assert.deepEqual([x.to({ dtype: 'float64', device: 'meta' }).device, x.to('meta').shape], ['meta', [2, 3]]);
    const copy = x.to({ copy: true });
    assert.notEqual(copy.storage().id, x.storage().id);
    assert.deepEqual(copy.toArray(), x.toArray());
    assert.notEqual(x.to('float32', { copy: true }).storage().id, x.storage().id);
    const image = torch.zeros(1, 2, 3, 4).to({ memoryFormat: 'channelsLast' });
    assert.deepEqual(image.stride(), [24, 1, 8, 2]);
  });

  test('short names', () => {
    const made = [
      x.double(),
      x.half(),
      x.bfloat16(),
      x.int(),
      x.long(),
      x.short(),
      x.char(),
      x.byte(),
      x.bool(),
      x.float(),
    ];
    const expected: DType[] = [
      'float64',
      'float16',
      'bfloat16',
      'int32',
      'int64',
      'int16',
      'int8',
      'uint8',
      'bool',
      'float32',
    ];
    assert.deepEqual(
      made.map((y) => y.dtype),
      expected,
    );
    assert.equal(x.float(), x);
    assert.equal(x.cpu(), x);
    assert.deepEqual(torch.tensor([-1.7, 2.9]).int().toArray(), [-1, 2]);
  });

  test('gradients pass through a change of type', () => {
    const w = torch.ones(2, { requiresGrad: true });
    w.to('float64').mul(3).sum().backward();
    assert.deepEqual([w.grad?.dtype, w.grad?.toArray()], ['float32', [3, 3]]);
  });

  test('mistakes', () => {
    throwsArgument(() => x.to('float23'), /'float23' is no element type and no device; did you mean 'float/);
    throwsArgument(() => x.to(5 as never), /to\(\): expected an element type, a device, a tensor or options, got 5/);
    assert.throws(() => x.to('gpu'), /gpu/);
    assert.throws(() => x.cuda(), /cuda/i);
  });
});

describe('transposes', () => {
  test('T, mT, mH', () => {
    assert.deepEqual(x.T.toArray(), [
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    const batch = torch.zeros(5, 2, 3);
    assert.deepEqual(batch.mT.shape, [5, 3, 2]);
    const z = torch.tensor([[{ re: 1, im: 2 }, 3]]);
    assert.deepEqual(z.mH.toArray(), [[{ re: 1, im: -2 }], [{ re: 3, im: -0 }]]);
    assert.equal(x.T.storage().id, x.storage().id);
  });
});

describe('generated methods', () => {
  test('numbers, tensors and options choose the overload', () => {
    assert.deepEqual(x.add(1).at(0).toArray(), [2, 3, 4]);
    assert.deepEqual(x.add(x, { alpha: 10 }).at(0).toArray(), [11, 22, 33]);
    assert.deepEqual(
      [x.sum().item(), x.sum(0).toArray(), x.sum({ dim: 1, keepdim: true }).toArray()],
      [21, [5, 7, 9], [[6], [15]]],
    );
    assert.deepEqual([x.sum([0, 1]).item(), x.sum({ dtype: 'float64' }).dtype], [21, 'float64']);
    assert.deepEqual(
      [x.view(3, 2).shape, x.view([6]).shape, x.reshape(-1).shape, x.permute(1, 0).shape],
      [[3, 2], [6], [6], [3, 2]],
    );
    assert.equal(x.view('int32').dtype, 'int32');
    assert.deepEqual(x.clamp(2, 5).toArray(), x.clamp({ min: 2, max: 5 }).toArray());
    assert.deepEqual(x.clamp({ max: 2 }).at(1).toArray(), [2, 2, 2]);
    assert.deepEqual(
      x.where(x.gt(3), torch.zeros(1)).at(0).toArray(),
      [0, 0, 0],
      'self is the second argument of where',
    );
    assert.deepEqual(x.eq(x).all().item(), true);
    assert.deepEqual(torch.tensor([3n]).mul(2).dtype, 'int64');
    assert.deepEqual(torch.tensor([3n]).mul({ float: 2 }).dtype, 'float32', 'a number that is 2.0');
    assert.deepEqual(torch.tensor([3n]).mul(2.5).dtype, 'float32');
    assert.deepEqual(torch.tensor([true]).add(1).dtype, 'int64');
    assert.deepEqual(torch.tensor([1]).add({ re: 0, im: 1 }).toArray(), [{ re: 1, im: 1 }]);
    assert.deepEqual(
      torch
        .tensor([2n ** 60n])
        .add(2n ** 60n)
        .toArray(),
      [2n ** 61n],
    );
  });

  test('several results by name and by position', () => {
    const { values, indices } = x.max(1);
    const [sameValues, sameIndices] = x.max(1);
    assert.deepEqual(
      [values.toArray(), indices.toArray()],
      [
        [3, 6],
        [2, 2],
      ],
    );
    assert.deepEqual(
      [sameValues.toArray(), sameIndices.toArray()],
      [
        [3, 6],
        [2, 2],
      ],
    );
    assert.equal(x.max().item(), 6);
    assert.deepEqual(
      x.split(1, 1).map((part) => part.shape),
      [
        [2, 1],
        [2, 1],
        [2, 1],
      ],
    );
    const sorted = torch.sort(torch.tensor([3, 1, 2]), { descending: true });
    assert.deepEqual(
      [sorted.values.toArray(), sorted.indices.toArray()],
      [
        [3, 2, 1],
        [0, 2, 1],
      ],
    );
  });

  test('functions and methods are the same', () => {
    assert.deepEqual(torch.mm(x, x.t()).toArray(), x.mm(x.t()).toArray());
    assert.deepEqual(torch.cat([x, x], 1).shape, [2, 6]);
    assert.deepEqual(torch.stack([x, x]).shape, [2, 2, 3]);
    assert.deepEqual(torch.where(x.gt(3), x, torch.zeros(1)).at(1).toArray(), [4, 5, 6]);
    assert.deepEqual(torch.einsum('ij,kj->ik', [x, x]).toArray(), x.mm(x.t()).toArray());
    const out = torch.zeros(2, 3);
    assert.equal(torch.add(x, x, { out }), out);
    assert.deepEqual(out.toArray(), x.mul(2).toArray());
    assert.ok(Math.abs(torch.linalg.norm(x).item() - Math.sqrt(91)) < 1e-5);
    assert.deepEqual(torch.fft.fft(torch.tensor([1, 0])).toArray(), [
      { re: 1, im: 0 },
      { re: 1, im: 0 },
    ]);
    assert.equal(torch.special.expit(torch.tensor(0)).item(), 0.5);
  });

  test('types widen as in PyTorch', () => {
    const types: readonly [DType, DType, DType][] = [
      ['int32', 'float32', 'float32'],
      ['uint8', 'int8', 'int16'],
      ['float16', 'bfloat16', 'float32'],
      ['bool', 'int32', 'int32'],
      ['float32', 'float64', 'float64'],
      ['int64', 'float16', 'float16'],
      ['float64', 'complex64', 'complex128'],
    ];
    for (const [a, b, result] of types)
      assert.equal(torch.ones(1, { dtype: a }).add(torch.ones(1, { dtype: b })).dtype, result, `${a} + ${b}`);
    assert.equal(torch.ones(1, { dtype: 'float32' }).add(torch.tensor(1, { dtype: 'float64' })).dtype, 'float32');
  });

  test('broadcasting', () => {
    assert.deepEqual(
      torch
        .tensor([[1], [2]])
        .add(torch.tensor([10, 20]))
        .toArray(),
      [
        [11, 21],
        [12, 22],
      ],
    );
    assert.throws(
      () => torch.ones(2).add(torch.ones(3)),
      /size of tensor a \(2\) must match .* b \(3\).*; in add\(Tensor\[2\] float32, Tensor\[3\] float32\)/,
    );
  });
});
