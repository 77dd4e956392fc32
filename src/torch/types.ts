/** Types that the generated surface is written in. */
import type { ComplexNumber } from './native.js';

/** A complex number, `{ re, im }`. */
export type Complex = ComplexNumber;

/**
 * One number of any kind. As in PyTorch, an integer keeps an integer tensor an integer tensor; JavaScript cannot tell 2 from 2.0,
 * so where that matters `{ float: 2 }` is 2.0.
 */
export type Scalar = number | bigint | boolean | Complex | { readonly float: number };

/**
 * Several results under their names: `const { values, indices } = x.max(1)` and `const [values, indices] = x.max(1)` are the same.
 * `Tuple` lists the results in order, `Fields` gives them by name.
 */
export type NamedTuple<Tuple extends readonly unknown[], Fields> = Readonly<Tuple> & Readonly<Fields>;
