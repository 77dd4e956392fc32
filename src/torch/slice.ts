/** Slices: `'1:5'` as text in an index, `torch.slice(1, 5)` as an object. */
import { ArgumentError, TorchError } from './errors.js';

type Bound = '' | `${number}`;

/** `start:stop` or `start:stop:step`, each part an integer or left out. Template strings of numbers fit: `${i}:${i + 8}`. */
export type SliceString = `${Bound}:${Bound}` | `${Bound}:${Bound}:${Bound}`;

/** A range of positions, Python's `slice`: `start` included, `stop` excluded, negative ones from the end, null for the ends. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {
    for (const [name, value] of Object.entries({ start, stop, step }))
      if (value !== null && !Number.isSafeInteger(value))
        throw new ArgumentError(`slice(): ${name} must be an integer or null, got ${String(value)}.`);
    if (step !== null && step <= 0)
      throw new TorchError(
        `slice(): the step of '${this}' must be greater than zero; flip(dim) reverses a dimension.`,
        'ValueError',
      );
  }

  /** Whether it takes everything. */
  get isWhole(): boolean {
    return (this.start ?? 0) === 0 && this.stop === null && (this.step ?? 1) === 1;
  }

  toString(): string {
    const text = `${this.start ?? ''}:${this.stop ?? ''}`;
    return this.step === null ? text : `${text}:${this.step}`;
  }
}

/**
 * A range for `at` and `setAt`, for bounds that are computed. As with JavaScript's `Array.slice`, one argument is the start.
 * Source: https://docs.python.org/3/library/functions.html#slice
 * @throws TorchError (`ValueError`) for a step that is not positive, as PyTorch
 */
export function slice(start: number | null = null, stop: number | null = null, step: number | null = null): Slice {
  return new Slice(start, stop, step);
}

const pattern = /^(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?$/;
const bound = (text: string | undefined) => (text === undefined ? null : Number(text));
const parsed = new Map<string, Slice>();

/** The slice that a string means, or null when it is none. */
export function parseSlice(text: string): Slice | null {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const match = pattern.exec(text);
  if (match === null) return null;
  const made = new Slice(bound(match[1]), bound(match[2]), bound(match[3]));
  // Programs write few slices and use them often; computed ones must not fill the memory.
  if (parsed.size >= 256) parsed.clear();
  parsed.set(text, made);
  return made;
}
