/** Chooses the overload of an operator that fits a call, by the kinds of its arguments, and plans how they are passed. */
import { ArgumentError, MissingOperatorError, nearest } from './errors.js';
import { describeCall } from './failure.js';
import { native } from './load.js';
import { toCamelCase } from './names.js';
import { type FunctionSchema, parseSchema, type SchemaArgument } from './schema.js';
import { Tensor } from './tensor.js';
import { unsupportedReason } from './unsupported.js';
import { accepts, type Converter, converterFor, Kind, kindOf, packNumber, typeTitle } from './values.js';
import { missingOperatorMessage } from './versions.js';

/** What a call gives back, in the order of how often it happens. */
export const Result = { tensor: 0, argument: 1, plain: 2, tensors: 3, several: 4, nothing: 5 } as const;

/** Where one argument of the engine's operator comes from. */
interface Slot {
  /** Position in the call, or -1. */
  readonly position: number;
  /** Name in the options object, or the empty string. */
  readonly option: string;
  /** Index in an option that is an array of outputs, or -1. */
  readonly element: number;
  readonly convert: Converter | null;
}

/** A call whose overload is chosen. */
export interface Bound {
  readonly id: number;
  readonly schema: FunctionSchema;
  readonly slots: readonly Slot[];
  /** True when the call's arguments are the operator's first ones, in order. */
  readonly direct: boolean;
  readonly result: (typeof Result)[keyof typeof Result];
  /** Converters of the second and third argument, for the short paths. */
  readonly convertSecond: Converter | null;
  readonly convertThird: Converter | null;
  /** For results that are arguments: the slot of each, -1 for new ones. */
  readonly aliases: readonly number[];
  /** Names of several results; empty when they have none. */
  readonly names: readonly string[];
  /** Arguments that the operator writes to. */
  readonly written: readonly number[];
  /** Whether a call that failed halfway may be made again: what it writes to, if anything, it does not read. */
  readonly repeatable: boolean;
}

interface Overload {
  readonly schema: FunctionSchema;
  /** Arguments that receive results, `out` and its like. */
  readonly outputs: readonly SchemaArgument[];
  readonly optionNames: ReadonlyMap<string, number>;
}

function makeOverload(text: string): Overload {
  const schema = parseSchema(text);
  const outputs = schema.arguments.filter((x) => x.keywordOnly && x.alias?.write === true);
  const optionNames = new Map<string, number>();
  schema.arguments.forEach((argument, index) => {
    optionNames.set(toCamelCase(argument.name), index);
    optionNames.set(argument.name, index);
  });
  return { schema, outputs, optionNames };
}

/** All overloads of one operator in the loaded engine. */
export class Family {
  readonly overloads: readonly Overload[];
  /** Calls seen before, by the kinds of their arguments. */
  unary: Bound | undefined;
  readonly binary: (Bound | undefined)[] = [];
  readonly ternary: (Bound | undefined)[] = [];
  private readonly others = new Map<string, Bound>();
  /** Whether one integer after self is an argument of its own: `x.hsplit(2)` makes two parts, `x.hsplit([2])` splits at 2. */
  readonly takesInteger: boolean;

  /**
   * @param name of the operator with its namespace, `aten::add`
   * @param title what the user called, for messages
   * @param spread whether several numbers stand for one list, as in `x.view(2, 3)`
   * @param only the one overload to use, or null for all
   */
  constructor(
    readonly name: string,
    readonly title: string,
    readonly spread: boolean,
    only: string | null = null,
  ) {
    const all = native.schemas(name).map(makeOverload);
    const asked = only === null ? all : all.filter((x) => x.schema.overload === only);
    this.overloads = asked.filter((x) => unsupportedReason(name, x.schema.overload) === undefined);
    const first = asked[0]?.schema;
    if (first !== undefined && this.overloads.length === 0)
      throw new MissingOperatorError(
        `The operator ${titleOf(first)} cannot be called from TypeScript: ${unsupportedReason(name, first.overload)}.`,
      );
    if (this.overloads.length === 0)
      throw new MissingOperatorError(missingOperatorMessage(name, only ?? undefined, native.info().torch));
    this.takesInteger = this.overloads.some(({ schema }) => {
      const type = schema.arguments[1]?.type;
      return type !== undefined && !type.list && (type.base === 'int' || type.base === 'SymInt');
    });
  }

  /** The bound call for these arguments; chosen once per combination of kinds. */
  bind(args: readonly unknown[]): Bound {
    const key = keyOf(args);
    const known = this.others.get(key);
    if (known !== undefined) return known;
    const bound = this.choose(args);
    // Strings decide by value (a dtype or a device) and stand in the key; a program that makes up new ones must not fill the memory.
    if (this.others.size < mostRemembered) this.others.set(key, bound);
    return bound;
  }

