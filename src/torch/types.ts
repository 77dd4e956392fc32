/** Types that the generated surface is written in. */
import type { ComplexNumber } from './native.js';

/** A complex number, `{ re, im }`. */
export type Complex = ComplexNumber;

/** One number of any kind. As in PyTorch, an integer-valued one keeps an integer tensor an integer tensor. */
export type Scalar = number | bigint | boolean | Complex;

/**
 * Several results under their names: `const { values, indices } = x.max(1)` and `const [values, indices] = x.max(1)` are the same.
 * `Tuple` lists the results in order, `Fields` gives them by name.
 */
export type NamedTuple<Tuple extends readonly unknown[], Fields> = Readonly<Tuple> & Readonly<Fields>;
