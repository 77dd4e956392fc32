/** What the bridge leaves to TypeScript: it gives bytes and handles, this file gives them their meaning. */
import { isMainThread } from 'node:worker_threads';
import { bytesPerElement, dtypeName, memoryFormatCodes } from './dtype.js';
import { LentMemory } from './lent-memory.js';
import type { EngineInfo, Handle, NativeBridge, NativeValue } from './native.js';

type Completed =
  | 'scratch'
  | 'info'
  | 'operatorNames'
  | 'memory'
  | 'storage'
  | 'layout'
  | 'fromBytes'
  | 'lentBytes'
  | 'read';

/** The functions as the addon exports them. */
export interface RawBridge extends Omit<NativeBridge, Completed> {
  /** Set by the first copy of this library in the thread: all copies share one bridge, and it knows one scratch memory. */
  scratch?: Float64Array;
  setScratch(scratch: Float64Array): void;
  info(): Omit<EngineInfo, 'cpuCapability' | 'hasOneDnn' | 'hasMkl' | 'hasOpenMp' | 'hasLapack'>;
  /** [address, bytes] */
  storage(handle: Handle): [number, number];
  /** e.g. `Strided` */
  layout(handle: Handle): string;
  /** A one-dimensional uint8 tensor over the memory, or of a copy. */
  fromBytes(bytes: Uint8Array, share: boolean): Handle;
  /** Copies the elements of a dense, contiguous CPU tensor. */
  read(handle: Handle, into: Uint8Array): void;
}

/** An error as the bridge throws them: the caller's mistake. */
const argumentError = (message: string): Error => Object.assign(new Error(message), { code: 'ArgumentError' });

