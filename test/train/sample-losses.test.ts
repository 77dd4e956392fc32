/** What each training sample costs early and late, against the same by hand. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Dataset } from '../../src/data/types.js';
import { torch } from '../../src/torch/index.js';
import { SampleLosses } from '../../src/train/sample-losses.js';

const labels = [0, 1, 1];
const dataset = {
  length: 3,
  target: (index: number) => labels[index],
  sampleName: (index: number) => `sample ${index}`,
} as unknown as Dataset;

/** Logits of two classes whose second is so much above the first. */
const logits = (...rows: number[]) => torch.tensor(rows.map((above) => [0, above]));
const batch = (...index: number[]) => ({ index: torch.tensor(BigInt64Array.from(index.map(BigInt))) });
const lossOf = (above: number, target: number): number => Math.log(1 + Math.exp(target === 1 ? -above : above));
const close = (a: number | undefined, b: number): void => assert.ok(Math.abs((a as number) - b) < 1e-4, `${a}, ${b}`);

it('counts the first quarter of the epochs as early, and the newest most', () => {
  const losses = new SampleLosses(dataset, 8);
  // Sample 2 is never trained on.
  const above = [2, 1, 0.5, -3];
  for (const [epoch, one] of above.entries()) losses.note(batch(1, 0), logits(one, one), epoch);
  const [first, second, ...more] = losses.lines();
  assert.deepEqual(more, []);
  assert.deepEqual([first?.name, first?.target, second?.name], ['sample 0', 0, 'sample 1']);
  close(first?.early, (lossOf(2, 0) + lossOf(1, 0)) / 2);
  close(second?.early, (lossOf(2, 1) + lossOf(1, 1)) / 2);
  const newest = above.map((one) => lossOf(one, 1)).reduce((kept, loss) => 0.7 * kept + 0.3 * loss);
  close(second?.late, newest);
  close(first?.right, 0.3);
  close(second?.right, 0.7);
});

it('goes on from its state as if it had not stopped, and begins anew without one', () => {
  const whole = new SampleLosses(dataset, 2);
  const half = new SampleLosses(dataset, 2);
  for (const one of [whole, half]) one.note(batch(0, 1, 2), logits(1, -1, 2), 0);
  const rest = new SampleLosses(dataset, 2);
  rest.restore(half.state());
  for (const one of [whole, rest]) one.note(batch(2, 0, 1), logits(0, 1, 3), 1);
  assert.deepEqual(rest.lines(), whole.lines());
  rest.restore(undefined);
  assert.deepEqual(rest.lines(), []);
});

it('leaves out what is not finite', () => {
  const losses = new SampleLosses(dataset, 2);
  losses.note(batch(0, 1), logits(Number.NaN, 1), 0);
  assert.deepEqual(
    losses.lines().map(({ name }) => name),
    ['sample 1'],
  );
});
