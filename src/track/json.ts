/** JSON that keeps every number, in two forms. */

/** The exact form, for what must come back bit for bit: NaN, the infinities, −0 and bigints travel as `{ "$number": … }`. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, encodeExact);
}

function encodeExact(_key: string, value: unknown): unknown {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return { $number: String(value) };
    if (Object.is(value, -0)) return { $number: '-0' };
  }
  if (typeof value === 'bigint') return { $bigint: String(value) };
  return value;
}

function decodeExact(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.length !== 1) return value;
  const [key, text] = entries[0] as [string, unknown];
  if (typeof text !== 'string') return value;
  if (key === '$number') return Number(text);
  if (key === '$bigint') return BigInt(text);
  return value;
}

/** The value behind the text of `stringifyExact`. @throws SyntaxError */
export function parseExact(text: string): unknown {
  return JSON.parse(text, decodeExact);
}

/**
 * The readable form, for files that people and other programs read: NaN and the infinities are the strings `"NaN"`, `"Infinity"` and
 * `"-Infinity"`, which pandas and `Number()` take for what they are; JSON's own `null` would hide that a loss was not finite.
 */
export function stringifyPlain(value: unknown, space?: number): string {
  return JSON.stringify(value, encodePlain, space);
}

function encodePlain(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  return value;
}

const named: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** The value behind the text of `stringifyPlain`. @throws SyntaxError */
export function parsePlain(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => named.get(value) ?? value);
}
