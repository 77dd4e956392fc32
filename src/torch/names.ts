/**
 * How PyTorch's names become TypeScript's: `index_select` → `indexSelect`, `memory_format` → `memoryFormat`.
 * Underscores in front and behind stay, because they mean something there: `add_` works in place, `_foreach_add_` is private.
 */

const INNER_UNDERSCORE = /(?<=[^_])_+([^_])/g;

/** The TypeScript name of an operator or argument; the way back is the table in `generated/names.generated.ts`. */
export function toCamelCase(name: string): string {
  return name.replace(INNER_UNDERSCORE, (_, next: string) => next.toUpperCase());
}

/**
 * Python wraps the number of `x * 2` into a tensor, the engine's own overload for numbers takes it as it is: the same operator and the same
 * numbers, but other node names. Programs and prints show Python's.
 */
const pythonNodes: Readonly<Record<string, string>> = {
  AddBackward1: 'AddBackward0',
  SubBackward1: 'SubBackward0',
  MulBackward1: 'MulBackward0',
  DivBackward1: 'DivBackward0',
  DivBackward3: 'DivBackward2',
};

/** The name that a node of the gradient graph has in Python. */
export function pythonNodeName(name: string): string {
  return pythonNodes[name] ?? name;
}
