/** Checks of options, each giving one sentence that says which optimiser, which option, and what it may be. */
import { ArgumentError, nearest } from '../torch/errors.js';

const show = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? `[${value.map(show).join(', ')}]` : String(value);

/** A finite number within bounds. `below` is exclusive. */
export function requireNumber(
  owner: string,
  name: string,
  value: unknown,
  bounds: {
    readonly atLeast?: number;
    readonly above?: number;
    readonly below?: number;
    readonly atMost?: number;
  } = {},
): number {
  const { atLeast = -Infinity, above = -Infinity, below = Infinity, atMost = Infinity } = bounds;
  if (
    typeof value !== 'number' ||
    !Number.isFinite(value) ||
    value < atLeast ||
    value <= above ||
    value >= below ||
    value > atMost
  ) {
    const parts = [
      Number.isFinite(atLeast) && `at least ${atLeast}`,
      Number.isFinite(above) && `above ${above}`,
      Number.isFinite(below) && `below ${below}`,
      Number.isFinite(atMost) && `at most ${atMost}`,
    ].filter(Boolean);
    throw new ArgumentError(
      `${owner}: ${name} must be a number${parts.length > 0 ? ` ${parts.join(' and ')}` : ''}, got ${show(value)}.`,
    );
  }
  return value;
}

/** A whole number, at least `atLeast`. */
export function requireInteger(owner: string, name: string, value: unknown, atLeast: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < atLeast)
    throw new ArgumentError(`${owner}: ${name} must be a whole number, at least ${atLeast}; got ${show(value)}.`);
  return value as number;
}

export function requireBoolean(owner: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean')
    throw new ArgumentError(`${owner}: ${name} must be true or false, got ${show(value)}.`);
}

/** Names that an options object may not have; the message names the nearest that it may. */
export function refuseUnknown(owner: string, given: object, known: Iterable<string>): void {
  const names = new Set(known);
  for (const name of Object.keys(given))
    if (!names.has(name)) {
      const near = nearest(name, names);
      throw new ArgumentError(
        `${owner}: there is no option '${name}'${near === undefined ? `; it takes ${[...names].join(', ')}` : `; did you mean '${near}'?`}`,
      );
    }
}

/** Two decay rates of running averages. */
export function requirePair(owner: string, name: string, value: unknown): void {
  if (!Array.isArray(value) || value.length !== 2)
    throw new ArgumentError(`${owner}: ${name} must be two numbers, e.g. [0.9, 0.999]; got ${show(value)}.`);
  value.forEach((beta, i) => {
    requireNumber(owner, `${name}[${i}]`, beta, { atLeast: 0, below: 1 });
  });
}
