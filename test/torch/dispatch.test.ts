import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Family } from '../../src/torch/binding.js';
import { callAny, callNamed, callTensor, family } from '../../src/torch/dispatch.js';
import { MissingOperatorError, Tensor, torch } from '../../src/torch/index.js';
import { functionNamespace } from '../../src/torch/install.js';
import { native } from '../../src/torch/load.js';
import { toCamelCase } from '../../src/torch/names.js';
import { Kind, kindOf } from '../../src/torch/values.js';
import { throwsArgument } from '../support/throws.js';

const x = torch.tensor([
  [1, 2],
  [3, 4],
]);
const values = (y: unknown): unknown => (y as Tensor).toArray();

describe('the choice of an overload', () => {
  test('is made by the kinds of the arguments', () => {
    const add = new Family('aten::add', 'add', false);
    const chosen = (...args: unknown[]) => add.bind(args).schema.overload;
    assert.equal(chosen(x, x), 'Tensor');
    assert.equal(chosen(x, x, { alpha: 2 }), 'Tensor');
    assert.equal(chosen(x, { re: 1, im: 0 }), 'Scalar');
    assert.equal(chosen(x, true), 'Scalar');
    assert.equal(chosen(x, x, { out: x }), 'out');
    const sum = new Family('aten::sum', 'sum', false);
    assert.equal(sum.bind([x]).schema.overload, '');
    assert.equal(sum.bind([x, 1]).schema.overload, 'dim_IntList');
    assert.equal(sum.bind([x, { dtype: 'float64' }]).schema.overload, '');
    assert.equal(sum.bind([x, { dim: [0], dtype: 'float64' }]).schema.overload, 'dim_IntList');
    const max = new Family('aten::max', 'max', false);
    assert.equal(max.bind([x, x]).schema.overload, 'other');
    assert.equal(max.bind([x, 0]).schema.overload, 'dim');
    const pow = new Family('aten::pow', 'pow', false);
    assert.equal(pow.bind([2, x]).schema.overload, 'Scalar');
    assert.equal(pow.bind([x, 2]).schema.overload, 'Tensor_Scalar');
  });

  test('is made once per kinds, and anew where a string decides', () => {
    const sum = new Family('aten::sum', 'sum', false);
    assert.equal(sum.bind([x, 1]), sum.bind([x.half(), 0]));
    const to = family('to', 'to');
    assert.equal((callAny(to, [x, 'float64']) as Tensor).dtype, 'float64');
    assert.equal((callAny(to, [x, { device: 'meta' }]) as Tensor).device, 'meta');
    assert.equal((callAny(to, [x, { dtype: 'int32' }]) as Tensor).dtype, 'int32');
  });

  test('options of one name do not stand in for others', () => {
    // The same method, called in turn: what is remembered for one form must not serve another.
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(values(x.sum({ dim: 0 })), [4, 6]);
      assert.deepEqual(values(x.sum({ dim: 0, keepdim: true })), [[4, 6]]);
      assert.deepEqual(values(x.sum(1, true)), [[3], [7]]);
      assert.deepEqual(values(x.sum(1)), [3, 7]);
      assert.deepEqual(values(x.sum({ dtype: undefined })), 10);
      assert.deepEqual(values(x.sum([])), 10);
      assert.deepEqual(values(x.clamp(2)), values(x.clamp({ min: 2 })));
      assert.deepEqual(values(x.clamp({ max: 2 })), values(x.clamp(null, 2)));
      assert.deepEqual(values(x.add(x)), values(x.mul(2)));
      assert.deepEqual(values(x.add(1)), [
        [2, 3],
        [4, 5],
      ]);
      assert.deepEqual(values(x.add(x, { alpha: i })), values(x.mul(1 + i)));
      assert.deepEqual(values(x.max(0).values), [3, 4]);
      assert.equal(x.max().item(), 4);
    }
  });

  test('lists: spread, given whole, of numbers, of tensors, empty, with holes', () => {
    assert.deepEqual(x.view(4).shape, x.view([4]).shape);
    assert.deepEqual(x.expand(3, 2, 2).shape, [3, 2, 2]);
    assert.deepEqual(x.repeat(2, 1).shape, x.repeat([2, 1]).shape);
    assert.deepEqual(x.flip(0).toArray(), x.flip([0]).toArray());
    assert.deepEqual(x.sum([0, 1]).item(), 10);
    assert.deepEqual(callTensor('index', x, [null, torch.tensor([1n])]).toArray(), [[2], [4]]);
    assert.throws(() => torch.cat([]), /non-empty|expected a non-empty/);
    throwsArgument(() => torch.stack([x, undefined as never]), /tensor/i);
    assert.deepEqual(callTensor('constant_pad_nd', x, [1, 0], 9).toArray(), [
      [9, 1, 2],
      [9, 3, 4],
    ]);
    // Longer than the memory that lists travel in.
    assert.equal(torch.cat(Array.from({ length: 5000 }, () => x)).shape[0], 10_000);
    assert.deepEqual(torch.zeros(1).view(Array.from({ length: 60 }, () => 1)).ndim, 60);
  });

  test('one integer stands for a list of a fixed length', () => {
    const image = torch.ones(1, 1, 4, 4);
    assert.deepEqual(callTensor('avg_pool2d', image, 2).shape, [1, 1, 2, 2]);
    assert.deepEqual(callTensor('avg_pool2d', image, [2, 4]).shape, [1, 1, 2, 1]);
    assert.deepEqual(torch.conv2d(image, torch.ones(1, 1, 3, 3), null, { padding: 1 }).shape, [1, 1, 4, 4]);
    assert.deepEqual(torch.conv2d(image, torch.ones(1, 1, 3, 3), null, { padding: 'same' }).shape, [1, 1, 4, 4]);
  });
});

