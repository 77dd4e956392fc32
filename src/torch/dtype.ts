/** Names of element types, layouts, memory formats and devices, and their codes in the engine. */

/** c10::ScalarType codes by PyTorch's name. The order is the engine's and never changes. */
export const dtypeCodes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  complex32: 8,
  complex64: 9,
  complex128: 10,
  bool: 11,
  qint8: 12,
  quint8: 13,
  qint32: 14,
  bfloat16: 15,
  quint4x2: 16,
  quint2x4: 17,
  bits1x8: 18,
  bits2x4: 19,
  bits4x2: 20,
  bits8: 21,
  bits16: 22,
  float8_e5m2: 23,
  float8_e4m3fn: 24,
  float8_e5m2fnuz: 25,
  float8_e4m3fnuz: 26,
  uint16: 27,
  uint32: 28,
  uint64: 29,
  uint1: 30,
  uint2: 31,
  uint3: 32,
  uint4: 33,
  uint5: 34,
  uint6: 35,
  uint7: 36,
  int1: 37,
  int2: 38,
  int3: 39,
  int4: 40,
  int5: 41,
  int6: 42,
  int7: 43,
  float8_e8m0fnu: 44,
  float4_e2m1fn_x2: 45,
} as const;

/** An element type, by PyTorch's name without `torch.`. */
export type DType = keyof typeof dtypeCodes;

const dtypeNames: readonly string[] = Object.keys(dtypeCodes);

/** Other names PyTorch knows: `torch.float` is `torch.float32`. */
const dtypeAliases: Readonly<Record<string, DType>> = {
  byte: 'uint8',
  char: 'int8',
  short: 'int16',
  int: 'int32',
  long: 'int64',
  half: 'float16',
  float: 'float32',
  double: 'float64',
  cfloat: 'complex64',
  cdouble: 'complex128',
  chalf: 'complex32',
};

/** The name of a code; codes newer than this file are named by number. */
export function dtypeName(code: number): DType {
  return (dtypeNames[code] ?? `dtype${code}`) as DType;
}

/** The code of a name, or undefined for a string that is no element type. */
export function dtypeCode(name: string): number | undefined {
  return (dtypeCodes as Readonly<Record<string, number>>)[name] ?? dtypeCodes[dtypeAliases[name] ?? ('' as DType)];
}

/** Layouts as the engine numbers them (c10::Layout). */
export const layoutCodes = {
  strided: 0,
  sparse: 1,
  sparseCsr: 2,
  mkldnn: 3,
  sparseCsc: 4,
  sparseBsr: 5,
  sparseBsc: 6,
  jagged: 7,
} as const;
export type Layout = keyof typeof layoutCodes;

/** Memory formats as the engine numbers them (c10::MemoryFormat). */
export const memoryFormatCodes = { contiguous: 0, preserve: 1, channelsLast: 2, channelsLast3d: 3 } as const;
export type MemoryFormat = keyof typeof memoryFormatCodes;

export type DeviceType = 'cpu' | 'cuda' | 'mps' | 'meta' | 'xpu';
/** `cpu`, `cuda` (the current one), `cuda:1`, `mps`, `meta`. */
export type DeviceString = DeviceType | `${DeviceType}:${number}`;

/** Typed arrays that hold an element type bit for bit. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;

/** Element type of a typed array, as NumPy and PyTorch would take it. */
export function dtypeOfTypedArray(array: TypedArray): DType {
  switch (array[Symbol.toStringTag]) {
    case 'Float32Array':
      return 'float32';
    case 'Float64Array':
      return 'float64';
    case 'Int8Array':
      return 'int8';
    case 'Int16Array':
      return 'int16';
    case 'Int32Array':
      return 'int32';
    case 'BigInt64Array':
      return 'int64';
    case 'BigUint64Array':
      return 'uint64';
    case 'Uint16Array':
      return 'uint16';
    case 'Uint32Array':
      return 'uint32';
    default:
      return 'uint8';
  }
}

export const floatingTypes: ReadonlySet<string> = new Set<DType>([
  'float16',
  'float32',
  'float64',
  'bfloat16',
  'float8_e5m2',
  'float8_e4m3fn',
  'float8_e5m2fnuz',
  'float8_e4m3fnuz',
  'float8_e8m0fnu',
]);
export const complexTypes: ReadonlySet<string> = new Set<DType>(['complex32', 'complex64', 'complex128']);

/** Bytes per element of a type. */
export function bytesPerElement(dtype: DType): number {
  const match = /^(?:complex|float|bfloat|u?int|qint|quint|bits)(\d+)/.exec(dtype);
  if (dtype === 'bool' || match === null) return 1;
  return Math.max(1, Number(match[1]) / 8);
}
