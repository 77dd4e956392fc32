import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { bytesPerElement } from '../../src/torch/dtype.js';
import { type DType, Tensor, torch } from '../../src/torch/index.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

describe('what a tensor says of itself', () => {
  const x = torch.arange(24).reshape(2, 3, 4);

  test('sizes and strides', () => {
    assert.deepEqual([x.shape, x.ndim, x.dim(), x.numel(), x.stride()], [[2, 3, 4], 3, 3, 24, [12, 4, 1]]);
    assert.deepEqual([x.size(), x.size(0), x.size(-1), x.stride(1), x.stride(-1)], [[2, 3, 4], 2, 4, 4, 1]);
    const part = x.at(1, '1:', '::2');
    assert.deepEqual([part.shape, part.stride(), part.storageOffset()], [[2, 2], [4, 2], 16]);
    assert.deepEqual([torch.tensor(1).shape, torch.tensor(1).ndim, torch.tensor(1).numel()], [[], 0, 1]);
    throwsArgument(() => x.size(3), /size\(\): dimension 3 is out of range for a tensor of shape \[2, 3, 4\]/);
    throwsArgument(() => x.stride(-4), /stride\(\): dimension -4 is out of range for a tensor of 3 dimensions/);
    x.shape.push(9);
    assert.deepEqual(x.shape, [2, 3, 4], 'a shape is the caller’s own copy');
  });

  test('type, device, layout, bytes', () => {
    assert.deepEqual([x.dtype, x.device, x.layout, x.elementSize(), x.nbytes], ['int64', 'cpu', 'strided', 8, 192]);
    assert.deepEqual(
      [x.isFloatingPoint(), x.half().isFloatingPoint(), x.bool().isFloatingPoint()],
      [false, true, false],
    );
    assert.deepEqual(
      [x.isSparse, torch.eye(2).toSparse().isSparse, torch.eye(2).toSparse().layout],
      [false, true, 'sparse'],
    );
    const sizes: readonly [DType, number][] = [
      ['bool', 1],
      ['uint8', 1],
      ['float16', 2],
      ['bfloat16', 2],
      ['int32', 4],
      ['complex64', 8],
      ['complex128', 16],
    ];
    for (const [dtype, size] of sizes) {
      assert.equal(bytesPerElement(dtype), size, dtype);
      assert.equal(torch.zeros(3, { dtype }).nbytes, 3 * size, dtype);
    }
  });

  test('memory: order, views, storage, version', () => {
    const y = torch.zeros(1, 2, 3, 4);
    const last = y.contiguous({ memoryFormat: 'channelsLast' });
    assert.deepEqual([y.isContiguous(), y.isContiguous('channelsLast')], [true, false]);
    assert.deepEqual(
      [last.isContiguous(), last.isContiguous('channelsLast'), last.stride()],
      [false, true, [24, 1, 8, 2]],
    );
    assert.deepEqual([y.isView, y.at(0).isView, y.add(1).isView, y.isPinned()], [false, true, false, false]);
    assert.deepEqual(y.at(0).storage(), y.storage());
    assert.equal(y.storage().bytes, 96);
    assert.notEqual(y.clone().storage().id, y.storage().id);
    const before = y.version;
    y.add_(1).at(0, 0).mul_(2);
    assert.equal(y.version, before + 2);
  });

  test('gradient state', () => {
    const w = torch.ones(2, { requiresGrad: true });
    const y = w.mul(w);
    assert.deepEqual([w.requiresGrad, w.isLeaf, w.gradFn, w.grad], [true, true, null, null]);
    assert.deepEqual([y.requiresGrad, y.isLeaf, y.gradFn], [true, false, { name: 'MulBackward0' }]);
    w.requiresGrad = false;
    assert.deepEqual([w.requiresGrad, w.mul(w).requiresGrad], [false, false]);
    throwsTorch(
      () => {
        y.requiresGrad = false;
      },
      'RuntimeError',
      /leaf/,
    );
    assert.equal(y.detach().requiresGrad, false);
    assert.equal(torch.inferenceMode(() => torch.ones(1)).isInference, true);
    assert.equal(w.isInference, false);
  });

  test('one value', () => {
    assert.equal(torch.tensor([[2.5]]).item(), 2.5);
    assert.equal(torch.tensor(3n).item(), 3);
    assert.equal(torch.tensor(true).itemExact(), true);
    assert.equal(torch.tensor(2n ** 62n).itemExact(), 2n ** 62n);
    assert.deepEqual(torch.tensor({ re: 1, im: -2 }).itemExact(), { re: 1, im: -2 });
    assert.equal(torch.tensor([1.5], { dtype: 'bfloat16' }).item(), 1.5);
    throwsTorch(
      () => torch.ones(2).item(),
      'RuntimeError',
      /2 elements cannot be converted to Scalar; in item\(Tensor\[2\] float32\)/,
    );
  });

  test('identity', () => {
    const y = torch.ones(2);
    assert.equal(y.isSameTensor(y), true);
    assert.equal(y.isSameTensor(y.detach()), false);
    assert.equal(y.add_(1), y, 'in-place methods give back the same object');
    throwsArgument(() => y.isSameTensor(5 as never), /'other' must be a Tensor, got number/);
  });

  test('printing', () => {
    const y = torch.tensor([[1, 2.5]], { requiresGrad: true });
    assert.equal(String(y), 'tensor([[1.0000, 2.5000]], requires_grad=True)');
    assert.equal(inspect(y), String(y));
    assert.equal(inspect({ y: torch.tensor([1n]) }), '{ y: tensor([1]) }');
    assert.equal(`${y.mul(y)}`, 'tensor([[1.0000, 6.2500]], grad_fn=<MulBackward0>)');
  });

  test('iteration goes through rows', () => {
    const rows = [
      ...torch.tensor([
        [1, 2],
        [3, 4],
      ]),
    ];
    assert.deepEqual(
      rows.map((row) => row.toArray()),
      [
        [1, 2],
        [3, 4],
      ],
    );
    const [first] = torch.ones(2, 2, { requiresGrad: true });
    assert.equal(first?.requiresGrad, true);
    throwsArgument(() => [...torch.tensor(1)], /without dimensions has no rows/);
  });
});

