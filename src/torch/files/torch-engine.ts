import { dtypeCodes, dtypeName } from '../dtype.js';
import { MissingOperatorError, TorchError } from '../errors.js';
import { failure } from '../failure.js';
import { native } from '../load.js';
import type { Handle, NativeValue } from '../native.js';
import { Tensor } from '../tensor.js';
import { missingOperatorMessage } from '../versions.js';
import type { ElementName, ElementType } from './element-types.js';
import type { FileEngine, SparseParts, TensorFacts } from './engine.js';

const FLAG = { requiresGrad: 1, contiguous: 4, conjugate: 512, negative: 1024 } as const;

/** Elements below which a copy costs less than sharing memory with JavaScript. */
const SMALL = 2 ** 20;

/** First engine version that has a dtype; those not named are in all. */
const SINCE: Readonly<Partial<Record<ElementName, readonly [major: number, minor: number]>>> = {
  float8_e5m2: [2, 1],
  float8_e4m3fn: [2, 1],
  float8_e5m2fnuz: [2, 2],
  float8_e4m3fnuz: [2, 2],
  uint16: [2, 3],
  uint32: [2, 3],
  uint64: [2, 3],
  float8_e8m0fnu: [2, 7],
  float4_e2m1fn_x2: [2, 8],
};

/** Layouts as the bridge names them, by the names PyTorch writes into files. */
const LAYOUTS: Readonly<Record<string, SparseParts<Tensor>['layout']>> = {
  sparse: 'sparse_coo',
  sparsecsr: 'sparse_csr',
  sparsecsc: 'sparse_csc',
  sparsebsr: 'sparse_bsr',
  sparsebsc: 'sparse_bsc',
};
/** c10::Layout codes of the compressed layouts. */
const LAYOUT_CODES = { sparse_csr: 2, sparse_csc: 4, sparse_bsr: 5, sparse_bsc: 6 } as const;

const operators = new Map<string, number>();

type Argument = Tensor | NativeValue;

/** Calls an operator, given as `name` or `name.overload`, that gives one new tensor. */
function call(name: string, ...args: Argument[]): Tensor {
  return new Tensor(run(name, ...args) as Handle);
}

/** Calls an operator by its exact overload: no arguments are converted and no overloads compared. */
function run(name: string, ...args: Argument[]): NativeValue {
  let id = operators.get(name);
  if (id === undefined) {
    const [base = name, overload = ''] = name.split('.');
    id = native.resolve(`aten::${base}`, overload);
    operators.set(name, id);
  }
  if (id < 0) {
    const [base, overload] = name.split('.');
    throw new MissingOperatorError(missingOperatorMessage(`aten::${base}`, overload, native.info().torch));
  }
  try {
    return native.call(id, null, ...args.map((arg) => (arg instanceof Tensor ? arg.handle : arg)));
  } catch (error) {
    // Naming the arguments here also keeps them from the collector during the call: their handles alone would not.
    throw failure(error, name, args);
  }
}

/** Memory of a dense tensor as bytes; a copy where that is cheaper or sharing is not allowed. */
function bytesOf(tensor: Tensor): Uint8Array {
  const large = native.numel(tensor.handle) >= SMALL;
  if (large && native.device(tensor.handle) === 'cpu' && (native.flags(tensor.handle) & FLAG.contiguous) !== 0) {
    try {
      return new Uint8Array(native.map(tensor.handle));
    } catch {
      // A runtime that forbids shared memory, or lazy bits: the copy below serves both.
    }
  }
  return new Uint8Array(native.read(tensor.handle));
}

/** The same memory without autograd and lazy bits. */
function physical(tensor: Tensor): Tensor {
  const flags = native.flags(tensor.handle);
  let plain = call('detach', tensor);
  if ((flags & FLAG.conjugate) !== 0) plain = call('_conj', plain);
  if ((flags & FLAG.negative) !== 0) plain = call('_neg_view', plain);
  return plain;
}

