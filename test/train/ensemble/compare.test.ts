/** Averages, gains, disagreement and temperature, on numbers whose answers are known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleRandom } from '../../../src/data/random.js';
import { nn, torch } from '../../../src/index.js';
import {
  atTemperature,
  chanceCalibrationError,
  compareEnsemble,
  crossFitTemperature,
  EnsembleClassifier,
  fitTemperature,
} from '../../../src/train/index.js';

const softmax = (logits: readonly number[], factor = 1): number[] => {
  const weights = logits.map((x) => Math.exp(factor * x));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((x) => x / sum);
};

/** Rows whose targets are drawn from the very probabilities; what a model says is `factor` times as sure. */
function drawn(count: number, classes: number, factor: number) {
  const draws = sampleRandom(3, 0, 0, 44);
  const probabilities: number[] = [];
  const target: number[] = [];
  for (let i = 0; i < count; i++) {
    const logits = Array.from({ length: classes }, () => 1.5 * draws.normal());
    const chance = softmax(logits);
    const sums = chance.map((_, j) => chance.slice(0, j + 1).reduce((a, b) => a + b, 0));
    const u = draws.uniform();
    target.push(Math.min(classes - 1, sums.filter((sum) => sum <= u).length));
    probabilities.push(...softmax(logits, factor));
  }
  return { probabilities, target };
}

const nll = (probabilities: ArrayLike<number>, target: readonly number[], classes: number): number =>
  target.reduce((sum, label, row) => sum - Math.log(probabilities[row * classes + label] as number), 0) / target.length;

describe('temperature', () => {
  it('finds how much too sure a model is', () => {
    for (const factor of [0.4, 1, 2.5]) {
      const { probabilities, target } = drawn(4000, 5, factor);
      const temperature = fitTemperature(probabilities, target, 5);
      assert.ok(Math.abs(temperature / factor - 1) < 0.06, `${temperature} for ${factor}`);
      // No other temperature is likelier.
      const least = nll(atTemperature(probabilities, 5, temperature), target, 5);
      for (const other of [0.9, 0.999, 1.001, 1.1])
        assert.ok(nll(atTemperature(probabilities, 5, other * temperature), target, 5) >= least - 1e-9);
    }
  });

  it('ends where everything is right, and at probabilities of 0', () => {
    const surer = fitTemperature([0.9, 0.1, 0.2, 0.8], [0, 1], 2);
    assert.ok(surer >= 0.05 && surer < 0.1, String(surer));
    const wrong = fitTemperature([0.9, 0.1, 0.2, 0.8], [1, 0], 2);
    assert.ok(wrong > 19 && wrong <= 20, String(wrong));
    assert.ok(Number.isFinite(fitTemperature([1, 0, 0, 1, 0.5, 0.5], [1, 1, 0], 2)));
    assert.deepEqual([...atTemperature([1, 0], 2, 3)].map(Math.round), [1, 0]);
  });

  it('is measured on samples that it was not fitted to', () => {
    // Coins: nothing can be known, and what a fit finds on its own samples is chance.
    const draws = sampleRandom(9, 0, 0, 45);
    const probabilities = Array.from({ length: 60 }, () => {
      const p = 0.5 + 0.3 * draws.uniform();
      return [p, 1 - p];
    }).flat();
    const target = Array.from({ length: 60 }, () => draws.integer(2));
    const crossed = crossFitTemperature(probabilities, target, 2);
    const flattered = nll(atTemperature(probabilities, 2, crossed.temperature), target, 2);
    assert.ok(nll(crossed.probabilities, target, 2) > flattered, 'never as good as on its own samples');
    assert.equal(crossed.folds, 5);
    assert.equal(crossFitTemperature([0.9, 0.1], [0], 2).temperature, 1, 'one sample gives no temperature');
  });
});

it('knows what chance does to the calibration error: it falls with the root of the samples', () => {
  const few = chanceCalibrationError(drawn(500, 5, 1).probabilities, 5);
  const many = chanceCalibrationError(drawn(8000, 5, 1).probabilities, 5);
  assert.ok(few > 0.03 && few < 0.08, String(few));
  assert.ok(Math.abs(few / many / 4 - 1) < 0.15, `${few} ${many}`);
  // Targets drawn from the very probabilities are calibrated: what is measured of them is chance.
  const { probabilities, target } = drawn(4000, 5, 1);
  const { before } = compareEnsemble(
    [1, 2].map((i) => ({ name: String(i), probabilities })),
    { classes: 5, target },
  ).calibration;
  assert.ok(before < 2 * chanceCalibrationError(probabilities, 5), String(before));
});

