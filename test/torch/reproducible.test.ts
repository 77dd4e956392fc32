import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Trains 200 steps with dropout from a seed; the bits of every loss, as hexadecimal. */
const program = `
import { torch } from './src/torch/index.js';
function train(seed) {
  torch.manualSeed(seed);
  const parameters = [torch.randn([16, 32]), torch.zeros([32]), torch.randn([32, 10]), torch.zeros([10])];
  for (const parameter of parameters) parameter.mul_(0.2).requiresGrad_(true);
  const [w1, b1, w2, b2] = parameters;
  const losses = torch.empty([200]);
  for (let step = 0; step < 200; step++) {
    const input = torch.randn([64, 16]);
    const target = torch.randint(0, 10, [64]);
    const order = torch.randperm(64);
    const hidden = torch.ops.aten.dropout(input.indexSelect(0, order).matmul(w1).add(b1).relu(), 0.3, true);
    const loss = torch.ops.aten.nll_loss(hidden.matmul(w2).add(b2).logSoftmax(1), target);
    loss.backward();
    torch.noGrad(() => {
      for (const parameter of parameters) {
        parameter.sub_(parameter.grad.mul(0.1));
        parameter.grad = null;
      }
      losses.select(0, step).copy_(loss);
    });
  }
  return Buffer.from(losses.toTypedArray().buffer).toString('hex');
}
console.log(JSON.stringify([train(7), train(7), train(8)]));
process.exit(0);
`;

const run = (): [string, string, string] => {
  const result = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '' },
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as [string, string, string];
};

test('the same seed gives the same 200 losses, bit for bit, again and in another process', () => {
  const [first, second, other] = run();
  assert.equal(first.length, 200 * 8);
  assert.equal(second, first);
  assert.notEqual(other, first);
  assert.ok(!/0000c07f/.test(first), 'no loss is NaN');
  assert.deepEqual(run(), [first, second, other]);
});
