import { callTensor } from '../../../src/torch/dispatch.js';
import { native } from '../../../src/torch/load.js';
import { Tensor } from '../../../src/torch/tensor.js';

/** JSON that scripts/golden/files.py makes of the same value in Python. */
export type Description =
  | null
  | boolean
  | number
  | { [kind: string]: string | Description[] | Description[][] | Record<string, unknown> };

const DENSE_LAYOUTS: Record<string, string> = {
  sparse: 'sparse_coo',
  sparsecsr: 'sparse_csr',
  sparsecsc: 'sparse_csc',
};

/**
 * Describes a value. `storages` numbers the memory of the tensors in the order they are met.
 * Where the two languages differ by design, Python's side is described as its TypeScript counterpart (tuples as lists).
 */
export function describe(value: unknown, storages: Map<bigint, number> = new Map()): Description {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return number(value);
  if (typeof value === 'bigint') return { int: String(value) };
  if (typeof value === 'string') return { str: value };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (value instanceof Tensor) return { tensor: tensor(value, storages) };
  if (Array.isArray(value)) return { list: value.map((item) => describe(item, storages)) };
  if (value instanceof Set) {
    const items = [...value].map((item) => describe(item, storages));
    return { set: items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  if (entries.length === 2 && entries[0]![0] === 're' && entries[1]![0] === 'im') {
    return { complex: [describe(entries[0]![1]), describe(entries[1]![1])] };
  }
  return { dict: entries.map(([key, item]) => [describe(key, storages), describe(item, storages)]) };
}

function number(value: number): Description {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value;
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return { number: bits.toString('hex') };
}

const hex = (given: Tensor) => Buffer.from(native.read(given.handle)).toString('hex');

function tensor(given: Tensor, storages: Map<bigint, number>): Record<string, unknown> {
  const facts: Record<string, unknown> = { dtype: given.dtype, shape: given.shape, grad: given.requiresGrad };
  if (given.layout !== 'strided') {
    facts.layout = DENSE_LAYOUTS[given.layout];
    facts.dense = hex(callTensor('to_dense', given));
    return facts;
  }
  facts.strides = given.stride();
  facts.offset = given.storageOffset();
  const { id, bytes } = given.storage();
  if (bytes > 0) {
    if (!storages.has(id)) storages.set(id, storages.size);
    facts.storage = storages.get(id);
  }
  facts.bytes = hex(given);
  return facts;
}

/** A `.safetensors` file's tensors in the order of their names: the header's own order says nothing. */
export function sortedKeys(value: unknown, file: string): unknown {
  if (!file.endsWith('.safetensors')) return value;
  return Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