describe('what comes back', () => {
  test('in place: the argument itself', () => {
    const y = x.clone();
    assert.equal(y.add_(1), y);
    assert.equal(y.mul_(x), y);
    assert.equal(y.clamp_({ min: 0 }), y);
    assert.equal(torch.relu_(y), y);
    const out = torch.zeros(0);
    assert.equal(torch.mm(x, x, { out }), out);
    assert.deepEqual(out.shape, [2, 2]);
    const [a, b] = [torch.zeros(0), torch.zeros(0, { dtype: 'int64' })];
    const result = callNamed('sort', x, { dim: 1, descending: true, out: [a, b] }) as readonly Tensor[];
    assert.equal(result[0], a);
    assert.deepEqual(
      [a.at(0).toArray(), b.at(0).toArray()],
      [
        [2, 1],
        [1, 0],
      ],
    );
  });

  test('plain values, lists, nothing where nothing is defined', () => {
    assert.equal(callNamed('is_floating_point', x), true);
    assert.equal(callNamed('is_complex', x), false);
    assert.equal(callNamed('result_type', x, x.double()), 'float64');
    assert.deepEqual((callNamed('unbind', x) as Tensor[]).map(values), [
      [1, 2],
      [3, 4],
    ]);
    const [gradient, , none] = callNamed(
      'convolution_backward',
      torch.ones(1, 1, 2, 2),
      torch.ones(1, 1, 2, 2),
      torch.ones(1, 1, 1, 1),
      [0],
      [1, 1],
      [0, 0],
      [1, 1],
      false,
      [0, 0],
      1,
      [true, true, false],
    ) as readonly (Tensor | null)[];
    assert.deepEqual(gradient?.shape, [1, 1, 2, 2]);
    assert.equal(none, null);
    assert.equal(callNamed('_foreach_add_', [x.clone()], 1), undefined);
  });

  test('results are known by their names as well', () => {
    const result = torch.linalg.svd(x, false);
    assert.deepEqual(Object.keys(result).filter((key) => !/^\d+$/.test(key)).length, 3);
    assert.equal(result.length, 3);
    const { mean } = torch.stdMean === undefined ? { mean: null } : { mean: torch.stdMean(x)[1] };
    assert.equal(mean?.item(), 2.5);
  });
});

describe('the kinds of values', () => {
  test('are told apart', () => {
    const kinds: readonly [unknown, number][] = [
      [undefined, Kind.undefined],
      [1, Kind.integer],
      [-0, Kind.integer],
      [1.5, Kind.float],
      [Number.NaN, Kind.float],
      [1n, Kind.bigint],
      ['a', Kind.string],
      [null, Kind.null],
      [x, Kind.tensor],
      [new torch.Generator(), Kind.generator],
      [[x], Kind.tensors],
      [[null, x], Kind.tensors],
      [[1], Kind.numbers],
      [[true], Kind.booleans],
      [['a'], Kind.strings],
      [[], Kind.empty],
      [[[1]], Kind.mixed],
      [{ re: 1, im: 1 }, Kind.scalarObject],
      [{ float: 1 }, Kind.scalarObject],
      [{}, Kind.options],
      [Object.create(null), Kind.options],
      [new Date(), Kind.other],
      [() => 1, Kind.other],
      [Symbol('s'), Kind.other],
    ];
    for (const [value, kind] of kinds) assert.equal(kindOf(value), kind, String(kind));
  });
});

describe('names', () => {
  test('an operator that is not there', () => {
    assert.throws(() => family('no_such', 'no_such'), MissingOperatorError);
    const namespace = functionNamespace({ nope: 'no_such', relu: 'relu' }, 'mine.');
    assert.deepEqual(Object.keys(namespace), ['nope', 'relu']);
    assert.throws(() => (namespace.nope as (y: Tensor) => unknown)(x), /has no operator no_such/);
    assert.deepEqual(values((namespace.relu as (y: Tensor) => unknown)(x.neg())), [
      [0, 0],
      [0, 0],
    ]);
    assert.equal(namespace.relu, namespace.relu);
  });

  test('camelCase with the underscores that mean something', () => {
    assert.deepEqual(['index_select', 'add_', '_foreach_add_', '__and__', 'log1p', 'dim0'].map(toCamelCase), [
      'indexSelect',
      'add_',
      '_foreachAdd_',
      '__and__',
      'log1p',
      'dim0',
    ]);
  });

  test('every method that types promise is there or says what it lacks', () => {
    const prototype = Tensor.prototype as unknown as Record<string, unknown>;
    for (const name of ['add', 'mm', 'softmax', 'indexSelect', 'at', 'setAt', 'to', 'toArray', 'backward'])
      assert.equal(typeof prototype[name], 'function', name);
    assert.equal(Object.keys(x).includes('add'), false, 'methods do not show in a loop over the object');
  });
});

describe('the bridge itself', () => {
  test('a call with a wrong number of arguments is an error, not a crash', () => {
    const id = native.resolve('aten::mm', '');
    assert.throws(() => native.call(id, null, x.handle), /mat2|argument|missing/);
    assert.throws(() => native.call(id, null, x.handle, x.handle, x.handle, x.handle), /argument/);
    assert.throws(() => native.call(-1, null), /operator|id/);
    assert.throws(() => native.call(1e9, null), /operator|id/);
    assert.equal(native.resolve('aten::no_such', ''), -1);
    assert.deepEqual(native.schemas('aten::no_such'), []);
    assert.throws(() => native.call(id, null, 5 as never, x.handle), /tensor/);
  });
});
