/** Tables against scikit-learn, and what is said of each column. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { DataLoader } from '../../../src/data/loader/index.js';
import {
  applyRows,
  type ColumnPlan,
  type FitTableOptions,
  fitTable,
  rowNormaliserFrom,
  TableNormaliser,
} from '../../../src/data/normalise/index.js';
import { normalQuantile, quantilesOf, rankToNormal } from '../../../src/data/normalise/quantiles.js';
import { sampleRandom } from '../../../src/data/random.js';
import { subset, table } from '../../../src/data/sources/index.js';
import { loadSplit, saveSplit, splitDataset } from '../../../src/data/split/index.js';
import { openSeal } from '../../../src/data/split/seal.js';
import type { TableDataset, TensorDataset } from '../../../src/data/types.js';
import { near, reference, skipWithout, temporaryFolder } from './reference.js';

type Cell = number | string | null;
type Columns = Readonly<Record<string, readonly Cell[]>>;

/** A CSV file of columns, and a class for each row. */
function tableOf(columns: Columns): TableDataset {
  const names = Object.keys(columns);
  const rows = (columns[names[0] as string] ?? []).map((_, row) =>
    [...names.map((name) => columns[name]?.[row] ?? ''), row % 2 === 0 ? 'even' : 'odd'].join(','),
  );
  const file = path.join(temporaryFolder(), 'rows.csv');
  writeFileSync(file, `${[...names, 'label'].join(',')}\n${rows.join('\n')}\n`);
  return table(file);
}

const columnOf = ({ input }: TensorDataset, features: readonly string[], name: string): number[] => {
  const column = features.indexOf(name);
  assert.ok(column >= 0, `${name} among ${features.join(', ')}`);
  return [...(input.select(1, column).contiguous().toTypedArray() as Float32Array)];
};

const draws = sampleRandom(7, 0, 0, 31);
const numbers = (count: number, make: () => Cell): Cell[] => Array.from({ length: count }, make);
const drawn = (count: number): Record<string, Cell[]> => ({
  height: numbers(count, () => (draws.chance(0.1) ? null : 50 + 10 * draws.normal())),
  price: numbers(count, () => (draws.chance(0.05) ? null : Math.exp(3 + draws.normal()))),
  flow: numbers(count, () => (1 - draws.uniform()) ** -1.5),
  colour: numbers(count, () => ['red', 'white', 'Ähre', '野', '😀'][draws.integer(5)] as string),
});
const train = drawn(400);
const other = drawn(150);
other.colour?.splice(0, 3, 'black', 'grey', null);
const [trainTable, otherTable] = [tableOf(train), tableOf(other)];

const planOf = (columns: Columns, options?: FitTableOptions): ColumnPlan =>
  fitTable(
    tableOf({ more: columns[Object.keys(columns)[0] as string]?.map((_, i) => i % 3) ?? [], ...columns }),
    options,
  ).columns[1] as ColumnPlan;

describe('as scikit-learn', { skip: skipWithout('sklearn') }, () => {
  test('median, logarithm, ranks, mean and deviation, categories', () => {
    const normaliser = fitTable(trainTable);
    const straightened = normaliser.columns.map((plan) => (plan.kind === 'numeric' ? plan.straighten : plan.kind));
    assert.deepEqual(straightened, ['none', 'log', 'rank', 'categorical']);
    const how = { height: 'plain', price: 'log', flow: 'rank', colour: 'categories' };
    const cases = Object.fromEntries(
      Object.entries(how).map(([name, kind]) => [name, { how: kind, train: train[name], other: other[name] }]),
    );
    const theirs = reference<Record<string, number[][]>>('table', cases);
    const ours = normaliser.apply(otherTable);
    const { features } = normaliser;
    for (const name of ['height', 'price']) {
      const [values, gaps] = [0, 1].map((column) => (theirs[name] as number[][]).map((row) => row[column] as number));
      near(columnOf(ours, features, name), values as number[], 1e-6, name);
      assert.deepEqual(columnOf(ours, features, `${name} missing`), gaps);
    }
    near(columnOf(ours, features, 'flow'), theirs.flow?.flat() ?? [], 1e-6, 'flow');
    const categories = ['red', 'white', 'Ähre', '野', '😀'];
    for (const [i, category] of categories.entries())
      assert.deepEqual(
        columnOf(ours, features, `colour=${category}`),
        theirs.colour?.map((row) => row[i]),
        category,
      );
    assert.deepEqual(columnOf(ours, features, 'colour other').slice(0, 4), [1, 1, 1, 0]);
  });
});

