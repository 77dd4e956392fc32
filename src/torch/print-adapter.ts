/**
 * Prints tensors of the engine: answers `PrintableTensor` from a handle. Of a summarised tensor only the corners are
 * copied; values are converted on the CPU, so that devices without float64 need nothing but a copy.
 */

import { dtypeCodes, dtypeName } from './dtype.js';
import { MissingOperatorError } from './errors.js';
import type { Handle, NativeBridge, NativeValue } from './native.js';
import {
  formatTensor,
  type PrintableTensor,
  type PrintableValue,
  type PrintContext,
  type SparseParts,
} from './print.js';

/** How JavaScript reads the bytes of a type. Types that are missing here are converted to one that is not. */
const readers: Readonly<Record<string, (bytes: ArrayBuffer) => ArrayLike<PrintableValue>>> = {
  bool: (bytes) => new Uint8Array(bytes),
  uint8: (bytes) => new Uint8Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  int16: (bytes) => new Int16Array(bytes),
  uint16: (bytes) => new Uint16Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  uint32: (bytes) => new Uint32Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  uint64: (bytes) => new BigUint64Array(bytes),
  float32: (bytes) => new Float32Array(bytes),
  float64: (bytes) => new Float64Array(bytes),
  complex64: (bytes) => new Float32Array(bytes),
  complex128: (bytes) => new Float64Array(bytes),
};

/** Names of layouts as the engine writes them in C++ and as Python does. */
const layoutNames: Readonly<Record<string, string>> = {
  sparse: 'sparse_coo',
  sparsecsr: 'sparse_csr',
  sparsecsc: 'sparse_csc',
  sparsebsr: 'sparse_bsr',
  sparsebsc: 'sparse_bsc',
  mkldnn: '_mkldnn',
};

/** The tensors a sparse layout consists of: the name each prints with, and the operator that gives it. */
const sparseParts: Readonly<Record<string, readonly (readonly [name: string, operator: string])[]>> = {
  sparse_coo: [
    ['indices', '_indices'],
    ['values', '_values'],
  ],
  ...compressed('sparse_csr', 'crow_indices', 'col_indices'),
  ...compressed('sparse_bsr', 'crow_indices', 'col_indices'),
  ...compressed('sparse_csc', 'ccol_indices', 'row_indices'),
  ...compressed('sparse_bsc', 'ccol_indices', 'row_indices'),
};

function compressed(layout: string, outer: string, inner: string): Record<string, [string, string][]> {
  return { [layout]: [outer, inner, 'values'].map((name) => [name, name]) };
}

const REQUIRES_GRAD = 1;

/**
 * A tensor as text, as Python's `print` shows it; `tensor(<disposed>)` when it has been disposed, since looking at a
 * tensor in a debugger must not throw.
 */
export function formatHandle(bridge: NativeBridge, handle: Handle, context: PrintContext = {}): string {
  if (bridge.isDisposed(handle)) return 'tensor(<disposed>)';
  const hadGrad = bridge.isGradEnabled();
  const engine = new Engine(bridge);
  // Printing records nothing for gradients.
  bridge.setGradEnabled(false);
  try {
    return formatTensor(printableFrom(engine, handle), context);
  } finally {
    bridge.setGradEnabled(hadGrad);
    engine.disposeAll();
  }
}

/** Operator calls whose results are disposed together when the printing is done. */
class Engine {
  readonly #made: Handle[] = [];

  constructor(readonly bridge: NativeBridge) {}

  /** Calls `aten::<name>`, given with its overload where it has one: `narrow`, `to.dtype`. */
  call(name: string, ...values: NativeValue[]): NativeValue {
    const [operator, overload = ''] = name.split('.') as [string, string?];
    const id = this.bridge.resolve(`aten::${operator}`, overload);
    if (id < 0) throw new MissingOperatorError(`this engine cannot print the tensor: it has no operator aten::${name}`);
    return this.bridge.call(id, null, ...values);
  }

  tensor(name: string, ...values: NativeValue[]): Handle {
    const result = this.call(name, ...values) as Handle;
    this.#made.push(result);
    return result;
  }

  tensors(name: string, ...values: NativeValue[]): readonly Handle[] {
    const results = this.call(name, ...values) as readonly Handle[];
    this.#made.push(...results);
    return results;
  }

