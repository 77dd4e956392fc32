import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSnapshots } from '../../scripts/generate/snapshots.js';
import { MissingOperatorError, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import { unsupportedOperators, unsupportedReason } from '../../src/torch/unsupported.js';

const version = native.info().torch;
const aten = native.operatorNames().filter((name) => name.startsWith('aten::'));

/** `aten::add.Tensor` as name and overload. */
function split(operator: string): [string, string] {
  const dot = operator.indexOf('.');
  return dot < 0 ? [operator, ''] : [operator.slice(0, dot), operator.slice(dot + 1)];
}

/** What stands in the way of a plan, or null. */
function refusal(operator: string): string | null {
  try {
    return native.resolve(...split(operator)) < 0 ? 'the engine lacks it' : null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe(`every aten operator of libtorch ${version}`, () => {
  it('resolves to a plan, or is on the list of those that cannot', (t) => {
    assert.ok(aten.length > 2900, `${aten.length} operators`);
    const refused = aten.filter((name) => refusal(name) !== null).sort();
    const listed = unsupportedOperators.map((x) => `aten::${x.operator}`).filter((name) => aten.includes(name));
    assert.deepEqual(refused, listed.sort());
    t.diagnostic(`${aten.length - refused.length} of ${aten.length} resolve; not callable:`);
    for (const name of refused) t.diagnostic(`${name}: ${unsupportedReason(...split(name))}`);
  });

  it('resolves to one id however often it is asked for', () => {
    const ids = aten
      .filter((name) => unsupportedReason(...split(name)) === undefined)
      .map((x) => native.resolve(...split(x)));
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(native.resolve('aten::add', 'Tensor'), native.resolve('aten::add', 'Tensor'));
  });

  it('is reached by torch.ops.aten', () => {
    const names = new Set(aten.map((name) => split(name)[0].slice('aten::'.length)));
    assert.deepEqual(new Set(Object.keys(torch.ops.aten)), names);
  });
});

describe('the list of operators that cannot be called', () => {
  it('names operators of a known engine, once each, with a reason', () => {
    const { overloads } = readSnapshots();
    for (const { operator, reason } of unsupportedOperators) {
      assert.ok(overloads.has(`aten::${operator}`), operator);
      assert.ok(reason.length > 20, operator);
    }
    assert.equal(new Set(unsupportedOperators.map((x) => x.operator)).size, unsupportedOperators.length);
  });

  it('is short', () => {
    assert.ok(unsupportedOperators.length <= 15);
  });

  const ops = torch.ops.aten as unknown as Record<
    string,
    ((...args: unknown[]) => unknown) & Record<string, (...args: unknown[]) => unknown>
  >;

  it('turns each into an error that says why', () => {
    for (const { operator, reason } of unsupportedOperators) {
      if (!aten.includes(`aten::${operator}`)) continue;
      const [name, overload] = split(operator);
      assert.throws(
        () => ops[name]![overload === '' ? 'default' : overload]!(torch.ones([2])),
        (error) =>
          error instanceof MissingOperatorError && error.message.includes(reason) && error.message.includes(operator),
      );
    }
  });

  it('leaves the other overloads of the same name callable', () => {
    const x = torch.ones([2]);
    const y = torch.zeros([3]);
    assert.equal(ops.set_!(x, y), x);
    assert.deepEqual(x.shape, [3]);
    assert.throws(
      () => ops.qscheme!(x),
      /aten::qscheme cannot be called from TypeScript: it gives a quantisation scheme/,
    );
  });

  it('does not hide what the engine lacks altogether', () => {
    assert.throws(() => ops.no_such_operator!(1), MissingOperatorError);
    assert.throws(() => ops.add!.NoSuchOverload!(1), MissingOperatorError);
  });

  it('says why of an operator outside aten that cannot be called', () => {
    const quantized = torch.ops.quantized as typeof ops;
    assert.throws(
      () => quantized.conv2d_unpack!(null),
      (error) => error instanceof Error && /conv2d_unpack/.test(error.message),
    );
  });
});