describe('quantiles', () => {
  test('of the normal distribution, as SciPy', () => {
    const ps = [1e-300, 1e-30, 1e-9, 0.001, 0.02, 0.07, 0.2, 0.5, 0.7, 0.99];
    const theirs = [
      -37.0470962993612, -11.46402468844361, -5.9978070150076865, -3.090232306167813, -2.053748910631823,
      -1.475791028179171, -0.8416212335729142, 0, 0.5244005127080407, 2.3263478740408408,
    ];
    near(ps.map(normalQuantile), theirs, 1e-14, 'quantile');
    assert.equal(normalQuantile(0), Number.NEGATIVE_INFINITY);
    assert.equal(normalQuantile(1), Number.POSITIVE_INFINITY);
  });

  test('ranks, as scikit-learn', () => {
    // QuantileTransformer(n_quantiles=5, output_distribution='normal').fit([[1], [2], [2], [2], [9]])
    const quantiles = quantilesOf([1, 2, 2, 2, 9]);
    const theirs = [-5.1993376, -5.1993376, -1.1503493803760079, 0, 1.0675705238781419, 5.1993376];
    assert.deepEqual(quantiles, [1, 2, 2, 2, 9]);
    const ours = [0, 1, 1.5, 2, 5, 50].map((x) => rankToNormal(quantiles, x));
    near(ours, theirs, 1e-7, 'rank');
    // Of tiny numbers, too, only the ends are ends.
    assert.ok(Math.abs(rankToNormal([1e-9, 2e-9, 3e-9], 2e-9)) < 1e-9);
  });
});

