import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBuilt, runExample } from '../support/example.js';

/** What the text prints for its cells on zeros and on a constant. */
const printed = `Gradients for Layer 1 Weights:
 tensor([[0., 0.],
        [0., 0.],
        [0., 0.]])
Gradients for Layer 2 Weights:
 tensor([[0.],
        [0.]])
Updated Weights for Layer 1:
 tensor([[0., 0.],
        [0., 0.],
        [0., 0.]], requires_grad=True)
Updated Weights for Layer 2:
 tensor([[0.],
        [0.]], requires_grad=True)
Input tensor: tensor([1., 2., 3.])\t Shape: torch.Size([3])
Weights of the first layer: tensor([[0.5000, 0.5000],
        [0.5000, 0.5000],
        [0.5000, 0.5000]])\t Shape: torch.Size([3, 2])
Output of the first layer: tensor([3., 3.])\t Shape: torch.Size([2])
`;

test('part one of the notebook prints what the text prints, character for character', () => {
  const output = runExample('notebook/part1.ts');
  assert.equal(output.slice(0, printed.length), printed);
  const rest = output.slice(printed.length);

  // Two rows of 50 numbers follow: memory as it was, and Kaiming's draw, which the text shows in lines of eight.
  const rows = rest.split(/^(?=tensor\()/m);
  assert.equal(rows.length, 2);
  const row = rows[1] as string;
  const cell = '(?: |-)0\\.\\d{4}';
  const line = (count: number): string => Array(count).fill(cell).join(', ');
  const layout = `^tensor\\(\\[${line(8)}(?:,\\n {8}${line(8)}){5},\\n {8}${line(2)}\\]\\)\\n$`;
  assert.match(row, new RegExp(layout));
  const numbers = [...row.matchAll(/-?0\.\d{4}/g)].map(Number);
  assert.equal(numbers.length, 50);
  // ±√2·√(3 / fan-in) with the 50 columns as fan-in
  const bound = Math.sqrt(6 / 50);
  assert.ok(numbers.every((x) => Math.abs(x) <= bound + 5e-5));
  assert.ok(numbers.some((x) => x > bound / 2) && numbers.some((x) => x < -bound / 2));
});

test('it runs as users run it, with the built package', {
  skip: isBuilt ? false : 'dist/ is not built: npm run setup',
}, () => {
  assert.equal(runExample('notebook/part1.ts', { built: true }).slice(0, printed.length), printed);
});
