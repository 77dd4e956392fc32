/** Writes the types of `torch.ops.aten`: every operator and overload of every known engine, compactly. */
import { availability } from './availability.js';
import { type Parameter, toSignature } from './signatures.js';
import type { Overload, Snapshots } from './snapshots.js';
import { heading, key } from './text.js';
import { short } from './types.js';

const HEAD = `import type { DeviceString, DType, Layout, MemoryFormat } from '../dtype.js';
import type { Generator } from '../generator.js';
import type { Tensor as T } from '../tensor.js';
import type { NamedTuple, Scalar as S } from '../types.js';

type N = null;
type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never;

/** All overloads of one operator: called as it is it chooses by the arguments, \`packet.Tensor(…)\` names one. */
export type Packet<Overloads> = Overloads & Intersection<Overloads[keyof Overloads]>;

/**
 * Names are PyTorch's own, \`torch.ops.aten.index_select\`; the overload without a name is \`default\`. Arguments stand by position;
 * those with defaults, and those after the schema's \`*\`, may be given in one options object by camelCase name.
 */
export interface AtenOps {
`;

export function writeOps(snapshots: Snapshots): string {
  const operators = new Map<string, Overload[]>();
  for (const [name, overload] of snapshots.overloads) {
    if (!name.startsWith('aten::')) continue;
    operators.set(overload.name, [...(operators.get(overload.name) ?? []), overload]);
  }
  let text = heading('Types of `torch.ops.aten`.') + HEAD;
  for (const [name, overloads] of operators) {
    text += `  ${key(name)}: Packet<{\n`;
    for (const overload of overloads) text += writeOverload(overload, snapshots.versions);
    text += '  }>;\n';
  }
  return `${text}}\n`;
}

function writeOverload(overload: Overload, versions: readonly string[]): string {
  const { parameters, result } = toSignature(overload, false, short);
  const positional = parameters.filter((parameter) => !parameter.keywordOnly);
  const keywords = parameters.filter((parameter) => parameter.keywordOnly);
  const required = positional.filter((parameter) => parameter.required);
  const note = availability(overload.versions, versions);
  const name = `    ${note === undefined ? '' : `/** ${note} */ `}${key(overload.overload === '' ? 'default' : overload.overload)}`;
  const calls = [list(positional, keywords)];
  if (required.length < positional.length)
    calls.push(list(required, [...positional.slice(required.length), ...keywords]));
  // A method's own overloads are two members of the same name; in a type literal they are one member of two signatures.
  return calls.map((call) => `${name}${call}: ${result};\n`).join('');
}

function list(positional: readonly Parameter[], keywords: readonly Parameter[]): string {
  const demands = keywords.some((parameter) => parameter.required);
  const items = positional.map(
    (p) =>
      `${safe(p.name)}${p.required || demands ? '' : '?'}: ${type(p)}${!p.required && demands ? '|undefined' : ''}`,
  );
  if (keywords.length > 0) {
    const fields = keywords.map((p) => `${key(p.name)}${p.required ? '' : '?'}: ${type(p)}`);
    items.push(`options${demands ? '' : '?'}: {${fields.join('; ')}}`);
  }
  return `(${items.join(', ')})`;
}

const type = (parameter: Parameter) => parameter.types.join('|');

/** Argument names that may not be parameter names. */
const safe = (name: string) => (/^(var|in|new|with|function|default|this|class)$/.test(name) ? `${name}_` : name);
