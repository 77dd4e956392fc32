/** Devices: what there is, threads, streams, events, engine switches. */
import { ArgumentError } from './errors.js';
import { checked as native } from './failure.js';
import type { EventHandle, StreamHandle } from './native.js';

/** Number of threads one operator may use. */
export function getNumThreads(): number {
  return native.numThreads();
}

/** Sets the number of threads one operator may use. */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

/** Number of threads for independent operators (the engine's own pool). */
export function getNumInteropThreads(): number {
  return native.numInteropThreads();
}

export function setNumInteropThreads(threads: number): void {
  native.setNumInteropThreads(threads);
}

/** Switches of the engine; see PyTorch's `torch.backends`. `flushDenormal` can only be set. */
export type EngineSwitch =
  | 'deterministic'
  | 'deterministicWarnOnly'
  | 'benchmarkCudnn'
  | 'allowTf32Matmul'
  | 'allowTf32Cudnn'
  | 'oneDnn'
  | 'flushDenormal';

const readable: readonly EngineSwitch[] = [
  'deterministic',
  'deterministicWarnOnly',
  'benchmarkCudnn',
  'allowTf32Matmul',
  'allowTf32Cudnn',
  'oneDnn',
];

function requireSwitch(name: EngineSwitch, known: readonly EngineSwitch[], what: string): void {
  if (!known.includes(name))
    throw new ArgumentError(`There is no engine switch '${name}' ${what}: choose one of ${known.join(', ')}.`);
}

export function getSwitch(name: Exclude<EngineSwitch, 'flushDenormal'>): boolean {
  requireSwitch(name, readable, 'to read');
  return native.getSwitch(name);
}

/** Sets a switch; gives its state before. */
export function setSwitch(name: EngineSwitch, on: boolean): boolean {
  requireSwitch(name, [...readable, 'flushDenormal'], 'to set');
  return native.setSwitch(name, on);
}

/** Makes operators choose deterministic algorithms, and fail where there is none. */
export function useDeterministicAlgorithms(on: boolean, options: { readonly warnOnly?: boolean } = {}): void {
  native.setSwitch('deterministicWarnOnly', options.warnOnly ?? false);
  native.setSwitch('deterministic', on);
}

/** A queue of work on an accelerator. */
export class Stream {
  /** @internal */
  readonly handle: StreamHandle;

  constructor(
    options: { readonly device?: string; readonly highPriority?: boolean; readonly handle?: StreamHandle } = {},
  ) {
    this.handle = options.handle ?? native.streamNew(options.device ?? 'cuda', options.highPriority ?? false);
  }

  /** Whether all its work is done. */
  query(): boolean {
    return native.streamQuery(this.handle);
  }

  /** Waits until its work is done. */
  synchronize(): void {
    native.streamSynchronize(this.handle);
  }

  /** Lets later work of this stream wait for what another has queued so far. */
  waitStream(other: Stream, deviceType = 'cuda'): void {
    const event = new Event(deviceType);
    event.record(other);
    event.wait(this);
  }
}

/** A mark in a stream. */
export class Event {
  /** @internal */
  readonly handle: EventHandle;

  constructor(deviceType = 'cuda') {
    this.handle = native.eventNew(deviceType);
  }

  record(stream: Stream): void {
    native.eventRecord(this.handle, stream.handle);
  }

  /** Lets later work of a stream wait for the mark. */
  wait(stream: Stream): void {
    native.eventWait(this.handle, stream.handle);
  }

  /** Whether the work before the mark is done. */
  query(): boolean {
    return native.eventQuery(this.handle);
  }
}

/** One kind of accelerator, with PyTorch's names: `torch.cuda`, `torch.mps`. */
export class Accelerator {
  constructor(readonly type: 'cuda' | 'mps') {}

  /** Whether the engine can use such a device on this machine. */
  isAvailable(): boolean {
    return native.deviceCount(this.type) > 0;
  }

  deviceCount(): number {
    return native.deviceCount(this.type);
  }

  currentDevice(): number {
    return native.currentDevice(this.type);
  }

  setDevice(index: number): void {
    native.setDevice(this.type, index);
  }

  /** Why it is not available, in one sentence; null when it is. */
  whyNot(): string | null {
    if (this.isAvailable()) return null;
    const info = native.info();
    const built = this.type === 'cuda' ? info.cuda : info.mps;
    if (this.type === 'cuda' && info.cudaError !== '')
      return `The engine's CUDA library could not be loaded: ${info.cudaError}.`;
    return built
      ? `The engine supports ${this.type}, but there is no such device.`
      : `This engine (libtorch ${info.torch}) was built without ${this.type}.`;
  }

  private require(): void {
    const reason = this.whyNot();
    if (reason !== null) throw new ArgumentError(`torch.${this.type}: ${reason}`);
  }

  /** Waits for all work of a device. */
  synchronize(index?: number): void {
    this.require();
    native.synchronize(index === undefined ? this.type : `${this.type}:${index}`);
  }

  /** Gives memory that is cached but unused back to the system. */
  emptyCache(): void {
    if (this.isAvailable()) native.emptyCache(this.type);
  }

  /** Bytes allocated and reserved, now and at most; null where the engine keeps no count. */
  memoryStats(index = 0): Record<string, number> | null {
    this.require();
    return native.deviceStats(`${this.type}:${index}`);
  }

  resetPeakMemoryStats(index = 0): void {
    this.require();
    native.resetPeakStats(`${this.type}:${index}`);
  }

  currentStream(index = 0): Stream {
    this.require();
    return new Stream({ handle: native.streamCurrent(`${this.type}:${index}`) });
  }

  /** Runs a synchronous `callback` with `stream` as the current one. */
  withStream<T>(stream: Stream, callback: () => T): T {
    this.require();
    const before = new Stream({ handle: native.streamSet(stream.handle) });
    try {
      const result = callback();
      if (typeof (result as { then?: unknown } | null)?.then === 'function')
        throw new ArgumentError('withStream() takes a synchronous function: the current stream belongs to the thread.');
      return result;
    } finally {
      native.streamSet(before.handle);
    }
  }
}

export const cuda = new Accelerator('cuda');
export const mps = new Accelerator('mps');

/** The best device there is: CUDA, then Apple's GPU, then the CPU. */
export function bestDevice(): 'cuda' | 'mps' | 'cpu' {
  return cuda.isAvailable() ? 'cuda' : mps.isAvailable() ? 'mps' : 'cpu';
}
