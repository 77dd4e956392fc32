/** Calls operators: finds the bound form for the arguments, passes handles, wraps what comes back. */
import { type Bound, Family, Result } from './binding.js';
import { dtypeName } from './dtype.js';
import { failure, isOutOfMemory, recover } from './failure.js';
import { collectGarbage } from './garbage.js';
import { selfPositions, varargsMethods } from './generated/names.generated.js';
import { native } from './load.js';
import { mend } from './mend.js';
import type { Handle, NativeValue } from './native.js';
import { Tensor } from './tensor.js';
import { Kind, kindCount, kindOf, packIntegers, resetScratch } from './values.js';

const families = new Map<string, Family>();

/** The operator of a name, e.g. `add`; its schemas are read from the loaded engine at the first use. */
export function family(name: string, title: string, spread = false): Family {
  const key = spread ? `${name}...` : name;
  let found = families.get(key);
  if (found === undefined) {
    found = new Family(name.includes('::') ? name : `aten::${name}`, title, spread);
    families.set(key, found);
  }
  return found;
}

type NativeResult = NativeValue;

const wrapOne = (value: NativeResult): Tensor | null =>
  value === null || value === undefined ? null : new Tensor(value as Handle);

/** @param args of the call, as the slots of `bound` find them */
function wrapResult(bound: Bound, value: NativeResult, args: readonly unknown[]): unknown {
  switch (bound.result) {
    case Result.tensor:
      return wrapOne(value);
    case Result.argument:
      return argumentOf(bound, args, bound.aliases[0] as number);
    case Result.plain:
      return bound.schema.returns[0]?.type.base === 'ScalarType' ? dtypeName(value as number) : value;
    case Result.tensors:
      return (value as readonly NativeResult[]).map(wrapOne);
    case Result.nothing:
      return undefined;
    default:
      return wrapSeveral(bound, value as readonly NativeResult[], args);
  }
}

function wrapSeveral(bound: Bound, values: readonly NativeResult[], args: readonly unknown[]): unknown {
  const results: unknown[] = bound.schema.returns.map((result, i) => {
    const alias = bound.aliases[i] ?? -1;
    if (alias >= 0) return argumentOf(bound, args, alias);
    const value = values[i];
    if (result.type.base !== 'Tensor') return value;
    return result.type.list ? (value as readonly NativeResult[]).map(wrapOne) : wrapOne(value);
  });
  for (const [i, name] of bound.names.entries())
    Object.defineProperty(results, name, { value: results[i], enumerable: true });
  return results;
}

/** One tensor argument: `x.relu()`. */
export function callUnary(op: Family, self: Tensor): unknown {
  const bound = op.unary;
  if (bound === undefined) return callAny(op, [self]);
  const shell = bound.result === Result.tensor ? new Tensor(null) : null;
  let value: NativeResult;
  try {
    value = native.call(bound.id, shell, self.handle);
  } catch (error) {
    return retry(error, op, bound, [self]);
  }
  return shell !== null && value !== null ? shell.fill(value as Handle) : wrapResult(bound, value, [self]);
}

/** A tensor and one more: `x.add(y)`, `x.mul(2)`. */
export function callBinary(op: Family, self: Tensor, other: unknown): unknown {
  const bound = op.binary[kindOf(other)];
  if (bound === undefined) return callAny(op, [self, other]);
  resetScratch();
  const convert = bound.convertSecond;
  const shell = bound.result === Result.tensor ? new Tensor(null) : null;
  let value: NativeResult;
  try {
    value = native.call(bound.id, shell, self.handle, convert === null ? (other as NativeValue) : convert(other));
  } catch (error) {
    return retry(error, op, bound, [self, other]);
  }
  return shell !== null && value !== null ? shell.fill(value as Handle) : wrapResult(bound, value, [self, other]);
}

