import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type DType, type Index, type IndexArray, type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';

type Encoded =
  | number
  | string
  | boolean
  | null
  | { readonly array: IndexArray }
  | { readonly slice: readonly [number | null, number | null, number | null] }
  | { readonly tensor: IndexArray | number; readonly dtype: DType; readonly shape: readonly number[] };

interface Failed {
  readonly error: string;
}
interface Got {
  readonly error?: undefined;
  readonly shape: number[];
  readonly values: number[];
  readonly grad: number[];
  readonly view: boolean;
}
interface Put {
  readonly error?: undefined;
  readonly value: number | { readonly shape: number[] };
  readonly after: number[];
  readonly grad: number[];
  readonly valueGrad?: number[];
}
interface Case {
  readonly shape: number[];
  readonly index: readonly Encoded[];
  readonly get: Got | Failed;
  readonly set?: Put | (Failed & Pick<Put, 'value'>);
}

function decode(entry: Encoded): Index {
  if (typeof entry !== 'object' || entry === null) return entry as Index;
  if ('array' in entry) return entry.array;
  if ('slice' in entry) return torch.slice(...entry.slice);
  return torch.tensor(entry.tensor, { dtype: entry.dtype }).reshape(entry.shape);
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const range = (shape: readonly number[], start = 0): Tensor =>
  torch.arange(start, start + count(shape), 1, { dtype: 'float64' }).reshape(shape);
const flat = (x: Tensor | null): number[] => (x === null ? [] : (x.detach().reshape([-1]).toArray() as number[]));
const weighted = (x: Tensor): Tensor => x.mul(range(x.shape, 1)).sum();

/** How a case fails: the class of Python's error as `code`, or a description when it does not fail. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'no error';
}

function checkGet({ shape, index, get }: Case): void {
  const x = range(shape).requiresGrad_();
  const run = () => {
    const part = x.at(...index.map(decode));
    weighted(part).backward();
    return part;
  };
  if (get.error !== undefined) {
    assert.equal(codeOf(run), get.error);
    return;
  }
  const part = run();
  assert.deepEqual(part.shape, get.shape);
  assert.deepEqual(flat(part), get.values);
  assert.deepEqual(flat(x.grad), get.grad);
  assert.equal(part.isView, get.view);
}

function checkSet({ shape, index, set }: Case): void {
  if (set === undefined) return;
  const x = range(shape).requiresGrad_();
  const value = typeof set.value === 'number' ? set.value : range(set.value.shape).add(0.5).requiresGrad_();
  const run = () => {
    const y = x.clone();
    assert.equal(y.setAt(index.map(decode), value), y);
    weighted(y).backward();
    return y;
  };
  if (set.error !== undefined) {
    assert.equal(codeOf(run), set.error);
    return;
  }
  assert.deepEqual(flat(run()), set.after);
  assert.deepEqual(flat(x.grad), set.grad);
  if (typeof value !== 'number') assert.deepEqual(flat(value.grad), set.valueGrad);
}

function check(cases: readonly Case[]): { got: number; put: number; failed: number } {
  const seen = { got: 0, put: 0, failed: 0 };
  for (const item of cases) {
    try {
      checkGet(item);
      checkSet(item);
    } catch (error) {
      const index = JSON.stringify(item.index);
      throw new Error(`shape ${JSON.stringify(item.shape)}, index ${index}: ${String(error)}`, { cause: error });
    }
    if (item.get.error === undefined) seen.got++;
    else seen.failed++;
    if (item.set !== undefined && item.set.error === undefined) seen.put++;
  }
  return seen;
}

describe('indexing is that of Python', () => {
  test('stored expressions: values, shapes, gradients, views, and the same assigned to', () => {
    const file = fileURLToPath(new URL('../golden/indexing.json', import.meta.url));
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
    const seen = check(cases);
    assert.ok(seen.got >= 60 && seen.put >= 50 && seen.failed >= 3, JSON.stringify(seen));
  });

  test('hundreds of random expressions, live', { skip: skipLive }, () => {
    const script = fileURLToPath(new URL('../../scripts/golden/indexing.py', import.meta.url));
    const seed = Math.floor(Date.now() / 1000) % 1_000_000;
    const { cases } = runPython<{ cases: Case[] }>([script, String(seed), '600']);
    const seen = check(cases);
    assert.ok(seen.got >= 400 && seen.put >= 300, `seed ${seed}: ${JSON.stringify(seen)}`);
  });
});

describe('at', () => {
  const matrix = () => range([3, 4]);

  test('views share memory and keep the gradient', () => {
    const x = matrix();
    x.at(1, '::2').fill_(-1);
    assert.deepEqual(x.toArray(), [
      [0, 1, 2, 3],
      [-1, 5, -1, 7],
      [8, 9, 10, 11],
    ]);
    assert.equal(x.at(':').storage().id, x.storage().id);
    assert.equal(x.at().storage().id, x.storage().id);
    assert.notEqual(x.at([0, 1]).storage().id, x.storage().id);
    const w = matrix().requiresGrad_();
    w.at('1:', -1).sum().backward();
    assert.deepEqual(w.grad?.toArray(), [
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ]);
  });

  test('every kind of index of positions means the same', () => {
    const x = matrix();
    const expected = [
      [8, 9, 10, 11],
      [0, 1, 2, 3],
    ];
    const rows: Index[] = [
      [2, 0],
      [-1n, 0n],
      Int32Array.of(2, 0),
      Uint8Array.of(2, 0),
      BigInt64Array.of(2n, 0n),
      torch.tensor([2n, 0n]),
      torch.tensor([2, 0], { dtype: 'int32' }),
      torch.tensor([2, 0], { dtype: 'int8' }),
    ];
    for (const index of rows) assert.deepEqual(x.at(index).toArray(), expected);
    assert.deepEqual(x.at(torch.tensor(2n)).toArray(), expected[0]);
    assert.equal(x.at(torch.tensor(2n)).isView, true);
    assert.deepEqual(x.at([]).shape, [0, 4]);
    assert.deepEqual(
      x
        .at(
          [
            [0, 1],
            [1, 2],
          ],
          0,
        )
        .toArray(),
      [
        [0, 4],
        [4, 8],
      ],
    );
  });

  test('masks, ellipsis, new dimensions', () => {
    const x = matrix();
    assert.deepEqual(x.at(x.gt(8)).toArray(), [9, 10, 11]);
    assert.deepEqual(x.at([true, false, true], 1).toArray(), [1, 9]);
    assert.deepEqual(x.at('...', 0).toArray(), [0, 4, 8]);
    assert.deepEqual(x.at(null, '...', 'newaxis').shape, [1, 3, 4, 1]);
    assert.deepEqual(x.at(true).shape, [1, 3, 4]);
    assert.deepEqual(x.at(false).shape, [0, 3, 4]);
    // Tensors beside each other stay in place, separated ones go to the front: NumPy's rule.
    const y = torch.zeros(2, 3, 4, 5);
    assert.deepEqual(y.at(':', [0, 1, 2], [0, 1, 2]).shape, [2, 3, 5]);
    assert.deepEqual(y.at(':', [0, 1, 2], ':', [0, 1, 2]).shape, [3, 2, 4]);
    // Where PyTorch differs from NumPy: an integer selects first, so it separates nothing.
    assert.deepEqual(y.at(0, ':', [0, 1, 2]).shape, [3, 3, 5]);
  });

  test('computed bounds', () => {
    const x = torch.arange(10);
    const start = 4;
    assert.deepEqual(x.at(`${start}:${start + 3}`).toArray(), [4, 5, 6]);
    assert.deepEqual(x.at(torch.slice(start, start + 3)).toArray(), [4, 5, 6]);
    assert.deepEqual(x.at(torch.slice(8)).toArray(), [8, 9]);
    assert.deepEqual(x.at(torch.slice(null, null, 4)).toArray(), [0, 4, 8]);
    assert.deepEqual(x.at('-3:').toArray(), [7, 8, 9]);
    assert.deepEqual(x.at('5:2').toArray(), []);
  });

  test('a mistake is named with its place and the shape', () => {
    const x = matrix();
    const as = (index: unknown) => index as Index;
    const mistakes: readonly [work: () => unknown, code: string, message: RegExp][] = [
      [
        () => x.at(3),
        'IndexError',
        /^at\(\): argument 1 \(3\) is outside dimension 0 of size 3; the tensor's shape is \[3, 4\]\.$/,
      ],
      [() => x.at(0, -5), 'IndexError', /argument 2 \(-5\) is outside dimension 1 of size 4/],
      [() => x.at('...', 9), 'IndexError', /argument 2 \(9\) is outside dimension 1 of size 4/],
      [() => x.at(0, 0, 0), 'IndexError', /takes 3 dimensions, but the tensor has 2, its shape is \[3, 4\]/],
      [() => torch.tensor(1).at(0), 'IndexError', /the tensor has 0/],
      [() => x.at('...', '...'), 'IndexError', /argument 2 \('\.\.\.'\) is the second one/],
      [() => x.at([0, 7]), 'IndexError', /index 7 is out of bounds for dimension 0 with size 3.*\(\[0, 7\]\)/],
      [() => x.at([0, 1], [0, 1, 2]), 'IndexError', /shapes \[2\], \[3\]; the index is \(\[0, 1\], \[0, 1, 2\]\)/],
      [
        () => x.at(':', [true, false]),
        'IndexError',
        /argument 2 .*\[2\].* does not fit the dimensions it masks, \[4\]/,
      ],
      [() => x.at(torch.tensor([1])), 'IndexError', /a float32 tensor of shape \[1\]\) cannot be an index.*\.long\(\)/],
      [() => x.at('::-1'), 'ValueError', /'::-1' must be greater than zero; flip/],
      [() => torch.slice(0, 5, 0), 'ValueError', /'0:5:0' must be greater than zero/],
      [() => torch.slice(0.5), 'ArgumentError', /start must be an integer or null, got 0\.5/],
      [() => x.at(1.5), 'ArgumentError', /argument 1 \(1\.5\) is not an integer/],
      [() => x.at(Number.NaN), 'ArgumentError', /argument 1 \(NaN\) is not an integer/],
      [() => x.at(as('1:a')), 'ArgumentError', /argument 1 \('1:a'\) is not an index; a string is a slice such as/],
      [() => x.at(as('0.5:2')), 'ArgumentError', /'0\.5:2'/],
      [() => x.at(0, as(undefined)), 'ArgumentError', /argument 2 \(undefined\) is not an index/],
      [() => x.at(as({ start: 1 })), 'ArgumentError', /an object/],
      [() => x.at(as(Float32Array.of(1))), 'ArgumentError', /a Float32Array\) holds floating-point numbers/],
      [() => x.at([1, true]), 'ArgumentError', /\[1, true\]\) must hold only integers \(positions\) or only booleans/],
      [() => x.at([[0, 1], [2]]), 'ArgumentError', /all rows must have one length/],
      [() => x.setAt([3], 0), 'IndexError', /^setAt\(\): indices\[0\] \(3\) is outside dimension 0 of size 3/],
      [() => x.setAt(as(0) as never, 0), 'ArgumentError', /the first argument is an array of indices/],
      [() => x.setAt([0], 'a' as never), 'ArgumentError', /must be a tensor, a number or nested arrays, got 'a'/],
      [() => x.setAt([0], [1, 2, 3]), 'RuntimeError', /the index is \(0\), the tensor's shape is \[3, 4\]/],
      [() => x.setAt([[0, 1]], torch.ones(2, 4)), 'RuntimeError', /dtypes match/],
      [() => matrix().requiresGrad_().setAt([0], 1), 'RuntimeError', /leaf Variable that requires grad/],
    ];
    for (const [work, code, message] of mistakes)
      assert.throws(work, (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        assert.equal(error.code, code, error.message);
        return true;
      });
    assert.deepEqual(x.toArray(), matrix().toArray(), 'a failed assignment changes nothing');
  });
});

describe('setAt', () => {
  test('numbers, tensors and nested arrays go into views, positions and masks', () => {
    const x = torch.zeros([2, 3], { dtype: 'int64' });
    x.setAt([0, 1], 7).setAt([':', -1], [8, 9]);
    assert.deepEqual(x.toArray(), [
      [0, 7, 8],
      [0, 0, 9],
    ]);
    x.setAt([x.eq(0)], -1);
    x.setAt(
      [
        [1, 0],
        [0, 1],
      ],
      [5, 6],
    );
    assert.deepEqual(x.toArray(), [
      [-1, 6, 8],
      [5, -1, 9],
    ]);
    assert.deepEqual(x.setAt([], 3).toArray(), [
      [3, 3, 3],
      [3, 3, 3],
    ]);
    assert.deepEqual(x.setAt([false], 4).setAt([[]], 4).toArray()?.toString(), '3,3,3,3,3,3');
    assert.deepEqual(torch.zeros(2, { dtype: 'bool' }).setAt([1], true).toArray(), [false, true]);
    assert.deepEqual(
      torch
        .zeros(2, { dtype: 'complex64' })
        .setAt([[1]], { re: 1, im: 2 })
        .toArray(),
      [
        { re: 0, im: 0 },
        { re: 1, im: 2 },
      ],
    );
  });

  test('the gradient leaves what was overwritten and reaches the value', () => {
    const x = torch.ones(3).requiresGrad_();
    const v = torch.tensor(2).requiresGrad_();
    const y = x.mul(2).setAt(['1:'], v);
    y.mul(torch.tensor([1, 10, 100]))
      .sum()
      .backward();
    assert.deepEqual(x.grad?.toArray(), [2, 0, 0]);
    assert.equal(v.grad?.item(), 110);
  });
});
