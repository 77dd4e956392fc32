/**
 * The seam between TypeScript and the C++ bridge (`native/`): every function the bridge exports, typed.
 * Nothing above this file touches the addon; nothing below it knows what a network is.
 */

/**
 * A tensor held by the bridge: a negative number that names a slot and its generation, checked at every use.
 * A handle that leaves the bridge has no owner yet: wrap it (`new Tensor(handle)` adopts it) or `dispose` it.
 */
export type Handle = number & { readonly __praxisHandle: never };

/** A random number generator held by the bridge. */
export interface GeneratorHandle {
  readonly __praxisGenerator: never;
}

/** A stream or event of an accelerator, held by the bridge. */
export interface StreamHandle {
  readonly __praxisStream: never;
}
export interface EventHandle {
  readonly __praxisEvent: never;
}

export interface ComplexNumber {
  readonly re: number;
  readonly im: number;
}

/** Whatever may go into or come out of an operator call, after TypeScript has translated names into codes. */
export type NativeValue =
  | Handle
  | GeneratorHandle
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | ComplexNumber
  | readonly NativeValue[];

export interface EngineInfo {
  /** The engine's version, e.g. `2.13.0`. */
  readonly torch: string;
  /** Folder that `libtorch_cpu` was loaded from. */
  readonly path: string;
  /** `torch.__config__.show()` in Python: compiler, BLAS, oneDNN, CPU capability. */
  readonly config: string;
  readonly cpuCapability: string;
  readonly hasOneDnn: boolean;
  readonly hasMkl: boolean;
  readonly hasOpenMp: boolean;
  readonly hasLapack: boolean;
  readonly cuda: boolean;
  readonly mps: boolean;
  /** Why `libtorch_cuda` beside the engine could not be loaded, or an empty string. */
  readonly cudaError: string;
  /** Node-API finalizers run inside garbage collection (the memory promise depends on it). */
  readonly promptFinalizers: boolean;
}

export interface MemoryReport {
  /** Live handles of this thread. */
  readonly handles: number;
  /** Bytes of the distinct storages behind them, per device, e.g. `{ cpu: 4096 }`. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** State of the thread's modes: grad mode, inference mode, autocast. */
export interface NativeBridge {
  // ---- engine ----
  info(): EngineInfo;
  /** Names of all registered operators with overload, e.g. `aten::add.Tensor`, sorted. */
  operatorNames(): string[];
  /** Schema strings of all overloads of an operator, e.g. of `aten::add`; empty when the engine lacks it. */
  schemas(name: string): string[];
  /** Id of an operator for `call`; -1 when the engine lacks it. Throws when an argument kind has no conversion. */
  resolve(name: string, overload: string): number;
  /**
   * Calls an operator. Missing trailing arguments take their defaults. In-place and out results come back as `undefined`.
   * `shell` is the object that is to own the result when that is a single tensor, or null: then the handle has no owner yet.
   * `true` in place of an int[] or Tensor[] stands for the next list in the scratch memory: its length, then its elements;
   * `false` in place of a Tensor[] for the gradients of the tensors listed there.
   */
  call(id: number, shell: object | null, ...args: NativeValue[]): NativeValue;
  /** Memory for lists passed to `call`. */
  readonly scratch: Float64Array;

  /** The function that runs the garbage collector: for young objects, or for all (true). The bridge asks when native memory piles up. */
  setCollector(collect: (all: boolean) => void): void;

  // ---- handles ----
  /** Makes `owner` the owner of a handle: when the collector takes the object, the tensor is freed. */
  adopt(owner: object, handle: Handle): void;
  /** A point in the order of births, for `scopeClose`. */
  scopeMark(): number;
  /** Disposes the tensors of this thread made since `mark`, but for those in `keep`. */
  scopeClose(mark: number, keep: readonly Handle[]): void;
  /** [sequence, bytes charged, handle] of the live tensors made since a mark (0 for all), youngest first. */
  liveTensors(mark: number): [number, number, Handle][];
  dispose(handle: Handle): void;
  isDisposed(handle: Handle): boolean;
  memory(): MemoryReport;
  /** Whether two handles are the same tensor object in the engine (not just equal values). */
  sameTensor(a: Handle, b: Handle): boolean;
  /** A second handle to the same tensor. */
  alias(handle: Handle): Handle;

  // ---- data ----
  shape(handle: Handle): number[];
  strides(handle: Handle): number[];
  /** c10::ScalarType code. */
  dtype(handle: Handle): number;
  /** e.g. `cpu`, `cuda:0`. */
  device(handle: Handle): string;
  numel(handle: Handle): number;
  /** Bit set: 1 requiresGrad, 2 isLeaf, 4 contiguous, 8 channels-last, 16 pinned, 32 sparse or other layout, 64 view, 128 inference, 256 defined grad, 512 conjugate bit, 1024 negative bit. */
  flags(handle: Handle): number;
  /** `strided`, `sparse`, `sparse_csr`, `mkldnn`, … as PyTorch prints it. */
  layout(handle: Handle): string;
  storageOffset(handle: Handle): number;
  /** Address-like identity of the storage, stable while it lives, and its size in bytes. */
  storage(handle: Handle): { id: bigint; bytes: number };
  /** Version counter of in-place changes. */
  version(handle: Handle): number;
  /** One element as a number (bigint when an int64 is not exact as a number, boolean, or complex). */
  item(handle: Handle): number | bigint | boolean | ComplexNumber;
  /** A copy of the elements, row-major, in the tensor's own dtype. */
  read(handle: Handle): ArrayBuffer;
  /** The memory itself, without a copy: CPU, contiguous, dense; throws otherwise. */
  map(handle: Handle): ArrayBuffer;
  /**
   * A CPU tensor over (share) or copied from a typed array, ArrayBuffer, SharedArrayBuffer or Buffer view.
   * `byteOffset` and the shape select bytes within it; throws when they do not fit or are not aligned.
   */
  fromBytes(
    bytes: ArrayBufferView | ArrayBuffer | SharedArrayBuffer,
    byteOffset: number,
    shape: readonly number[],
    dtype: number,
    share: boolean,
  ): Handle;
  /**
   * The shared memory that a storage lies over, given by this thread with `fromBytes`, if that memory goes when the thread ends: never in the
   * main thread. Null for other storages.
   */
  lentBytes(handle: Handle): Uint8Array | null;

