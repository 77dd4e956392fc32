/** How PyTorch's dtypes are called and stored in the files of both formats. */

/** A dtype by PyTorch's name, `torch.` left off: the strings that `Tensor.dtype` uses. */
export type ElementName =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex32'
  | 'complex64'
  | 'complex128'
  | 'bool'
  | 'bfloat16'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8_e5m2'
  | 'float8_e4m3fn'
  | 'float8_e5m2fnuz'
  | 'float8_e4m3fnuz'
  | 'float8_e8m0fnu'
  | 'float4_e2m1fn_x2';

export interface ElementType {
  readonly name: ElementName;
  /** Bytes of one element. */
  readonly bytes: number;
  /** Bytes that change places together when the byte order changes (half an element for complex numbers). */
  readonly swap: 1 | 2 | 4 | 8;
  /** Class of PyTorch's typed storage; null for dtypes that PyTorch saves as `UntypedStorage` with the dtype beside it. */
  readonly storage: string | null;
  /** Name in a `.safetensors` header; null where the format has none. */
  readonly safetensors: string | null;
}

function element(
  name: ElementName,
  bytes: number,
  swap: 1 | 2 | 4 | 8,
  storage: string | null,
  safetensors: string | null,
): ElementType {
  return { name, bytes, swap, storage, safetensors };
}

export const ELEMENT_TYPES: readonly ElementType[] = [
  element('uint8', 1, 1, 'ByteStorage', 'U8'),
  element('int8', 1, 1, 'CharStorage', 'I8'),
  element('int16', 2, 2, 'ShortStorage', 'I16'),
  element('int32', 4, 4, 'IntStorage', 'I32'),
  element('int64', 8, 8, 'LongStorage', 'I64'),
  element('float16', 2, 2, 'HalfStorage', 'F16'),
  element('float32', 4, 4, 'FloatStorage', 'F32'),
  element('float64', 8, 8, 'DoubleStorage', 'F64'),
  element('complex32', 4, 2, null, null),
  element('complex64', 8, 4, 'ComplexFloatStorage', 'C64'),
  element('complex128', 16, 8, 'ComplexDoubleStorage', null),
  element('bool', 1, 1, 'BoolStorage', 'BOOL'),
  element('bfloat16', 2, 2, 'BFloat16Storage', 'BF16'),
  element('uint16', 2, 2, null, 'U16'),
  element('uint32', 4, 4, null, 'U32'),
  element('uint64', 8, 8, null, 'U64'),
  element('float8_e5m2', 1, 1, null, 'F8_E5M2'),
  element('float8_e4m3fn', 1, 1, null, 'F8_E4M3'),
  element('float8_e5m2fnuz', 1, 1, null, 'F8_E5M2FNUZ'),
  element('float8_e4m3fnuz', 1, 1, null, 'F8_E4M3FNUZ'),
  element('float8_e8m0fnu', 1, 1, null, 'F8_E8M0'),
  element('float4_e2m1fn_x2', 1, 1, null, 'F4'),
];

const byName = new Map<string, ElementType>(ELEMENT_TYPES.map((type) => [type.name, type]));
const byStorage = new Map<string, ElementType>(
  ELEMENT_TYPES.flatMap((type) => (type.storage === null ? [] : [[type.storage, type] as const])),
);
const bySafetensors = new Map<string, ElementType>(
  ELEMENT_TYPES.flatMap((type) => (type.safetensors === null ? [] : [[type.safetensors, type] as const])),
);

/** Other names Python accepts for the same dtypes; files hold the canonical ones, old files sometimes these. */
const ALIASES: Readonly<Record<string, ElementName>> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  short: 'int16',
  int: 'int32',
  long: 'int64',
  chalf: 'complex32',
  cfloat: 'complex64',
  cdouble: 'complex128',
};

/** The dtype called `name`, e.g. `float32`; undefined when there is none. */
export function elementByName(name: string): ElementType | undefined {
  return byName.get(name) ?? (Object.hasOwn(ALIASES, name) ? byName.get(ALIASES[name]!) : undefined);
}

/** The dtype of a typed storage class, e.g. of `FloatStorage`. */
export function elementByStorage(name: string): ElementType | undefined {
  return byStorage.get(name);
}

/** The dtype of a `.safetensors` name, e.g. of `F32`. */
export function elementBySafetensors(name: string): ElementType | undefined {
  return bySafetensors.get(name);
}
