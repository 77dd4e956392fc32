/** Turns what the bridge throws into errors that say which operator, with which arguments, and what to do. */
import { ArgumentError, OutOfMemoryError, TorchError } from './errors.js';
import { collectGarbage } from './garbage.js';
import { native } from './load.js';
import { Tensor } from './tensor.js';

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** What is in use, for the message of an out-of-memory error. */
function inUse(): string {
  const report = native.memory();
  const parts = Object.entries(report.bytes).map(([device, bytes]) => `${mebibytes(bytes)} on ${device}`);
  return `${report.handles} tensors hold ${parts.length > 0 ? parts.join(', ') : 'nothing'}`;
}

function describeArgument(value: unknown): string {
  if (value instanceof Tensor)
    return value.isDisposed ? 'disposed tensor' : `Tensor[${value.shape.join(', ')}] ${value.dtype}`;
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((x) => x instanceof Tensor))
      return `[${value.slice(0, 4).map(describeArgument).join(', ')}${value.length > 4 ? `, … ${value.length} in all` : ''}]`;
    return `[${value.slice(0, 8).map(String).join(', ')}${value.length > 8 ? ', …' : ''}]`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([key, x]) => `${key}: ${describeArgument(x)}`);
    return `{ ${entries.slice(0, 6).join(', ')} }`;
  }
  return String(value);
}

/** `add(Tensor[3] float32, 2)`, for the end of a message. */
export function describeCall(name: string, args: readonly unknown[]): string {
  try {
    return `${name}(${args.map(describeArgument).join(', ')})`;
  } catch {
    return name; // an argument whose own toString or getter throws must not hide the error
  }
}

const isEngineFailure = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && !(error instanceof TorchError);

const outOfMemory = /can't allocate memory|out of memory|not enough memory/i;

export function isOutOfMemory(error: unknown): boolean {
  return isEngineFailure(error) && (error.code === 'OutOfMemoryError' || outOfMemory.test(error.message));
}

/** The error to throw for what the bridge threw during `name(args)`. JavaScript errors of hooks pass unchanged. */
export function failure(error: unknown, name: string, args: readonly unknown[]): unknown {
  if (!isEngineFailure(error)) return error;
  const call = describeCall(name, args);
  const message = error.message.trim();
  if (error.code === 'ArgumentError') return new ArgumentError(`${message}; in ${call}`, { cause: error });
  if (isOutOfMemory(error))
    return new OutOfMemoryError(`${message}; in ${call}; ${inUse()} after collecting`, { cause: error });
  return new TorchError(`${message}; in ${call}`, error.code, { cause: error });
}

/**
 * Runs `work`; when memory is short, collects what the program has dropped and tries again: young objects first, then all.
 * The path without an error costs nothing.
 */
export function attempt<T>(work: () => T, name: string, args: readonly unknown[]): T {
  try {
    return work();
  } catch (error) {
    return recover(error, work, name, args);
  }
}

/** The second half of `attempt`, for callers that made the first try themselves. */
export function recover<T>(error: unknown, work: () => T, name: string, args: readonly unknown[]): T {
  let last = error;
  for (const type of ['minor', 'major'] as const) {
    if (!isOutOfMemory(last)) break;
    collectGarbage(type);
    if (type === 'major')
      for (const device of ['cuda', 'mps']) if (native.deviceCount(device) > 0) native.emptyCache(device);
    try {
      return work();
    } catch (again) {
      last = again;
    }
  }
  throw failure(last, name, args);
}
