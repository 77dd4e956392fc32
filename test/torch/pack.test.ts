import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Complex, type DType, torch } from '../../src/torch/index.js';
import { throwsArgument } from '../support/throws.js';

const old = torch.version.startsWith('1.');

/** Every element type that numbers go into, with values at the edges of what it holds, exactly. */
const exact: readonly [DType, readonly (number | bigint | boolean | Complex)[]][] = [
  ['uint8', [0, 1, 255]],
  ['int8', [-128, 0, 127]],
  ['int16', [-32768, 32767]],
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
  ['int64', [-(2 ** 53), 2 ** 53, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]],
  ['float16', [0.5, 65504, -65504, 2 ** -24, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['bfloat16', [1, -2.5, 2 ** 127, 2 ** -126, Number.POSITIVE_INFINITY]],
  ['float32', [Math.fround(0.1), -0, 3.4028234663852886e38, 1.401298464324817e-45, Number.NEGATIVE_INFINITY]],
  ['float64', [0.1, Number.MAX_VALUE, Number.MIN_VALUE, -0]],
  ['bool', [true, false]],
  ['complex64', [{ re: 0.5, im: -2 }]],
  ['complex128', [{ re: 0.1, im: 0.2 }]],
  ['complex32', [{ re: 0.5, im: 2 }]],
];
const newer: typeof exact = [
  ['uint16', [0, 65535]],
  ['uint32', [0, 2 ** 32 - 1]],
  ['uint64', [0, 2n ** 64n - 1n]],
  ['float8_e4m3fn', [0.125, 448, -1]],
  ['float8_e5m2', [0.25, 57344, -1]],
];

describe('numbers in and out', () => {
  for (const [dtype, values] of old ? exact : [...exact, ...newer])
    test(`${dtype} gives back what it was given`, () => {
      const x = torch.tensor(values as number[], { dtype });
      assert.equal(x.dtype, dtype);
      assert.deepEqual(x.toArray(), [...values]);
    });

  test('a bfloat16 is the nearest one, ties to even, through the engine and through its bits', () => {
    // 1 + 2^-8 lies halfway between 1 and 1 + 2^-7; 1 + 3 · 2^-8 halfway to the even 1 + 2^-6.
    const x = torch.tensor([1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 / 3], { dtype: 'bfloat16' });
    assert.deepEqual(x.toArray(), [1, 1 + 2 ** -6, 0.333984375]);
    assert.deepEqual([...x.asTypedArray()], [0x3f80, 0x3f82, 0x3eab]);
    assert.deepEqual(torch.tensor([1 / 3, 1e-8], { dtype: 'float16' }).toArray(), [0.333251953125, 0]);
    assert.deepEqual([...torch.tensor([1 / 3, -2], { dtype: 'float16' }).asTypedArray()], [0x3555, 0xc000]);
  });

  test('all 65,536 halves survive the way to JavaScript and back', () => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
      const x = torch.fromBuffer(bits, { dtype });
      const back = torch.tensor(x.toArray() as number[], { dtype }).asTypedArray() as Uint16Array;
      const values = x.toArray() as number[];
      for (let i = 0; i < 65536; i++)
        if (Number.isNaN(values[i])) assert.ok(dtype === 'float16' ? (i & 0x7c00) === 0x7c00 : (i & 0x7f80) === 0x7f80);
        else assert.equal(back[i], i, `${dtype} 0x${i.toString(16)}`);
    }
  });

  test('integers that a number cannot hold come as bigint, others as number', () => {
    assert.deepEqual(torch.tensor([1n, 2n ** 60n]).toArray(), [1, 2n ** 60n]);
    assert.equal(torch.tensor(2n ** 60n).itemExact(), 2n ** 60n);
    assert.equal(torch.tensor(5n).item(), 5);
    assert.deepEqual(torch.tensor([2 ** 40], { dtype: 'int64' }).toArray(), [2 ** 40]);
  });

  test('float16 overflow is infinite, as in PyTorch', () => {
    assert.deepEqual(torch.tensor([65520, -1e9], { dtype: 'float16' }).toArray(), [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  test('truth of numbers', () => {
    assert.deepEqual(torch.tensor([0, 0.5, -1, Number.NaN], { dtype: 'bool' }).toArray(), [false, true, true, true]);
  });
});

describe('typed arrays out', () => {
  test('toTypedArray copies, in rows, in a type that JavaScript has', () => {
    const x = torch.arange(6).reshape(2, 3).to('float32');
    assert.deepEqual(x.t().toTypedArray(), Float32Array.of(0, 3, 1, 4, 2, 5));
    const copy = x.toTypedArray();
    copy[0] = 9;
    assert.equal(x.at(0, 0).item(), 0);
    assert.deepEqual(torch.tensor([1.5], { dtype: 'bfloat16' }).toTypedArray(), Float32Array.of(1.5));
    assert.deepEqual(torch.tensor([true, false]).toTypedArray(), Uint8Array.of(1, 0));
    assert.deepEqual(torch.tensor([{ re: 1, im: 2 }]).toTypedArray(), Float32Array.of(1, 2));
    assert.deepEqual(torch.tensor([3n]).toTypedArray(), BigInt64Array.of(3n));
    assert.deepEqual(torch.tensor([1, 2], { dtype: 'int16' }).toTypedArray(), Int16Array.of(1, 2));
    assert.deepEqual(torch.zeros(0).toTypedArray(), new Float32Array(0));
    assert.deepEqual(torch.tensor(4).expand([3]).toTypedArray(), Float32Array.of(4, 4, 4));
    assert.deepEqual(torch.ones(2, { requiresGrad: true }).mul(2).toTypedArray(), Float32Array.of(2, 2));
  });

  test('asTypedArray is the memory itself', () => {
    const x = torch.zeros(3);
    const seen = x.asTypedArray() as Float32Array;
    x.fill_(2);
    assert.deepEqual([...seen], [2, 2, 2]);
    seen[1] = 5;
    assert.deepEqual(x.toArray(), [2, 5, 2]);
    const rows = torch.arange(4, { dtype: 'float64' }).reshape(2, 2);
    assert.deepEqual(rows.at(1).asTypedArray(), Float64Array.of(2, 3));
    throwsArgument(() => rows.t().asTypedArray(), /only a .*contiguous tensor on the CPU/);
  });

  test('the memory stays while the array is held', () => {
    let seen: Float32Array | null = torch.ones(10_000).asTypedArray() as Float32Array;
    torch.memory({ collect: true });
    for (let i = 0; i < 50; i++) torch.zeros(10_000);
    assert.ok(seen.every((x) => x === 1));
    seen = null;
  });

  test('nested arrays of any number of dimensions', () => {
    assert.equal(torch.tensor(2.5).toArray(), 2.5);
    assert.deepEqual(torch.zeros(2, 0).toArray(), [[], []]);
    assert.deepEqual(torch.zeros(0, 2).toArray(), []);
    assert.deepEqual(torch.arange(8).reshape(2, 2, 2).toArray(), [
      [
        [0, 1],
        [2, 3],
      ],
      [
        [4, 5],
        [6, 7],
      ],
    ]);
    // Lazily conjugated numbers are read as what they stand for.
    assert.deepEqual(
      torch
        .tensor([{ re: 1, im: 2 }])
        .conj()
        .toArray(),
      [{ re: 1, im: -2 }],
    );
    assert.deepEqual(torch.eye(2).toSparse().toArray(), [
      [1, 0],
      [0, 1],
    ]);
  });
});