/** A tensor and a list of integers, spread or not: `x.view(2, 3)`. Gives undefined when the arguments are anything else. */
function callList(op: Family, bound: Bound, self: Tensor, args: readonly unknown[]): unknown {
  const list = typeof args[0] === 'number' ? args : args.length === 1 && Array.isArray(args[0]) ? args[0] : null;
  if (list === args && list.length === 1 && op.takesInteger) return undefined;
  if (list === null || bound.convertSecond !== packIntegers || bound.result !== Result.tensor) return undefined;
  resetScratch();
  if (packIntegers(list) !== true) return undefined;
  const shell = new Tensor(null);
  try {
    return shell.fill(native.call(bound.id, shell, self.handle, true) as Handle);
  } catch (error) {
    return retry(error, op, bound, [self, ...args]);
  }
}

/** A tensor and two more: `x.transpose(0, 1)`, `x.lerp(y, 0.1)`. */
export function callTernary(op: Family, self: Tensor, second: unknown, third: unknown): unknown {
  const bound = op.ternary[kindOf(second) * kindCount + kindOf(third)];
  if (bound === undefined) return callAny(op, [self, second, third]);
  resetScratch();
  const shell = bound.result === Result.tensor ? new Tensor(null) : null;
  const { convertSecond, convertThird } = bound;
  let value: NativeResult;
  try {
    const a = convertSecond === null ? (second as NativeValue) : convertSecond(second);
    const b = convertThird === null ? (third as NativeValue) : convertThird(third);
    value = native.call(bound.id, shell, self.handle, a, b);
  } catch (error) {
    return retry(error, op, bound, [self, second, third]);
  }
  return shell !== null && value !== null
    ? shell.fill(value as Handle)
    : wrapResult(bound, value, [self, second, third]);
}

/** After a failure on a short path: memory may be had after collecting, anything else becomes a clear error. */
function retry(error: unknown, op: Family, bound: Bound, args: readonly unknown[]): unknown {
  if (isOutOfMemory(error) && bound.repeatable) return callAny(op, args);
  mendWritten(bound, args);
  throw giveUp(error, op, args);
}

/** The error of a call that is not made again: an operator in place may have done half its work, which must not be done twice. */
function giveUp(error: unknown, op: Family, args: readonly unknown[]): unknown {
  if (isOutOfMemory(error)) collectGarbage();
  return failure(error, op.title, args);
}

/** Remembers a simple call for the short paths. */
function remember(op: Family, args: readonly unknown[], bound: Bound): void {
  if (!bound.direct || !(args[0] instanceof Tensor) || args.length > 3) return;
  const kinds = args.map(kindOf);
  // A string decides by its value, an options object by its names: those are bound anew each time.
  if (kinds.some((kind) => kind === Kind.string || kind === Kind.strings || kind === Kind.options)) return;
  if (args.length === 1) op.unary = bound;
  else if (args.length === 2) op.binary[kinds[1] as Kind] = bound;
  else op.ternary[(kinds[1] as Kind) * kindCount + (kinds[2] as Kind)] = bound;
}

/** `x.view(2, 3)` is `x.view([2, 3])`. */
function gatherIntegers(op: Family, args: readonly unknown[]): readonly unknown[] {
  let end = 1;
  while (end < args.length && typeof args[end] === 'number') end++;
  return end > 2 || (end === 2 && !op.takesInteger) ? [args[0], args.slice(1, end), ...args.slice(end)] : args;
}

/** Any call. `args` holds self first for methods. */
export function callAny(op: Family, given: readonly unknown[]): unknown {
  const args = op.spread ? gatherIntegers(op, given) : given;
  const bound = op.bind(args);
  remember(op, args, bound);
  const shell = bound.result === Result.tensor ? new Tensor(null) : null;
  const values: NativeValue[] = [];
  resetScratch();
  for (let i = 0; i < bound.slots.length; i++) {
    const convert = bound.slots[i]?.convert ?? null;
    const value = argumentOf(bound, args, i);
    values.push(value === undefined || convert === null ? (value as NativeValue) : convert(value));
  }
  let value: NativeResult;
  try {
    value = native.call(bound.id, shell, ...values);
  } catch (error) {
    value = callAgain(error, op, bound, shell, values, args);
  }
  return shell !== null && value !== null ? shell.fill(value as Handle) : wrapResult(bound, value, args);
}

