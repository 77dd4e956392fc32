/** The head start: a linear layer and the nearest neighbours on frozen features, beside scikit-learn. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Tensor, torch } from '../../../src/torch/index.js';
import type { Features } from '../../../src/train/transfer/features.js';
import { linearProbe, nearestNeighbours, probeAccuracy } from '../../../src/train/transfer/probe.js';
import { python, runPython } from '../../support/python.js';

/** Clouds around the corners of a simplex, on axes of very different lengths. */
function clouds(samples: number, seed: number, spread = 1): Features {
  torch.manualSeed(seed);
  const target = torch.arange(samples).remainder(3);
  const centres = torch.tensor([
    [2, 0, 0, 0],
    [0, 20, 0, 0],
    [0, 0, 0.2, 0],
  ]);
  const scale = torch.tensor([1, 10, 0.1, 1]);
  const features = centres.indexSelect(0, target).add(torch.randn(samples, 4).mul(scale).mul(spread));
  return { features, target };
}

const hasSklearn = (): boolean => {
  if (python === null) return false;
  try {
    return runPython<boolean>(['-c', 'import sklearn; print("true")']);
  } catch {
    return false;
  }
};

describe('linear probe', () => {
  test('names what can be told apart, and no more than chance what cannot', () => {
    const [known, asked] = [clouds(300, 1, 0.3), clouds(300, 2, 0.3)];
    assert.ok(probeAccuracy(linearProbe(known, 3), asked) > 0.98);
    torch.manualSeed(9);
    const noise = { features: torch.randn(300, 4), target: known.target };
    const accuracy = probeAccuracy(linearProbe(noise, 3), {
      features: torch.randn(600, 4),
      target: torch.arange(600).remainder(3),
    });
    assert.ok(accuracy > 0.2 && accuracy < 0.47, `${accuracy}`);
  });

  test('is the same every time and leaves the random numbers as they are', () => {
    const known = clouds(90, 1);
    torch.manualSeed(4);
    const first = linearProbe(known, 3);
    const next = torch.rand(1).item();
    const second = linearProbe(known, 3);
    assert.ok(torch.equal(first.weight, second.weight));
    torch.manualSeed(4);
    assert.equal(torch.rand(1).item(), next);
  });

  test('holds its weights down where there are more features than samples', () => {
    torch.manualSeed(2);
    const target = torch.arange(40).remainder(2);
    const features = torch.randn(40, 400);
    features.narrow(1, 0, 1).add_(target.to('float32').mul(2).view(-1, 1));
    assert.ok(linearProbe({ features, target }, 2).decay >= 0.1);
  });

  test("computes scikit-learn's logistic regression and neighbours", {
    skip: hasSklearn() ? false : 'no scikit-learn',
  }, () => {
    const [known, asked] = [clouds(150, 1), clouds(60, 2)];
    const probe = linearProbe(known, 3);
    const neighbours = nearestNeighbours(known, asked, 3);
    const numbers = (tensor: Tensor): unknown => tensor.toArray();
    const answer = runPython<{ probabilities: number[][]; near: number[] }>(
      [fileURLToPath(new URL('probe.py', import.meta.url))],
      {
        features: numbers(known.features),
        target: numbers(known.target.to('int32')),
        asked: numbers(asked.features),
        decay: probe.decay,
        k: neighbours.k,
      },
    );
    const ours = asked.features.matmul(probe.weight.t()).add(probe.bias).softmax(1);
    const off = ours.sub(torch.tensor(answer.probabilities)).abs().max().item() as number;
    assert.ok(off < 2e-3, `probabilities are ${off} off`);
    const right = torch.tensor(answer.near).eq(asked.target).to('float32').mean().item() as number;
    assert.ok(Math.abs(right - neighbours.accuracy) < 1e-6, `${right} and ${neighbours.accuracy}`);
  });
});

test('nearest neighbours: how many are asked is chosen without asking oneself', () => {
  torch.manualSeed(5);
  // Pairs of copies with one label each: whoever asked itself would choose one neighbour and be always right.
  const features = torch.randn(120, 6);
  const target = torch.randint(0, 2, [120]);
  const { k } = nearestNeighbours(
    { features, target },
    { features: torch.randn(50, 6), target: torch.zeros(50).long() },
    2,
  );
  assert.ok([1, 5, 10, 20, 50].includes(k));
  const known = clouds(120, 1, 0.2);
  assert.ok(nearestNeighbours(known, clouds(120, 2, 0.2), 3).accuracy > 0.9);
});
