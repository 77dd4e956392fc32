/**
 * Indexing: `x.at(0, ':', '1:5')` is Python's `x[0, :, 1:5]`, `x.setAt([0, ':'], v)` is `x[0, :] = v`.
 * The rules are PyTorch's, as in its `ATen/TensorIndexing.h`: integers, slices, `'...'`, `null` and booleans are applied one after
 * the other as views; what is left, tensors of indices and masks, goes to `aten::index` or `aten::index_put_` in one call.
 */
import { Family } from './binding.js';
import { tensor as makeTensor } from './create.js';
import { callAny, callTensor } from './dispatch.js';
import type { TypedArray } from './dtype.js';
import { ArgumentError, OutOfMemoryError, TorchError } from './errors.js';
import type { NestedArray } from './pack.js';
import { parseSlice, Slice, type SliceString } from './slice.js';
import { Tensor } from './tensor.js';
import type { Complex, Scalar } from './types.js';

/** Positions along one dimension, or booleans as a mask; nested for an index of several dimensions. */
export type IndexArray = readonly (number | bigint | boolean | IndexArray)[];

/** Typed arrays of integers: positions along one dimension. */
export type IntegerTypedArray = Exclude<TypedArray, Float32Array | Float64Array>;

/**
 * One entry of an index.
 * - an integer takes one position (negative: from the end) and drops the dimension
 * - `':'`, `'1:5'`, `'::2'`, `'-3:'` or `torch.slice(…)` takes a range, a view
 * - `'...'` stands for all dimensions that the other entries leave
 * - `null` or `'newaxis'` puts in a dimension of size 1
 * - an array of integers, a typed array or an integer tensor gathers positions (a copy)
 * - an array of booleans or a boolean tensor keeps where it is true (a copy)
 * - `true` and `false` put in a dimension of size 1 or 0
 */
export type Index =
  | number
  | bigint
  | boolean
  | null
  | 'newaxis'
  | '...'
  | SliceString
  | Slice
  | Tensor
  | IndexArray
  | IntegerTypedArray;

/** What can be put into a part of a tensor; it is broadcast to that part's shape. */
export type IndexedValue = Tensor | Scalar | NestedArray;

/** Where an entry stands, for messages: `at()` takes arguments, `setAt()` an array. */
class Site {
  constructor(
    readonly method: 'at' | 'setAt',
    readonly shape: readonly number[],
  ) {}

  /** `at(): argument 2 ('1:a') is not …; the tensor's shape is [3, 4].` */
  message(position: number, index: unknown, problem: string): string {
    const place = this.method === 'at' ? `argument ${position + 1}` : `indices[${position}]`;
    return `${this.method}(): ${place} (${describeIndex(index)}) ${problem}; the tensor's shape is [${this.shape.join(', ')}].`;
  }
}

function describeIndex(index: unknown): string {
  if (index instanceof Tensor) return `a ${index.dtype} tensor of shape [${index.shape.join(', ')}]`;
  if (index instanceof Slice) return `torch.slice of ${index}`;
  if (Array.isArray(index)) {
    const text = `[${index.slice(0, 6).map(describeIndex).join(', ')}${index.length > 6 ? ', …' : ''}]`;
    return text.length > 60 ? `an array of ${index.length}` : text;
  }
  if (ArrayBuffer.isView(index)) return `a ${index.constructor.name}`;
  if (typeof index === 'string') return `'${index}'`;
  return typeof index === 'object' && index !== null ? 'an object' : `${String(index)}`;
}

/** What an entry means, once its form is understood. */
type Entry =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'slice'; readonly value: Slice }
  | { readonly kind: 'ellipsis' | 'newaxis' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'tensor'; readonly value: Tensor };

const signedIntegers: ReadonlySet<string> = new Set(['int8', 'int16', 'int32', 'int64']);

function integerEntry(index: number | bigint, position: number, site: Site): Entry {
  const value = Number(index);
  if (!Number.isSafeInteger(value)) throw new ArgumentError(site.message(position, index, 'is not an integer'));
  return { kind: 'integer', value };
}

function stringEntry(index: string, position: number, site: Site): Entry {
  if (index === '...') return { kind: 'ellipsis' };
  if (index === 'newaxis') return { kind: 'newaxis' };
  const value = parseSlice(index);
  if (value === null)
    throw new ArgumentError(
      site.message(
        position,
        index,
        "is not an index; a string is a slice such as ':', '1:5', '::2', or '...', 'newaxis'",
      ),
    );
  return { kind: 'slice', value };
}

function arrayEntry(index: IndexArray, position: number, site: Site): Entry {
  const leaves = (index as readonly unknown[]).flat(Number.POSITIVE_INFINITY);
  if (leaves.length === 0) return { kind: 'tensor', value: makeTensor(index as NestedArray, { dtype: 'int64' }) };
  const boolean = leaves.every((x) => typeof x === 'boolean');
  const integers = leaves.every((x) => typeof x === 'bigint' || Number.isSafeInteger(x));
  if (!boolean && !integers)
    throw new ArgumentError(
      site.message(position, index, 'must hold only integers (positions) or only booleans (a mask)'),
    );
  return { kind: 'tensor', value: makeTensor(index as NestedArray, { dtype: boolean ? 'bool' : 'int64' }) };
}

