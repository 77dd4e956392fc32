import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MissingOperatorError, type Tensor, torch } from '../../src/torch/index.js';
import { throwsArgument } from '../support/throws.js';

const { aten } = torch.ops;
type Callable = (...args: unknown[]) => unknown;
/** The same without types: names that are wrong, or that one of the engines lacks. */
const untyped = aten as unknown as Readonly<Record<string, Callable & Readonly<Record<string, Callable>>>>;
const run = (name: string, ...args: unknown[]): unknown => (untyped[name] as Callable)(...args);
const runOverload = (name: string, overload: string, ...args: unknown[]): unknown =>
  (untyped[name] as Readonly<Record<string, Callable>>)[overload]!(...args);
const old = torch.version.startsWith('1.');
const x = torch.tensor([
  [1, 3],
  [2, 0],
]);

function missing(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof MissingOperatorError, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, 'NotImplementedError');
    return true;
  });
}

describe('torch.ops', () => {
  test('an operator under its own name, its overload found or named', () => {
    assert.deepEqual(aten.add(x, x).toArray(), x.mul(2).toArray());
    assert.deepEqual(aten.add.Tensor(x, x, { alpha: 10 }).toArray(), x.mul(11).toArray());
    assert.deepEqual(aten.add.Scalar(x, 1).at(0).toArray(), [2, 4]);
    assert.deepEqual((runOverload('relu', 'default', x.neg()) as Tensor).sum().item(), 0);
    assert.equal(aten.mm, aten.mm, 'found once');
  });

  test('names as the engine writes them, options as TypeScript', () => {
    assert.deepEqual(aten.index_select(x, 1, torch.tensor([1n])).toArray(), [[3], [0]]);
    const out = torch.zeros(2, 2);
    const result = runOverload('add', 'out', x, x, { out }) as Tensor;
    assert.equal(result, out);
    assert.deepEqual(out.toArray(), x.mul(2).toArray());
    assert.deepEqual((run('_softmax', x, 1, false) as Tensor).argmax(1).toArray(), [1, 0]);
  });

  test('several results have positions and names', () => {
    const result = aten.max.dim(x, 1);
    assert.deepEqual(result.values.toArray(), [3, 2]);
    assert.equal(result[1], result.indices);
    assert.deepEqual(
      aten.split(x, 1).map((part) => part.shape),
      [
        [1, 2],
        [1, 2],
      ],
    );
    assert.deepEqual([run('is_floating_point', x), runOverload('size', 'int', x, 0)], [true, 2]);
  });

  test('what the engine lacks is said, with the versions that have it', () => {
    missing(() => untyped.no_such_thing, /^The loaded libtorch [\d.]+ has no operator no_such_thing\.$/);
    missing(() => untyped.index_selekt, /has no operator index_selekt\. Did you mean index_select\?$/);
    missing(() => runOverload('add', 'Tenso', x, x), /has no operator add\.Tenso/);
    missing(
      () => (torch.ops as unknown as Record<string, Record<string, unknown>>).nothere?.op,
      /has no operator nothere::op/,
    );
    if (old)
      missing(
        () => untyped.scaled_dot_product_attention,
        /^The loaded libtorch 1\.13\.0 lacks scaled_dot_product_attention; libtorch 2\.13 and 2\.14 have it\.$/,
      );
    else assert.deepEqual((run('scaled_dot_product_attention', x, x, x) as Tensor).shape, [2, 2]);
    assert.equal(torch.hasOperator('scaled_dot_product_attention'), !old);
    assert.deepEqual([torch.hasOperator('aten::add'), torch.hasOperator('addd')], [true, false]);
  });

  test('the namespace can be looked through', () => {
    const names = Object.keys(aten);
    assert.ok(names.length > 1000 && names.includes('add') && names.includes('_softmax'));
    assert.equal(new Set(names).size, names.length);
    assert.ok('conv2d' in aten);
    assert.equal('conv2e' in aten, false);
  });

  test('wrong arguments name the operator as it was called', () => {
    throwsArgument(
      () => runOverload('add', 'Tensor', x, 'a'),
      /^add\.Tensor\(Tensor\[2, 2\] float32, "a"\) fits no form of the operator: other must be Tensor\. It takes:\n {2}add\.Tensor\(self: Tensor, other: Tensor/,
    );
    throwsArgument(() => run('mm', x), /mat2 is missing/);
    throwsArgument(() => run('relu', x, x), /it takes at most 1 arguments/);
  });
});