/** The file formats' view of libtorch. */
export const torchEngine: FileEngine<Tensor> = {
  isTensor: (value): value is Tensor => value instanceof Tensor,

  facts(tensor): TensorFacts {
    const flags = native.flags(tensor.handle);
    const layout = native.layout(tensor.handle);
    const dense = layout === 'strided';
    return {
      dtype: dtypeName(native.dtype(tensor.handle)),
      shape: native.shape(tensor.handle),
      strides: dense ? native.strides(tensor.handle) : [],
      offset: dense ? native.storageOffset(tensor.handle) : 0,
      storage: dense ? native.storage(tensor.handle) : { id: 0n, bytes: 0 },
      requiresGrad: (flags & FLAG.requiresGrad) !== 0,
      device: native.device(tensor.handle),
      layout: LAYOUTS[layout] ?? layout,
      conjugate: (flags & FLAG.conjugate) !== 0,
      negative: (flags & FLAG.negative) !== 0,
    };
  },

  checkType({ name }: ElementType): void {
    const since = SINCE[name];
    if (since === undefined) return;
    const [major = 0, minor = 0] = native.info().torch.split('.').map(Number);
    if (major > since[0] || (major === since[0] && minor >= since[1])) return;
    throw new TorchError(
      `The file holds ${name} tensors, which need PyTorch ${since.join('.')} or newer; the loaded engine is ${native.info().torch}.`,
      'NotImplementedError',
    );
  },

  allocate(bytes) {
    const storage = call('empty.memory_format', [bytes], dtypeCodes.uint8);
    return { storage, memory: new Uint8Array(native.map(storage.handle)) };
  },

  fromMemory: (bytes) => new Tensor(native.fromBytes(bytes, 0, [bytes.byteLength], dtypeCodes.uint8, false)),

  map: (path, bytes) => call('from_file', path, false, bytes, dtypeCodes.uint8),

  slice: (storage, start, bytes) => call('narrow', storage, 0, start, bytes),

  view(storage, type, shape, strides, offset) {
    const code = dtypeCodes[type.name];
    let typed = storage;
    if (type.name !== 'uint8') {
      const bytes = native.numel(storage.handle);
      const usable = bytes % type.bytes === 0 ? storage : call('narrow', storage, 0, 0, bytes - (bytes % type.bytes));
      typed = call('view.dtype', usable, code);
    }
    // As Python's set_: a tensor of its own. A view would share the version counter with every other tensor of the file, and
    // autograd would take an update of one for an update of all.
    const tensor = call('empty.memory_format', [0], code, null, native.device(storage.handle));
    run('set_.source_Tensor', tensor, typed);
    run('as_strided_', tensor, shape, strides, native.storageOffset(typed.handle) + offset);
    return tensor;
  },

  toDevice: (storage, device) => call('to.device', storage, device, dtypeCodes.uint8),

  finish(tensor, { requiresGrad, conjugate, negative }) {
    let finished = tensor;
    if (conjugate) finished = call('_conj', finished);
    if (negative) finished = call('_neg_view', finished);
    if (requiresGrad) run('requires_grad_', finished, true);
    return finished;
  },

  makeSparse({ layout, indices, values, shape, coalesced }) {
    const [first, second] = indices;
    const code = native.dtype(values.handle);
    if (layout === 'sparse_coo') {
      // Newer engines no longer check by themselves, and follow indices out of the memory.
      run('_validate_sparse_coo_tensor_args', first!, values, shape);
      const made = call('sparse_coo_tensor.indices_size', first!, values, shape, code);
      // Not the file's word for it: wrong flags give wrong results later.
      return coalesced === true ? call('coalesce', made) : made;
    }
    const args = [first!, second!, values, shape] as const;
    run('_validate_sparse_compressed_tensor_args', ...args, LAYOUT_CODES[layout]);
    return call('sparse_compressed_tensor.comp_plain_value_size', ...args, code, LAYOUT_CODES[layout]);
  },

  sparseParts(tensor): SparseParts<Tensor> {
    const layout = LAYOUTS[native.layout(tensor.handle)]!;
    const detached = call('detach', tensor);
    const shape = native.shape(tensor.handle);
    const part = (name: string) => call(name, detached);
    if (layout === 'sparse_coo')
      return { layout, indices: [part('_indices')], values: part('_values'), shape, coalesced: null };
    const byRow = layout === 'sparse_csr' || layout === 'sparse_bsr';
    const indices = byRow ? [part('crow_indices'), part('col_indices')] : [part('ccol_indices'), part('row_indices')];
    return { layout, indices, values: part('values'), shape, coalesced: null };
  },

  storageBytes(tensor, start, bytes) {
    const size = tensor.elementSize();
    const all = call('as_strided', physical(tensor), [(start + bytes) / size], [1], 0);
    return bytesOf(call('narrow', all, 0, start / size, bytes / size));
  },

  elementBytes: (tensor) => bytesOf(tensor),
};
