/** Options of augmentations, checked: each error names the option, what it was and what it may be. */
import { ArgumentError, nearest } from '../../torch/errors.js';

/** A number or a pair of numbers, as options are often given. */
export type Range = readonly [number, number];

/** The options with nothing unknown among them. @throws ArgumentError naming the nearest known one */
export function known<Options extends object>(
  title: string,
  options: Options | undefined,
  names: readonly string[],
): Options {
  const given = options ?? ({} as Options);
  if (typeof given !== 'object' || Array.isArray(given))
    throw new ArgumentError(`${title}: options must be an object, got ${JSON.stringify(given)}.`);
  for (const name of Object.keys(given))
    if (!names.includes(name)) {
      const near = nearest(name, names);
      const has = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
      throw new ArgumentError(
        `${title} has no option '${name}'; ${near === undefined ? has : `did you mean '${near}'?`}`,
      );
    }
  return given;
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** A number within bounds. */
export function number(title: string, name: string, value: unknown, low: number, high: number, whole = false): number {
  if (typeof value === 'number' && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  const limits =
    high === Number.POSITIVE_INFINITY
      ? low === Number.NEGATIVE_INFINITY
        ? ''
        : ` from ${low} on`
      : ` from ${low} to ${high}`;
  throw new ArgumentError(`${title}: ${name} must be a ${whole ? 'whole ' : ''}number${limits}, got ${show(value)}.`);
}

/** A probability. */
export const probability = (title: string, value: unknown, name = 'p'): number => number(title, name, value, 0, 1);

/** A pair low ≤ high within bounds. */
export function range(title: string, name: string, value: unknown, low: number, high: number): Range {
  if (Array.isArray(value) && value.length === 2) {
    const a = number(title, `${name}[0]`, value[0], low, high);
    const b = number(title, `${name}[1]`, value[1], low, high);
    if (a <= b) return [a, b];
  }
  throw new ArgumentError(`${title}: ${name} must be a pair of numbers [low, high], got ${show(value)}.`);
}

/** One number for ±, or a pair. */
export const angles = (title: string, name: string, value: unknown): Range =>
  typeof value === 'number'
    ? [-number(title, name, value, 0, Number.POSITIVE_INFINITY), value]
    : range(title, name, value, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

/** Height and width: one number for both, or a pair. */
export function size(title: string, value: unknown, name = 'size'): Range {
  if (typeof value === 'number') {
    number(title, name, value, 1, 65535, true);
    return [value, value];
  }
  if (Array.isArray(value) && value.length === 2) {
    const [height, width] = value as [unknown, unknown];
    return [number(title, `${name}[0]`, height, 1, 65535, true), number(title, `${name}[1]`, width, 1, 65535, true)];
  }
  throw new ArgumentError(
    `${title}: ${name} must be a number of pixels or a pair [height, width], got ${show(value)}.`,
  );
}

/** One of some words. */
export function choice<Word extends string>(title: string, name: string, value: unknown, words: readonly Word[]): Word {
  if (words.includes(value as Word)) return value as Word;
  const near = nearest(String(value), words);
  throw new ArgumentError(
    `${title}: ${name} must be one of ${words.join(', ')}, got ${show(value)}${near === undefined ? '.' : `; did you mean '${near}'?`}`,
  );
}
