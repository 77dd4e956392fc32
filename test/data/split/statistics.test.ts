import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { sampleRandom } from '../../../src/data/random.js';
import { chiSquaredTest, permutationTest, tableOf } from '../../../src/data/split/statistics/contingency.js';
import { holm, kolmogorovTest, oneSampleSurvival } from '../../../src/data/split/statistics/kolmogorov.js';
import { runPython, skipLive } from '../../support/python.js';

interface Golden {
  tables: { table: number[][]; statistic: number; dof: number; p: number }[];
  samples: { a: number[]; b: number[]; statistic: number; p: number }[];
  large: { n: number; x: number; p: number }[];
}
const golden = JSON.parse(readFileSync(new URL('../../golden/statistics.json', import.meta.url), 'utf8')) as Golden;

/** Equal to 1e-9, of the value where it is above 1 and below. */
function close(actual: number, expected: number, what: string): void {
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-290);
  assert.ok(error < 1e-9, `${what}: ${actual}, SciPy says ${expected}`);
}

describe('the test of independence', () => {
  it("equals SciPy's chi2_contingency to 1e-9", () => {
    for (const { table, statistic, dof, p } of golden.tables) {
      const test = chiSquaredTest(table);
      close(test.statistic, statistic, 'statistic');
      assert.equal(test.degreesOfFreedom, dof);
      close(test.pValue, p, 'p');
    }
  });

  it('equals it live on 300 random tables, and ks_2samp on 150 random samples', { skip: skipLive }, () => {
    const tables: number[][][] = [];
    for (let i = 0; i < 300; i++) {
      const draws = sampleRandom(1, 0, i);
      const columns = 2 + draws.integer(i % 10 === 0 ? 2000 : 12);
      const most = draws.uniform(1, 200);
      tables.push(
        Array.from({ length: 2 + draws.integer(3) }, () =>
          Array.from({ length: columns }, () => 1 + Math.floor(draws.uniform(0, most))),
        ),
      );
    }
    const samples: [number[], number[]][] = [];
    for (let i = 0; i < 150; i++) {
      const draws = sampleRandom(2, 0, i);
      const n = i % 15 === 0 ? 10001 + draws.integer(2000) : 1 + draws.integer(300);
      const m = i % 7 === 0 ? n : 1 + draws.integer(200);
      const [shift, digits] = [draws.uniform(), i % 2 ? 1e9 : 20];
      const values = (count: number, by: number): number[] =>
        Array.from({ length: count }, () => Math.round((draws.normal() + by) * digits) / digits);
      samples.push([values(n, 0), values(m, shift * shift)]);
    }
    const script = `
import json, sys, scipy.stats as s
q = json.load(sys.stdin)
chi = [s.chi2_contingency(t) for t in q["tables"]]
ks = [s.ks_2samp(a, b) for a, b in q["samples"]]
print(json.dumps({"chi": [[c.statistic, int(c.dof), c.pvalue] for c in chi], "ks": [[float(k.statistic), float(k.pvalue)] for k in ks]}))`;
    const answer = runPython<{ chi: [number, number, number][]; ks: [number, number][] }>(['-c', script], {
      tables,
      samples,
    });
    tables.forEach((table, i) => {
      const [statistic, dof, p] = answer.chi[i] as [number, number, number];
      const test = chiSquaredTest(table);
      close(test.statistic, statistic, 'statistic');
      assert.equal(test.degreesOfFreedom, dof);
      close(test.pValue, p, 'p');
    });
    samples.forEach(([a, b], i) => {
      const [statistic, p] = answer.ks[i] as [number, number];
      const test = kolmogorovTest(a, b);
      assert.ok(Math.abs(test.statistic - statistic) < 1e-12);
      assert.ok(Math.abs(test.pValue - p) < 1e-9, `${test.pValue}, SciPy says ${p}`);
    });
  });

  it('leaves out what is empty, and says 1 where there is nothing to compare', () => {
    const full = chiSquaredTest([
      [10, 20],
      [15, 12],
    ]);
    assert.deepEqual(
      chiSquaredTest([
        [10, 0, 20],
        [0, 0, 0],
        [15, 0, 12],
      ]),
      full,
    );
    assert.equal(chiSquaredTest([[3, 4]]).pValue, 1);
    assert.equal(chiSquaredTest([]).pValue, 1);
  });

  it('by permutation agrees with the distribution where counts are large, and can be trusted where they are small', () => {
    const draws = sampleRandom(5, 0, 0);
    const labels = Array.from({ length: 600 }, () => [draws.integer(4)]);
    const part = labels.map(([label]) => (draws.chance(0.6 + 0.05 * (label as number)) ? 0 : 1));
    const exact = chiSquaredTest(tableOf(labels, part, 4, 2));
    const permuted = permutationTest(labels, part, { classes: 4, parts: 2 });
    assert.ok(Math.abs(exact.statistic - permuted.statistic) < 1e-9);
    assert.ok(Math.abs(exact.pValue - permuted.pValue) < 0.03, `${exact.pValue} and ${permuted.pValue}`);
    let alarms = 0;
    for (let round = 0; round < 400; round++) {
      const own = sampleRandom(6, 0, round);
      const few = Array.from({ length: 24 }, () => [own.integer(10)]);
      const dealt = few.map(() => own.integer(3));
      if (permutationTest(few, dealt, { classes: 10, parts: 3 }, { permutations: 199, seed: round }).pValue < 0.05)
        alarms++;
    }
    assert.ok(alarms <= 0.07 * 400, `${alarms} of 400`);
  });
});

describe('the Kolmogorov–Smirnov test', () => {
  it("equals SciPy's ks_2samp to 1e-9", () => {
    for (const { a, b, statistic, p } of golden.samples) {
      const test = kolmogorovTest(a, b);
      assert.ok(Math.abs(test.statistic - statistic) < 1e-12);
      close(test.pValue, p, 'p');
    }
    for (const { n, x, p } of golden.large) assert.ok(Math.abs(oneSampleSurvival(n, x) - p) < 1e-9);
  });

  it('corrects as Holm does', () => {
    assert.deepEqual(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
    assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  });
});
