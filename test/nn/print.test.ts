/** Modules print as in Python; the prints of single layers are compared in parity.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { nn, torch } from '../../src/index.js';
import { python, runPython, skipLive } from '../support/python.js';
import { atLeast } from './case.js';
import { withoutNormBias } from './compare.js';
import { Assorted, assortedInPython, ConvNet } from './networks.js';

/** From the seed text, "Making it work, in practice", up to where the notebook's output is cut. */
const fromTheSeedText = `ConvNet(
  (network): Sequential(
    (0): Conv2d(3, 32, kernel_size=(11, 11), stride=(2, 2), padding=(5, 5))
    (1): CNNBlock(
      (c1): Conv2d(32, 64, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 64, eps=1e-05, affine=True)
      (c2): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (n2): GroupNorm(1, 64, eps=1e-05, affine=True)
      (relu): ReLU()
      (skip): Conv2d(32, 64, kernel_size=(1, 1), stride=(2, 2))
    )
    (2): CNNBlock(
      (c1): Conv2d(64, 128, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 128, eps=1e-05, affine=True)
      (c2): Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (n2): GroupNorm(1, 128, eps=1e-05, affine=True)
      (relu): ReLU()
      (skip): Conv2d(64, 128, kernel_size=(1, 1), stride=(2, 2))
    )
    (3): CNNBlock(
      (c1): Conv2d(128, 256, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (n1): GroupNorm(1, 256, eps=1e-05, `;

test("the seed text's ConvNet prints character for character", () => {
  const text = String(new ConvNet({ channels: 32, blocks: 4 }));
  assert.equal(text.slice(0, fromTheSeedText.length), fromTheSeedText);
  assert.ok(text.endsWith('    (5): Conv2d(512, 102, kernel_size=(1, 1), stride=(1, 1))\n  )\n)'));
});

test('console.log prints the same', () => {
  const layer = new nn.Linear(2, 3);
  assert.equal(inspect(layer), 'Linear(in_features=2, out_features=3, bias=True)');
  assert.equal(inspect({ layer }), '{ layer: Linear(in_features=2, out_features=3, bias=True) }');
});

test('equal neighbours of a list share a line, as in PyTorch 2', () => {
  const list = new nn.ModuleList([new nn.ReLU(), new nn.ReLU(), new nn.Tanh(), new nn.ReLU()]);
  assert.equal(String(list), 'ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n  (3): ReLU()\n)');
  assert.equal(String(new nn.ModuleList()), 'ModuleList()');
});

test('extra lines and names of fields', () => {
  class Described extends nn.Module {
    static override readonly stateNames = { firstLayer: 'first_layer' };
    firstLayer = new nn.Identity();
    override extraRepr(): string {
      return 'size=3\nkind=test';
    }
  }
  assert.equal(String(new Described()), 'Described(\n  size=3\n  kind=test\n  (first_layer): Identity()\n)');
});

const modern = atLeast(torch.version, '2.0');
test('a network of everything', { skip: skipLive || (!modern && 'lists print otherwise before 2.0') }, () => {
  assert.ok(python);
  const script = fileURLToPath(new URL('../../scripts/golden/nn_state.py', import.meta.url));
  const request = { what: 'make', classes: assortedInPython, model: 'Assorted()', files: [] };
  const { print } = runPython<{ print: string }>([script], request);
  assert.equal(withoutNormBias(String(new Assorted())), withoutNormBias(print));
});
