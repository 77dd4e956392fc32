import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { torch } from '../../src/torch/index.js';

// The engine gives gradients that are zero everywhere without memory behind them: reading that memory ends the process.
test('a gradient of zeros without memory can be read, printed and used, but not mapped', () => {
  const x = torch.tensor([1, -2, 3], { requiresGrad: true });
  x.sgn().sum().backward();
  const gradient = x.grad!;
  assert.deepEqual(gradient.toArray(), [0, 0, 0]);
  assert.deepEqual([...gradient.toTypedArray()], [0, 0, 0]);
  assert.equal(gradient.select(0, 1).item(), 0);
  assert.equal(inspect(gradient), 'tensor([0., 0., 0.])');
  assert.deepEqual(gradient.add(1).toArray(), [1, 1, 1]);
  assert.throws(() => gradient.asTypedArray(), /clone\(\)/);
  assert.deepEqual([...gradient.clone().asTypedArray()], [0, 0, 0]);
});