/**
 * What was given for an argument of the operator.
 * A function beside `callAny`, not in it: V8 keeps the last closure that a function made, and with it the tensors in sight of it.
 */
function argumentOf(bound: Bound, args: readonly unknown[], index: number): unknown {
  const slot = bound.slots[index];
  if (slot === undefined || slot.position < 0) return undefined;
  const value = args[slot.position];
  if (slot.option === '') return value;
  const option = (value as Readonly<Record<string, unknown>>)[slot.option];
  return slot.element < 0 ? option : (option as readonly unknown[])[slot.element];
}

/** The second try of a call that failed for want of memory, unless it may have changed what it read. */
function callAgain(
  error: unknown,
  op: Family,
  bound: Bound,
  shell: Tensor | null,
  values: readonly NativeValue[],
  args: readonly unknown[],
): NativeResult {
  mendWritten(bound, args);
  if (!bound.repeatable) throw giveUp(error, op, args);
  const again = (): NativeResult => {
    try {
      return native.call(bound.id, shell, ...values);
    } catch (last) {
      mendWritten(bound, args);
      throw last;
    }
  };
  return recover(error, again, op.title, args);
}

function mendWritten(bound: Bound, args: readonly unknown[]): void {
  for (const index of bound.written) mend(argumentOf(bound, args, index));
}

/** Calls an operator by name, for the parts of `torch` written in TypeScript. */
export function callNamed(name: string, ...args: readonly unknown[]): unknown {
  return callAny(family(name, name), args);
}

/** `callNamed` for an operator that gives one tensor. */
export function callTensor(name: string, ...args: readonly unknown[]): Tensor {
  return callAny(family(name, name), args) as Tensor;
}

type Method = (this: Tensor, ...args: unknown[]) => unknown;

/** A method of Tensor that calls an operator. */
export function makeMethod(title: string, name: string): Method {
  const spread = varargsMethods.has(title);
  let op: Family | undefined;
  const selfPosition = selfPositions[title];
  if (selfPosition !== undefined)
    return function (this: Tensor, ...args: unknown[]): unknown {
      op ??= family(name, title);
      return callAny(op, [...args.slice(0, selfPosition), this, ...args.slice(selfPosition)]);
    };
  if (spread)
    return function (this: Tensor, ...args: unknown[]): unknown {
      op ??= family(name, title, true);
      const bound = op.binary[Kind.numbers];
      if (bound === undefined) return callAny(op, [this, ...args]);
      return callList(op, bound, this, args) ?? callAny(op, [this, ...args]);
    };
  return function (this: Tensor, first?: unknown, second?: unknown): unknown {
    op ??= family(name, title);
    // biome-ignore lint/complexity/noArguments: a rest parameter costs every short call an array
    switch (arguments.length) {
      case 0:
        return callUnary(op, this);
      case 1:
        return callBinary(op, this, first);
      case 2:
        return callTernary(op, this, first, second);
      default:
        // biome-ignore lint/complexity/noArguments: a rest parameter costs every short call an array
        return callAny(op, [this, ...arguments]);
    }
  };
}

/** A function of torch that calls an operator. */
export function makeFunction(title: string, name: string): (...args: unknown[]) => unknown {
  let op: Family | undefined;
  return function (first?: unknown, second?: unknown, third?: unknown): unknown {
    op ??= family(name, title);
    if (first instanceof Tensor)
      // biome-ignore lint/complexity/noArguments: as above
      switch (arguments.length) {
        case 1:
          return callUnary(op, first);
        case 2:
          return callBinary(op, first, second);
        case 3:
          return callTernary(op, first, second, third);
      }
    // biome-ignore lint/complexity/noArguments: as above
    return callAny(op, [...arguments]);
  };
}
