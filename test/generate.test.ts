import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { signaturesOf, writeParameters } from '../scripts/generate/signatures.js';
import { readSnapshots } from '../scripts/generate/snapshots.js';
import { describedOperators, summaryOf } from '../scripts/generate/summaries.js';
import { functionSpaces, selectSurface } from '../scripts/generate/surface.js';
import { generateAll, staleFiles } from '../scripts/generate.js';
import * as names from '../src/torch/generated/names.generated.js';

const snapshots = readSnapshots();
const surface = selectSurface(snapshots);
const files = generateAll();

const method = (name: string) => surface.methods.find((operator) => operator.name === name)!;
const torchFunction = (name: string) => surface.functions.torch.find((operator) => operator.name === name)!;
const written = (name: string, asMethod: boolean) =>
  signaturesOf(asMethod ? method(name) : torchFunction(name), asMethod).flatMap((signature) =>
    writeParameters(signature, asMethod).map((list) => `${list}: ${signature.result}`),
  );

describe('the generated surface', () => {
  it('is up to date on disk', () => {
    assert.deepEqual(staleFiles(), [], 'run npm run generate');
  });

  it('comes out the same every time', () => {
    assert.deepEqual(generateAll(), files);
  });

  it('stays small enough to compile quickly', () => {
    for (const [name, text] of files) assert.ok(text.length < 1_500_000, `${name}: ${text.length} bytes`);
  });

  it('types every aten operator and overload of every known engine', () => {
    const text = files.get('aten-ops.generated.ts')!;
    const found = new Set<string>();
    let operator = '';
    for (const line of text.split('\n')) {
      operator = /^ {2}(\w+): Packet<\{$/.exec(line)?.[1] ?? operator;
      const overload = /^ {4}(?:\/\*\* .*? \*\/ )?(\w+)\(/.exec(line)?.[1];
      if (overload !== undefined)
        found.add(overload === 'default' ? `aten::${operator}` : `aten::${operator}.${overload}`);
    }
    const expected = [...snapshots.overloads.keys()].filter((name) => name.startsWith('aten::'));
    assert.ok(expected.length > 3200);
    assert.deepEqual([...found].sort(), expected.sort());
  });
});

describe('the choice of methods and functions', () => {
  it('gives every name to one operator only', () => {
    for (const operators of [surface.methods, ...functionSpaces.map((space) => surface.functions[space])]) {
      const all = operators.map((operator) => operator.name);
      assert.equal(new Set(all).size, all.length);
      for (const name of all) assert.match(name, /^[a-zA-Z][a-zA-Z0-9]*_?$/);
    }
  });

  it('has the tables that run time reads', () => {
    assert.equal(names.methodNames.indexSelect, 'index_select');
    assert.equal(names.methodNames.maskedFill_, 'masked_fill_');
    assert.equal(names.torchFunctionNames.einsum, 'einsum');
    assert.equal(names.linalgFunctionNames.vectorNorm, 'linalg_vector_norm');
    assert.equal(names.fftFunctionNames.rfft, 'fft_rfft');
    assert.equal(names.specialFunctionNames.logNdtr, 'special_log_ndtr');
    assert.equal(names.nnFunctionNames.scaledDotProductAttention, 'scaled_dot_product_attention');
  });

  it('leaves to hand-written code what is more than an operator, and hides what is internal', () => {
    for (const name of ['size', 'item', 'to', 'backward', 'isContiguous', 'slice', 'hardshrinkBackward', 'alias']) {
      assert.equal(names.methodNames[name], undefined, name);
    }
    for (const name of [
      'zeros',
      'ones',
      'randn',
      'arange',
      'zerosLike',
      'randintLike',
      'convolutionBackward',
      'lift',
    ]) {
      assert.equal(names.torchFunctionNames[name], undefined, name);
    }
  });

  it('spreads integers only where Python does', () => {
    for (const name of ['view', 'reshape', 'permute', 'expand', 'repeat', 'tile', 'flip', 'newZeros', 'squeeze']) {
      assert.ok(names.varargsMethods.has(name), name);
    }
    for (const name of ['sum', 'roll', 'transpose', 'std', 'var', 'mean', 'amax', 'unflatten']) {
      assert.ok(!names.varargsMethods.has(name), name);
    }
  });

  it('knows the methods whose operator does not begin with self', () => {
    assert.deepEqual(names.selfPositions, { polygamma: 1, where: 1 });
  });

  it('keeps named dimensions, which only 1.13 has, out of the typed methods', () => {
    assert.ok(!written('sum', true).some((text) => text.includes('string')));
    assert.equal(method('alignTo'), undefined);
  });
});

describe('signatures', () => {
  it('merge overloads that differ in one type, tensors first', () => {
    assert.deepEqual(written('add', true), ['(other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor']);
    assert.deepEqual(written('add_', true), ['(other: Tensor | Scalar, options?: { alpha?: Scalar }): this']);
  });

  it('let options take over at any point after the subjects', () => {
    const dim = 'dim: number | readonly number[] | null';
    assert.deepEqual(written('sum', true), [
      '(options?: { dtype?: DType | null }): Tensor',
      `(${dim}, keepdim?: boolean, options?: { dtype?: DType | null }): Tensor`,
      `(${dim}, options: { keepdim?: boolean; dtype?: DType | null }): Tensor`,
      `(options: { ${dim}; keepdim?: boolean; dtype?: DType | null }): Tensor`,
    ]);
    assert.deepEqual(written('transpose', true).slice(0, 3), [
      '(dim0: number, dim1: number): Tensor',
      '(dim0: number, options: { dim1: number }): Tensor',
      '(options: { dim0: number; dim1: number }): Tensor',
    ]);
  });

  it('offer out to functions and not to methods', () => {
    assert.deepEqual(written('cat', false), [
      '(tensors: readonly Tensor[], dim?: number, options?: { out?: Tensor }): Tensor',
      '(tensors: readonly Tensor[], options: { dim?: number; out?: Tensor }): Tensor',
    ]);
    assert.ok(written('sort', false).every((text) => text.includes('out?: readonly [Tensor, Tensor]')));
    assert.ok(!written('sort', true).some((text) => text.includes('out?')));
  });

  it('name several results', () => {
    const [, byDimension] = written('max', true);
    assert.equal(
      byDimension,
      '(dim: number, keepdim?: boolean): NamedTuple<[Tensor, Tensor], { values: Tensor; indices: Tensor }>',
    );
  });

  it('drop the subject of a method wherever the schema has it', () => {
    assert.equal(written('where', true)[0], '(condition: Tensor, other: Tensor | Scalar): Tensor');
    assert.equal(written('polygamma', true)[0], '(n: number): Tensor');
  });
});

describe('descriptions', () => {
  it('are about operators that exist', () => {
    const operators = new Set([...snapshots.overloads.values()].map((overload) => overload.name));
    assert.ok(describedOperators().length > 250);
    for (const name of describedOperators()) assert.ok(operators.has(name), name);
  });

  it('are each given once', () => {
    const all = readFileSync(new URL('../scripts/generate/summaries.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    assert.equal(new Set(describedOperators()).size, all.length);
  });

  it('carry over to the in-place form and to long names', () => {
    assert.equal(summaryOf('relu_'), 'max(0, x). In place.');
    assert.equal(summaryOf('multiply'), summaryOf('mul'));
    assert.equal(summaryOf('no_such_operator'), undefined);
  });

  it('say which engines have what not all have', () => {
    const methods = files.get('tensor-methods.generated.ts')!;
    assert.match(methods, /`symeig[^`]*`\n[ *]*\n[ *]*Only in libtorch 1\.13\./);
    const functions = files.get('functions.generated.ts')!;
    assert.match(functions, /`scaled_dot_product_attention[^`]*`\n[ *]*\n[ *]*Not in libtorch 1\.13\./);
  });
});
