/** Modes of the thread: without gradients, inference, mixed precision. Each holds for one synchronous callback. */
import { type DType, dtypeName } from './dtype.js';
import { ArgumentError } from './errors.js';
import { checked as native } from './failure.js';
import { requireDtype } from './pack.js';

/** A mode left open across an `await` would leak into whatever runs meanwhile: asynchronous callbacks are refused. */
function asynchronous(name: string): ArgumentError {
  return new ArgumentError(
    `${name}() takes a synchronous function: the mode belongs to the thread and would leak into other code while yours awaits. Enter it around each synchronous part instead.`,
  );
}

function refusePromise<T>(result: T, name: string): T {
  if (typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function')
    throw asynchronous(name);
  return result;
}

const AsyncFunction = (async () => {}).constructor;
function refuseAsync(callback: unknown, name: string): void {
  if (typeof callback !== 'function')
    throw new ArgumentError(`${name}() needs a function to run, got ${typeof callback}.`);
  if (callback instanceof AsyncFunction) throw asynchronous(name);
}

function withGrad<T>(enabled: boolean, callback: () => T, name: string): T {
  refuseAsync(callback, name);
  const before = native.setGradEnabled(enabled);
  try {
    return refusePromise(callback(), name);
  } finally {
    native.setGradEnabled(before);
  }
}

/** Runs `callback` without recording gradients. Source: https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html */
export function noGrad<T>(callback: () => T): T {
  return withGrad(false, callback, 'noGrad');
}

/** Runs `callback` recording gradients, also inside `noGrad`. */
export function enableGrad<T>(callback: () => T): T {
  return withGrad(true, callback, 'enableGrad');
}

/** Whether operators are recorded now. */
export function isGradEnabled(): boolean {
  return native.isGradEnabled();
}

/** Turns recording on or off until it is changed again; gives the state before. Prefer `noGrad`. */
export function setGradEnabled(enabled: boolean): boolean {
  return native.setGradEnabled(enabled);
}

/**
 * Runs `callback` in inference mode: no gradients, no version counting; its tensors can never enter a recorded computation.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html
 */
export function inferenceMode<T>(callback: () => T, enabled = true): T {
  refuseAsync(callback, 'inferenceMode');
  native.enterInference(enabled);
  try {
    return refusePromise(callback(), 'inferenceMode');
  } finally {
    native.leaveInference();
  }
}

export function isInferenceModeEnabled(): boolean {
  return native.isInference();
}

export interface AutocastOptions {
  /** `cpu`, `cuda` or another device type. Default `cpu`. */
  readonly device?: string;
  /** Default: bfloat16 on the CPU, float16 on CUDA. */
  readonly dtype?: DType;
  readonly enabled?: boolean;
  /** Keep converted weights until the outermost autocast ends. Default true. */
  readonly cacheEnabled?: boolean;
}

let autocastDepth = 0;

/**
 * Runs `callback` in mixed precision: operators that are safe and faster in a half type take it, the others stay in float32.
 * Source: https://docs.pytorch.org/docs/stable/amp.html
 */
export function autocast<T>(callback: () => T, options?: AutocastOptions): T;
export function autocast<T>(options: AutocastOptions, callback: () => T): T;
export function autocast<T>(first: (() => T) | AutocastOptions, second?: (() => T) | AutocastOptions): T {
  const [callback, options] = (typeof first === 'function' ? [first, second ?? {}] : [second, first]) as [
    () => T,
    AutocastOptions,
  ];
  refuseAsync(callback, 'autocast');
  const device = options.device ?? 'cpu';
  const before = native.getAutocast(device);
  const dtype = options.dtype === undefined ? before.dtype : requireDtype(options.dtype, 'autocast()');
  const cacheBefore = native.setAutocastCacheEnabled(options.cacheEnabled ?? true);
  autocastDepth++;
  try {
    native.setAutocast(device, options.enabled ?? true, dtype);
    return refusePromise(callback(), 'autocast');
  } finally {
    autocastDepth--;
    // The converted weights belong to this use of them; the next one may follow an optimiser step.
    if (autocastDepth === 0) native.clearAutocastCache();
    native.setAutocast(device, before.enabled, before.dtype);
    native.setAutocastCacheEnabled(cacheBefore);
  }
}

/** Whether autocast is on for a device type, and the type it uses. */
export function autocastState(device = 'cpu'): { enabled: boolean; dtype: DType } {
  const { enabled, dtype } = native.getAutocast(device);
  return { enabled, dtype: dtypeName(dtype) };
}
