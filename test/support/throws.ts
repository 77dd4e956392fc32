/** Asserting errors by what a reader gets: message and code. */
import assert from 'node:assert/strict';
import { TorchError } from '../../src/torch/errors.js';

/** Asserts that `work` throws a TorchError with this code whose message matches. */
export function throwsTorch(work: () => unknown, code: string, message: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof TorchError, `not a TorchError: ${String(error)}`);
    assert.match(error.message, message);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** Asserts that `work` throws an ArgumentError whose message matches. */
export function throwsArgument(work: () => unknown, message: RegExp): void {
  throwsTorch(work, 'ArgumentError', message);
}
