import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DataLoader } from '../../src/data/loader/index.js';
import { nn, optim, torch } from '../../src/index.js';
import type { CommonOptions, Optimizer } from '../../src/optim/index.js';
import { findRate } from '../../src/train/recipe/rate.js';

const machine = { device: 'cpu', precision: 'float32', memoryFormat: 'contiguous', threads: 1 } as const;

/** One batch of 8 again and again, from `hard` on with inputs whose loss is far higher, whatever the rate. */
function loaderWith(hard: number): DataLoader {
  const batches = {
    async *[Symbol.asyncIterator]() {
      const given = torch.randn([8, 4]);
      for (let i = 0; i < 100; i++) {
        const input = given.mul(i >= hard ? 500 : 1);
        yield { input, target: torch.arange(8).remainder(3), index: torch.arange(8) };
      }
    },
  };
  return batches as unknown as DataLoader;
}

async function rateWith(hard: number) {
  torch.manualSeed(0);
  const model = new nn.Linear(4, 3);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 }) as unknown as Optimizer<CommonOptions>;
  const options = {
    model,
    optimizer,
    loader: loaderWith(hard),
    machine,
    loss: {},
    usual: 0.1,
    wanted: 'auto',
  } as const;
  return findRate(options);
}

describe('the rate that a range test leads to', () => {
  it('is the usual one where nothing spikes before it', async () => {
    const { learningRate, sentence } = await rateWith(1000);
    assert.equal(learningRate, 0.1);
    assert.match(sentence, /the usual one/);
  });

  it('is no smaller than a tenth of it: a spike at rates that move nothing is noise of the batches', async () => {
    const { learningRate, sentence, found } = await rateWith(8);
    assert.ok((found?.suggestions.highest.lr as number) < 0.01, String(found?.suggestions.highest.lr));
    assert.equal(learningRate, 0.01);
    assert.match(sentence, /a tenth of the usual 0\.1: .*noisy/);
  });
});