  private choose(args: readonly unknown[]): Bound {
    let best: Bound | undefined;
    let bestCost = Infinity;
    const reasons: string[] = [];
    for (const overload of this.overloads) {
      const attempt = tryBind(overload, args);
      if (typeof attempt === 'string') {
        reasons.push(attempt);
      } else if (attempt.cost < bestCost) {
        best = makeBound(overload, attempt.slots, args);
        bestCost = attempt.cost;
      }
    }
    if (best !== undefined) return best;
    throw new ArgumentError(this.explain(args, reasons));
  }

  private explain(args: readonly unknown[], reasons: readonly string[]): string {
    const call = describeCall(this.title, args);
    for (const value of args)
      if (value instanceof Tensor && value.isDisposed)
        return `${call}: a tensor that has been disposed cannot be used.`;
    const plain = this.overloads.filter((x) => x.outputs.length === 0);
    // Of several forms, the one that was meant is the one that a misspelt option nearly fits.
    const told = [...new Set(plain.map((x) => reasons[this.overloads.indexOf(x)]))];
    const only = told.length === 1 ? told[0] : reasons.find((reason) => reason.includes('did you mean'));
    const forms = (plain.length > 0 ? plain : this.overloads).map((x) => `  ${signature(this.title, x.schema)}`);
    return `${call} fits no form of the operator${only === undefined ? '.' : `: ${only}${only.endsWith('?') ? '' : '.'}`} It takes:\n${[...new Set(forms)].join('\n')}`;
  }
}

function signature(title: string, schema: FunctionSchema): string {
  const part = (x: SchemaArgument) =>
    `${toCamelCase(x.name)}${x.default === undefined ? '' : '?'}: ${typeTitle(x.type)}`;
  const positional = schema.arguments.filter((x) => !x.keywordOnly).map(part);
  const named = schema.arguments.filter((x) => x.keywordOnly).map(part);
  return `${title}(${[...positional, ...(named.length > 0 ? [`{ ${named.join(', ')} }`] : [])].join(', ')})`;
}

/** Calls of one operator that are remembered. */
const mostRemembered = 1000;

const keyOfValue = (kind: Kind, value: unknown): string =>
  kind === Kind.string ? `S${(value as string).length}:${value as string}` : String.fromCharCode(97 + kind);

function keyOf(args: readonly unknown[]): string {
  let key = '';
  for (const value of args) {
    const kind = kindOf(value);
    if (kind === Kind.options) key += `{${optionsKey(value as Readonly<Record<string, unknown>>)}}`;
    else key += keyOfValue(kind, value);
  }
  return key;
}

function optionsKey(options: Readonly<Record<string, unknown>>): string {
  let key = '';
  for (const name in options) {
    const kind = kindOf(options[name]);
    // Quoted, so that no two names can look the same.
    key +=
      kind === Kind.undefined
        ? ''
        : `${name.toLowerCase() === name ? name : JSON.stringify(name).toLowerCase() + name.length}:${keyOfValue(kind, options[name])},`;
  }
  return key;
}

/**
 * Arithmetic where Python, too, passes a number to the overload for tensors. The scalar overload comes to the same, by a longer way through
 * the engine.
 */
const numbersAsTensors: ReadonlySet<string> = new Set(
  ['add', 'sub', 'mul', 'div'].flatMap((name) => [`aten::${name}`, `aten::${name}_`]),
);

interface Attempt {
  readonly slots: Slot[];
  readonly cost: number;
}