  disposeAll(): void {
    for (const handle of this.#made.splice(0)) this.bridge.dispose(handle);
  }
}

function printableFrom(engine: Engine, handle: Handle): PrintableTensor {
  const { bridge } = engine;
  const dtype = dtypeName(bridge.dtype(handle));
  const engineLayout = bridge.layout(handle);
  const layout = layoutNames[engineLayout.replace('_', '')] ?? engineLayout;
  const shape = shapeOf(bridge, handle);
  const parts = sparseParts[layout];
  return {
    shape: shape ?? [],
    dtype,
    layout,
    device: bridge.device(handle),
    requiresGrad: (bridge.flags(handle) & REQUIRES_GRAD) !== 0,
    gradFnName: gradFnName(bridge, handle),
    values: (edgeItems) => elements(engine, denseForm(engine, handle, dtype, layout), edgeItems),
    ...(shape === null && { nested: engine.tensors('unbind.int', handle).map((item) => printableFrom(engine, item)) }),
    ...(parts && { sparse: sparseFrom(engine, handle, parts) }),
    ...(/^q(u?)int/.test(dtype) && { quantization: quantizationFrom(engine, handle) }),
  };
}

/** The shape, or null for a nested tensor, which has none. */
function shapeOf(bridge: NativeBridge, handle: Handle): readonly number[] | null {
  try {
    return bridge.shape(handle);
  } catch (error) {
    if (error instanceof Error && /nested/i.test(error.message)) return null;
    throw error;
  }
}

/**
 * The operation's name without namespaces; `Invalid`, as Python prints it, when the engine refuses to tell (a view made
 * without gradients that was changed in place).
 */
function gradFnName(bridge: NativeBridge, handle: Handle): string | null {
  try {
    return bridge.gradFnName(handle)?.split('::').at(-1) ?? null;
  } catch {
    return 'Invalid';
  }
}

function sparseFrom(
  engine: Engine,
  handle: Handle,
  parts: readonly (readonly [name: string, operator: string])[],
): SparseParts {
  return {
    nnz: engine.bridge.device(handle) === 'meta' ? 0 : Number(engine.call('_nnz', handle)),
    parts: parts.map(([name, operator]) => ({ name, tensor: printableFrom(engine, engine.tensor(operator, handle)) })),
  };
}

function quantizationFrom(engine: Engine, handle: Handle): PrintableTensor['quantization'] {
  let scale: number;
  try {
    // The scheme itself has no JavaScript form; only one quantised as a whole has a single scale.
    scale = engine.call('q_scale', handle) as number;
  } catch {
    const zeroPoint = printableFrom(engine, engine.tensor('q_per_channel_zero_points', handle));
    return {
      scheme: zeroPoint.dtype.startsWith('float') ? 'per_channel_affine_float_qparams' : 'per_channel_affine',
      scale: printableFrom(engine, engine.tensor('q_per_channel_scales', handle)),
      zeroPoint,
      axis: engine.call('q_per_channel_axis', handle) as number,
    };
  }
  return { scheme: 'per_tensor_affine', scale, zeroPoint: engine.call('q_zero_point', handle) as number };
}

function denseForm(engine: Engine, handle: Handle, dtype: string, layout: string): Handle {
  if (/^q(u?)int/.test(dtype)) return engine.tensor('dequantize.self', handle);
  return layout === 'strided' ? handle : engine.tensor('to_dense', handle);
}

/** The elements, or the corners of a summarised tensor, row-major. */
function elements(engine: Engine, handle: Handle, edgeItems: number | null): ArrayLike<PrintableValue> {
  const shape = engine.bridge.shape(handle);
  const isCut = (size: number): boolean => edgeItems !== null && size > 2 * edgeItems;
  if (edgeItems === null || !shape.some(isCut)) return read(engine, handle);

  const kept = shape.map((size) => (isCut(size) ? edgeItems : size));
  const corners = (block: Handle, from: number): ArrayLike<PrintableValue> => {
    const cut = shape.findIndex((size, dimension) => dimension >= from && isCut(size));
    if (cut < 0) return read(engine, block);
    const side = (start: number): ArrayLike<PrintableValue> =>
      corners(engine.tensor('narrow', block, cut, start, edgeItems), cut + 1);
    // Dimensions before the cut hold one side only so far: `rows` pieces of either side follow each other.
    return interleave(
      side(0),
      side(shape[cut]! - edgeItems),
      kept.slice(0, cut).reduce((rows, size) => rows * size, 1),
    );
  };
  return corners(handle, 0);
}

/** Concatenation along an inner dimension: `rows` equal pieces of each, taken in turn. */
function interleave(
  first: ArrayLike<PrintableValue>,
  second: ArrayLike<PrintableValue>,
  rows: number,
): PrintableValue[] {
  const piece = first.length / rows;
  const result: PrintableValue[] = [];
  for (let row = 0; row < rows; row++) {
    for (const side of [first, second]) for (let i = 0; i < piece; i++) result.push(side[row * piece + i]!);
  }
  return result;
}

/** A small tensor's elements as JavaScript numbers. */
function read(engine: Engine, handle: Handle): ArrayLike<PrintableValue> {
  const { bridge } = engine;
  const onCpu = bridge.device(handle) === 'cpu' ? handle : engine.tensor('to.dtype_layout', handle, null, null, 'cpu');
  const stored = dtypeName(bridge.dtype(handle));
  const readable = readers[stored];
  if (readable) return readable(bridge.read(onCpu));
  // Packed pairs of 4-bit numbers print as the bytes that hold them.
  if (stored === 'float4_e2m1fn_x2') {
    return readers.uint8!(bridge.read(engine.tensor('view.dtype', onCpu, dtypeCodes.uint8)));
  }
  const target = stored === 'complex32' ? 'complex64' : 'float32';
  return readers[target]!(bridge.read(engine.tensor('to.dtype', onCpu, dtypeCodes[target])));
}