/** Adds to the addon's functions what is better said in TypeScript. */
export function completeBridge(raw: RawBridge): NativeBridge {
  const ids = new Map<string, number>();
  const operator = (name: string, overload: string): number => {
    const key = `${name}.${overload}`;
    let id = ids.get(key);
    if (id === undefined) {
      id = raw.resolve(`aten::${name}`, overload);
      ids.set(key, id);
    }
    return id;
  };
  const apply = (id: number, ...args: NativeValue[]): Handle => raw.call(id, null, ...args) as Handle;

  /** Passes a handle through steps that each give a new one, and lets go of those between. */
  const pipeline = (first: Handle, steps: readonly ((handle: Handle) => Handle)[]): Handle => {
    let current = first;
    for (const step of steps) {
      let next: Handle;
      try {
        next = step(current);
      } finally {
        raw.dispose(current);
      }
      current = next;
    }
    return current;
  };

  const info = (): EngineInfo => {
    const given = raw.info();
    const { config } = given;
    return {
      ...given,
      cpuCapability: /CPU capability usage: (.*)/.exec(config)?.[1] ?? '',
      hasOneDnn: /USE_MKLDNN=(ON|1)/.test(config),
      hasMkl: /USE_MKL=(ON|1)/.test(config),
      hasOpenMp: /USE_OPENMP=(ON|1)/.test(config),
      hasLapack: /LAPACK is enabled/.test(config),
    };
  };

  // The memory of the main thread outlives every tensor.
  const lent = isMainThread ? null : new LentMemory();

  const fromBytes = (
    bytes: ArrayBufferView | ArrayBuffer | SharedArrayBuffer,
    byteOffset: number,
    shape: readonly number[],
    dtype: number,
    share: boolean,
  ): Handle => {
    const all = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
    const itemSize = bytesPerElement(dtypeName(dtype));
    for (const size of shape)
      if (!Number.isSafeInteger(size) || size < 0)
        throw argumentError(`shape must hold integers of at least 0, got [${shape.join(', ')}]`);
    const size = shape.reduce((product, x) => product * x, itemSize);
    if (
      !Number.isSafeInteger(byteOffset) ||
      byteOffset < 0 ||
      !Number.isSafeInteger(size) ||
      byteOffset + size > all.byteLength
    )
      throw argumentError(
        `the shape [${shape.join(', ')}] needs ${size} bytes from offset ${byteOffset}, but there are ${all.byteLength}`,
      );
    if (share && (all.byteOffset + byteOffset) % itemSize !== 0)
      throw argumentError(`shared memory must be aligned to ${itemSize} bytes`);
    const array = all.subarray(byteOffset, byteOffset + size);
    const flat = raw.fromBytes(array, share);
    if (share && size > 0) lent?.add(raw.storage(flat)[0], array);
    return pipeline(flat, [
      (handle) => apply(operator('view', 'dtype'), handle, dtype),
      (handle) => apply(operator('view', ''), handle, shape),
    ]);
  };

  /**
   * Whether the engine made the memory of a tensor: only that can grow. It is asked to, by so much that it never can; where it is not allowed
   * to either, it says so.
   */
  const isOwn = (handle: Handle): boolean => {
    if (raw.device(handle) !== 'cpu') return true;
    const gradBefore = raw.setGradEnabled(false);
    const second = apply(operator('empty', 'memory_format'), [0], raw.dtype(handle));
    try {
      raw.call(operator('set_', 'source_Tensor'), null, second, handle);
      raw.call(operator('resize_', ''), null, second, [2 ** 29, 2 ** 29]);
      return true;
    } catch (error) {
      return !/not resizable/.test(String(error));
    } finally {
      raw.dispose(second);
      raw.setGradEnabled(gradBefore);
    }
  };

  const lentBytes = (handle: Handle): Uint8Array | null => {
    if (lent === null || raw.layout(handle) !== 'Strided') return null;
    const array = lent.find(...raw.storage(handle));
    return array === null || isOwn(handle) ? null : array;
  };

  const read = (handle: Handle): ArrayBuffer => {
    if (raw.layout(handle) !== 'Strided')
      throw argumentError('only a dense tensor has plain bytes; call toDense() first');
    const gradBefore = raw.setGradEnabled(false);
    try {
      // Plain bytes need no conjugation, negation or other device to be understood.
      const plain = pipeline(apply(operator('detach', ''), handle), [
        (x) => apply(operator('resolve_conj', ''), x),
        (x) => apply(operator('resolve_neg', ''), x),
        (x) => apply(operator('to', 'dtype_layout'), x, raw.dtype(x), undefined, 'cpu'),
        // A gradient that is zero everywhere has no memory until it is copied.
        (x) =>
          raw.call(operator('_is_zerotensor', ''), null, x) === true
            ? apply(operator('clone', ''), x, memoryFormatCodes.contiguous)
            : apply(operator('contiguous', ''), x),
      ]);
      try {
        const buffer = new ArrayBuffer(raw.numel(plain) * bytesPerElement(dtypeName(raw.dtype(plain))));
        raw.read(plain, new Uint8Array(buffer));
        return buffer;
      } finally {
        raw.dispose(plain);
      }
    } finally {
      raw.setGradEnabled(gradBefore);
    }
  };

  if (raw.scratch === undefined) {
    raw.scratch = new Float64Array(4096);
    raw.setScratch(raw.scratch);
  }
  return {
    ...raw,
    scratch: raw.scratch,
    info,
    fromBytes,
    lentBytes,
    read,
    operatorNames: () =>
      raw
        .schemas('')
        .map((schema) => schema.slice(0, schema.indexOf('(')))
        .sort(),
    layout: (handle) => raw.layout(handle).toLowerCase(),
    storage: (handle) => {
      const [address, bytes] = raw.storage(handle);
      return { id: BigInt(address), bytes };
    },
    memory: () => {
      const live = raw.liveTensors(0);
      const bytes: Record<string, number> = {};
      const seen = new Set<number>();
      for (const [, , handle] of live) {
        try {
          const [address, size] = raw.storage(handle);
          const device = raw.device(handle);
          if (seen.has(address)) continue;
          seen.add(address);
          bytes[device] = (bytes[device] ?? 0) + size;
        } catch {
          // A sparse layout, whose parts have handles of their own when they are in use; or collected while we count.
        }
      }
      return { handles: live.length, bytes };
    },
  };
}
