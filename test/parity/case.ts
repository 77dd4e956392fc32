/** What an operator case is made of, and the words the tables in `cases/` are written in. */
import type { DType } from '../../src/torch/dtype.js';

/** How the elements of an input are chosen; always from a generator seeded by the case's name. */
export type Fill =
  /** Evenly from [low, high); integers within for integer types, either for bool. */
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  /** No two alike and none close, in a random order: for whatever must not meet a tie. */
  | { readonly kind: 'distinct' }
  /** Symmetric and positive definite in the last two dimensions. */
  | { readonly kind: 'definite' }
  /** Square, far from singular, with eigenvalues and singular values far apart. */
  | { readonly kind: 'regular' }
  | { readonly kind: 'values'; readonly values: readonly number[] };

/** A tensor that a case is given. */
export interface TensorInput {
  readonly input: 'tensor';
  readonly shape: readonly number[];
  readonly fill: Fill;
  /** `own`: the element type that the case is run with. */
  readonly dtype: DType | 'own';
  /** `transposed` and `stepped` are views that are not contiguous. */
  readonly layout: 'contiguous' | 'transposed' | 'stepped';
  /** Whether gradients are asked for, where the type has them. */
  readonly gradient: boolean;
}

/** An argument: numbers and booleans as they are, strings as strings, `{ float: 2 }` and `{ re, im }` as in the library. */
export type Argument =
  | TensorInput
  | number
  | boolean
  | string
  | null
  | { readonly float: number | 'nan' | 'inf' | '-inf' }
  | { readonly re: number; readonly im: number }
  | { readonly dtype: DType | 'own' }
  | { readonly memoryFormat: string }
  /** A generator of its own, started from this seed. */
  | { readonly generator: number }
  | readonly Argument[];

export interface CaseSettings {
  /** Element types to run with, the main one first: with it the call must work. Default float32, float64. */
  readonly dtypes?: readonly DType[];
  /** False for operators without a gradient. */
  readonly gradient?: boolean;
  /** Seed set before the call, for operators that draw random numbers; digits for what a number cannot hold. */
  readonly seed?: number | string;
  /** Not on engines before 2.0: why. */
  readonly sinceTwo?: string;
  /** `ops`: call `torch.ops.aten` on Python's side, where its own function wants other arguments. */
  readonly python?: 'ops';
  /** `ops`: only `torch.ops.aten` here, where the public form wants other arguments. */
  readonly form?: 'ops';
  /** Why the engine does not give the same bits every time: then near is good enough. */
  readonly noise?: string;
  /** Not where finite differences are no check: the reason. */
  readonly noDifferences?: string;
  /** Not in the stored comparison: why the numbers may differ between machines. */
  readonly notStored?: string;
}

/** One operator with arguments for it. */
export interface OperatorCase {
  /** Name without `aten::` and overload, e.g. `add`. */
  readonly operator: string;
  readonly args: readonly Argument[];
  /** Named arguments, in camelCase. */
  readonly options: Readonly<Record<string, Argument>>;
  readonly settings: CaseSettings;
}

export const floats: readonly DType[] = ['float32', 'float64', 'bfloat16', 'float16'];
export const wide: readonly DType[] = ['float32', 'float64'];
export const integers: readonly DType[] = ['int64', 'int32', 'int16', 'int8', 'uint8'];
export const complexes: readonly DType[] = ['complex64', 'complex128'];
export const numbers: readonly DType[] = [...floats, ...integers];
export const everything: readonly DType[] = [...floats, ...integers, 'bool', ...complexes];

export function op(
  operator: string,
  args: readonly Argument[],
  options: Readonly<Record<string, Argument>> = {},
  settings: CaseSettings = {},
): OperatorCase {
  return { operator, args, options, settings };
}

const make = (shape: readonly number[], fill: Fill, dtype: DType | 'own' = 'own'): TensorInput => ({
  input: 'tensor',
  shape,
  fill,
  dtype,
  layout: 'contiguous',
  gradient: dtype === 'own',
});

/** Between −2 and 2. */
export const x = (...shape: number[]): TensorInput => make(shape, { kind: 'uniform', low: -2, high: 2 });
/** Between two bounds. */
export const between = (low: number, high: number, ...shape: number[]): TensorInput =>
  make(shape, { kind: 'uniform', low, high });
/** Between 0.25 and 3. */
export const positive = (...shape: number[]): TensorInput => between(0.25, 3, ...shape);
/** Between −0.9 and 0.9. */
export const inner = (...shape: number[]): TensorInput => between(-0.9, 0.9, ...shape);
/** Between 0.05 and 0.95. */
export const chance = (...shape: number[]): TensorInput => between(0.05, 0.95, ...shape);
/** No two elements alike. */
export const distinct = (...shape: number[]): TensorInput => make(shape, { kind: 'distinct' });
export const definite = (...shape: number[]): TensorInput => make(shape, { kind: 'definite' });
export const regular = (...shape: number[]): TensorInput => make(shape, { kind: 'regular' });
/** int64 from 0 up to but not including `high`. */
export const index = (high: number, ...shape: number[]): TensorInput =>
  make(shape, { kind: 'uniform', low: 0, high: high - 1 }, 'int64');
export const mask = (...shape: number[]): TensorInput => make(shape, { kind: 'uniform', low: 0, high: 1 }, 'bool');
/** Given values; of the case's own type unless another is named. */
export const given = (shape: readonly number[], values: readonly number[], dtype: DType | 'own' = 'own'): TensorInput =>
  make(shape, { kind: 'values', values }, dtype);
/** The same input in another element type. */
export const as = (dtype: DType, input: TensorInput): TensorInput => ({ ...input, dtype, gradient: false });
/** The same input, no gradient asked for. */
export const fixed = (input: TensorInput): TensorInput => ({ ...input, gradient: false });
/** A view with the last two dimensions exchanged. */
export const transposed = (input: TensorInput): TensorInput => ({ ...input, layout: 'transposed' });
/** A view of every second element along the last dimension. */
export const stepped = (input: TensorInput): TensorInput => ({ ...input, layout: 'stepped' });
export const float = (value: number | 'nan' | 'inf' | '-inf'): Argument => ({ float: value });

export const isTensorInput = (value: Argument): value is TensorInput =>
  typeof value === 'object' && value !== null && 'input' in value;
