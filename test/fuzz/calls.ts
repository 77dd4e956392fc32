/** Makes one fuzzed call from a random stream: an operator, the way to it, arguments of which some are hostile. */
import { methodNames, torchFunctionNames } from '../../src/torch/generated/names.generated.js';
import { Tensor, TorchError, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import { toCamelCase } from '../../src/torch/names.js';
import type { Handle, NativeValue } from '../../src/torch/native.js';
import { type FunctionSchema, parseSchema } from '../../src/torch/schema.js';
import { unsupportedReason } from '../../src/torch/unsupported.js';
import { isExcluded } from './excluded.js';
import { hostile, is, type Random, Raw, Sabotage } from './hostile-values.js';
import { enumerations, fashion, mustRefuse, plausible, toNative } from './plausible.js';

export interface FuzzedCall {
  readonly title: string;
  /** Whether the call ended in an error. */
  refused: boolean;
  /** The call in words, for the report. */
  describe(): string;
  /** Runs it; says what is wrong with how it ended, or null. */
  run(): string | null;
}

interface Target {
  readonly schema: FunctionSchema;
  /** `add.Tensor`. */
  readonly title: string;
}

const targets: readonly Target[] = native
  .operatorNames()
  .filter((name) => name.startsWith('aten::'))
  .map((name) => name.split('.')[0] as string)
  .filter((name, i, all) => name !== all[i - 1])
  .flatMap((name) => native.schemas(name).map(parseSchema))
  .filter((schema) => unsupportedReason(schema.name, schema.overload) === undefined)
  .map((schema) => {
    const bare = schema.name.slice('aten::'.length);
    return { schema, title: schema.overload === '' ? bare : `${bare}.${schema.overload}` };
  });

const methods = invert(methodNames);
const functions = invert(torchFunctionNames);

function invert(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(names).map(([title, operator]) => [operator, title]));
}

type Callable = (...args: unknown[]) => unknown;
type Way = 'native' | 'overload' | 'packet' | 'method' | 'function';

/** The number of operators that are called. */
export const targetCount = targets.length;

/** Call number `index`, or null where an operator is left out: consecutive numbers go through all operators, whatever the list leaves out. */
export function makeCall(random: Random, index: number): FuzzedCall | null {
  const target = targets[(index * 1009) % targets.length] as Target;
  if (isExcluded(target.title)) return null;
  const way = (['native', 'native', 'native', 'overload', 'overload', 'packet', 'method', 'function'] as const)[
    random(8)
  ] as Way;
  const { args, mustFail } = makeArguments(target.schema, random, way === 'native');
  return way === 'native' ? nativeCall(target, args, mustFail, random) : publicCall(target, way, args, mustFail);
}

/** One value per argument, in order; some are hostile, some missing, sometimes there are too many. */
function makeArguments(
  schema: FunctionSchema,
  random: Random,
  inBridge: boolean,
): { args: unknown[]; mustFail: string | null } {
  const common = fashion(random);
  const style = random(10);
  const wrong = new Map<number, string>();
  // One hostile value among fitting ones gets deepest; several at once happen too.
  const victim = style < 5 ? random(Math.max(1, schema.arguments.length)) : -1;
  const args = schema.arguments.map((argument, i) => {
    const attacked = i === victim || (style >= 5 && style < 7 && random(3) === 0);
    const value = attacked ? hostile(random) : plausible(argument.type, random, common);
    // `x + 2` takes the overload for tensors.
    const isOperand = argument.name === 'other' && typeof (is(value, Raw) ? value.value : value) === 'number';
    if (attacked && !isOperand && mustRefuse(argument.type, value, inBridge))
      wrong.set(i, `'${argument.name}' was given ${describe(value)}`);
    if (attacked && value === null && !argument.type.optional) wrong.set(i, `'${argument.name}' was given null`);
    if (attacked && value === undefined && argument.default === undefined && !argument.type.optional)
      wrong.set(i, `'${argument.name}' was missing`);
    return value;
  });
  if (random(20) === 0) args.length = random(args.length + 1);
  else if (random(30) === 0) {
    args.push(hostile(random), ...new Array(random(70)).fill(1));
    wrong.set(0, 'there were too many arguments');
  }
  const first = [...wrong.keys()].find((i) => i < args.length);
  return { args, mustFail: first === undefined ? null : (wrong.get(first) as string) };
}

function judge(error: unknown, inBridge: boolean): string | null {
  if (error instanceof Sabotage) return null;
  if (!(error instanceof Error)) return `threw no Error: ${String(error)}`;
  if (error.message === '') return 'threw an error without a message';
  if (/Exception raised from|\bframe #\d/.test(error.message))
    return `the message has a C++ backtrace: ${error.message}`;
  if (inBridge ? typeof (error as { code?: unknown }).code !== 'string' : !(error instanceof TorchError))
    return `threw a plain ${error.constructor.name}: ${error.stack?.split('\n').slice(0, 4).join(' ')}`;
  return null;
}

function attempt(call: FuzzedCall, work: () => unknown, mustFail: string | null, inBridge: boolean): string | null {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    call.refused = true;
    return judge(error, inBridge);
  }
  release(result);
  return mustFail === null ? null : `was accepted although ${mustFail}`;
}