function tensorEntry(index: Tensor, position: number, site: Site): Entry {
  const { dtype } = index;
  if (signedIntegers.has(dtype)) {
    // A single position is a selection, which stays a view.
    if (index.ndim === 0) return { kind: 'integer', value: Number(index.itemExact()) };
    // libtorch 1.13 takes no int32 here, and no version takes int16: all mean the same positions.
    return { kind: 'tensor', value: dtype === 'int64' ? index : index.long() };
  }
  if (dtype === 'bool' || dtype === 'uint8') {
    if (index.ndim === 0) return { kind: 'boolean', value: Boolean(index.itemExact()) };
    return { kind: 'tensor', value: index };
  }
  throw new TorchError(
    site.message(
      position,
      index,
      'cannot be an index: positions are int64 (`.long()`, or a plain array), masks are bool',
    ),
    'IndexError',
  );
}

function entryOf(index: unknown, position: number, site: Site): Entry {
  switch (typeof index) {
    case 'number':
    case 'bigint':
      return integerEntry(index, position, site);
    case 'string':
      return stringEntry(index, position, site);
    case 'boolean':
      return { kind: 'boolean', value: index };
    default:
  }
  if (index === null) return { kind: 'newaxis' };
  if (index instanceof Tensor) return tensorEntry(index, position, site);
  if (index instanceof Slice) return { kind: 'slice', value: index };
  if (Array.isArray(index)) return arrayEntry(index, position, site);
  if (ArrayBuffer.isView(index) && !(index instanceof DataView)) {
    if (index instanceof Float32Array || index instanceof Float64Array)
      throw new ArgumentError(site.message(position, index, 'holds floating-point numbers; positions are integers'));
    return { kind: 'tensor', value: makeTensor(index as IntegerTypedArray, { dtype: 'int64' }) };
  }
  throw new ArgumentError(
    site.message(
      position,
      index,
      "is not an index; an index is an integer, a slice, '...', null, a boolean, an array or a tensor",
    ),
  );
}

const isMask = (tensor: Tensor): boolean => tensor.dtype === 'bool' || tensor.dtype === 'uint8';

/** How many of the tensor's dimensions an entry uses up. */
function dimensionsOf(entry: Entry): number {
  if (entry.kind === 'tensor') return isMask(entry.value) ? entry.value.ndim : 1;
  return entry.kind === 'integer' || entry.kind === 'slice' ? 1 : 0;
}

interface Sliced {
  /** The tensor after everything that makes a view. */
  readonly view: Tensor;
  /** What `aten::index` gets: null for dimensions taken whole. Empty when the view is the result. */
  readonly tensors: readonly (Tensor | null)[];
}

function resolve(self: Tensor, shape: readonly number[], indices: readonly unknown[], site: Site): Sliced {
  const entries = indices.map((index, position) => entryOf(index, position, site));
  const used = entries.reduce((sum, entry) => sum + dimensionsOf(entry), 0);
  if (used > shape.length)
    throw new TorchError(
      `${site.method}(): the index takes ${used} dimensions, but the tensor has ${shape.length}, its shape is [${shape.join(', ')}].`,
      'IndexError',
    );
  const ellipsis = entries.findIndex((entry) => entry.kind === 'ellipsis');
  const second = entries.findIndex((entry, i) => entry.kind === 'ellipsis' && i > ellipsis);
  if (second >= 0)
    throw new TorchError(site.message(second, '...', 'is the second one; an index has one'), 'IndexError');
  let view = self;
  let dim = 0; // of the view
  let original = 0; // of the tensor itself
  const tensors: (Tensor | null)[] = [];
  /** Dimensions taken whole matter to `aten::index` only from the first tensor on. */
  const pass = (count: number) => {
    dim += count;
    if (tensors.length > 0) for (let i = 0; i < count; i++) tensors.push(null);
  };
  const record = (tensor: Tensor, dimensions: number) => {
    if (tensors.length === 0) for (let i = 0; i < dim; i++) tensors.push(null);
    tensors.push(view.device === 'cpu' ? tensor : tensor.to(view.device));
    dim += dimensions;
  };
  for (const [position, entry] of entries.entries()) {
    const size = shape[original] as number;
    switch (entry.kind) {
      case 'integer':
        if (entry.value >= size || entry.value < -size)
          throw new TorchError(
            site.message(position, indices[position], `is outside dimension ${original} of size ${size}`),
            'IndexError',
          );
        view = view.select(dim, entry.value);
        break;
      case 'slice':
        view = sliceDimension(view, dim, entry.value, indices.length === 1);
        pass(1);
        break;
      case 'ellipsis':
        pass(shape.length - used);
        original += shape.length - used;
        break;
      case 'newaxis':
        view = view.unsqueeze(dim);
        pass(1);
        break;
      case 'boolean':
        view = view.unsqueeze(dim);
        record(makeTensor(entry.value ? [0] : [], { dtype: 'int64' }), 1);
        break;
      case 'tensor':
        if (isMask(entry.value)) checkMask(entry.value, original, position, site);
        record(entry.value, dimensionsOf(entry));
        break;
    }
    original += dimensionsOf(entry);
  }
  // libtorch 1.13 assigns to the wrong elements when a mask is followed by dimensions taken whole that are spelt out.
  while (tensors.at(-1) === null) tensors.pop();
  return { view, tensors };
}