describe('what becomes of a column', () => {
  const spread = (make: (u: number) => number, count = 300) =>
    Array.from({ length: count }, (_, i) => make(((i * 97) % count) / count + 0.5 / count));

  test('numbers, by hand', () => {
    const plan = planOf({ x: [4, null, 1, 3, 2, null, 0, 2] });
    assert.ok(plan.kind === 'numeric');
    assert.deepEqual([plan.median, plan.missing, plan.straighten], [2, true, 'none']);
    near([plan.mean, plan.std], [2, Math.sqrt(10 / 8)], 1e-15, 'mean and deviation');
    assert.match(plan.why, /^skewness 0; 25 % missing$/);
  });

  test('is chosen by its skewness, and said', () => {
    const cases: [string, number[], string, RegExp][] = [
      ['even', spread((u) => 5 * u), 'none', /^skewness -?0(\.\d)?$/],
      ['prices', spread((u) => Math.exp(3 + normalQuantile(u))), 'log', /after the logarithm/],
      ['heavy', spread((u) => (1 - u) ** -3), 'rank', /so ranks/],
      [
        'balance',
        spread((u) => Math.sign(u - 0.3) * Math.expm1(9 * Math.abs(u - 0.3))),
        'signed-log',
        /after the logarithm/,
      ],
      ['tiny', spread((u) => 1e-4 * Math.exp(2 * normalQuantile(u))), 'rank', /so ranks/],
      ['left', spread((u) => -Math.exp(-2 * Math.log(1 - u))), 'rank', /so ranks/],
      ['rare', spread((u) => (u > 0.97 ? 1 : 0)), 'none', /two values only/],
    ];
    for (const [name, values, wanted, why] of cases) {
      const plan = planOf({ [name]: values });
      assert.ok(plan.kind === 'numeric');
      assert.equal(plan.straighten, wanted, `${name}: ${plan.why}`);
      assert.match(plan.why, why, name);
    }
  });

  test('features of any column have the mean 0 and the deviation 1 on the training part', () => {
    for (const make of [
      (u: number) => 1e9 + u,
      (u: number) => 1e-12 * u,
      (u: number) => Math.exp(20 * u),
      (u: number) => (1 - u) ** -4,
      (u: number) => -((1 - u) ** -4),
    ]) {
      const columns = tableOf({ x: spread(make), y: spread((u) => Math.round(5 * u)) });
      const normaliser = fitTable(columns);
      const values = columnOf(normaliser.apply(columns), normaliser.features, 'x');
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
      near([mean, deviation], [0, 1], 1e-5, String(make));
      assert.ok(values.every(Number.isFinite));
    }
  });

  test('columns that tell nothing are dropped by name', () => {
    const count = 200;
    const columns = tableOf({
      id: Array.from({ length: count }, (_, i) => 1000 + 2 * i),
      x: spread((u) => u, count),
      country: Array.from({ length: count }, () => 'de'),
      tenth: Array.from({ length: count }, () => 0.1),
      name: Array.from({ length: count }, (_, i) => `plant ${i}`),
      empty: Array.from({ length: count }, () => null),
      rare: Array.from({ length: count }, (_, i) => (i % 4 === 0 ? 5 : null)),
    });
    const normaliser = fitTable(columns);
    const why = Object.fromEntries(normaliser.dropped.map((column) => [column.name, column.why]));
    assert.deepEqual(Object.keys(why), ['id', 'country', 'tenth', 'name', 'empty']);
    assert.match(why.id ?? '', /numbers the rows/);
    assert.match(why.country ?? '', /same value everywhere, de/);
    assert.match(why.tenth ?? '', /same value everywhere, 0\.1/);
    assert.match(why.name ?? '', /200 different values in 200 rows/);
    assert.match(why.empty ?? '', /no value in the training part/);
    // Always the same where it is there: whether it is there may still tell something.
    assert.deepEqual(normaliser.features, ['x', 'rare missing']);
    assert.match(
      normaliser.describe(),
      /^2 features of 7 columns: 2 numeric .*; dropped id \(it only numbers the rows\)/,
    );
    const useless = tableOf({ a: [1, 1, 1], b: ['x', 'x', 'x'] });
    assert.throws(() => fitTable(useless), /no column tells anything: a \(.*\); b \(/);
  });

  test('categories: the rarest together, gaps of their own, unknown ones with the others', () => {
    const colours = ['red', 'red', 'red', 'blue', 'blue', 'green', null, 'white'];
    const fitted = tableOf({ colour: colours, x: [1, 2, 1, 2, 1, 2, 1, 2] });
    const normaliser = fitTable(fitted, { maxCategories: 2 });
    assert.deepEqual(normaliser.features, ['colour=blue', 'colour=red', 'colour other', 'colour missing', 'x']);
    assert.match(normaliser.columns[0]?.why ?? '', /2 categories, the 2 rarest together; 13 % missing/);
    const rows = normaliser.apply(tableOf({ colour: ['red', 'green', null, 'pink'], x: [1, 2, 1, 2] }));
    const found = [...(rows.input.at(':', '0:4').contiguous().toTypedArray() as Float32Array)];
    assert.deepEqual(found, [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0]);
  });

  test('what should be another choice can be said', () => {
    const prices = { price: spread((u) => Math.exp(3 * u)) };
    for (const wanted of ['none', 'log', 'signed-log', 'rank'] as const) {
      const plan = planOf(prices, { straighten: { price: wanted } });
      assert.equal(plan.kind === 'numeric' && plan.straighten, wanted);
      assert.match(plan.why, /as asked for/);
    }
    assert.throws(
      () => planOf(prices, { straighten: { prise: 'log' } }),
      /names the column prise; there are more, price/,
    );
    assert.throws(() => planOf({ x: ['a', 'b', 'a'] }, { straighten: { x: 'log' } }), /x holds categories/);
    assert.throws(() => planOf({ x: [-3, 1, 2] }, { straighten: { x: 'log' } }), /has the value -3.*use signed-log/);
    assert.throws(() => planOf(prices, { straighten: { price: 'sqrt' as 'log' } }), /straighten\.price is none, log/);
    assert.throws(() => planOf(prices, { maxCategories: 0 }), /maxCategories is an integer from 1 on/);
  });

  test('values that the training part does not have stay finite', () => {
    const normaliser = fitTable(trainTable);
    const strange = tableOf({
      height: [1e30, null, -1e30],
      price: [-5, null, 1e300],
      flow: [-1, null, 1e12],
      colour: ['none of these', null, 'red'],
    });
    // float32 holds no 1e300, but its logarithm; a height of 1e30 stays what it is.
    for (const value of normaliser.apply(strange).input.toTypedArray() as Float32Array)
      assert.ok(Number.isFinite(value), String(value));
  });
});

describe('stored and applied', () => {
  test('through JSON to the last bit', () => {
    const normaliser = fitTable(trainTable);
    const back = rowNormaliserFrom(JSON.parse(JSON.stringify(normaliser)));
    assert.ok(back instanceof TableNormaliser);
    assert.deepEqual(back.features, normaliser.features);
    const [ours, theirs] = [normaliser, back].map((one) => applyRows(one, otherTable).input.toTypedArray());
    assert.deepEqual(theirs, ours);
    for (const wrong of [null, {}, { kind: 'table' }, { kind: 'text' }, 3])
      assert.throws(() => rowNormaliserFrom(wrong), /is not the normalisation of/);
  });

  test('only the training part flows in', () => {
    const changed = tableOf(
      Object.fromEntries(
        Object.entries(train).map(([name, cells]) => [
          name,
          cells.map((cell, row) => (row < 300 ? cell : name === 'colour' ? 'violet' : 12345)),
        ]),
      ),
    );
    const first = Array.from({ length: 300 }, (_, i) => i);
    const [before, after] = [trainTable, changed].map((one) => JSON.stringify(fitTable(subset(one, first))));
    assert.equal(after, before);
    assert.notEqual(JSON.stringify(fitTable(changed)), JSON.stringify(fitTable(trainTable)));
  });

  test('other columns are refused', () => {
    const normaliser = fitTable(tableOf({ a: [1, 2, 3], b: [3, 1, 2] }));
    const refused = (columns: Columns, message: RegExp) =>
      assert.throws(() => normaliser.apply(tableOf(columns)), message);
    refused({ a: [1, 2, 3] }, /has the columns a, but the training part had a, b/);
    refused({ b: [1, 2, 3], a: [1, 2, 3] }, /has the columns b, a/);
    refused({ a: [1, 2, 3], b: [1, 2, 3], c: [1, 2, 3] }, /has the columns a, b, c/);
    refused({ a: ['x', 2, 3], b: [1, 2, 3] }, /column a held numbers in the training part and holds words here/);
  });

  test('names and labels go along; what is sealed stays sealed', async () => {
    const split = await splitDataset(trainTable, { seed: 1, duplicates: false });
    const normaliser = fitTable(split.train);
    assert.equal(normaliser.rows, split.train.length);
    const ready = normaliser.apply(split.validation);
    assert.deepEqual(ready.input.shape, [split.validation.length, normaliser.features.length]);
    for (let i = 0; i < ready.length; i++) {
      assert.equal(ready.sampleName(i), split.validation.sampleName(i));
      assert.equal(ready.target(i), split.validation.target(i));
    }
    assert.throws(() => fitTable(split.test), /sample 0 of .* belongs to the sealed test part/);
    assert.throws(() => fitTable(trainTable), /belongs to the sealed test part, and nothing may be measured on it/);
    for (const sealed of [normaliser.apply(split.test), subset(normaliser.apply(split.test), [2, 1, 0])]) {
      assert.throws(() => sealed.target(0), /sealed test part/);
      assert.throws(() => sealed.labels(0), /sealed test part/);
      assert.throws(() => sealed.sampleName(0), /sealed test part/);
      assert.throws(() => sealed.group?.(0), /sealed test part/);
      const loader = new DataLoader({ dataset: sealed, batchSize: 4 });
      await assert.rejects(async () => {
        for await (const _ of loader);
      }, /sealed test part/);
    }
    // A view made before its source was sealed is sealed with it.
    const rows = tableOf(train);
    const before = fitTable(rows).apply(rows);
    assert.equal(before.target(0), 0);
    const later = await splitDataset(rows, { seed: 1, duplicates: false });
    const names = new Set(Array.from({ length: later.development.length }, (_, i) => later.development.sampleName(i)));
    let closed = 0;
    for (let i = 0; i < rows.length; i++)
      try {
        assert.ok(names.has(before.sampleName(i)));
      } catch (error) {
        assert.match((error as Error).message, /sealed test part/);
        closed++;
      }
    assert.equal(closed, later.test.length);
    // What the test step opens can be read.
    const file = path.join(temporaryFolder(), 'split.json');
    await saveSplit(later, file);
    const fresh = await loadSplit(file, rows);
    const opened = normaliser.apply(
      (await openSeal(fresh, { files: [file], command: 'test' })).dataset as TableDataset,
    );
    assert.equal(opened.length, later.test.length);
    assert.ok(opened.target(0) === 0 || opened.target(0) === 1);
  });
});
