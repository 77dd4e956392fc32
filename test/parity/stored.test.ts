/** Operators against answers of Python's torch that are kept in the repository: runs everywhere, on every engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { torch } from '../../src/torch/index.js';
import { Comparison } from './compare.js';
import { hashOfInputs, readStored, storedCalls } from './stored.js';

const modern = !torch.version.startsWith('1.');

test('operators give what Python gave', (t) => {
  const stored = readStored();
  const calls = storedCalls();
  assert.deepEqual(
    calls.map(hashOfInputs),
    stored.inputs,
    'cases have changed since: node --import tsx scripts/golden/operators.ts',
  );
  const comparison = new Comparison(stored, 'near');
  for (const [i, call] of calls.entries())
    if (torch.hasOperator(call.operator)) comparison.check(call, stored.results[i]!);
  assert.equal(comparison.problems.join('\n'), '');
  const { compared, differentiated, results } = comparison;
  t.diagnostic(`${compared.size} operators, ${differentiated.size} with gradients, ${results} results`);
  assert.ok(compared.size >= (modern ? 600 : 550), `${compared.size} operators`);
});
