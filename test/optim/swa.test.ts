/** Weight averaging and the statistics of batch normalisation after it, against PyTorch's swa_utils. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';
import { difference, valuesOf } from './cases.js';

const script = fileURLToPath(new URL('../../scripts/golden/optimizers.py', import.meta.url));

describe('AveragedModel and updateBn', () => {
  const options = { dtype: 'float64' } as const;
  const network = () =>
    new nn.Sequential(
      new nn.Conv2d(2, 3, 3, options),
      new nn.BatchNorm2d(3, options),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(48, 2, options),
    );
  /** Weights of a moment, the same as in Python. */
  function atMoment(net: nn.Module, moment: number): void {
    torch.noGrad(() =>
      Object.values(net.stateDict()).forEach((tensor, i) => {
        if (!tensor.isFloatingPoint()) return;
        const ramp = torch.arange(tensor.numel(), options).reshape(tensor.shape);
        tensor.copy_(
          ramp
            .mul(0.7)
            .add(i + 2 * moment)
            .sin()
            .abs()
            .add(0.1),
        );
      }),
    );
  }
  const batches = () =>
    torch
      .arange(3 * 4 * 2 * 6 * 6, options)
      .reshape([3, 4, 2, 6, 6])
      .mul(0.37)
      .sin()
      .unbind(0) as unknown as Tensor[];
  async function averaged(useBuffers: boolean, measured: boolean) {
    const net = network();
    const average = new optim.AveragedModel(net, { useBuffers });
    for (const moment of [0, 1, 2]) {
      atMoment(net, moment);
      average.updateParameters(net);
    }
    if (measured) await optim.updateBn(batches(), average);
    return average;
  }

  for (const [useBuffers, measured] of [
    [false, false],
    [true, false],
    [false, true],
  ] as const)
    test(`PyTorch's numbers, useBuffers ${useBuffers}${measured ? ', statistics measured again' : ''}`, {
      skip: skipLive || torch.version.startsWith('1.') ? skipLive || 'PyTorch had no such option yet' : false,
    }, async () => {
      const request = { task: 'weight_average', use_buffers: useBuffers, update_bn: measured };
      const expected = runPython<Record<string, number[]>>([script], request);
      const own = (await averaged(useBuffers, measured)).stateDict();
      assert.deepEqual(Object.keys(own).sort(), Object.keys(expected).sort());
      for (const [name, values] of Object.entries(expected))
        assert.ok(difference(valuesOf([own[name] as Tensor]), [values]) <= 1e-12, name);
    });

  test('leaves modes and momenta as they were, sees each batch once, and refuses what it was not made of', async () => {
    const average = await averaged(false, false);
    average.eval();
    const norm = average.modules().find((module) => module instanceof nn.BatchNorm2d) as nn.BatchNorm2d;
    await optim.updateBn(
      batches().map((input) => ({ input })),
      average,
    );
    assert.equal(norm.momentum, 0.1);
    assert.equal(average.training || norm.training, false);
    assert.equal(Number(norm.numBatchesTracked?.item()), 3);
    const whole = torch.cat(batches());
    const through = (average.module as unknown as { at(i: number): nn.Module }).at(0).call(whole);
    assert.ok(torch.allclose(norm.runningMean as Tensor, through.mean([0, 2, 3]), { rtol: 1e-9 }));
    await assert.rejects(optim.updateBn([], average), /the loader gave no batch/);
    assert.throws(
      () => average.updateParameters(new nn.Linear(2, 2) as nn.Module),
      /0\.weight is missing; give the network it was made of/,
    );
  });
});
