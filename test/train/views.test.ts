/** Test-time augmentation, and the norms of weights. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createModel } from '../../src/models/index.js';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import type { Classifier, Machine } from '../../src/train/compute.js';
import type { TrainPlan } from '../../src/train/plan.js';
import { averagedLogits, countViews, viewsFor, viewsOf } from '../../src/train/views.js';
import { weightNorms } from '../../src/train/weight-norms.js';

const machine: Machine = { device: 'cpu', precision: 'float32', memoryFormat: 'contiguous', threads: 1 };

/** Says how bright the left and the right half are. */
class Halves extends nn.Module<[Tensor], Tensor> {
  override forward(x: Tensor): Tensor {
    const half = x.size(3) / 2;
    return torch.stack([x.narrow(3, 0, half).mean([1, 2, 3]), x.narrow(3, half, half).mean([1, 2, 3])], 1);
  }
}

describe('views', () => {
  const picture = (): Tensor => torch.arange(64).float().view(1, 1, 8, 8);

  test('the picture itself, moved by a pixel with its border repeated, each mirrored', () => {
    const views = viewsOf(picture(), { mirrored: true, shifted: true });
    assert.equal(views.length, 6);
    assert.equal(countViews({ mirrored: true, shifted: true }), 6);
    assert.equal(countViews({ mirrored: false, shifted: false }), 1);
    const at = (view: number, row: number, column: number): number =>
      (views[view] as Tensor).at(0, 0, row, column).item() as number;
    assert.equal(at(0, 2, 3), 19);
    assert.equal(at(1, 2, 3), 20);
    assert.equal(at(2, 0, 0), 9);
    assert.equal(at(2, 7, 7), 63);
    assert.equal(at(4, 1, 1), 0);
    assert.equal(at(4, 0, 0), 0);
  });

  test('answers are the mean of the probabilities; without change they are the plain ones', () => {
    const net = new Halves() as Classifier;
    const x = picture().div(64);
    const shares = (views: { mirrored: boolean; shifted: boolean }): number[] =>
      (averagedLogits(net, x, machine, { views }).softmax(1).toArray() as number[][])[0] as number[];
    const plain = (net.forward(x).softmax(1).toArray() as number[][])[0] as number[];
    const alone = shares({ mirrored: false, shifted: false });
    assert.ok(Math.abs((alone[0] as number) - (plain[0] as number)) < 1e-6);
    // A picture and its mirror image: no side is the brighter one.
    const both = shares({ mirrored: true, shifted: false });
    assert.ok(Math.abs((both[0] as number) - 0.5) < 1e-6);
    const questions = averagedLogits(net, x, machine, { views: { mirrored: true, shifted: false }, multiLabel: true });
    const mean = net
      .forward(x)
      .sigmoid()
      .add(net.forward(x.flip([3])).sigmoid())
      .div(2);
    assert.ok((questions.sigmoid().sub(mean).abs().max().item() as number) < 1e-6);
  });

  test('are mirrored only for runs that were trained on mirrored pictures', () => {
    const plan = (names: readonly string[]) =>
      ({ augmentation: { steps: names.map((name) => ({ name })) } }) as unknown as TrainPlan;
    assert.equal(viewsFor(plan(['randomCrop', 'randomHorizontalFlip'])).mirrored, true);
    assert.equal(viewsFor(plan(['randomCrop'])).mirrored, false);
    assert.equal(viewsFor({} as TrainPlan).mirrored, false);
  });
});

test('norms of weights: what decays, layer by layer and together', () => {
  const model = createModel('mlp', { classes: 3, width: 4, depth: 1, size: [2, 2] }) as unknown as Classifier;
  const { weightNorm, weightNorms: layers } = weightNorms(model);
  const matrices = (model.namedParameters() as [string, Tensor][]).filter(([, parameter]) => parameter.ndim === 2);
  assert.deepEqual(
    Object.keys(layers),
    matrices.map(([name]) => name.replace('.weight', '')),
  );
  const all = matrices.reduce((sum, [, parameter]) => sum + (parameter.detach().square().sum().item() as number), 0);
  assert.ok(Math.abs(weightNorm - Math.sqrt(all)) < 1e-4);
});
