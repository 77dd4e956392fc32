/** What an operator that fails leaves behind in the tensors it writes to. */
import { bytesPerElement, dtypeName } from './dtype.js';
import { native } from './load.js';
import type { NativeValue } from './native.js';
import { Tensor } from './tensor.js';

/**
 * Makes tensors safe to use again. The engine gives an output its new shape before it gets the memory for it; when there is none, the
 * tensor claims more than it has, and reading it would read whatever lies behind (in Python, too). Such a tensor becomes empty.
 * @param written a tensor, or an array of them; anything else is left alone
 */
export function mend(written: unknown): void {
  if (Array.isArray(written)) for (const each of written) mend(each);
  if (!(written instanceof Tensor)) return;
  try {
    if (neededBytes(written) > written.storage().bytes)
      native.call(native.resolve('aten::resize_', ''), null, written.handle, [0] as NativeValue);
  } catch {
    // It has no storage of its own, or was disposed: there is nothing to mend.
  }
}

/** Bytes from the start of the storage to the end of the tensor's last element. */
function neededBytes(tensor: Tensor): number {
  // Sizes beyond 2^53 come as bigint: those are the ones that found no memory.
  const shape = tensor.shape.map(Number);
  if (shape.includes(0)) return 0;
  const strides = tensor.stride().map(Number);
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] as number), tensor.storageOffset());
  return (last + 1) * bytesPerElement(dtypeName(native.dtype(tensor.handle)));
}
