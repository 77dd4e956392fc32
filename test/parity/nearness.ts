/** Whether two runs of elements are the same, to the bit or as near as another machine's arithmetic allows. */
import type { DType } from '../../src/torch/dtype.js';

/** Relative to the largest element of the tensor: rounding of sums and of elementary functions differs between processors. */
const tolerances: Readonly<Partial<Record<DType, number>>> = {
  float64: 1e-9,
  complex128: 1e-9,
  float32: 2e-5,
  complex64: 2e-5,
  float16: 2e-3,
  bfloat16: 1.6e-2,
};

function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * 2 ** -24 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** The elements as numbers; pairs for complex types. */
export function decodeNumbers(bytes: Uint8Array, dtype: string): number[] {
  const { buffer } = new Uint8Array(bytes);
  switch (dtype) {
    case 'float64':
    case 'complex128':
      return [...new Float64Array(buffer)];
    case 'float32':
    case 'complex64':
      return [...new Float32Array(buffer)];
    case 'float16':
      return Array.from(new Uint16Array(buffer), widen);
    case 'bfloat16':
      return Array.from(new Uint16Array(buffer), (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!);
    case 'int64':
      return Array.from(new BigInt64Array(buffer), Number);
    case 'int32':
      return [...new Int32Array(buffer)];
    case 'int16':
      return [...new Int16Array(buffer)];
    case 'int8':
      return [...new Int8Array(buffer)];
    default:
      return [...bytes];
  }
}

const show = (a: readonly number[], b: readonly number[], i: number): string =>
  `element ${i} is ${a[i]}, Python has ${b[i]}`;

/** Null when all bits are equal (any NaN equals any other), else the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array, dtype: DType): string | null {
  if (a.length !== b.length) return `${a.length} bytes instead of ${b.length}`;
  if (Buffer.compare(a, b) === 0) return null;
  const [left, right] = [decodeNumbers(a, dtype), decodeNumbers(b, dtype)];
  const i = left.findIndex((value, k) => !Object.is(value, right[k]));
  if (i >= 0) return show(left, right, i);
  // Beyond 2^53 two integers may look alike as numbers.
  return dtype === 'int64' ? 'integers beyond 2^53 differ' : null;
}

/** Null when every element is near, else the first that is not. Integers and booleans must be equal. */
export function nearBytes(a: Uint8Array, b: Uint8Array, dtype: DType): string | null {
  const tolerance = tolerances[dtype];
  if (tolerance === undefined) return equalBytes(a, b, dtype);
  if (a.length !== b.length) return `${a.length} bytes instead of ${b.length}`;
  const [left, right] = [decodeNumbers(a, dtype), decodeNumbers(b, dtype)];
  const scale = right.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const i = left.findIndex((value, k) => {
    const wanted = right[k]!;
    if (Number.isFinite(wanted)) return !(Math.abs(value - wanted) <= tolerance * (scale + Math.abs(wanted) * 4));
    return !Object.is(value, wanted);
  });
  return i < 0 ? null : show(left, right, i);
}
