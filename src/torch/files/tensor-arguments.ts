import type { FileFormatError } from './errors.js';
import { LIMITS } from './limits.js';
import {
  type DenseBody,
  describeKind,
  PickleDict,
  PickleElementType,
  PickleList,
  PickleStorage,
  PickleTensor,
  PickleText,
  PickleTuple,
  type PickleValue,
  type SparseBody,
} from './pickle-values.js';
import { countElements } from './safetensors-header.js';

type Fail = (problem: string) => FileFormatError;

/** A number ≥ 0 that is exact. */
export function natural(value: PickleValue | undefined, what: string, fail: Fail): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    const shown = typeof value === 'number' ? String(value) : describeKind(value ?? null);
    throw fail(`has ${shown} as ${what}; a whole number from 0 is expected`);
  }
  return value;
}

/** A tuple or list of such numbers. */
export function naturalList(value: PickleValue | undefined, what: string, fail: Fail): readonly number[] {
  if (value instanceof PickleTuple && value.sizes !== null) return value.sizes;
  if (!(value instanceof PickleTuple) && !(value instanceof PickleList)) {
    throw fail(`has ${describeKind(value ?? null)} as ${what}; a tuple of whole numbers is expected`);
  }
  if (value.items.length > LIMITS.dimensions)
    throw fail(`has ${value.items.length} dimensions in ${what}; the limit is ${LIMITS.dimensions}`);
  const sizes = value.items.map((item) => natural(item, `size in ${what}`, fail));
  if (value instanceof PickleTuple) value.sizes = sizes;
  return sizes;
}

export function flag(value: PickleValue | undefined, what: string, fail: Fail): boolean {
  if (typeof value !== 'boolean')
    throw fail(`has ${describeKind(value ?? null)} as ${what}; True or False is expected`);
  return value;
}

interface DenseArguments {
  readonly storage: PickleValue | undefined;
  readonly offset: PickleValue | undefined;
  readonly shape: PickleValue | undefined;
  readonly strides: PickleValue | undefined;
  /** The dtype of `_rebuild_tensor_v3`, else null. */
  readonly type: PickleValue;
  readonly metadata: PickleValue;
}

/** Checks the description of a dense tensor: every element must lie within the storage. */
export function dense(args: DenseArguments, fail: Fail): DenseBody {
  const { storage } = args;
  if (!(storage instanceof PickleStorage))
    throw fail(`has a tensor over ${describeKind(storage ?? null)} instead of a storage`);
  const given = args.type;
  if (given !== null && (!(given instanceof PickleElementType) || given.isStorage))
    throw fail('has a tensor without a proper dtype');
  const type = given === null ? storage.type : given.type;
  const offset = natural(args.offset, 'storage offset', fail);
  const shape = naturalList(args.shape, 'a tensor shape', fail);
  const strides = naturalList(args.strides, 'tensor strides', fail);
  if (shape.length !== strides.length)
    throw fail(`has a tensor of ${shape.length} sizes and ${strides.length} strides`);
  const elements = countElements(shape);
  const available = Math.floor(storage.bytes / type.bytes);
  if (elements === null) throw fail(`has a tensor of the impossible shape [${shape.join(', ')}]`);
  let last = offset;
  for (const [axis, size] of shape.entries()) last += Math.max(size - 1, 0) * strides[axis]!;
  if (elements > 0 ? !(last < available) : !(offset <= available)) {
    throw fail(
      `has a tensor of shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset} that reaches beyond its ` +
        `storage of ${available} elements`,
    );
  }
  if (elements > available && elements > LIMITS.expandedElements) {
    throw fail(
      `has a tensor of ${elements} elements expanded from a storage of ${available}; this is refused as a memory trap`,
    );
  }
  return { kind: 'dense', storage, type, offset, shape, strides, ...bits(args.metadata, fail) };
}

/** The lazy conjugate and negative bits, from the dict that `_rebuild_tensor_v2` may carry. */
function bits(metadata: PickleValue, fail: Fail): { conjugate: boolean; negative: boolean } {
  const found = { conjugate: false, negative: false };
  if (metadata === null) return found;
  if (!(metadata instanceof PickleDict)) throw fail('has a tensor with malformed metadata');
  for (let at = 0; at < metadata.pairs.length; at += 2) {
    const key = metadata.pairs[at];
    if (key === 'conj') found.conjugate = flag(metadata.pairs[at + 1], 'conj', fail);
    if (key === 'neg') found.negative = flag(metadata.pairs[at + 1], 'neg', fail);
  }
  return found;
}

const COMPRESSED = ['sparse_csr', 'sparse_csc', 'sparse_bsr', 'sparse_bsc'] as const;

interface TensorCounter {
  readonly fail: Fail;
  countTensor(): void;
}

/** `_rebuild_sparse_tensor(layout, data)`. Indices are checked against the shape when the tensor is made, by the engine. */
export function sparse(world: TensorCounter, args: readonly PickleValue[]): PickleTensor {
  const { fail } = world;
  const [layout, data] = args;
  if (!(layout instanceof PickleText) || layout.kind !== 'layout' || !(data instanceof PickleTuple))
    throw fail('has a malformed sparse tensor');
  world.countTensor();
  const part = (index: number): PickleTensor => {
    const tensor = data.items[index];
    if (!(tensor instanceof PickleTensor) || tensor.body.kind !== 'dense')
      throw fail('has a sparse tensor with a malformed part');
    return tensor;
  };
  const indices = (index: number): PickleTensor => {
    const tensor = part(index);
    if (tensor.body.kind !== 'dense' || !/^int(32|64)$/.test(tensor.body.type.name)) {
      throw fail('has a sparse tensor whose indices are not whole numbers');
    }
    return tensor;
  };
  const shapeOf = (index: number): readonly number[] => {
    const shape = naturalList(data.items[index], 'the shape of a sparse tensor', fail);
    if (countElements(shape) === null) throw fail(`has a sparse tensor of the impossible shape [${shape.join(', ')}]`);
    return shape;
  };
  let body: SparseBody;
  const compressed = COMPRESSED.find((name) => name === layout.text);
  if (layout.text === 'sparse_coo') {
    const coalesced = data.items[3];
    body = {
      kind: 'sparse',
      layout: 'sparse_coo',
      indices: [indices(0)],
      values: part(1),
      shape: shapeOf(2),
      coalesced: typeof coalesced === 'boolean' ? coalesced : null,
    };
  } else if (compressed !== undefined) {
    body = {
      kind: 'sparse',
      layout: compressed,
      indices: [indices(0), indices(1)],
      values: part(2),
      shape: shapeOf(3),
      coalesced: null,
    };
  } else {
    throw fail(`has a sparse tensor of the unknown layout ${layout.text}`);
  }
  return new PickleTensor(body, false);
}
