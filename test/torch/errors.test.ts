import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nearest } from '../../src/torch/errors.js';
import {
  ArgumentError,
  EngineError,
  MissingOperatorError,
  OutOfMemoryError,
  TorchError,
  torch,
} from '../../src/torch/index.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

const x = torch.ones(2, 3);
const untyped = torch.ops.aten as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

describe('errors of operators', () => {
  test('the engine’s reason, then the call with its shapes', () => {
    throwsTorch(
      () => x.mm(x),
      'RuntimeError',
      /^mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\); in mm\(Tensor\[2, 3\] float32, Tensor\[2, 3\] float32\)$/,
    );
    throwsTorch(
      () => x.select(5, 0),
      'IndexError',
      /Dimension out of range.*; in select\(Tensor\[2, 3\] float32, 5, 0\)$/,
    );
    throwsTorch(
      () => x.view(4),
      'RuntimeError',
      /shape '\[4\]' is invalid for input of size 6; in view\(Tensor\[2, 3\] float32, \[?4\]?\)$/,
    );
    throwsTorch(
      () => torch.cat([x, torch.ones(1)]),
      'RuntimeError',
      /; in cat\(\[Tensor\[2, 3\] float32, Tensor\[1\] float32\]\)$/,
    );
    throwsTorch(() => torch.linalg.inv(torch.zeros(2, 2)), 'LinAlgError', /singular/);
    throwsTorch(() => x.long().mm(x.t()), 'RuntimeError', /dtype|scalar type/);
  });

  test('no lines of C++', () => {
    try {
      x.mm(x);
      assert.fail('no error');
    } catch (error) {
      const { message, cause } = error as Error;
      assert.equal(message.split('\n').length, 1);
      assert.doesNotMatch(message, /\.cpp|frame #/);
      assert.ok(cause instanceof Error);
    }
  });

  test('arguments that fit no form: what was given and what it takes', () => {
    throwsArgument(
      () => x.mm('a' as never),
      /^mm\(Tensor\[2, 3\] float32, "a"\) fits no form of the operator: mat2 must be Tensor\. It takes:\n {2}mm\(self: Tensor, mat2: Tensor/,
    );
    throwsArgument(() => untyped.relu?.(x, 1, 2), /it takes at most 1 arguments/);
    throwsArgument(
      () => x.transpose(0 as never, undefined as never),
      /transpose\(Tensor\[2, 3\] float32, 0, undefined\)/,
    );
    throwsArgument(() => x.add({} as never), /add\(Tensor\[2, 3\] float32, \{ {2}\}\)/);
    throwsArgument(() => x.sum(1.5 as never), /sum\(Tensor\[2, 3\] float32, 1\.5\) fits no form/);
    throwsArgument(() => x.sum(Number.NaN as never), /sum\(.*NaN\)/);
    throwsArgument(() => x.view(1.5), /view/);
    throwsArgument(() => torch.cat(x as never), /cat\(Tensor\[2, 3\] float32\) fits no form/);
    throwsArgument(() => torch.cat([x, 5 as never]), /tensor/i);
  });

  test('options: the nearest name, given twice, by position', () => {
    throwsArgument(
      () => x.sum({ keepdims: true, dim: 1 } as never),
      /there is no option 'keepdims'; did you mean 'keepdim'\? It takes:/,
    );
    throwsArgument(() => x.add(x, { apha: 2 } as never), /there is no option 'apha'; did you mean 'alpha'\?/);
    throwsArgument(() => untyped.tril?.(x, 0, { diagonal: 1 }), /diagonal is given twice/);
    throwsArgument(
      () => x.softmax(0, { dtpye: 'float64' } as never),
      /there is no option 'dtpye'; did you mean 'dtype'\?/,
    );
  });

  test('the kinds of errors', () => {
    const kinds = [ArgumentError, EngineError, MissingOperatorError, OutOfMemoryError];
    for (const Kind of kinds) {
      const error = new Kind('message');
      assert.ok(error instanceof TorchError && error instanceof Error);
      assert.deepEqual([error.name, error.message], [Kind.name, 'message']);
      assert.match(String(error.stack), new RegExp(`^(${Kind.name}|Error|TorchError)`));
    }
    assert.equal(new TorchError('m', 'IndexError').code, 'IndexError');
  });

  test('memory that cannot be had says what was asked for and what is in use', () => {
    const held = torch.zeros(1000, 1000);
    assert.throws(
      () => torch.empty(2 ** 45),
      (error: Error) => {
        assert.ok(error instanceof OutOfMemoryError, String(error));
        assert.match(error.message, /; in empty\(\[35184372088832\]/);
        assert.match(error.message, /\d+ tensors hold \d+\.\d MiB on cpu after collecting$/);
        return true;
      },
    );
    assert.equal(held.sum().item(), 0);
  });
});

describe('the nearest name', () => {
  test('one that is near, else none', () => {
    const names = ['keepdim', 'dim', 'dtype', 'memoryFormat'];
    assert.equal(nearest('keepdims', names), 'keepdim');
    assert.equal(nearest('KEEPDIM', names), 'keepdim');
    assert.equal(nearest('memory_format', names), 'memoryFormat');
    assert.equal(nearest('dmi', names), 'dim', 'swapped letters count once');
    assert.equal(nearest('something', names), undefined);
    assert.equal(nearest('', names), undefined);
    assert.equal(nearest('x', []), undefined);
  });
});
