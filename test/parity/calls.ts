/** Turns cases into calls, one for each element type, and writes and reads the files that Python answers them through. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { DType } from '../../src/torch/dtype.js';
import { type Argument, isTensorInput, type OperatorCase, wide } from './case.js';
import { type InputBytes, inputBytes } from './inputs.js';

/** Where an input stands among the arguments. */
export interface InputReference {
  readonly t: number;
  readonly layout: string;
}

/** An argument with the inputs replaced by references. */
export type CallArgument =
  | Exclude<Argument, readonly Argument[] | { input: 'tensor' }>
  | InputReference
  | CallArgument[];

export interface Call {
  readonly operator: string;
  /** For messages, e.g. `add #2 bfloat16`. */
  readonly label: string;
  /** The first call of its case: Python must be able to make it. */
  readonly main: boolean;
  readonly args: readonly CallArgument[];
  readonly options: Readonly<Record<string, CallArgument>>;
  readonly inputs: readonly InputBytes[];
  /** Which inputs' gradients are asked for. */
  readonly gradients: readonly boolean[];
  readonly gradient: boolean;
  readonly case: OperatorCase;
  readonly dtype: DType;
}

/** One tensor of an answer. */
export interface AnswerTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
  readonly gradFn: string | null;
}

export type AnswerValue =
  | { readonly tensor: AnswerTensor }
  | { readonly float: string }
  | { readonly dtype: string }
  | { readonly re: number; readonly im: number }
  | number
  | boolean
  | null
  | readonly AnswerValue[];

/** What Python said to one call. */
export interface CallAnswer {
  readonly error?: string;
  readonly value?: AnswerValue;
  readonly state?: AnswerTensor;
  readonly gradients?: readonly (AnswerTensor | null)[];
  readonly gradientError?: string;
}

export interface AnswerFile {
  readonly torch: string;
  readonly results: readonly CallAnswer[];
  readonly bytes: Uint8Array;
}

/** All calls of the cases, in order; `modern` for an engine from 2.0 on. */
export function callsOf(cases: readonly OperatorCase[], modern: boolean): Call[] {
  const numbers = new Map<string, number>();
  return cases.flatMap((item) => {
    const number = (numbers.get(item.operator) ?? 0) + 1;
    numbers.set(item.operator, number);
    if (!modern && item.settings.sinceTwo !== undefined) return [];
    return (item.settings.dtypes ?? wide).map((dtype, i) =>
      makeCall(item, dtype, `${item.operator}${number > 1 ? ` #${number}` : ''} ${dtype}`, i === 0),
    );
  });
}

function makeCall(item: OperatorCase, dtype: DType, label: string, main: boolean): Call {
  const inputs: InputBytes[] = [];
  const gradients: boolean[] = [];
  const isFloating = /^(b?float|complex)/.test(dtype);
  const replace = (argument: Argument): CallArgument => {
    if (Array.isArray(argument)) return argument.map(replace);
    if (isTensorInput(argument)) {
      inputs.push(inputBytes(argument, dtype, `${label} ${inputs.length}`));
      gradients.push(argument.gradient && isFloating);
      return { t: inputs.length - 1, layout: argument.layout };
    }
    if (typeof argument === 'object' && argument !== null && 'dtype' in argument && argument.dtype === 'own')
      return { dtype };
    return argument as CallArgument;
  };
  const args = item.args.map(replace);
  const options = Object.fromEntries(Object.entries(item.options).map(([name, value]) => [name, replace(value)]));
  const gradient = item.settings.gradient !== false && gradients.includes(true);
  return {
    operator: item.operator,
    label,
    main,
    args,
    options,
    inputs,
    gradients,
    gradient,
    case: item,
    dtype,
  };
}

/** Both kinds of file: 8 bytes of length, JSON, bytes. */
export function packFile(header: unknown, parts: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** The calls as `scripts/golden/operators.py` reads them. */
export function writeRequest(file: string, calls: readonly Call[]): void {
  let offset = 0;
  const parts: Uint8Array[] = [];
  const described = calls.map((call) => ({
    operator: call.operator,
    args: call.args,
    options: call.options,
    seed: call.case.settings.seed ?? null,
    python: call.case.settings.python ?? null,
    gradient: call.gradient,
    tensors: call.inputs.map(({ dtype, shape, bytes }, i) => {
      const spec = { dtype, shape, offset, length: bytes.length, gradient: call.gradients[i] };
      offset += bytes.length;
      parts.push(bytes);
      return spec;
    }),
  }));
  writeFileSync(file, packFile({ calls: described }, parts));
}

export function readAnswer(file: string): AnswerFile {
  return unpackFile<AnswerFile>(readFileSync(file));
}

/** The header of a file and the bytes behind it. */
export function unpackFile<Header extends object>(all: Buffer): Header & { readonly bytes: Uint8Array } {
  const length = Number(all.readBigUInt64LE());
  const header = JSON.parse(all.toString('utf8', 8, 8 + length)) as Header;
  return { ...header, bytes: all.subarray(8 + length) };
}
