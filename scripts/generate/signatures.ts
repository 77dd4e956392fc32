/**
 * Turns the overloads of an operator into TypeScript call signatures.
 *
 * The convention: arguments may stand by position up to the schema's `*`; at any point after the subjects one plain object may end the
 * list and give the rest by camelCase name. Overloads that differ in a single type become one signature with a union, because
 * TypeScript cannot choose between two signatures for a value that is a union itself.
 */
import { toCamelCase } from '../../src/torch/names.js';
import type { Overload } from './snapshots.js';
import type { SurfaceOperator } from './surface.js';
import { key } from './text.js';
import { argumentType, isForeign, returnType, type Spelling, spelledOut } from './types.js';

export interface Parameter {
  readonly name: string;
  /** Alternatives, joined by `|` when written. */
  readonly types: readonly string[];
  readonly required: boolean;
  readonly keywordOnly: boolean;
  readonly isTensor: boolean;
}

export interface Signature {
  readonly parameters: readonly Parameter[];
  readonly result: string;
  readonly overloads: readonly Overload[];
}

/** One signature per overload, then merged. A method's subject is left out, wherever the schema has it. */
export function signaturesOf(operator: SurfaceOperator, asMethod: boolean): Signature[] {
  let signatures = operator.overloads
    .filter((overload) => !overload.schema.arguments.some((argument) => isForeign(argument.type)))
    .map((overload) => toSignature(overload, asMethod, spelledOut));
  for (let merged = true; merged; ) {
    merged = false;
    search: for (let i = 0; i < signatures.length; i++) {
      for (let j = i + 1; j < signatures.length; j++) {
        const union = merge(signatures[i]!, signatures[j]!);
        if (union === null) continue;
        signatures = signatures
          .map((signature, index) => (index === i ? union : signature))
          .filter((_, index) => index !== j);
        merged = true;
        break search;
      }
    }
  }
  return asMethod ? signatures : signatures.map((signature) => withOut(signature, operator));
}

export function toSignature(overload: Overload, asMethod: boolean, spelling: Spelling): Signature {
  const parameters = overload.schema.arguments
    .filter((argument) => !(asMethod && argument.name === 'self'))
    .map((argument) => ({
      name: toCamelCase(argument.name),
      types: [argumentType(argument, overload.name, spelling)],
      required: argument.default === undefined,
      keywordOnly: argument.keywordOnly,
      isTensor: argument.type.base === 'Tensor' && !argument.type.optional,
    }));
  return {
    parameters,
    result: returnType(overload.schema, spelling, asMethod ? 'this' : spelling.tensor),
    overloads: [overload],
  };
}

/** The two as one when they take the same names, return the same and differ in at most one type; otherwise null. */
function merge(a: Signature, b: Signature): Signature | null {
  if (a.result !== b.result || a.parameters.length !== b.parameters.length) return null;
  let differences = 0;
  const parameters: Parameter[] = [];
  for (const [index, left] of a.parameters.entries()) {
    const right = b.parameters[index]!;
    if (left.name !== right.name || left.required !== right.required) return null;
    const types = [...new Set([...left.types, ...right.types])].sort(tensorsFirst);
    if (types.length !== left.types.length || types.length !== right.types.length) differences++;
    // `alpha` stands by position in add.Scalar and by name only in add.Tensor: the stricter of the two holds for both.
    parameters.push({
      ...left,
      types,
      keywordOnly: left.keywordOnly || right.keywordOnly,
      isTensor: left.isTensor || right.isTensor,
    });
  }
  return differences > 1 ? null : { parameters, result: a.result, overloads: [...a.overloads, ...b.overloads] };
}

const tensorsFirst = (a: string, b: string) => Number(b.startsWith('Tensor')) - Number(a.startsWith('Tensor'));

/** Adds the option `out` when the operator has an overload that takes the same and writes into given tensors. */
function withOut(signature: Signature, operator: SurfaceOperator): Signature {
  const names = signature.parameters.map((parameter) => parameter.name).join();
  for (const { schema } of operator.outOverloads) {
    const outs = schema.arguments.filter((argument) => argument.keywordOnly && argument.alias?.write);
    const rest = schema.arguments.filter((argument) => !outs.includes(argument));
    if (rest.map((argument) => toCamelCase(argument.name)).join() !== names) continue;
    const one = outs[0]?.type.list ? 'readonly Tensor[]' : 'Tensor';
    const type = outs.length === 1 ? one : `readonly [${outs.map(() => one).join(', ')}]`;
    const out: Parameter = { name: 'out', types: [type], required: false, keywordOnly: true, isTensor: false };
    return { ...signature, parameters: [...signature.parameters, out] };
  }
  return signature;
}

/** The ways to write a call, e.g. `(dim: number, keepdim?: boolean)` and `(dim: number, options: { keepdim?: boolean })`. */
export function writeParameters(signature: Signature, asMethod: boolean): string[] {
  const positional = signature.parameters.filter((parameter) => !parameter.keywordOnly);
  const keywords = signature.parameters.filter((parameter) => parameter.keywordOnly);
  const needsOptions = keywords.some((parameter) => parameter.required);
  const all = positional.map((parameter) => declare(parameter, needsOptions));
  if (keywords.length > 0) all.push(`options${needsOptions ? '' : '?'}: ${options(keywords)}`);
  const lists = [all];
  const subjects = countSubjects(positional, asMethod);
  const required = positional.filter((parameter) => parameter.required).length;
  for (let count = positional.length - 1; count >= subjects; count--) {
    // Required ones by name: all of them, or all but the first, as in narrow(1, { start, length }); more ways would only be noise.
    if (count < required && count > subjects + 1) continue;
    const given = positional.slice(0, count).map((parameter) => declare(parameter, true));
    lists.push([...given, `options: ${options([...positional.slice(count), ...keywords])}`]);
  }
  return lists.map((list) => `(${list.join(', ')})`);
}

/** What an operator is about always stands by position: its leading tensors, or else (for a function) its first argument. */
function countSubjects(positional: readonly Parameter[], asMethod: boolean): number {
  let count = 0;
  while (positional[count]?.required && positional[count]?.isTensor) count++;
  return asMethod ? count : Math.max(count, Math.min(1, positional.length));
}

/** Argument names that TypeScript does not allow as parameter names. */
const RESERVED = new Set(['var', 'in', 'new', 'with', 'function', 'default', 'this', 'class']);

/** `given`: it is followed by something, so it cannot be left out, though undefined stands for the default. */
function declare(parameter: Parameter, given: boolean): string {
  const type = parameter.types.join(' | ');
  const name = RESERVED.has(parameter.name) ? `${parameter.name}_` : parameter.name;
  if (parameter.required) return `${name}: ${type}`;
  return given ? `${name}: ${type} | undefined` : `${name}?: ${type}`;
}

const options = (parameters: readonly Parameter[]) =>
  `{ ${parameters.map((p) => `${key(p.name)}${p.required ? '' : '?'}: ${p.types.join(' | ')}`).join('; ')} }`;
