/** Kinds of JavaScript values as operator arguments: what a value could be, and whether a schema type takes it. */
import { dtypeCode, dtypeCodes, layoutCodes, memoryFormatCodes } from './dtype.js';
import { Generator } from './generator.js';
import { native } from './load.js';
import type { NativeValue } from './native.js';
import type { SchemaType } from './schema.js';
import { Tensor } from './tensor.js';

/** What a value is, coarse enough to choose an overload by and cheap enough to ask at every call. */
export const Kind = {
  undefined: 0,
  integer: 1,
  float: 2,
  boolean: 3,
  string: 4,
  bigint: 5,
  null: 6,
  tensor: 7,
  generator: 8,
  tensors: 9,
  numbers: 10,
  booleans: 11,
  strings: 12,
  empty: 13,
  mixed: 14,
  scalarObject: 15,
  options: 16,
  other: 17,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
/** One more than the largest kind: two kinds pack into `a * kindCount + b`. */
export const kindCount = 18;

export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? Kind.integer : Kind.float;
    case 'object':
      if (value === null) return Kind.null;
      if (value instanceof Tensor) return Kind.tensor;
      if (Array.isArray(value)) return kindOfArray(value);
      if (value instanceof Generator) return Kind.generator;
      return isScalarObject(value) ? Kind.scalarObject : isPlainObject(value) ? Kind.options : Kind.other;
    case 'boolean':
      return Kind.boolean;
    case 'string':
      return Kind.string;
    case 'undefined':
      return Kind.undefined;
    case 'bigint':
      return Kind.bigint;
    default:
      return Kind.other;
  }
}

/** No operator takes a longer list; an array without content may claim 2^32 elements. */
const longestList = 2 ** 24;

function kindOfArray(array: readonly unknown[]): Kind {
  if (array.length === 0) return Kind.empty;
  if (array.length > longestList) return Kind.other;
  const first = array[0];
  switch (typeof first) {
    case 'number':
    case 'bigint':
      return Kind.numbers;
    case 'boolean':
      return Kind.booleans;
    case 'string':
      return Kind.strings;
    case 'object':
      if (first === null || first instanceof Tensor) return Kind.tensors;
      return isScalarObject(first) ? Kind.numbers : Kind.mixed;
    default:
      return first === undefined ? Kind.tensors : Kind.mixed;
  }
}

/** `{ re, im }` is a complex number; `{ float: 2 }` is 2.0, which JavaScript cannot tell from 2. */
const isScalarObject = (value: object): boolean => ('re' in value && 'im' in value) || 'float' in value;

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a schema type takes a value of this kind. */
export function accepts(type: SchemaType, kind: Kind, value: unknown): boolean {
  if (kind === Kind.undefined) return false;
  if (kind === Kind.null) return type.optional;
  if (type.list) return acceptsList(type, kind);
  switch (type.base) {
    case 'Tensor':
      return kind === Kind.tensor;
    case 'Scalar':
    case 'number':
      return (
        kind === Kind.integer ||
        kind === Kind.float ||
        kind === Kind.boolean ||
        kind === Kind.bigint ||
        kind === Kind.scalarObject
      );
    case 'int':
    case 'SymInt':
      return kind === Kind.integer || kind === Kind.bigint;
    case 'float':
      return kind === Kind.integer || kind === Kind.float;
    case 'bool':
      return kind === Kind.boolean;
    case 'str':
      return kind === Kind.string;
    case 'Device':
      return kind === Kind.string && /^[a-z]+(:\d+)?$/.test(value as string);
    case 'Generator':
      return kind === Kind.generator;
    case 'ScalarType':
    case 'Layout':
    case 'MemoryFormat':
      return kind === Kind.string && enumerationCode(type.base, value as string) !== undefined;
    default:
      return false;
  }
}

function acceptsList(type: SchemaType, kind: Kind): boolean {
  if (kind === Kind.empty) return true;
  switch (type.base) {
    case 'Tensor':
      return kind === Kind.tensors;
    case 'int':
    case 'SymInt':
      return kind === Kind.numbers || (kind === Kind.integer && type.listSize !== null);
    case 'float':
      return kind === Kind.numbers || ((kind === Kind.float || kind === Kind.integer) && type.listSize !== null);
    case 'Scalar':
    case 'number':
      return kind === Kind.numbers || kind === Kind.booleans;
    case 'bool':
      return kind === Kind.booleans || (kind === Kind.boolean && type.listSize !== null);
    case 'str':
      return kind === Kind.strings;
    default:
      return false;
  }
}

