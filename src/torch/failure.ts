/** Turns what the bridge throws into errors that say which operator, with which arguments, and what to do. */
import { ArgumentError, OutOfMemoryError, TorchError } from './errors.js';
import { collectGarbage } from './garbage.js';
import { native } from './load.js';
import type { NativeBridge } from './native.js';
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
    // Only the beginning: an array may claim four thousand million elements.
    const start: readonly unknown[] = value.slice(0, 8);
    if (start.length > 0 && start.every((x) => x instanceof Tensor))
      return `[${start.slice(0, 4).map(describeArgument).join(', ')}${value.length > 4 ? `, … ${value.length} in all` : ''}]`;
    return `[${start.map(String).join(', ')}${value.length > 8 ? ', …' : ''}]`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, x]) => x !== undefined)
      .map(([key, x]) => `${key}: ${describeArgument(x)}`);
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

/** The engine's answer to a device or layout without a kernel: a kilobyte of backends. What matters is in its first sentence. */
const noKernel = /^Could not run '(?:aten::)?([^']+)' with arguments from the '(\w+)' backend\./;
const noBackend = /^PyTorch is not linked with support for (\w+) devices/;

function shortened(message: string): string {
  const backend = noKernel.exec(message)?.[2] ?? noBackend.exec(message)?.[1];
  if (backend === undefined) return message.trim();
  const device = backend.toLowerCase();
  if ((device === 'cuda' || device === 'mps') && native.deviceCount(device) === 0)
    return `this engine has no ${device} device here (torch.${device}.whyNot() says why)`;
  return `${noKernel.exec(message)?.[1] ?? 'the operator'} has no kernel for the ${backend} backend`;
}

/** The error to throw for what the bridge threw during `name(args)`. JavaScript errors of hooks pass unchanged. */
export function failure(error: unknown, name: string, args: readonly unknown[]): unknown {
  if (!isEngineFailure(error)) return error;
  const call = describeCall(name, args);
  const message = shortened(error.message);
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

/**
 * The bridge for functions that are neither operators nor hot: what it throws comes out as a TorchError.
 * Its messages name what was wrong themselves, so no call is added.
 */
export const checked: NativeBridge = Object.fromEntries(
  Object.getOwnPropertyNames(native).map((name) => {
    const work = native[name as keyof NativeBridge] as (...args: unknown[]) => unknown;
    return [
      name,
      (...args: unknown[]) => {
        try {
          return work(...args);
        } catch (error) {
          throw isEngineFailure(error) && error.code === 'ArgumentError'
            ? new ArgumentError(error.message, { cause: error })
            : failure(error, name, args);
        }
      },
    ];
  }),
) as unknown as NativeBridge;