describe('disposed tensors', () => {
  test('every use is one clear error', () => {
    const gone = torch.ones(2);
    const other = torch.ones(2);
    gone.dispose();
    gone.dispose();
    assert.equal(gone.isDisposed, true);
    assert.equal(String(gone), 'tensor(<disposed>)');
    const uses: readonly (() => unknown)[] = [
      () => gone.shape,
      () => gone.dtype,
      () => gone.grad,
      () => gone.item(),
      () => gone.requiresGrad,
      () => gone.storage(),
      () => gone.toArray(),
      () => gone.toTypedArray(),
      () => gone.asTypedArray(),
      () => gone.at(0),
      () => gone.setAt([0], 1),
      () => gone.add(1),
      () => gone.add_(1),
      () => gone.sum(),
      () => gone.transpose(0, 0),
      () => other.add(gone),
      () => other.where(gone, other),
      () => torch.cat([other, gone]),
      () => torch.stack([gone]),
      () => gone.backward(),
      () => torch.autograd.grad(gone, other),
      () => gone.registerHook(() => null),
      () => other.isSameTensor(gone),
      () => torch.shareTensor(gone),
      () => gone.to('float64'),
    ];
    for (const [i, use] of uses.entries()) throwsArgument(use, new RegExp('disposed', i < 0 ? 'g' : ''));
    assert.deepEqual(other.toArray(), [1, 1]);
  });

  test('a view keeps the memory of what it looks at', () => {
    const x = torch.arange(4);
    const view = x.at('2:');
    x.dispose();
    assert.deepEqual(view.toArray(), [2, 3]);
  });

  test('Symbol.dispose is dispose, and copes with an early one', () => {
    const x = torch.ones(1);
    x[Symbol.dispose]();
    x[Symbol.dispose]();
    assert.equal(x.isDisposed, true);
    assert.ok(Symbol.dispose in Tensor.prototype);
  });
});