/** Frees results that nobody owns. */
function release(value: unknown): void {
  if (typeof value === 'number' && value < 0 && Number.isInteger(value) && value >= -(2 ** 31))
    native.dispose(value as Handle);
  else if (Array.isArray(value)) for (const item of value) release(item);
  else if (is(value, Tensor)) value.dispose();
}

/** The handles in a result that nobody owns: a number that the operator computed is none, a single tensor belongs to the shell. */
function handlesIn({ returns }: FunctionSchema, shell: object | null, result: NativeValue): unknown {
  if (returns.length > 1)
    return returns.map((x, i) => (x.type.base === 'Tensor' ? (result as readonly NativeValue[])[i] : null));
  const isTensor = returns[0]?.type.base === 'Tensor';
  return isTensor && (shell === null || returns[0]?.type.list === true) ? result : null;
}

/** The bridge takes codes of enumerations from the layer above on trust, so that is who makes them: other numbers are kept from it. */
function codeOf(value: unknown, base: string): unknown {
  const translated = toNative(value, base);
  const isCode = typeof translated === 'number' || typeof translated === 'bigint';
  return base in enumerations && typeof value !== 'string' && isCode ? `no code: ${translated}` : translated;
}

function nativeCall({ schema, title }: Target, given: unknown[], mustFail: string | null, random: Random): FuzzedCall {
  const args = given.map((x, i) => codeOf(x, schema.arguments[i]?.type.base ?? ''));
  const shell = random(4) === 0 ? {} : null;
  const id = native.resolve(schema.name, schema.overload);
  const call: FuzzedCall = {
    title,
    refused: false,
    describe: () => `native.call(${title}, ${given.map(describe).join(', ')})`,
    run: () =>
      attempt(call, () => handlesIn(schema, shell, native.call(id, shell, ...(args as NativeValue[]))), mustFail, true),
  };
  return call;
}

function publicCall({ schema, title }: Target, way: Way, given: unknown[], mustFail: string | null): FuzzedCall {
  const bare = schema.name.slice('aten::'.length);
  const packet = (torch.ops.aten as unknown as Record<string, Callable & Record<string, Callable>>)[bare] as Callable &
    Record<string, Callable>;
  const positional: unknown[] = [];
  const options: Record<string, unknown> = {};
  for (const [i, value] of given.entries()) {
    const argument = schema.arguments[i];
    if (argument?.keywordOnly === true) options[toCamelCase(argument.name)] = value;
    else positional.push(value);
  }
  const args = (Object.keys(options).length > 0 ? [...positional, options] : positional).map((x) =>
    is(x, Raw) ? x.value : x,
  );
  const method = methods.get(bare);
  const named = functions.get(bare);
  let work = (): unknown => packet(...args);
  let title_ = `torch.ops.aten.${bare}`;
  if (way === 'overload') {
    work = () => (packet[schema.overload === '' ? 'default' : schema.overload] as Callable)(...args);
    title_ = `torch.ops.aten.${title}`;
  } else if (way === 'method' && method !== undefined && is(args[0], Tensor)) {
    const [self, ...rest] = args;
    const callable = (Tensor.prototype as unknown as Record<string, Callable>)[method] as Callable;
    work = () => callable.apply(self, rest);
    title_ = `Tensor.prototype.${method}.call`;
  } else if (way === 'function' && named !== undefined) {
    work = () => ((torch as unknown as Record<string, Callable>)[named] as Callable)(...args);
    title_ = `torch.${named}`;
  }
  const call: FuzzedCall = {
    title,
    refused: false,
    describe: () => `${title_}(${args.map(describe).join(', ')})`,
    run: () => attempt(call, work, way === 'overload' ? mustFail : null, false),
  };
  return call;
}

/** A value in a few words, whatever it is. */
export function describe(value: unknown): string {
  try {
    if (is(value, Raw)) return `raw ${describe(value.value)}`;
    if (is(value, Tensor)) {
      const at = (typeof value.handle === 'number' ? value.handle : 0) as typeof value.handle;
      if (!(at < 0) || native.isDisposed(at)) return 'a tensor that is none';
      return `Tensor[${value.shape.join(', ')}] ${value.dtype} ${value.layout} ${value.device}${value.requiresGrad ? ' with gradient' : ''}`;
    }
    if (Array.isArray(value))
      return `[${value.length > 9 ? `${value.length} elements` : Array.from({ length: value.length }, (_, i) => describe(Object.getOwnPropertyDescriptor(value, i)?.value)).join(', ')}]`;
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
    if (typeof value === 'object' && value !== null)
      return `${Object.prototype.toString.call(value)} { ${Object.keys(value)
        .slice(0, 20)
        .map((key) => `${key}: ${describe(Object.getOwnPropertyDescriptor(value, key)?.value)}`)
        .join(', ')} }`;
    if (typeof value === 'function') return 'a function';
    return String(value);
  } catch {
    return 'a trap';
  }
}
