/** Elements between JavaScript and tensors: nested arrays and typed arrays in, the same out. */
import { type DType, dtypeCode, dtypeCodes, type TypedArray } from './dtype.js';
import { ArgumentError, nearest } from './errors.js';
import { native } from './load.js';
import type { Complex } from './types.js';

/** Numbers nested to any depth, all rows of one length. */
export type NestedArray = number | boolean | bigint | Complex | readonly NestedArray[];

/** What `torch.tensor` takes. */
export type TensorData = NestedArray | TypedArray | ArrayBuffer | SharedArrayBuffer;

const isComplex = (value: unknown): value is Complex =>
  typeof value === 'object' && value !== null && 're' in value && 'im' in value;

/** Shape of nested arrays; every row must agree. */
export function shapeOf(data: NestedArray): number[] {
  const shape: number[] = [];
  for (let level: NestedArray | undefined = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

/** The numbers of nested arrays in row-major order, checked against the shape of the first row at every level. */
export function flatten(data: NestedArray, shape: readonly number[]): (number | boolean | bigint | Complex)[] {
  const flat: (number | boolean | bigint | Complex)[] = [];
  const visit = (part: unknown, depth: number, where: string): void => {
    if (depth < shape.length) {
      if (!Array.isArray(part))
        throw new ArgumentError(
          `tensor(): expected an array at ${where || 'the top'}, got ${describe(part)}; all rows must nest equally deep.`,
        );
      if (part.length !== shape[depth])
        throw new ArgumentError(
          `tensor(): expected ${shape[depth]} elements at ${where || 'the top'} (dimension ${depth}), got ${part.length}; all rows must have one length.`,
        );
      for (let i = 0; i < part.length; i++) visit(part[i], depth + 1, `${where}[${i}]`);
    } else if (typeof part === 'number' || typeof part === 'boolean' || typeof part === 'bigint' || isComplex(part))
      flat.push(part);
    else throw new ArgumentError(`tensor(): expected a number at ${where || 'the top'}, got ${describe(part)}.`);
  };
  visit(data, 0, '');
  return flat;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null) return 'null';
  if (value === undefined) return 'undefined (a hole?)';
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : `a ${typeof value}`;
}

/**
 * The element type of given numbers: booleans are `bool`, bigints `int64`, complex numbers `complex64`, and numbers the default
 * floating type. Unlike Python, JavaScript has one kind of number: were `[1, 2]` integers and `[1, 2.5]` floats, the type would
 * depend on the values, and a mean that happens to be 2 would change it.
 */
export function inferDtype(flat: readonly (number | boolean | bigint | Complex)[], defaultDtype: DType): DType {
  let rank = 0;
  for (const value of flat) {
    const kind = typeof value === 'boolean' ? 0 : typeof value === 'bigint' ? 1 : typeof value === 'number' ? 2 : 3;
    if (kind > rank) rank = kind;
    if (rank === 3) break;
  }
  if (rank === 3) return defaultDtype === 'float64' ? 'complex128' : 'complex64';
  if (flat.length === 0) return defaultDtype;
  return rank === 0 ? 'bool' : rank === 1 ? 'int64' : defaultDtype;
}

/** Types that are written through another one and converted by the engine afterwards. */
export function storedAs(dtype: DType): DType {
  switch (dtype) {
    case 'float16':
    case 'bfloat16':
    case 'float8_e5m2':
    case 'float8_e4m3fn':
    case 'float8_e5m2fnuz':
    case 'float8_e4m3fnuz':
    case 'float8_e8m0fnu':
      return 'float32';
    case 'complex32':
      return 'complex64';
    default:
      return dtype;
  }
}

const number = (value: number | boolean | bigint | Complex, dtype: DType): number => {
  if (typeof value === 'object')
    throw new ArgumentError(`tensor(): a complex number does not fit the element type ${dtype}.`);
  return Number(value);
};

function integer(value: number | boolean | bigint | Complex, dtype: DType): bigint {
  if (typeof value === 'bigint') return value;
  const x = number(value, dtype);
  if (!Number.isFinite(x))
    throw new ArgumentError(`tensor(): ${x} cannot be stored as ${dtype}; choose a floating-point type.`);
  return BigInt(Math.trunc(x));
}

const integerArrays = {
  uint8: [Uint8Array, 0n, 255n],
  int8: [Int8Array, -128n, 127n],
  int16: [Int16Array, -(2n ** 15n), 2n ** 15n - 1n],
  uint16: [Uint16Array, 0n, 2n ** 16n - 1n],
  int32: [Int32Array, -(2n ** 31n), 2n ** 31n - 1n],
  uint32: [Uint32Array, 0n, 2n ** 32n - 1n],
} as const;

/** Writes numbers as the bytes of an element type (one that `storedAs` gives). */
export function encode(flat: readonly (number | boolean | bigint | Complex)[], dtype: DType): Uint8Array {
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (dtype === 'float32' || dtype === 'float64') {
    const array = dtype === 'float32' ? new Float32Array(flat.length) : new Float64Array(flat.length);
    for (let i = 0; i < flat.length; i++) array[i] = number(flat[i] as number, dtype);
    return bytes(array);
  }
  if (dtype === 'complex64' || dtype === 'complex128') {
    const array = dtype === 'complex64' ? new Float32Array(2 * flat.length) : new Float64Array(2 * flat.length);
    flat.forEach((value, i) => {
      array[2 * i] = typeof value === 'object' ? value.re : Number(value);
      array[2 * i + 1] = typeof value === 'object' ? value.im : 0;
    });
    return bytes(array);
  }
  if (dtype === 'bool') return Uint8Array.from(flat, (value) => (number(value, dtype) !== 0 ? 1 : 0));
  if (dtype === 'int64' || dtype === 'uint64') {
    const [low, high] = dtype === 'int64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
    const array = dtype === 'int64' ? new BigInt64Array(flat.length) : new BigUint64Array(flat.length);
    for (let i = 0; i < flat.length; i++) array[i] = inRange(integer(flat[i] as number, dtype), low, high, dtype);
    return bytes(array);
  }
  const entry = (integerArrays as Partial<Record<DType, (typeof integerArrays)[keyof typeof integerArrays]>>)[dtype];
  if (entry === undefined) throw new ArgumentError(`tensor(): elements of type ${dtype} cannot be made from numbers.`);
  const [ArrayOfType, low, high] = entry;
  const array = new ArrayOfType(flat.length);
  for (let i = 0; i < flat.length; i++) array[i] = Number(inRange(integer(flat[i] as number, dtype), low, high, dtype));
  return bytes(array);
}

function inRange(value: bigint, low: bigint, high: bigint, dtype: DType): bigint {
  if (value < low || value > high)
    throw new ArgumentError(`tensor(): ${value} does not fit ${dtype} (${low} to ${high}).`);
  return value;
}

/** A typed array over the bytes of an element type. */
export function typedArrayOver(buffer: ArrayBuffer | SharedArrayBuffer, dtype: DType): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return new Float32Array(buffer);
    case 'float64':
    case 'complex128':
      return new Float64Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

/** The elements as JavaScript values: number, bigint (int64, uint64 that need it), boolean, complex. */
export function decode(buffer: ArrayBuffer, dtype: DType): (number | bigint | boolean | Complex)[] {
  const array = typedArrayOver(buffer, dtype);
  if (dtype === 'bool') return Array.from(array as Uint8Array, (x) => x !== 0);
  if (dtype === 'complex64' || dtype === 'complex128') {
    const pairs = array as Float32Array | Float64Array;
    return Array.from({ length: pairs.length / 2 }, (_, i) => ({
      re: pairs[2 * i] as number,
      im: pairs[2 * i + 1] as number,
    }));
  }
  if (array instanceof BigInt64Array || array instanceof BigUint64Array)
    return Array.from(array, (x) => (x >= -(2n ** 53n) && x <= 2n ** 53n ? Number(x) : x));
  return Array.from(array as Float32Array);
}

/** Splits a flat list into nested arrays of a shape. */
export function nest<T>(flat: readonly T[], shape: readonly number[]): unknown {
  if (shape.length === 0) return flat[0];
  let position = 0;
  const build = (depth: number): unknown => {
    const size = shape[depth] as number;
    if (depth === shape.length - 1) {
      position += size;
      return flat.slice(position - size, position);
    }
    return Array.from({ length: size }, () => build(depth + 1));
  };
  return build(0);
}

/** The code of an element type given by name, or a clear error that names the nearest. */
export function requireDtype(name: string, where: string): number {
  const code = dtypeCode(name);
  if (code === undefined) {
    const near = nearest(String(name), Object.keys(dtypeCodes));
    throw new ArgumentError(
      `${where}: there is no element type '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  }
  // Added after 1.13; such an engine would fail far inside instead.
  if (code > dtypeCodes.quint2x4 && native.info().torch.startsWith('1.'))
    throw new ArgumentError(`${where}: the loaded libtorch ${native.info().torch} has no element type ${name}.`);
  return code;
}
