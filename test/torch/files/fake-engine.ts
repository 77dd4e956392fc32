import type { FileEngine } from '../../../src/torch/files/engine.js';

/** A stretch of memory and how it is looked at: what a tensor is to the file formats. */
export interface FakeTensor {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly bytes: number;
  readonly dtype: string;
  readonly shape: readonly number[];
}

const flat = (memory: Uint8Array, start: number, bytes: number): FakeTensor => ({
  memory,
  start,
  bytes,
  dtype: 'uint8',
  shape: [bytes],
});
const refuse = (): never => {
  throw new Error('the fake engine only reads');
};

/**
 * An engine without an engine: the readers run on it alone, so that their tests and the fuzz see nothing but the readers.
 * Maps read; writing is refused.
 */
export const fakeEngine: FileEngine<FakeTensor> = {
  isTensor: (value): value is FakeTensor => typeof value === 'object' && value !== null && 'memory' in value,
  facts: refuse,
  checkType: () => undefined,
  allocate(bytes) {
    const storage = flat(new Uint8Array(bytes), 0, bytes);
    return { storage, memory: storage.memory };
  },
  fromMemory: (bytes) => flat(Uint8Array.from(bytes), 0, bytes.byteLength),
  map: refuse,
  slice: ({ memory, start }, from, bytes) => flat(memory, start + from, bytes),
  view({ memory, start, bytes }, type, shape, strides, offset) {
    // The engine's own check, so that a reader that lets something through is caught here.
    const reach = shape.includes(0) ? 0 : 1 + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
    if ((offset + reach) * type.bytes > bytes)
      throw new Error(`BUG: a view reaches beyond its memory of ${bytes} bytes`);
    return { memory, start, bytes, dtype: type.name, shape };
  },
  toDevice: (storage) => storage,
  finish: (tensor) => tensor,
  makeSparse: ({ values, shape }) => ({ ...values, shape }),
  sparseParts: refuse,
  storageBytes: refuse,
  elementBytes: refuse,
};