/** Plans the call with one overload, or says in a few words why it does not fit. */
function tryBind(overload: Overload, args: readonly unknown[]): Attempt | string {
  const parameters = overload.schema.arguments;
  const last = args.at(-1);
  const options = args.length > 0 && kindOf(last) === Kind.options ? (last as Readonly<Record<string, unknown>>) : null;
  const positional = options === null ? args.length : args.length - 1;
  const slots: (Slot | undefined)[] = new Array<Slot | undefined>(parameters.length).fill(undefined);
  let cost = 0;
  const fill = (index: number, value: unknown, position: number, option: string, element: number): string | null => {
    const parameter = parameters[index] as SchemaArgument;
    const kind = kindOf(value);
    if (
      (kind === Kind.integer || kind === Kind.float) &&
      parameter.name === 'other' &&
      parameter.type.base === 'Tensor' &&
      numbersAsTensors.has(overload.schema.name)
    ) {
      cost += 0.5;
      slots[index] = { position, option, element, convert: packNumber };
      return null;
    }
    if (!accepts(parameter.type, kind, value))
      return `${toCamelCase(parameter.name)} must be ${typeTitle(parameter.type)}`;
    cost += costOf(parameter.type.base, parameter.type.list, kind);
    slots[index] = { position, option, element, convert: converterFor(parameter.type, kind) };
    return null;
  };
  for (let i = 0; i < positional; i++) {
    if (args[i] === undefined) continue;
    const parameter = parameters[i];
    if (parameter === undefined) return `it takes at most ${parameters.length} arguments`;
    if (parameter.keywordOnly)
      return `${toCamelCase(parameter.name)} is given by name, { ${toCamelCase(parameter.name)} }`;
    const problem = fill(i, args[i], i, '', -1);
    if (problem !== null) return problem;
  }
  if (options !== null)
    for (const name of Object.keys(options)) {
      const value = options[name];
      if (value === undefined) continue;
      if (name === 'out' && overload.outputs.length > 0 && (Array.isArray(value) || !overload.optionNames.has('out'))) {
        const outputs: readonly unknown[] = Array.isArray(value) ? value : [value];
        if (outputs.length !== overload.outputs.length) return `out must hold ${overload.outputs.length} tensors`;
        for (const [element, output] of overload.outputs.entries()) {
          const index = parameters.indexOf(output);
          const problem = fill(index, outputs[element], args.length - 1, name, Array.isArray(value) ? element : -1);
          if (problem !== null) return problem;
        }
        continue;
      }
      const index = overload.optionNames.get(name);
      if (index === undefined) {
        const near = nearest(name, overload.optionNames.keys());
        return `there is no option '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`;
      }
      if (slots[index] !== undefined) return `${name} is given twice`;
      const problem = fill(index, value, args.length - 1, name, -1);
      if (problem !== null) return problem;
    }
  for (const [index, parameter] of parameters.entries())
    if (slots[index] === undefined && parameter.default === undefined)
      return `${toCamelCase(parameter.name)} is missing`;
  // Fewer filled-in defaults is the closer fit.
  for (const slot of slots) if (slot === undefined) cost += 0.01;
  return { slots: slots.map((x) => x ?? { position: -1, option: '', element: -1, convert: null }), cost };
}

/** An integer is nearest to an int, then to a scalar, then to a float. */
function costOf(base: string, list: boolean, kind: Kind): number {
  if (kind === Kind.integer || kind === Kind.numbers)
    return base === 'int' || base === 'SymInt' ? (list && kind === Kind.integer ? 0.5 : 0) : base === 'float' ? 2 : 1;
  if (kind === Kind.boolean || kind === Kind.booleans) return base === 'bool' ? 0 : 1;
  if (kind === Kind.empty) return base === 'Tensor' ? 0 : 1;
  return 0;
}

const titleOf = (schema: FunctionSchema): string =>
  schema.overload === '' ? schema.name : `${schema.name}.${schema.overload}`;

const schemas = new Map<number, FunctionSchema>();

/** The schema of an operator that was bound, by its id. */
export const schemaOf = (id: number): FunctionSchema | undefined => schemas.get(id);

/** The operator's id; the engine has it, but outside `aten` it may take or give what has no JavaScript form. */
function resolve(schema: FunctionSchema): number {
  try {
    const id = native.resolve(schema.name, schema.overload);
    schemas.set(id, schema);
    return id;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new MissingOperatorError(`The operator ${titleOf(schema)} cannot be called from TypeScript: ${detail}.`, {
      cause: error,
    });
  }
}

function makeBound(overload: Overload, slots: readonly Slot[], args: readonly unknown[]): Bound {
  const { schema } = overload;
  const id = resolve(schema);
  const direct = slots.every((slot, i) =>
    i < args.length ? slot.position === i && slot.option === '' : slot.position < 0,
  );
  const aliases = schema.returns.map((result) => {
    const set = result.alias?.write === true ? result.alias.set : null;
    return set === null ? -1 : schema.arguments.findIndex((x) => x.alias?.write === true && x.alias.set === set);
  });
  return {
    id,
    schema,
    slots,
    direct,
    convertSecond: slots[1]?.convert ?? null,
    convertThird: slots[2]?.convert ?? null,
    aliases,
    result: resultOf(schema, aliases),
    names: namesOf(schema),
    written: schema.arguments.flatMap((x, i) => (x.alias?.write === true ? [i] : [])),
    repeatable: schema.arguments.every((x) => x.alias?.write !== true || x.keywordOnly),
  };
}

function resultOf(schema: FunctionSchema, aliases: readonly number[]): Bound['result'] {
  if (schema.returns.length === 0) return Result.nothing;
  if (schema.returns.length > 1) return Result.several;
  const only = schema.returns[0];
  if ((aliases[0] ?? -1) >= 0) return Result.argument;
  if (only?.type.base !== 'Tensor') return Result.plain;
  return only.type.list ? Result.tensors : Result.tensor;
}

/** Names of the results as Python's named tuples have them: of an out form, the names of the outputs without it. */
function namesOf(schema: FunctionSchema): string[] {
  const names = schema.returns.map((x) => toCamelCase(x.name));
  return names.every((x) => x !== '') ? names : [];
}