/** Code of an enumeration's name, or undefined when it has no such name. */
export function enumerationCode(base: string, name: string): number | undefined {
  const table: Readonly<Record<string, number>> = base === 'Layout' ? layoutCodes : memoryFormatCodes;
  if (base !== 'ScalarType') return Object.hasOwn(table, name) ? table[name] : undefined;
  const code = dtypeCode(name);
  return code !== undefined && code <= newestDtype ? code : undefined;
}

/** The engine looks dtypes up in tables without looking whether it knows the code: 1.13 would read beyond their end. */
const newestDtype = native.info().torch.startsWith('1.') ? dtypeCodes.quint2x4 : Infinity;

export type Converter = (value: unknown) => NativeValue;

const tensorHandle: Converter = (value) => (value as Tensor).handle;
const tensorHandles: Converter = (value) =>
  (value as readonly unknown[]).map((x) => (x instanceof Tensor ? x.handle : (x as NativeValue)));

// Lists travel through memory shared with the bridge: an array read element by element through Node-API costs 60 ns each.
const { scratch } = native;
let scratchEnd = 0;
/** Room that lists leave for single numbers. */
const numbersReserve = 64;

/** To be called before the arguments of a call are converted. */
export function resetScratch(): void {
  scratchEnd = 0;
}

/** Puts one number into the scratch memory, for an operator that takes tensors: the engine makes a tensor of it that yields to others in type. */
export function packNumber(value: unknown): NativeValue {
  scratch[scratchEnd++] = 1;
  scratch[scratchEnd++] = value as number;
  return true;
}

/** Puts a list of numbers into the scratch memory; gives the array itself when it does not fit or is not all numbers. */
export function packIntegers(value: unknown): NativeValue {
  const list = value as readonly number[];
  const length = list.length;
  if (scratchEnd + length + 1 > scratch.length - numbersReserve) return list;
  let end = scratchEnd;
  scratch[end++] = length;
  for (let i = 0; i < length; i++) {
    const element = list[i];
    if (typeof element !== 'number') return list;
    scratch[end++] = element;
  }
  scratchEnd = end;
  return true;
}

const packTensors: Converter = (value) => {
  const list = value as readonly unknown[];
  const length = list.length;
  if (scratchEnd + length + 1 > scratch.length - numbersReserve) return tensorHandles(value);
  let end = scratchEnd;
  scratch[end++] = length;
  for (let i = 0; i < length; i++) {
    const element = list[i];
    // An object that only claims to be a tensor may have anything for a handle; the bridge says what is wrong with it.
    if (!(element instanceof Tensor) || typeof element.handle !== 'number') return tensorHandles(value);
    scratch[end++] = element.handle;
  }
  scratchEnd = end;
  return true;
};
const generatorHandle: Converter = (value) => (value as Generator).handle;

/** How a value of this kind becomes what the bridge takes; null when it passes as it is. */
export function converterFor(type: SchemaType, kind: Kind): Converter | null {
  if (kind === Kind.tensor) return tensorHandle;
  if (kind === Kind.tensors) return type.elementOptional ? tensorHandles : packTensors;
  if (kind === Kind.numbers && type.list && (type.base === 'int' || type.base === 'SymInt')) return packIntegers;
  if (kind === Kind.generator) return generatorHandle;
  if (kind === Kind.string && (type.base === 'ScalarType' || type.base === 'Layout' || type.base === 'MemoryFormat'))
    return (value) => enumerationCode(type.base, value as string) ?? (value as string);
  return null;
}

/** What a schema type is called in messages. */
export function typeTitle(type: SchemaType): string {
  const names: Readonly<Record<string, string>> = {
    Tensor: 'Tensor',
    Scalar: 'number',
    number: 'number',
    int: 'integer',
    SymInt: 'integer',
    float: 'number',
    bool: 'boolean',
    str: 'string',
    ScalarType: 'dtype',
    Device: 'device',
    MemoryFormat: 'memory format',
    Layout: 'layout',
  };
  const base = names[type.base] ?? type.base;
  if (!type.list) return base + (type.optional ? ' or null' : '');
  return `${base}[${type.listSize ?? ''}]${type.optional ? ' or null' : ''}`;
}