  // ---- autograd ----
  /** Of the tensors listed in the scratch memory: 0 none has a gradient, 1 some have, 2 all have. `clear` drops the gradients. */
  gradients(clear: boolean): 0 | 1 | 2;
  getGrad(handle: Handle): Handle | null;
  setGrad(handle: Handle, grad: Handle | null): void;
  /** Name of the node that made it, e.g. `AddBackward0`, or null. */
  gradFnName(handle: Handle): string | null;
  backward(
    roots: readonly Handle[],
    gradients: readonly (Handle | null)[],
    retainGraph: boolean,
    createGraph: boolean,
    inputs: readonly Handle[] | null,
  ): void;
  grad(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradients: readonly (Handle | null)[],
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  /** Calls `hook([gradient])` when the gradient of this tensor is known; returns [replacement or null]. */
  addHook(handle: Handle, hook: (gradients: Handle[]) => (Handle | null)[]): number;
  removeHook(handle: Handle, id: number): void;
  /**
   * Makes `outputs` the results of a custom node over `inputs`. `backward` gets one gradient (or null) per output and the saved tensors,
   * and returns one gradient (or null) per input.
   */
  customNode(
    name: string,
    inputs: readonly (Handle | null)[],
    outputs: readonly Handle[],
    saved: readonly (Handle | null)[],
    backward: (gradients: (Handle | null)[], saved: (Handle | null)[]) => (Handle | null)[],
  ): Handle[];
  /** Forces `backward` through the helper thread even for CPU-only graphs (tests of the accelerator path). */
  setPumpAlways(on: boolean): void;

  // ---- modes (per thread) ----
  isGradEnabled(): boolean;
  setGradEnabled(on: boolean): boolean;
  /** Enters (true) or leaves (false) an inference-mode guard; strictly nested. `leaveInference` undoes the last `enterInference`. */
  enterInference(on: boolean): void;
  leaveInference(): void;
  isInference(): boolean;
  getAutocast(deviceType: string): { enabled: boolean; dtype: number };
  setAutocast(deviceType: string, enabled: boolean, dtype: number): void;
  clearAutocastCache(): void;
  setAutocastCacheEnabled(on: boolean): boolean;

  // ---- random numbers ----
  /** Seeds every device's default generator. */
  manualSeed(seed: bigint): void;
  /** A new generator of its own for a device. */
  makeGenerator(device: string): GeneratorHandle;
  /** The default generator of a device. */
  defaultGenerator(device: string): GeneratorHandle;
  generatorSeed(generator: GeneratorHandle, seed: bigint): void;
  generatorInitialSeed(generator: GeneratorHandle): bigint;
  generatorState(generator: GeneratorHandle): Handle;
  setGeneratorState(generator: GeneratorHandle, state: Handle): void;
  generatorDevice(generator: GeneratorHandle): string;

  // ---- threads and switches ----
  numThreads(): number;
  setNumThreads(n: number): void;
  /** Gives unused memory of the heap back and prepares so many bytes of addresses; those prepared, 0 where it cannot be done. */
  prepareHeap(bytes: number): number;
  numInteropThreads(): number;
  setNumInteropThreads(n: number): void;
  /** Named engine switches: `deterministic`, `deterministicWarnOnly`, `benchmarkCudnn`, `allowTf32Matmul`, `allowTf32Cudnn`, `flushDenormal`, `oneDnn`. */
  getSwitch(name: string): boolean;
  setSwitch(name: string, on: boolean): boolean;

  // ---- devices ----
  deviceCount(type: string): number;
  currentDevice(type: string): number;
  setDevice(type: string, index: number): void;
  synchronize(device: string): void;
  emptyCache(type: string): void;
  /** Allocator statistics of an accelerator: name → bytes or counts; null where the engine has none. */
  deviceStats(device: string): Record<string, number> | null;
  resetPeakStats(device: string): void;
  streamNew(device: string, highPriority: boolean): StreamHandle;
  streamCurrent(device: string): StreamHandle;
  streamSet(stream: StreamHandle): StreamHandle;
  streamQuery(stream: StreamHandle): boolean;
  streamSynchronize(stream: StreamHandle): void;
  eventNew(deviceType: string): EventHandle;
  eventRecord(event: EventHandle, stream: StreamHandle): void;
  eventWait(event: EventHandle, stream: StreamHandle): void;
  eventQuery(event: EventHandle): boolean;

  // ---- sharing between worker threads ----
  /** Parks a tensor for another thread of this process; the ticket is good for one import. */
  exportHandle(handle: Handle): number;
  importHandle(ticket: number): Handle;

  /** Message queue of engine warnings since the last call. */
  takeWarnings(): string[];
}
