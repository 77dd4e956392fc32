/** The numbers of the inputs: a seeded generator and the exact bytes of each element type, made here so that both sides see the same bits. */
import { complexTypes, type DType, floatingTypes } from '../../src/torch/dtype.js';
import type { Fill, TensorInput } from './case.js';

/** An input as it goes to both sides: `shape` is that of the stored memory, before it is viewed. */
export interface InputBytes {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Mulberry32: 32 bits of state, the same numbers everywhere. Source: https://github.com/bryc/code/blob/master/jshash/PRNGs.md */
export function randomNumbers(name: string): () => number {
  let state = 2166136261;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const isReal = (dtype: DType): boolean => floatingTypes.has(dtype) || complexTypes.has(dtype);
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function uniform(length: number, low: number, high: number, dtype: DType, next: () => number): number[] {
  if (dtype === 'bool') return Array.from({ length }, () => (next() < 0.5 ? 0 : 1));
  // Multiples of 1/32 are exact in the short types, so rounding is no part of the comparison; the others get all their bits.
  if (dtype === 'float16' || dtype === 'bfloat16')
    return Array.from({ length }, () => Math.ceil(32 * low) / 32 + Math.floor(next() * (high - low) * 32) / 32);
  if (isReal(dtype)) return Array.from({ length }, () => low + (high - low) * (next() + next() / 4294967296));
  const first = Math.max(Math.ceil(low), dtype.startsWith('u') ? 0 : Number.NEGATIVE_INFINITY);
  const choices = Math.max(1, Math.floor(high) - first + 1);
  return Array.from({ length }, () => first + Math.floor(next() * choices));
}

function distinct(length: number, dtype: DType, next: () => number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  if (dtype === 'bool') return order.map((i) => i % 2);
  return isReal(dtype) ? order.map((i) => (i - length / 2) * 0.25) : order;
}

/** Matrices in the last two dimensions: R Rᵀ + n I, or R + diag(2, 4, 6, …). */
function matrices(shape: readonly number[], definite: boolean, next: () => number): number[] {
  const n = shape.at(-1) ?? 1;
  const all: number[] = [];
  for (let batch = count(shape.slice(0, -2)); batch > 0; batch--) {
    const r = Array.from({ length: n * n }, () => next() - 0.5);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = definite ? 0 : r[i * n + j]!;
        if (definite) for (let k = 0; k < n; k++) sum += r[i * n + k]! * r[j * n + k]!;
        all.push(sum + (i === j ? (definite ? 1 + i : 2 * (i + 1)) : 0));
      }
  }
  return all;
}

function elements(fill: Fill, shape: readonly number[], dtype: DType, next: () => number): number[] {
  switch (fill.kind) {
    case 'uniform':
      return uniform(count(shape), fill.low, fill.high, dtype, next);
    case 'distinct':
      return distinct(count(shape), dtype, next);
    case 'values':
      return fill.values as number[];
    default:
      return matrices(shape, fill.kind === 'definite', next);
  }
}

const float32Bits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** float16 of a number that it holds exactly and that is no subnormal. */
function halfBits(value: number): number {
  const bits = float32Bits(value);
  const exponent = (bits >>> 23) & 255;
  const sign = (bits >>> 16) & 0x8000;
  if (exponent === 255) return sign | 0x7c00 | (bits & 0x7fffff ? 0x200 : 0);
  return exponent === 0 ? sign : sign | ((exponent - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

function encode(values: readonly number[], dtype: DType): ArrayBufferView {
  switch (dtype) {
    case 'float64':
    case 'complex128':
      return Float64Array.from(values);
    case 'float32':
    case 'complex64':
      return Float32Array.from(values);
    case 'float16':
      return Uint16Array.from(values, halfBits);
    case 'bfloat16':
      return Uint16Array.from(values, (value) => float32Bits(value) >>> 16);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'int32':
      return Int32Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    default:
      throw new Error(`no inputs are made of type ${dtype}`);
  }
}

/** The bytes of an input for a run with element type `own`; `name` seeds them. */
export function inputBytes(input: TensorInput, own: DType, name: string): InputBytes {
  const dtype = input.dtype === 'own' ? own : input.dtype;
  const shape = [...input.shape];
  if (input.layout === 'transposed') shape.push(...shape.splice(-2).reverse());
  if (input.layout === 'stepped') shape.push(2 * (shape.pop() ?? 1));
  const next = randomNumbers(name);
  let values = elements(input.fill, shape, dtype, next);
  if (complexTypes.has(dtype)) {
    const real = values;
    const imaginary = input.fill.kind === 'uniform' ? elements(input.fill, shape, dtype, next) : real.map(() => 0);
    values = real.flatMap((value, i) => [value, imaginary[i]!]);
  }
  const view = encode(values, dtype);
  return { dtype, shape, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) };
}
