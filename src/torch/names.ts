/**
 * How PyTorch's names become TypeScript's: `index_select` → `indexSelect`, `memory_format` → `memoryFormat`.
 * Underscores in front and behind stay, because they mean something there: `add_` works in place, `_foreach_add_` is private.
 */

const INNER_UNDERSCORE = /(?<=[^_])_+([^_])/g;

/** The TypeScript name of an operator or argument; the way back is the table in `generated/names.generated.ts`. */
export function toCamelCase(name: string): string {
  return name.replace(INNER_UNDERSCORE, (_, next: string) => next.toUpperCase());
}
