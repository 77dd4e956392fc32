import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { torch as built } from 'praxis';
import { countRight, loadResNet20, readPictures } from '../../examples/resnet20.js';
import { createPretrained, openWeights } from '../../src/models/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';

const data = process.env.PRAXIS_DATA ?? fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const weights = path.join(data, 'resnet20-12fca82f.th');
const pictures = path.join(data, 'cifar10-test-2000.tar');
const skip = !(existsSync(weights) && existsSync(pictures)) && `there is no ${weights} with ${pictures}`;
const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-resnet-'));
after(() => rmSync(scratch, { recursive: true }));

test("others' ResNet-20 names as many pictures right as in PyTorch, with the same logits", { skip }, async () => {
  const unpacked = spawnSync('tar', ['xf', pictures, '-C', scratch], { encoding: 'utf8' });
  assert.equal(unpacked.status, 0, unpacked.stderr);
  const folder = path.join(scratch, 'cifar10-test-2000');
  const net = await loadResNet20(weights);

  const first = await readPictures([path.join(folder, 'airplane', '0000.jpg')]);
  const logits = torch.noGrad(() => net.forward(first)).toArray() as number[][];
  // PyTorch's, to four places.
  for (const [i, expected] of [7.8901, -1.0877, 2.6342, -1.0125].entries())
    assert.ok(
      Math.abs((logits[0]?.[i] as number) - expected) < 1e-4,
      `logit ${i} is ${logits[0]?.[i]}, in PyTorch ${expected}`,
    );

  const { right, total } = await countRight(net, folder);
  assert.equal(total, 2000);
  assert.ok(Math.abs(right - 1627) <= 1, `${right} right, in PyTorch 1627`);
});

test('the built-in model takes the file unchanged', {
  skip: !existsSync(weights) && `there is no ${weights}`,
}, async () => {
  const given = await openWeights(weights);
  assert.equal(given.model, 'resnet20');
  assert.equal(given.statisticsAreKnown, true, 'known by name and checksum');
  torch.manualSeed(1);
  const x = torch.randn(4, 3, 32, 32);
  const [ours, theirs] = [createPretrained(given).model.eval(), await loadResNet20(weights)];
  // The example uses the built library, which has tensors of its own.
  const expected = theirs.forward(built.tensor(x.toArray() as number[])).toArray() as number[];
  const off = torch.noGrad(() => (ours.forward(x) as Tensor).sub(torch.tensor(expected)).abs().max().item() as number);
  assert.ok(off < 1e-4, `logits are ${off} off`);
});
