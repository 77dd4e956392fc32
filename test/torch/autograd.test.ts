import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Tensor, torch } from '../../src/torch/index.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

const leaf = (values: number | number[]): Tensor => torch.tensor(values, { requiresGrad: true });

describe('backward', () => {
  test('adds to the gradients of the leaves', () => {
    const x = leaf([1, 2, 3]);
    x.mul(x).sum().backward();
    assert.deepEqual(x.grad?.toArray(), [2, 4, 6]);
    x.mul(2).sum().backward();
    assert.deepEqual(x.grad?.toArray(), [4, 6, 8]);
    x.grad = null;
    assert.equal(x.grad, null);
    x.grad = torch.ones(3);
    x.sum().backward();
    assert.deepEqual(x.grad?.toArray(), [2, 2, 2]);
  });

  test('a gradient for tensors of several elements', () => {
    const x = leaf([1, 2]);
    x.mul(3).backward(torch.tensor([10, 100]));
    assert.deepEqual(x.grad?.toArray(), [30, 300]);
    throwsTorch(
      () => x.mul(2).backward(),
      'RuntimeError',
      /only for scalar outputs; in backward\(Tensor\[2\] float32\)/,
    );
  });

  test('several roots at once', () => {
    const x = leaf(2);
    torch.autograd.backward([x.mul(2), x.mul(x)], [torch.tensor(1), torch.tensor(10)]);
    assert.equal(x.grad?.item(), 42);
    torch.autograd.backward([x.mul(3)]);
    assert.equal(x.grad?.item(), 45);
  });

  test('the graph is freed, unless it is kept', () => {
    const x = leaf(3);
    const y = x.mul(x);
    y.backward(null, { retainGraph: true });
    y.backward();
    assert.equal(x.grad?.item(), 12);
    throwsTorch(() => y.backward(), 'RuntimeError', /backward through the graph a second time/);
    assert.equal(x.grad?.item(), 12);
  });

  test('only into given inputs', () => {
    const [x, w] = [leaf(2), leaf(5)];
    x.mul(w).backward(null, { inputs: w });
    assert.deepEqual([x.grad, w.grad?.item()], [null, 2]);
    x.mul(w).backward(null, { inputs: [x] });
    assert.deepEqual([x.grad?.item(), w.grad?.item()], [5, 2]);
  });

  test('of the gradient itself, with createGraph', () => {
    const x = leaf(2);
    x.pow(3).backward(null, { createGraph: true });
    const first = x.grad as Tensor;
    assert.deepEqual([first.item(), first.requiresGrad], [12, true]);
    x.grad = null;
    first.backward();
    assert.equal((x.grad as unknown as Tensor).item(), 12);
  });

  test('retainGrad shows the gradient of what is no leaf', () => {
    const x = leaf(2);
    const y = x.mul(3);
    y.retainGrad();
    y.mul(y).backward();
    assert.deepEqual([y.grad?.item(), x.grad?.item(), y.isLeaf, y.gradFn?.name], [12, 36, false, 'MulBackward0']);
  });

  test('mistakes', () => {
    throwsTorch(() => torch.ones(1).backward(), 'RuntimeError', /does not require grad/);
    throwsArgument(() => torch.autograd.backward([5 as never]), /'tensors' must be a Tensor, got number/);
    const x = leaf([1, 2]);
    throwsTorch(() => x.mul(1).backward(torch.ones(3)), 'RuntimeError', /[Mm]ismatch in shape|shape/);
    throwsTorch(() => x.add_(1), 'RuntimeError', /leaf Variable that requires grad.*in-place.*; in add_\(/);
    throwsArgument(() => {
      x.grad = torch.ones(3);
    }, /the tensor's shape, dtype and device/);
    throwsArgument(() => {
      x.grad = 5 as never;
    }, /'grad' must be a Tensor, got number/);
    throwsTorch(() => torch.ones(1, { dtype: 'int64' }).requiresGrad_(), 'RuntimeError', /floating point/);
  });
});

describe('torch.autograd.grad', () => {
  test('gives the gradients and accumulates nothing', () => {
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    const [gx, gw] = torch.autograd.grad(x.mul(w).sum(), [x, w]);
    assert.deepEqual([gx?.toArray(), gw?.toArray(), x.grad], [[3, 4], [1, 2], null]);
    const [weighted] = torch.autograd.grad(x.mul(2), x, { gradOutputs: torch.tensor([1, 10]) });
    assert.deepEqual(weighted?.toArray(), [2, 20]);
    const [both] = torch.autograd.grad([x.sum(), x.mul(5)], x, { gradOutputs: [null, torch.ones(2)] });
    assert.deepEqual(both?.toArray(), [6, 6]);
  });

  test('inputs that are not used: an error, or null when allowed', () => {
    const [x, w] = [leaf(1), leaf(1)];
    throwsTorch(() => torch.autograd.grad(x.mul(2), [x, w]), 'RuntimeError', /not have been used in the graph/);
    const [gx, gw] = torch.autograd.grad(x.mul(2), [x, w], { allowUnused: true });
    assert.deepEqual([gx?.item(), gw], [2, null]);
  });

  test('higher derivatives', () => {
    const x = leaf(2);
    let y = x.pow(4);
    const found: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [g] = torch.autograd.grad(y, x, { createGraph: true });
      y = g as Tensor;
      found.push(y.item());
    }
    assert.deepEqual(found, [32, 48, 48]);
  });

  test('of intermediate results, with the graph kept', () => {
    const x = leaf(3);
    const h = x.mul(x);
    const y = h.mul(2);
    assert.equal(torch.autograd.grad(y, h, { retainGraph: true })[0]?.item(), 2);
    assert.equal(torch.autograd.grad(y, x)[0]?.item(), 12);
  });
});
