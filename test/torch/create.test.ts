import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type DType, type TensorOptions, torch } from '../../src/torch/index.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

const old = torch.version.startsWith('1.');

describe('torch.tensor', () => {
  test('nested arrays give their shape, and the type of what they hold', () => {
    const x = torch.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    assert.deepEqual([x.shape, x.dtype, x.device, x.requiresGrad], [[2, 3], 'float32', 'cpu', false]);
    assert.deepEqual(x.toArray(), [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    assert.equal(torch.tensor(1).dtype, 'float32', 'a mean that happens to be whole must not become an integer');
    assert.equal(torch.tensor([1n, 2n]).dtype, 'int64');
    assert.equal(torch.tensor([true, false]).dtype, 'bool');
    assert.equal(torch.tensor([{ re: 1, im: 2 }, 3]).dtype, 'complex64');
    assert.equal(torch.tensor([true, 2n]).dtype, 'int64', 'the widest kind decides');
    assert.equal(torch.tensor([1n, 2]).dtype, 'float32');
    assert.deepEqual(torch.tensor(7).shape, []);
    assert.equal(torch.tensor(7).item(), 7);
    assert.deepEqual(torch.tensor([]).shape, [0]);
    assert.deepEqual(torch.tensor([[], []]).shape, [2, 0]);
    assert.equal(torch.tensor([]).dtype, 'float32');
  });

  test('options: type, gradient', () => {
    const x = torch.tensor([1.9, -1.9], { dtype: 'int32' });
    assert.deepEqual([x.dtype, x.toArray()], ['int32', [1, -1]]);
    const y = torch.tensor([1, 2], { dtype: 'float64', requiresGrad: true });
    assert.deepEqual([y.dtype, y.requiresGrad, y.isLeaf], ['float64', true, true]);
  });

  test('typed arrays keep their type and are copied', () => {
    const given = Float64Array.of(1, 2, 3);
    const x = torch.tensor(given);
    given[0] = 9;
    assert.deepEqual([x.dtype, x.shape, x.toArray()], ['float64', [3], [1, 2, 3]]);
    const kinds: readonly [Parameters<typeof torch.tensor>[0], DType][] = [
      [Int8Array.of(-1), 'int8'],
      [Uint8Array.of(255), 'uint8'],
      [Uint8ClampedArray.of(255), 'uint8'],
      [Int16Array.of(-300), 'int16'],
      [Int32Array.of(-70000), 'int32'],
      [BigInt64Array.of(-5n), 'int64'],
      [Float32Array.of(0.5), 'float32'],
    ];
    for (const [array, dtype] of kinds) assert.equal(torch.tensor(array).dtype, dtype);
    // A part of a larger buffer is that part.
    assert.deepEqual(torch.tensor(Float32Array.of(1, 2, 3, 4).subarray(1, 3)).toArray(), [2, 3]);
    assert.deepEqual(torch.tensor(Int32Array.of(3), { dtype: 'float16' }).toArray(), [3]);
    assert.deepEqual(torch.tensor(Float32Array.of(1, 0), { dtype: 'bool' }).toArray(), [true, false]);
  });

  test('a tensor is copied and cut from its history', () => {
    const x = torch.ones(2, { requiresGrad: true });
    const y = torch.tensor(x.mul(3));
    assert.deepEqual([y.requiresGrad, y.toArray(), y.gradFn], [false, [3, 3], null]);
    y.fill_(0);
    assert.deepEqual(x.toArray(), [1, 1]);
    assert.equal(torch.tensor(x, { dtype: 'float64' }).dtype, 'float64');
  });

  test('what does not fit is named with its place', () => {
    const wrong = (data: unknown) => () => torch.tensor(data as never);
    throwsArgument(
      wrong([[1, 2], [3]]),
      /expected 2 elements at \[1\] \(dimension 1\), got 1; all rows must have one length/,
    );
    throwsArgument(wrong([[1, 2], 3]), /expected an array at \[1\], got a number; all rows must nest equally deep/);
    throwsArgument(wrong([1, [2]]), /expected a number at \[1\], got an array of 1/);
    throwsArgument(
      wrong([
        [[1], [2]],
        [[3], ['4']],
      ]),
      /expected a number at \[1\]\[1\]\[0\], got a string/,
    );
    throwsArgument(wrong(Object.assign(new Array(3), { 0: 1, 2: 3 })), /at \[1\], got undefined \(a hole\?\)/);
    throwsArgument(wrong([torch.ones(1)]), /at \[0\], got a Tensor/);
    throwsArgument(wrong(null), /expected a number at the top, got null/);
    throwsArgument(wrong(undefined), /at the top, got undefined/);
    throwsArgument(wrong(new ArrayBuffer(4)), /a buffer has no element type; use torch\.fromBuffer/);
    throwsArgument(() => torch.tensor([256], { dtype: 'uint8' }), /256 does not fit uint8 \(0 to 255\)/);
    throwsArgument(() => torch.tensor([2n ** 63n]), /9223372036854775808 does not fit int64/);
    throwsArgument(
      () => torch.tensor([Number.NaN], { dtype: 'int16' }),
      /NaN cannot be stored as int16; choose a floating/,
    );
    throwsArgument(
      () => torch.tensor([{ re: 1, im: 1 }], { dtype: 'float32' }),
      /complex number does not fit .* float32/,
    );
    throwsArgument(
      () => torch.tensor([1], { dtype: 'flot32' as DType }),
      /no element type 'flot32'; did you mean 'float32'\?/,
    );
    throwsTorch(() => torch.tensor([1], { device: 'gpu' }), 'RuntimeError', /gpu/);
    if (old)
      throwsArgument(
        () => torch.tensor([1], { dtype: 'uint16' }),
        /the loaded libtorch 1\.13\.0 has no element type uint16/,
      );
  });
});

describe('torch.fromBuffer', () => {
  test('over a SharedArrayBuffer both sides see changes', () => {
    const memory = new SharedArrayBuffer(16);
    const floats = new Float32Array(memory);
    const x = torch.fromBuffer(floats, { shape: [2, 2] });
    floats[3] = 5;
    assert.deepEqual(x.toArray(), [
      [0, 0],
      [0, 5],
    ]);
    x.add_(1);
    assert.deepEqual([...floats], [1, 1, 1, 6]);
    const part = torch.fromBuffer(memory, { dtype: 'float32', byteOffset: 8 });
    assert.deepEqual(part.toArray(), [1, 6]);
    part.fill_(0);
    assert.deepEqual([...floats], [1, 1, 0, 0]);
    const copy = torch.fromBuffer(memory, { dtype: 'float32', share: false });
    floats[0] = 7;
    assert.equal(copy.at(0).item(), 1);
  });

  test('the memory outlives the buffer object', () => {
    const make = () => torch.fromBuffer(new Float32Array(new SharedArrayBuffer(4 * 1000)).fill(3));
    const made = Array.from({ length: 20 }, make);
    torch.memory({ collect: true });
    for (const x of made) assert.equal(x.sum().item(), 3000);
  });

  test('anything else is copied, any element type', () => {
    const bytes = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64);
    const x = torch.fromBuffer(bytes, { dtype: 'float32' });
    bytes.fill(0);
    assert.deepEqual(x.toArray(), [1, 2]);
    assert.deepEqual(torch.fromBuffer(Uint16Array.of(0x3f80, 0xbf80), { dtype: 'bfloat16' }).toArray(), [1, -1]);
    assert.deepEqual(torch.fromBuffer(Buffer.from([1, 0, 2, 0]), { dtype: 'int16' }).toArray(), [1, 2]);
    assert.deepEqual(torch.fromBuffer(new ArrayBuffer(3)).dtype, 'uint8');
    // Not aligned for float32 where it lies: the copy is.
    assert.deepEqual(
      torch.fromBuffer(Uint8Array.of(9, 0, 0, 128, 63).buffer, { dtype: 'float32', byteOffset: 1 }).toArray(),
      [1],
    );
  });

  test('mistakes', () => {
    throwsArgument(
      () => torch.fromBuffer(new ArrayBuffer(8), { dtype: 'float32', shape: [3] }),
      /needs 12 bytes from offset 0, but there are 8; in fromBuffer/,
    );
    throwsArgument(() => torch.fromBuffer(new ArrayBuffer(8), { shape: [-1] }), /shape must hold .* of at least 0/);
    throwsArgument(
      () => torch.fromBuffer(new ArrayBuffer(8), { share: true }),
      /only a SharedArrayBuffer can be shared/,
    );
    throwsArgument(
      () => torch.fromBuffer('abc' as never),
      /expected a typed array, an ArrayBuffer or a SharedArrayBuffer/,
    );
    throwsArgument(() => torch.fromBuffer(new ArrayBuffer(8), { byteOffset: 9 }), /offset|bytes/);
    throwsArgument(
      () => torch.fromBuffer(new SharedArrayBuffer(8), { dtype: 'float32', byteOffset: 2, shape: [1] }),
      /align/,
    );
  });
});

describe('constant, range and random tensors', () => {
  test('shapes as numbers or as an array, with options', () => {
    assert.deepEqual(torch.zeros(2, 3).toArray(), [
      [0, 0, 0],
      [0, 0, 0],
    ]);
    assert.deepEqual(torch.ones([2], { dtype: 'int64' }).toArray(), [1, 1]);
    assert.deepEqual(torch.ones(2, { dtype: 'bool' }).toArray(), [true, true]);
    assert.deepEqual(torch.zeros([]).shape, []);
    assert.deepEqual(torch.zeros().shape, []);
    assert.deepEqual(torch.zeros(0, 3).shape, [0, 3]);
    assert.deepEqual(torch.empty(2, 1, 3, 3, { memoryFormat: 'channelsLast' }).stride(), [9, 1, 3, 1]);
    assert.equal(torch.randn(2, { requiresGrad: true }).requiresGrad, true);
    assert.deepEqual(torch.full([2], 2).toArray(), [2, 2]);
    assert.deepEqual(
      [
        torch.full([1], 2).dtype,
        torch.full([1], true).dtype,
        torch.full([1], 2n).dtype,
        torch.full([1], { float: 2 }).dtype,
      ],
      ['float32', 'bool', 'int64', 'float32'],
    );
    assert.equal(torch.scalarTensor(3).item(), 3);
  });

  test('ranges', () => {
    assert.deepEqual([torch.arange(3).toArray(), torch.arange(3).dtype], [[0, 1, 2], 'int64']);
    assert.deepEqual(torch.arange(1, 2, 0.25).toArray(), [1, 1.25, 1.5, 1.75]);
    assert.deepEqual(torch.arange(5, 0, -2).toArray(), [5, 3, 1]);
    assert.equal(torch.arange(3, { dtype: 'float64' }).dtype, 'float64');
    assert.deepEqual(torch.linspace(0, 1, 5).toArray(), [0, 0.25, 0.5, 0.75, 1]);
    assert.deepEqual(torch.logspace(0, 2, 3).toArray(), [1, 10, 100]);
    assert.deepEqual(torch.eye(2, 3).toArray(), [
      [1, 0, 0],
      [0, 1, 0],
    ]);
    assert.equal(torch.eye(2, { dtype: 'float64' }).dtype, 'float64');
    throwsArgument(() => torch.arange(...([] as unknown as [number])), /expected \(end\), \(start, end\) or/);
  });

  test('random integers and orders', () => {
    torch.manualSeed(0);
    const dice = torch.randint(1, 7, [1000]);
    assert.deepEqual([dice.dtype, dice.min().item(), dice.max().item()], ['int64', 1, 6]);
    assert.equal(torch.randint(3, [100]).max().item(), 2);
    assert.deepEqual(
      (torch.randperm(50).toArray() as number[]).sort((a, b) => a - b),
      [...Array(50).keys()],
    );
    assert.equal(torch.randint(3, [1], { dtype: 'float32' }).dtype, 'float32');
  });

  test('like another tensor', () => {
    const x = torch.ones([2, 2], { dtype: 'float64' });
    assert.deepEqual(torch.zerosLike(x).toArray(), [
      [0, 0],
      [0, 0],
    ]);
    assert.equal(torch.zerosLike(x).dtype, 'float64');
    assert.equal(torch.onesLike(x, { dtype: 'int32' }).dtype, 'int32');
    assert.deepEqual(torch.fullLike(x, 3).at(0).toArray(), [3, 3]);
    assert.deepEqual(
      [torch.emptyLike(x).shape, torch.randLike(x).dtype, torch.randnLike(x).shape],
      [[2, 2], 'float64', [2, 2]],
    );
    const integers = torch.randintLike(x, 5, 6);
    assert.deepEqual([integers.dtype, integers.at(0).toArray()], ['float64', [5, 5]]);
  });

  test('mistakes', () => {
    throwsArgument(() => torch.zeros(-1), /zeros\(\): the shape must be integers of at least 0, got \[-1\]/);
    throwsArgument(() => torch.ones(1.5), /ones\(\): the shape must be integers/);
    throwsArgument(() => torch.rand([2], 3 as never), /rand\(\): the shape must be integers/);
    throwsArgument(() => torch.zeros('2' as never), /zeros\(\): the shape must be integers of at least 0, got \["2"\]/);
    throwsArgument(() => torch.zeros(2, { dtype: 'float33' as DType }), /zeros\(\[2\], .*float33/);
    assert.throws(() => torch.zeros(1, { device: 'cuda:0' }), /no cuda device|CUDA|cuda/);
  });
});

describe('defaults', () => {
  afterEach(() => {
    torch.setDefaultDtype('float32');
    torch.setDefaultDevice('cpu');
  });

  test('the element type of new tensors', () => {
    torch.setDefaultDtype('float64');
    const made = [
      torch.tensor(1),
      torch.zeros(1),
      torch.rand(1),
      torch.arange(0, 1, 0.5),
      torch.full([1], 2),
      torch.eye(1),
    ];
    assert.deepEqual(new Set(made.map((x) => x.dtype)), new Set(['float64']));
    assert.equal(torch.tensor([{ re: 1, im: 0 }]).dtype, 'complex128');
    assert.equal(torch.getDefaultDtype(), 'float64');
    throwsArgument(() => torch.setDefaultDtype('int32'), /int32 is not a floating-point type/);
    assert.equal(torch.getDefaultDtype(), 'float64');
  });

  test('the device of new tensors', () => {
    torch.setDefaultDevice('meta');
    assert.equal(torch.zeros(2).device, 'meta');
    assert.equal(torch.zeros(2, { device: 'cpu' }).device, 'cpu');
    assert.equal(torch.getDefaultDevice(), 'meta');
    if (!torch.cuda.isAvailable()) throwsArgument(() => torch.setDefaultDevice('cuda'), /there is no cuda device here/);
    assert.equal(torch.getDefaultDevice(), 'meta');
  });

  test('options say what they hold', () => {
    const options: TensorOptions = { dtype: 'float16', device: 'cpu', requiresGrad: true };
    const x = torch.ones(1, options);
    assert.deepEqual([x.dtype, x.device, x.requiresGrad], ['float16', 'cpu', true]);
  });
});
