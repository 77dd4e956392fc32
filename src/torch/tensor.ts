/** The tensor: a handle to one of the engine's, with what can be asked of it without an operator. */
import { bytesPerElement, type DType, dtypeName, floatingTypes, type TypedArray } from './dtype.js';
import { ArgumentError } from './errors.js';
import { failure } from './failure.js';
import type { TensorMethods } from './generated/tensor-methods.generated.js';
import { native } from './load.js';
import type { HandWrittenMethods } from './methods.js';
import type { Handle } from './native.js';
import { formatHandle } from './print-adapter.js';
import type { Complex } from './types.js';

/** Called with each new tensor while the leak finder is on. */
let watcher: ((tensor: Tensor) => void) | null = null;

/** Sets the function that sees each new tensor; null for none. Used by the leak finder. */
export function watchTensors(watch: ((tensor: Tensor) => void) | null): void {
  watcher = watch;
}

/** Asks the bridge about a tensor; what it throws becomes a TorchError that names the question. */
function ask<Answer>(self: Tensor, question: string, read: (handle: Handle) => Answer): Answer {
  try {
    return read(self.handle);
  } catch (error) {
    throw failure(error, question, [self]);
  }
}

/** What made a tensor, as `tensor.gradFn`. */
export interface GradientFunction {
  /** e.g. `AddBackward0`. */
  readonly name: string;
}

// Declaration merging adds the ~500 generated methods; src/torch/install.ts puts them on the prototype.
export interface Tensor extends TensorMethods, HandWrittenMethods {}