describe('compareEnsemble', () => {
  it('counts gains and disagreement by hand', () => {
    // Three members, each wrong on another of four samples; all are wrong on the last.
    const right = [0.6, 0.4];
    const wrong = [0.45, 0.55];
    const opinions = [0, 1, 2].map((member) => ({
      name: `m${member}`,
      probabilities: [0, 1, 2, 3].flatMap((row) => (row === member || row === 3 ? wrong : right)),
    }));
    const compared = compareEnsemble(opinions, { classes: 2, target: [0, 0, 0, 0] });
    assert.deepEqual(
      compared.members.map(({ score }) => score),
      [0.5, 0.5, 0.5],
    );
    assert.equal(compared.ensemble.score, 0.75);
    assert.equal(compared.overMean.value, 0.25);
    assert.equal(compared.overBest.value, 0.25);
    assert.ok(compared.overMean.interval.low < 0.25 && compared.overMean.interval.high > 0.25);
    assert.equal(compared.best, 0);
    // Each pair differs on two of four.
    assert.equal(compared.disagreement?.pairs, 0.5);
    assert.equal(compared.disagreement?.unanimous, 0.25);
    assert.equal(compared.disagreement?.rightWhereUnanimous, 0);
    assert.equal(compared.disagreement?.allWrong, 0.25);
  });

  it('gives an interval that covers nothing but 0 for members that are the same', () => {
    const { probabilities, target } = drawn(200, 3, 1);
    const compared = compareEnsemble(
      [1, 2].map((i) => ({ name: String(i), probabilities })),
      { classes: 3, target },
    );
    assert.deepEqual(compared.overMean, { value: 0, interval: { low: 0, high: 0 } });
    assert.equal(compared.disagreement?.unanimous, 1);
  });

  it('averages several labels, and calibrates none', () => {
    const target = [
      [1, 0],
      [0, 1],
      [1, 1],
    ];
    const compared = compareEnsemble(
      [
        { name: 'a', probabilities: [0.9, 0.2, 0.3, 0.8, 0.2, 0.9] },
        { name: 'b', probabilities: [0.8, 0.1, 0.1, 0.9, 0.9, 0.7] },
      ],
      { classes: 2, target, multiLabel: true },
    );
    assert.equal(compared.scoreName, 'mean average precision');
    assert.equal(compared.ensemble.score, 1);
    assert.ok(compared.overMean.value > 0);
    assert.equal(compared.calibration.temperature, 1);
    assert.equal(compared.disagreement, undefined);
  });
});

describe('EnsembleClassifier', () => {
  it("its softmax is the mean of the members' at temperature 1, and sharpens or flattens it at others", () => {
    torch.manualSeed(1);
    const members = [new nn.Linear(4, 3), new nn.Linear(4, 3)];
    const ensemble = new EnsembleClassifier(members, { weights: [0.25, 0.75] });
    const x = torch.randn([6, 4]);
    const wanted = members
      .map((member, i) =>
        member
          .forward(x)
          .softmax(1)
          .mul([0.25, 0.75][i] as number),
      )
      .reduce((a, b) => a.add(b));
    assert.ok(torch.allclose(ensemble.forward(x).softmax(1), wanted, { atol: 1e-6 }));
    assert.deepEqual(Object.keys(ensemble.stateDict()), [
      'members.0.weight',
      'members.0.bias',
      'members.1.weight',
      'members.1.bias',
    ]);
    ensemble.temperature = 2;
    const flat = wanted.sqrt();
    assert.ok(
      torch.allclose(ensemble.forward(x).softmax(1), flat.div(flat.sum({ dim: 1, keepdim: true })), { atol: 1e-6 }),
    );
    const several = new EnsembleClassifier(members, { multiLabel: true });
    const mean = members
      .map((member) => member.forward(x).sigmoid())
      .reduce((a, b) => a.add(b))
      .div(2);
    assert.ok(torch.allclose(several.forward(x).sigmoid(), mean, { atol: 1e-6 }));
  });
});
