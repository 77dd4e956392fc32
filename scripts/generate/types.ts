/** TypeScript types for the types of operator schemas. */
import { toCamelCase } from '../../src/torch/names.js';
import type { FunctionSchema, SchemaArgument, SchemaReturn, SchemaType } from '../../src/torch/schema.js';
import { key } from './text.js';

/** How one type is written: spelled out for people to read, or short because there are thousands of them. */
export interface Spelling {
  readonly tensor: string;
  readonly scalar: string;
  readonly nullable: (type: string) => string;
  readonly list: (element: string) => string;
}

export const spelledOut: Spelling = {
  tensor: 'Tensor',
  scalar: 'Scalar',
  nullable: (type) => `${type} | null`,
  list: (element) => (/^\w+$/.test(element) ? `readonly ${element}[]` : `readonly (${element})[]`),
};

/** Uses the abbreviations that `aten-ops.generated.ts` declares at its head. */
export const short: Spelling = {
  tensor: 'T',
  scalar: 'S',
  nullable: (type) => `${type}|N`,
  list: (element) => (/^\w+$/.test(element) ? `readonly ${element}[]` : `readonly (${element})[]`),
};

const PLAIN: Readonly<Record<string, string>> = {
  int: 'number',
  SymInt: 'number',
  float: 'number',
  bool: 'boolean',
  SymBool: 'boolean',
  str: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  MemoryFormat: 'MemoryFormat',
  Device: 'DeviceString',
  Generator: 'Generator',
};

/** Types no value of which can be made in TypeScript (yet); overloads that need one are left out of the typed methods. */
export const isForeign = (type: SchemaType) =>
  type.base !== 'Tensor' && type.base !== 'Scalar' && PLAIN[type.base] === undefined;

function elementType(base: string, spelling: Spelling): string {
  if (base === 'Tensor') return spelling.tensor;
  if (base === 'Scalar') return spelling.scalar;
  if (base === 'Tensor[]') return spelling.list(spelling.tensor);
  return PLAIN[base] ?? 'unknown';
}

/** Words that an argument of type `str` may be, as PyTorch documents them. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  approximate: ['none', 'tanh'],
  indexing: ['ij', 'xy'],
  rounding_mode: ['trunc', 'floor'],
  side: ['left', 'right'],
  UPLO: ['L', 'U'],
  interpolation: ['linear', 'lower', 'higher', 'midpoint', 'nearest'],
};
const WORDS_OF_OPERATOR: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  scatter: { reduce: ['add', 'multiply'] },
  scatter_: { reduce: ['add', 'multiply'] },
  scatter_reduce: { reduce: ['sum', 'prod', 'mean', 'amax', 'amin'] },
  scatter_reduce_: { reduce: ['sum', 'prod', 'mean', 'amax', 'amin'] },
  index_reduce: { reduce: ['prod', 'mean', 'amax', 'amin'] },
  index_reduce_: { reduce: ['prod', 'mean', 'amax', 'amin'] },
  pad: { mode: ['constant', 'reflect', 'replicate', 'circular'] },
  linalg_qr: { mode: ['reduced', 'complete', 'r'] },
  linalg_matrix_norm: { ord: ['fro', 'nuc'] },
  linalg_norm: { ord: ['fro', 'nuc'] },
  linalg_lstsq: { driver: ['gels', 'gelsy', 'gelsd', 'gelss'] },
  conv1d: { padding: ['valid', 'same'] },
  conv2d: { padding: ['valid', 'same'] },
  conv3d: { padding: ['valid', 'same'] },
};

/** What may be given for an argument. `operator` is the operator's name without namespace. */
export function argumentType(argument: SchemaArgument, operator: string, spelling: Spelling): string {
  const { type } = argument;
  let text = elementType(type.base, spelling);
  if (type.base === 'str' && !type.list) {
    const words = WORDS_OF_OPERATOR[operator]?.[argument.name] ?? WORDS[argument.name] ?? fftWords(operator, argument);
    if (words !== undefined) text = words.map((word) => `'${word}'`).join(' | ');
  }
  if (type.list) {
    const single = text;
    text = spelling.list(type.elementOptional ? spelling.nullable(text) : text);
    // One value stands for a list of a known length: `int[2] stride`.
    if (type.listSize !== null) text = `${single} | ${text}`;
  }
  return type.optional ? spelling.nullable(text) : text;
}

const fftWords = (operator: string, argument: SchemaArgument) =>
  operator.startsWith('fft_') && argument.name === 'norm' ? ['forward', 'backward', 'ortho'] : undefined;

/** What one result is. A tensor that an operator may leave undefined comes back as null. */
function resultType(result: SchemaReturn, spelling: Spelling): string {
  const { type } = result;
  const base = elementType(type.base, spelling);
  const text = type.list ? (/^\w+$/.test(base) ? `${base}[]` : `(${base})[]`) : base;
  return type.optional ? spelling.nullable(text) : text;
}

/** What a call returns. `changed` is the type to give for an operator that changes its subject and returns it. */
export function returnType(schema: FunctionSchema, spelling: Spelling, changed: string): string {
  const { returns } = schema;
  const [first] = returns;
  if (first === undefined) return 'void';
  if (returns.length === 1) return first.alias?.write ? changed : resultType(first, spelling);
  const types = returns.map((result) => resultType(result, spelling));
  const tuple = `[${types.join(', ')}]`;
  if (returns.some((result) => result.name === '')) return tuple;
  const fields = returns.map((result, index) => `${key(toCamelCase(result.name))}: ${types[index]}`);
  return `NamedTuple<${tuple}, { ${fields.join('; ')} }>`;
}
