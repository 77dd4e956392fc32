/** What is alive, why, and how to let go of it early. Nobody has to: dropped tensors are freed by the collector. */
import { ArgumentError } from './errors.js';
import { collectGarbage } from './garbage.js';
import { native, prepareHeap } from './load.js';
import type { Handle, MemoryReport } from './native.js';
import { Tensor, watchTensors } from './tensor.js';

/** The graph of a gradient function written in TypeScript holds what that captured: the first round frees the graph, the second the rest. */
function collectAll(): void {
  collectGarbage();
  native.memory();
  collectGarbage();
}

/**
 * Live tensors of this thread and the bytes behind them per device; memory that several share counts once.
 * Tensors that the program dropped count until the collector has run; `collect: true` runs it first.
 */
export function memory(options: { readonly collect?: boolean } = {}): MemoryReport {
  if (options.collect === true) collectAll();
  return native.memory();
}

/**
 * Gives memory that no tensor needs any more back to the system: of the heap (Linux with glibc) and of accelerators. Collects first. Worth it after the last of
 * a long job's large steps, not between steps: they would have to ask for it again.
 */
export function emptyCache(): void {
  collectAll();
  for (const device of ['cuda', 'mps']) if (native.deviceCount(device) > 0) native.emptyCache(device);
  prepareHeap(native);
}

/** Everything that may hold tensors: a tensor, arrays, Maps, plain objects of them. */
function tensorsIn(value: unknown, found: Tensor[], seen: Set<object>): void {
  if (value instanceof Tensor) found.push(value);
  else if (typeof value === 'object' && value !== null && !seen.has(value) && !ArrayBuffer.isView(value)) {
    seen.add(value);
    const parts: Iterable<unknown> =
      value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
    for (const part of parts) tensorsIn(part, found, seen);
  }
}

const kept: Set<Tensor>[] = [];

/**
 * Runs `callback` and frees the tensors made in it, except those it returns (also inside arrays and objects) and those given to `keep`.
 * Gradients, parameters and whatever the engine itself holds stay. Only synchronous: other code's tensors must not fall into the scope.
 */
export function scope<T>(callback: () => T): T {
  if (typeof callback !== 'function')
    throw new ArgumentError(`scope() needs a function to run, got ${typeof callback}.`);
  const mark = native.scopeMark();
  const mine = new Set<Tensor>();
  kept.push(mine);
  const found: Tensor[] = [];
  try {
    const result = callback();
    if (typeof (result as { then?: unknown } | null)?.then === 'function')
      throw new ArgumentError(
        'scope() takes a synchronous function: tensors that other code makes while yours awaits would be freed with it.',
      );
    tensorsIn(result, found, new Set());
    return result;
  } finally {
    kept.pop();
    const keep = [...found, ...mine].filter((x) => !x.isDisposed);
    native.scopeClose(
      mark,
      keep.map((x) => x.handle),
    );
    // What leaves an inner scope by `keep` lives until the outermost one that it was made in ends.
    const outer = kept.at(-1);
    if (outer !== undefined) for (const tensor of mine) outer.add(tensor);
  }
}

/** Lets a tensor outlive the scopes that are open now. */
export function keep<T extends Tensor>(tensor: T): T {
  kept.at(-1)?.add(tensor);
  return tensor;
}

/** A place in the program that made tensors which are still alive. */
export interface LeakSite {
  /** `file:line:column` of the code that made them. */
  readonly where: string;
  readonly tensors: number;
  readonly bytes: number;
  /** How many tensors were made after the oldest of them. */
  readonly age: number;
}

interface LeakFinder {
  /** By handle: a number that is used again only after its tensor is gone, and then noted anew. */
  readonly sites: Map<Handle, string>;
}
let finder: LeakFinder | null = null;

const own = /[\\/]praxis[\\/](?:dist|src)[\\/]torch[\\/]|[\\/](?:src|dist)[\\/]torch[\\/]|node:internal/;

/** The first line of a stack that is not the engine's own. */
function callSite(stack: string): string {
  const lines = stack
    .split('\n')
    .slice(1)
    .filter((line) => line.includes('at '));
  const line = lines.find((x) => !own.test(x)) ?? lines.at(-1) ?? 'unknown';
  return /\(?([^\s(]+:\d+:\d+)\)?$/.exec(line.trim())?.[1] ?? line.trim();
}

/** Starts (true) or stops noting where tensors are made. Slow: for finding leaks, not for training. */
export function trackLeaks(on: boolean): void {
  if (!on) {
    finder = null;
    watchTensors(null);
    return;
  }
  const sites = new Map<Handle, string>();
  finder = { sites };
  watchTensors((tensor) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 20;
    const stack = new Error().stack ?? '';
    Error.stackTraceLimit = limit;
    sites.set(tensor.handle, callSite(stack));
  });
}

/**
 * Lines of the program that made the oldest tensors still alive, oldest first, after a collection.
 * `trackLeaks(true)` must have been called before they were made.
 */
export function findLeaks(options: { readonly top?: number } = {}): LeakSite[] {
  if (finder === null)
    throw new ArgumentError('findLeaks() knows nothing yet: call torch.trackLeaks(true) before the code in question.');
  collectAll();
  const { sites } = finder;
  const newest = native.scopeMark();
  const found = new Map<string, { tensors: number; bytes: number; oldest: number }>();
  const alive = new Set<Handle>();
  for (const [sequence, bytes, handle] of native.liveTensors(0)) {
    alive.add(handle);
    const where = sites.get(handle);
    if (where === undefined) continue;
    const entry = found.get(where) ?? { tensors: 0, bytes: 0, oldest: sequence };
    found.set(where, {
      tensors: entry.tensors + 1,
      bytes: entry.bytes + bytes,
      oldest: Math.min(entry.oldest, sequence),
    });
  }
  for (const handle of sites.keys()) if (!alive.has(handle)) sites.delete(handle);
  return [...found]
    .sort((a, b) => a[1].oldest - b[1].oldest)
    .slice(0, options.top ?? 10)
    .map(([where, x]) => ({ where, tensors: x.tensors, bytes: x.bytes, age: newest - x.oldest }));
}
