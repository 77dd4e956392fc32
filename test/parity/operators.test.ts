/**
 * Every operator of the tables in `cases/`, called here and in Python's torch on the same library with the same bits:
 * values, types, shapes, strides, names of gradient functions, gradients and errors must be the same, to the last bit.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { torch } from '../../src/torch/index.js';
import { skipLive } from '../support/python.js';
import { type Call, callsOf } from './calls.js';
import { allGroups } from './cases/index.js';
import { Comparison } from './compare.js';
import { ask } from './reference.js';

const modern = !torch.version.startsWith('1.');

describe('operators give what Python gives', { skip: skipLive }, () => {
  if (skipLive !== false) return;
  torch.setNumThreads(1);
  const calls: [string, Call][] = Object.entries(allGroups).flatMap(([group, cases]) =>
    callsOf(cases, modern)
      .filter((call) => torch.hasOperator(call.operator))
      .map((call): [string, Call] => [group, call]),
  );
  const answers = ask(calls.map(([, call]) => call));
  const comparison = new Comparison(answers, 'exact');
  let errors = 0;

  for (const group of Object.keys(allGroups))
    test(group, () => {
      comparison.problems.length = 0;
      for (const [i, [owner, call]] of calls.entries()) {
        if (owner !== group) continue;
        const answer = answers.results[i]!;
        if (answer.error !== undefined) errors++;
        // A case that Python cannot run compares nothing; only the older engine may lack a form.
        if (answer.error !== undefined && call.main && modern && group !== 'in place')
          comparison.problems.push(`${call.label}: Python says ${answer.error}`);
        comparison.check(call, answer);
      }
      assert.equal(comparison.problems.join('\n'), '');
    });

  test('enough of them', (t) => {
    const inPlace = [...comparison.compared].filter((name) => name.endsWith('_')).length;
    const plain = comparison.compared.size - inPlace;
    t.diagnostic(
      `${plain} operators and ${inPlace} in-place forms compared in ${calls.length} calls and ${comparison.results} results; ` +
        `${comparison.differentiated.size} with gradients, ${comparison.outForms.size} with out; ${errors} calls fail on both sides`,
    );
    assert.ok(plain >= (modern ? 600 : 400), `${plain} operators`);
    assert.ok(
      comparison.differentiated.size >= (modern ? 550 : 350),
      `${comparison.differentiated.size} with gradients`,
    );
  });
});
