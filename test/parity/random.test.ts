/** Same seed, same numbers as Python, to the bit: every operator that draws, and the state of the generator afterwards. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { torch } from '../../src/torch/index.js';
import { skipLive } from '../support/python.js';
import { callsOf } from './calls.js';
import { promotion } from './cases/promotion.js';
import { random } from './cases/random.js';
import { Comparison } from './compare.js';
import { ask } from './reference.js';

const modern = !torch.version.startsWith('1.');

describe('random numbers and element types are Python’s', { skip: skipLive }, () => {
  if (skipLive !== false) return;
  torch.setNumThreads(1);
  const drawing = callsOf(random, modern).filter((call) => torch.hasOperator(call.operator));
  const promoting = callsOf(promotion, modern);
  const answers = ask([...drawing, ...promoting]);

  test('same seed, same bits', (t) => {
    const comparison = new Comparison(answers, 'exact');
    for (const [i, call] of drawing.entries()) {
      const answer = answers.results[i]!;
      if (answer.error !== undefined && call.main && modern)
        comparison.problems.push(`${call.label}: Python says ${answer.error}`);
      comparison.check(call, answer);
    }
    assert.equal(comparison.problems.join('\n'), '');
    t.diagnostic(`${comparison.compared.size} operators that draw, ${comparison.results} results`);
    assert.ok(comparison.compared.size >= 30, `${comparison.compared.size} operators`);
  });

  test('the element type of a result', (t) => {
    const comparison = new Comparison(answers, 'exact');
    let refused = 0;
    for (const [i, call] of promoting.entries()) {
      const answer = answers.results[drawing.length + i]!;
      if (answer.error !== undefined) refused++;
      comparison.check(call, answer);
    }
    assert.equal(comparison.problems.join('\n'), '');
    t.diagnostic(`${promoting.length} combinations of types, ${refused} of which both sides refuse`);
    assert.ok(promoting.length - refused > 3000);
  });
});