function sliceDimension(view: Tensor, dim: number, slice: Slice, alone: boolean): Tensor {
  // As in PyTorch, a whole dimension costs nothing, unless it is all there is: then it makes the view.
  if (slice.isWhole && !alone) return view;
  return callTensor('slice', view, dim, slice.start, slice.stop, slice.step ?? 1);
}

function checkMask(mask: Tensor, dim: number, position: number, site: Site): void {
  const shape = mask.shape;
  const part = site.shape.slice(dim, dim + shape.length);
  if (shape.some((size, i) => size !== part[i]))
    throw new TorchError(
      site.message(position, mask, `does not fit the dimensions it masks, [${part.join(', ')}]`),
      'IndexError',
    );
}

let indexOperator: Family | undefined;
let putOperator: Family | undefined;

/** Runs the engine's indexing; its complaints are about positions and shapes, so they get the index as the user wrote it. */
function explained<T>(site: Site, indices: readonly unknown[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TorchError) || error instanceof OutOfMemoryError) throw error;
    const reason = (error.cause instanceof Error ? error.cause.message : error.message).trim();
    throw new TorchError(
      `${site.method}(): ${reason}; the index is (${indices.map(describeIndex).join(', ')}), the tensor's shape is [${site.shape.join(', ')}].`,
      error.code,
      { cause: error.cause ?? error },
    );
  }
}

/** `tensor.at(...indices)`. */
export function at(self: Tensor, indices: readonly unknown[]): Tensor {
  const shape = self.shape;
  const only = indices[0];
  // The commonest by far: a row, or one element, by number.
  if (indices.length === 1 && typeof only === 'number' && Number.isInteger(only)) {
    const size = shape[0];
    if (size !== undefined && only < size && only >= -size) return self.select(0, only);
  }
  const site = new Site('at', shape);
  const { view, tensors } = resolve(self, shape, indices, site);
  if (tensors.length === 0) return view === self ? callTensor('alias', self) : view;
  indexOperator ??= new Family('aten::index', 'at', false, 'Tensor');
  const operator = indexOperator;
  return explained(site, indices, () => callAny(operator, [view, tensors]) as Tensor);
}

/** A single number; a Tensor, which has a method `float`, is none. */
function isScalar(value: unknown): value is Scalar {
  if (typeof value !== 'object')
    return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return value !== null && !(value instanceof Tensor) && (('re' in value && 'im' in value) || 'float' in value);
}

/** PyTorch drops leading dimensions of size 1 of a value before it broadcasts it. */
function withoutLeadingOnes(value: Tensor): Tensor {
  const shape = value.shape;
  const first = shape.findIndex((size) => size !== 1);
  const kept = first < 0 ? [] : shape.slice(first);
  return kept.length === shape.length ? value : value.view(kept);
}

const plainNumber = (value: Scalar): number | bigint | boolean | Complex =>
  typeof value === 'object' && 'float' in value ? value.float : value;

/** `tensor.setAt(indices, value)`. */
export function setAt(self: Tensor, indices: unknown, given: unknown): void {
  const shape = self.shape;
  if (!Array.isArray(indices))
    throw new ArgumentError(
      `setAt(): the first argument is an array of indices, e.g. x.setAt([0, ':'], value), got ${describeIndex(indices)}.`,
    );
  if (!(given instanceof Tensor) && !isScalar(given) && !Array.isArray(given))
    throw new ArgumentError(
      `setAt(): the value must be a tensor, a number or nested arrays, got ${describeIndex(given)}.`,
    );
  const site = new Site('setAt', shape);
  const { view, tensors } = resolve(self, shape, indices, site);
  if (tensors.length === 0 && isScalar(given)) {
    explained(site, indices, () => view.fill_(given));
    return;
  }
  const value =
    given instanceof Tensor
      ? given
      : makeTensor(isScalar(given) ? plainNumber(given) : (given as NestedArray), {
          dtype: self.dtype,
          device: self.device,
        });
  explained(site, indices, () => {
    const trimmed = withoutLeadingOnes(value);
    if (tensors.length === 0) return void view.copy_(trimmed);
    putOperator ??= new Family('aten::index_put_', 'setAt', false, '');
    callAny(putOperator, [view, tensors, trimmed]);
  });
}