/**
 * A multi-dimensional array of one element type on one device, with PyTorch's operators as methods.
 * Its memory is freed when the program drops it; `dispose()` or `using` free it at once.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are installed on the prototype from the engine's own schemas
export class Tensor {
  /** The bridge's handle. @internal */
  handle: Handle;

  /** Tensors come from creation functions and operators, never from `new`. `null` makes a shell for the bridge to fill. @internal */
  constructor(handle: Handle | null) {
    if (handle === null) this.handle = 0 as Handle;
    else {
      this.handle = handle;
      native.adopt(this, handle);
      if (watcher !== null) watcher(this);
    }
  }

  /** Puts the result of a call into a shell. @internal */
  fill(handle: Handle): this {
    this.handle = handle;
    if (watcher !== null) watcher(this);
    return this;
  }

  /** Sizes of the dimensions; empty for a single number. */
  get shape(): number[] {
    return ask(this, 'shape', native.shape);
  }

  /** Number of dimensions. */
  get ndim(): number {
    return ask(this, 'ndim', native.shape).length;
  }

  /** Number of dimensions, as PyTorch's method. */
  dim(): number {
    return this.ndim;
  }

  /** The shape, or the size of one dimension (negative counts from the end). */
  size(): number[];
  size(dim: number): number;
  size(dim?: number): number | number[] {
    const shape = this.shape;
    if (dim === undefined) return shape;
    const size = shape[dim < 0 ? dim + shape.length : dim];
    if (size === undefined)
      throw new ArgumentError(`size(): dimension ${dim} is out of range for a tensor of shape [${shape.join(', ')}].`);
    return size;
  }

  /** Steps between neighbours along each dimension, in elements; or of one dimension. */
  stride(): number[];
  stride(dim: number): number;
  stride(dim?: number): number | number[] {
    const strides = ask(this, 'stride', native.strides);
    if (dim === undefined) return strides;
    const stride = strides[dim < 0 ? dim + strides.length : dim];
    if (stride === undefined)
      throw new ArgumentError(
        `stride(): dimension ${dim} is out of range for a tensor of ${strides.length} dimensions.`,
      );
    return stride;
  }

  /** Number of elements. */
  numel(): number {
    return ask(this, 'numel', native.numel);
  }

  /** Element type, e.g. `float32`. */
  get dtype(): DType {
    return dtypeName(ask(this, 'dtype', native.dtype));
  }

  /** Where it lives: `cpu`, `cuda:0`, … */
  get device(): string {
    return ask(this, 'device', native.device);
  }

  /** `strided`, `sparse`, `sparsecsr`, … as the engine names it. */
  get layout(): string {
    return ask(this, 'layout', native.layout);
  }

  /** Offset of the first element in the storage, in elements. */
  storageOffset(): number {
    return ask(this, 'storageOffset', native.storageOffset);
  }

  /** Bytes of one element. */
  elementSize(): number {
    return bytesPerElement(this.dtype);
  }

  /** Bytes of all elements, numel × elementSize. */
  get nbytes(): number {
    return this.numel() * this.elementSize();
  }

  /** Whether operators on it are recorded for `backward`. */
  get requiresGrad(): boolean {
    return (ask(this, 'requiresGrad', native.flags) & 1) !== 0;
  }
  set requiresGrad(on: boolean) {
    this.requiresGrad_(on);
  }

  /** True for tensors made by the user and for those without history. */
  get isLeaf(): boolean {
    return (ask(this, 'isLeaf', native.flags) & 2) !== 0;
  }

  /** True for the result of a view operator. */
  get isView(): boolean {
    return (ask(this, 'isView', native.flags) & 64) !== 0;
  }

  /** True when made in inference mode. */
  get isInference(): boolean {
    return (ask(this, 'isInference', native.flags) & 128) !== 0;
  }

  /** True for sparse layouts. */
  get isSparse(): boolean {
    return this.layout.startsWith('sparse');
  }

  /** True for floating-point element types. */
  isFloatingPoint(): boolean {
    return floatingTypes.has(this.dtype);
  }

  /** Whether the elements lie in memory in the order of `format`. */
  isContiguous(format: 'contiguous' | 'channelsLast' = 'contiguous'): boolean {
    return (ask(this, 'isContiguous', native.flags) & (format === 'contiguous' ? 4 : 8)) !== 0;
  }

  /** Whether it lies in page-locked memory. */
  isPinned(): boolean {
    return (ask(this, 'isPinned', native.flags) & 16) !== 0;
  }

  /** The accumulated gradient, or null. */
  get grad(): Tensor | null {
    const grad = ask(this, 'grad', native.getGrad);
    return grad === null ? null : new Tensor(grad);
  }
  set grad(grad: Tensor | null) {
    const given = grad === null ? null : handleOf(grad, 'grad');
    ask(this, 'grad', (handle) => native.setGrad(handle, given));
  }

  /** What made it, or null for a leaf. */
  get gradFn(): GradientFunction | null {
    const name = ask(this, 'gradFn', native.gradFnName);
    // `torch::autograd::CopySlices` is CopySlices in Python.
    return name === null ? null : { name: name.slice(name.lastIndexOf(':') + 1) };
  }

  /** Counts in-place changes. */
  get version(): number {
    return ask(this, 'version', native.version);
  }

  /**
   * The value of a tensor of one element.
   * int64 values beyond 2^53 come as bigint, complex ones as `{ re, im }`.
   * @throws TorchError when there is not exactly one element
   */
  item(): number {
    const value = ask(this, 'item', native.item);
    // Nearly always a number; the declared type says so, and the rarer kinds have itemExact.
    return value as number;
  }

  /** `item()` with every kind of value in its type. */
  itemExact(): number | bigint | boolean | Complex {
    return ask(this, 'itemExact', native.item);
  }

  /** Frees the memory now. Using the tensor afterwards is an error; disposing twice is not. */
  dispose(): void {
    native.dispose(this.handle);
  }

  /** Whether `dispose` was called. */
  get isDisposed(): boolean {
    // Not through `ask`: its message describes the tensor, and asks this for that.
    try {
      return native.isDisposed(this.handle);
    } catch (error) {
      throw new ArgumentError('isDisposed: this object is no tensor of torch.', { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Whether two tensors are the same object in the engine: same memory, same history. */
  isSameTensor(other: Tensor): boolean {
    const given = handleOf(other, 'other');
    return ask(this, 'isSameTensor', (handle) => native.sameTensor(handle, given));
  }

  /** What Python's `print(tensor)` writes. */
  toString(): string {
    return formatHandle(native, this.handle);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Identity and size in bytes of the memory behind it; views of one tensor share it. */
  storage(): { id: bigint; bytes: number } {
    return ask(this, 'storage', native.storage);
  }
}

/** Elements of a tensor as JavaScript sees them without loss. */
export type ElementArray = TypedArray;

/** The handle of a tensor argument, or a clear error. @internal */
export function handleOf(value: unknown, name: string): Handle {
  if (value instanceof Tensor) return value.handle;
  throw new ArgumentError(`Argument '${name}' must be a Tensor, got ${value === null ? 'null' : typeof value}.`);
}
