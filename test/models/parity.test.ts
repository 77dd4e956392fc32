/** Models beside the seed text's code, torchvision and timm: keys, first weights, print, logits and gradients. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { F, type Tensor, torch } from '../../src/index.js';
import { withoutNormBias } from '../nn/compare.js';
import { python, runPython, skipLive } from '../support/python.js';
import { cases } from './cases.js';

const script = fileURLToPath(new URL('../../scripts/golden/models.py', import.meta.url));

const modules: Readonly<Record<string, boolean>> = python === null ? {} : runPython<Record<string, boolean>>([script]);
const skip: string | false = skipLive || (modules.safetensors ? false : 'Python has no safetensors');

/** Largest difference, in units of the largest number. */
function difference(found: Tensor, expected: Tensor): number {
  const scale = Math.max(1, expected.abs().max().item());
  return found.sub(expected).abs().max().item() / scale;
}

describe('models beside Python', { skip }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-models-'));
  const known = cases.filter((item) => item.module === undefined || modules[item.module]);
  let prints: Readonly<Record<string, string>> = {};
  before(() => {
    const list = known.map(({ name, python: expression, size, channels = 3 }) => ({
      name,
      python: expression,
      size,
      channels,
    }));
    prints = runPython<Record<string, string>>([script, folder], list);
    torch.setNumThreads(1);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const item of cases) {
    const missing = item.module !== undefined && !modules[item.module] ? `Python has no ${item.module}` : false;
    test(item.name, { skip: missing }, async () => {
      const stored = (await torch.load(path.join(folder, `${item.name}.safetensors`))) as Record<string, Tensor>;
      const part = (prefix: string): Record<string, Tensor> =>
        Object.fromEntries(
          Object.entries(stored)
            .filter(([key]) => key.startsWith(prefix))
            .map(([key, value]) => [key.slice(prefix.length), value]),
        );
      const initial = part('initial.');
      torch.manualSeed(0);
      const net = item.make();
      const next = torch.rand(1);
      const own = net.stateDict();
      assert.deepEqual(Object.keys(own).sort(), Object.keys(initial).sort());
      const unequal = Object.entries(own).filter(([key, value]) => !torch.equal(value, initial[key] as Tensor));
      assert.deepEqual(
        unequal.map(([key]) => key),
        [],
        'first weights from the same seed',
      );
      assert.ok(torch.equal(next, stored.next as Tensor), 'the random state after it');
      if (item.print === true) assert.equal(withoutNormBias(String(net)), withoutNormBias(prints[item.name] as string));

      net.loadStateDict(part('state.'));
      const input = stored.input as Tensor;
      net.eval();
      const evaluated = torch.noGrad(() => net.forward(input));
      assert.ok(difference(evaluated, stored.evaluated as Tensor) < 1e-5, 'logits in evaluation');
      net.train();
      torch.manualSeed(3);
      input.requiresGrad_(true);
      const trained = net.forward(input);
      assert.ok(difference(trained, stored.trained as Tensor) < 1e-5, 'logits in training');
      F.crossEntropy(trained, torch.tensor([0n, 1n])).backward();
      const gradient = stored.gradient as Tensor;
      const off = (input.grad as Tensor).sub(gradient).abs().max().item() / gradient.abs().max().item();
      assert.ok(off < 1e-3, `gradients are ${off} off`);
    });
  }
});
