import assert from 'node:assert/strict';
import { it } from 'node:test';
import { toCamelCase } from '../../src/torch/names.js';

it('turns PyTorch names into TypeScript names and keeps the underscores that mean something', () => {
  const pairs = [
    ['add', 'add'],
    ['add_', 'add_'],
    ['index_select', 'indexSelect'],
    ['masked_fill_', 'maskedFill_'],
    ['_foreach_add_', '_foreachAdd_'],
    ['__iand__', '__iand__'],
    ['log1p_', 'log1p_'],
    ['adaptive_avg_pool2d', 'adaptiveAvgPool2d'],
    ['atleast_1d', 'atleast1d'],
    ['sparse_bsc_tensor', 'sparseBscTensor'],
    ['LU', 'LU'],
  ];
  for (const [python = '', expected] of pairs) assert.equal(toCamelCase(python), expected);
});
