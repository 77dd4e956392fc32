/**
 * One element of a printed tensor as text. A formatter looks at all the numbers that will be printed and settles
 * notation (whole numbers, fixed point, scientific) and width, so that columns line up.
 * Behaviour: PyTorch's `print(tensor)`, 2.13.
 */

import { formatFixed, formatScientific } from './print-numbers.js';
import type { PrintOptions } from './print-options.js';

/**
 * An element as it is stored: numbers for floating-point and small integer types, bigint for 64-bit integers,
 * 0/1 or booleans for bool.
 */
export type PrintableValue = number | bigint | boolean;

export interface ElementFormatter {
  /** Width of the widest element that took part in the choice of notation. */
  readonly width: number;
  /** The element as text, padded on the left to `width`. Zeros and non-finite numbers may be wider. */
  format(value: PrintableValue): string;
}

/** Largest ratio of magnitudes, and magnitudes themselves, that are still written in fixed point. */
const MAX_FIXED_RATIO = 1000;
const MAX_FIXED = 1e8;
const MIN_FIXED = 1e-4;

/** Formatter for integers and booleans. */
export function integerFormatter(values: ArrayLike<PrintableValue>, isBoolean: boolean): ElementFormatter {
  const text = (value: PrintableValue): string => (isBoolean ? (value ? 'True' : 'False') : String(value));
  let width = 1;
  for (let i = 0; i < values.length; i++) width = Math.max(width, text(values[i]!).length);
  return { width, format: (value) => text(value).padStart(width) };
}

/**
 * Formatter for floating-point numbers.
 *
 * @param values every number that will be printed; those that are zero or not finite have no say in the notation.
 * @param dtype e.g. `float32`; `float8_e8m0fnu` has neither zero nor infinity and is judged differently.
 * @param singlePrecision whether the notation is decided in float32, as on devices without float64 (Apple's GPUs).
 */
export function floatFormatter(
  values: ArrayLike<PrintableValue>,
  dtype: string,
  options: PrintOptions,
  singlePrecision: boolean,
): ElementFormatter {
  const { precision } = options;
  const counted = Array.from(values as ArrayLike<number>).filter(dtype === 'float8_e8m0fnu' ? countsAsScale : counts);
  if (counted.length === 0) return { width: 1, format: wholeText };

  const whole = counted.every(Number.isInteger);
  const scientific = options.sciMode ?? needsExponent(counted, singlePrecision);
  const text = (value: number): string => {
    if (scientific) return formatScientific(value, precision);
    return whole ? wholeText(value) : formatFixed(value, precision);
  };
  let width = 1;
  for (const value of counted) width = Math.max(width, text(value).length);
  return { width, format: (value) => text(value as number).padStart(width) };
}

/** A whole number with the point that says that its type is floating: `3.`, `-0.`, but `nan`, `inf`. */
function wholeText(value: PrintableValue): string {
  const text = formatFixed(value as number, 0);
  return Number.isFinite(value) ? `${text}.` : text;
}

const counts = (value: number): boolean => Number.isFinite(value) && value !== 0;

/**
 * PyTorch compares with zero in the tensor's own type: in `float8_e8m0fnu` zero rounds to the smallest scale, 2^-127,
 * and its NaN passes as finite.
 */
const countsAsScale = (value: number): boolean => value !== 2 ** -127;

function needsExponent(counted: readonly number[], singlePrecision: boolean): boolean {
  const rounded = singlePrecision ? Math.fround : (x: number): number => x;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  // Math.min and Math.max keep a NaN, as PyTorch's do; every comparison with it is false then.
  for (const value of counted) {
    least = Math.min(least, Math.abs(value));
    most = Math.max(most, Math.abs(value));
  }
  return rounded(most / least) > MAX_FIXED_RATIO || most > MAX_FIXED || least < rounded(MIN_FIXED);
}
