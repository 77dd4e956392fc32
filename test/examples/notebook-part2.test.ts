import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runExample } from '../support/example.js';

/** The sections of what a part of the notebook prints, by heading. */
function sections(file: string): (heading: string) => string {
  const parts = runExample(file).split(/^── /m);
  return (heading) => {
    const found = parts.find((part) => part.startsWith(heading));
    assert.ok(found, `no section '${heading}'`);
    return found;
  };
}

/** The numbers of the row that starts with a name. */
function numbers(section: string, name: string): number[] {
  const line = section.split('\n').find((text) => text.startsWith(name) && /^\s/.test(text.slice(name.length)));
  assert.ok(line, `no row '${name}' in:\n${section}`);
  return line.slice(name.length).trim().split(/\s+/).map(Number);
}

describe('part two of the notebook: initialisation', () => {
  const section = sections('notebook/part2.ts');

  test('units that start the same are worth one unit, after 500 steps too', () => {
    const text = section('Symmetric units');
    const [weights] = /starting at 0\.5: tensor\(\[\[(.*)\]\]\)/.exec(text)?.slice(1) ?? [];
    const values = new Set(weights?.split(', '));
    assert.equal(weights?.split(', ').length, 8);
    assert.equal(values.size, 1);
    assert.ok(!values.has('0.5000'), 'they did move');
    const [same] = numbers(text, '8 units that started the same');
    assert.equal(same, numbers(text, '1 unit')[0]);
    assert.ok((same as number) > 0.1 && (numbers(text, '8 units that started at random')[0] as number) < 1e-6);
  });

  test('spread through 30 layers: small weights vanish, large explode, Kaiming holds, data makes it 1', () => {
    const text = section('30 layers');
    assert.ok((numbers(text, 'normal, deviation 0.01')[3] as number) < 1e-30);
    assert.ok((numbers(text, 'normal, deviation 1')[3] as number) > 1e25);
    const [first, , , end] = numbers(text, 'Kaiming, for ReLU') as [number, number, number, number];
    assert.ok(end / first > 0.2 && end / first < 5);
    for (const x of numbers(text, 'from data (initFromData)')) assert.ok(Math.abs(x - 1) < 0.01);
    assert.match(text, /took 3 forward passes for 30 layers/);
  });

  test('fan-in keeps the activations, fan-out the gradients', () => {
    const text = section('Activations or gradients');
    const [forward, back] = numbers(text, 'fanIn') as [number, number];
    const [forwardOut, backOut] = numbers(text, 'fanOut') as [number, number];
    assert.ok(Math.abs(Math.log(forward)) < 0.4 && back < 0.5);
    assert.ok(Math.abs(Math.log(backOut)) < 0.4 && forwardOut > 3);
  });

  test('a final layer of zeros: adaptive optimisers move the hidden layers for next to nothing, SGD does not', () => {
    const text = section('A final layer of zeros');
    const perGradient = (name: string): number => numbers(text, name)[2] as number;
    assert.ok(perGradient('SGD, rate 0.1, zeros') < 2 * perGradient('SGD, rate 0.1, random'));
    assert.ok(perGradient('Adam, rate 0.001, zeros') > 10 * perGradient('Adam, rate 0.001, random'));
    assert.ok(perGradient('RMSprop, rate 0.001, zeros') > 3 * perGradient('RMSprop, rate 0.001, random'));
    const check = section('The check names it');
    assert.match(check, /✘ The final layer '4' starts at zero and Adam/);
    assert.match(check, /and with SGD:\n✔ nothing is wrong/);
    assert.match(check, /✘ The units of '0', '2' and '4' are copies/);
  });
});

describe('part two of the notebook: optimisers', () => {
  const section = sections('notebook/part2-optimisers.ts');

  test('SGD overshoots with a rate that is right for the start; cutting it helps', () => {
    const text = section('SGD: a rate');
    const end = (name: string): number => numbers(text, name)[1] as number;
    // Noise of deviation 1 at rate η leaves η / (2 − η): the floor of a rate that stays.
    assert.ok(Math.abs(end('large, 0.5') - 0.5 / 1.5) < 0.02);
    assert.ok(end('large, cut by 10 every 100 steps') < 0.05 && end('large, cosine to 0') < 0.05);
    assert.ok((numbers(text, 'small, 0.005')[0] as number) > 30);
  });

  test('RMSProp and Adam level the steps; Adam costs twice the memory of momentum', () => {
    const moved = section('RMSProp: rare weights');
    const [usual, small, rare] = numbers(moved, 'SGD') as [number, number, number];
    assert.deepEqual([usual, small, rare], [2, 0.02, 0.2]);
    for (const name of ['RMSprop', 'Adam']) {
      const [a, b, c] = numbers(moved, name) as [number, number, number];
      assert.ok(Math.abs(a / b - 1) < 0.01 && c > 0.2 * a, name);
    }
    const cost = section('Adam: what it costs');
    assert.deepEqual(numbers(cost, 'SGD'), [4, 4, 0, 8]);
    assert.deepEqual(numbers(cost, 'SGD with momentum'), [4, 4, 4, 12]);
    assert.deepEqual(numbers(cost, 'AdamW'), [4, 4, 8, 16]);
    const losses = section('The same net');
    for (const name of ['RMSprop, rate 0.003', 'Adam, rate 0.003'])
      assert.ok((numbers(losses, name)[1] as number) < (numbers(losses, 'SGD, rate 0.1')[1] as number), name);
  });

  test('twice the batch, half the variance; a schedule draws itself', () => {
    const text = section('Twice the batch');
    const rows = ['32', '64', '128', '256'].map((name) => numbers(text, name) as [number, number]);
    for (let i = 0; i < 3; i++) {
      const ratio = (rows[i]?.[0] as number) / (rows[i + 1]?.[0] as number);
      assert.ok(ratio > 1.7 && ratio < 2.4, `${ratio}`);
    }
    assert.deepEqual(
      rows.map((x) => x[1]),
      [0.1, 0.2, 0.4, 0.5],
    );
    assert.match(section('Schedules are functions'), /warmup\(steps 10\)[\s\S]*0\.005 ┤/);
  });
});
