/** Methods of Tensor that are not one operator: conversion, values out, backward, hooks. */
import { type BackwardOptions, backward as runBackward } from './autograd.js';
import { callAny, callTensor, family } from './dispatch.js';
import {
  type DeviceString,
  type DType,
  dtypeCode,
  dtypeCodes,
  type Layout,
  type MemoryFormat,
  type TypedArray,
} from './dtype.js';
import { ArgumentError, nearest } from './errors.js';
import { attempt, failure } from './failure.js';
import { at, type Index, type IndexedValue, setAt } from './indexing.js';
import { native } from './load.js';
import type { Handle } from './native.js';
import { decode, nest, requireDtype, storedAs, typedArrayOver } from './pack.js';
import { handleOf, Tensor } from './tensor.js';
import type { Complex } from './types.js';

/** Where and as what a tensor is to be. */
export interface ConversionOptions {
  readonly dtype?: DType;
  readonly device?: DeviceString | (string & {});
  readonly memoryFormat?: MemoryFormat;
  readonly layout?: Layout;
  /** Return while the copy to or from pinned memory is still under way. */
  readonly nonBlocking?: boolean;
  /** Copy even when nothing would change. */
  readonly copy?: boolean;
}

/** JavaScript's values of a tensor: a single one, or arrays nested as the dimensions. */
export type Values = number | bigint | boolean | Complex | Values[];

/** A hook on a tensor's gradient; `remove()` takes it off. */
export interface HookHandle {
  remove(): void;
}

/** Hand-written methods, for the type of Tensor. */
export interface HandWrittenMethods {
  /** A copy with another element type or on another device; the tensor itself when nothing changes. `x.to('float64')`, `x.to('cuda')`, `x.to(other)`, `x.to({ … })`. */
  to(target: DType | DeviceString | Tensor | ConversionOptions | (string & {}), options?: ConversionOptions): Tensor;
  cpu(): Tensor;
  cuda(index?: number): Tensor;
  float(): Tensor;
  double(): Tensor;
  half(): Tensor;
  bfloat16(): Tensor;
  int(): Tensor;
  long(): Tensor;
  short(): Tensor;
  char(): Tensor;
  byte(): Tensor;
  bool(): Tensor;
  /** The elements as a typed array, copied, row-major. Half types as float32, bool as 0 and 1, complex as pairs. */
  toTypedArray(): TypedArray;
  /** The elements as nested arrays; a single value for a tensor without dimensions. */
  toArray(): Values;
  /** The memory itself as a typed array: dense, contiguous, on the CPU. Changes are seen on both sides. */
  asTypedArray(): TypedArray;
  /**
   * Part of the tensor: `x.at(0, ':', '1:5')` is Python's `x[0, :, 1:5]`. One argument per dimension: integers, slices, `'...'`, `null`,
   * masks, arrays or tensors of positions. Views share memory, and gradients flow through all of them. See docs/indexing.md.
   * Source: https://numpy.org/doc/stable/user/basics.indexing.html, with PyTorch's rules
   * @throws TorchError (`IndexError`) naming the argument that is outside the shape
   */
  at(...indices: Index[]): Tensor;
  /**
   * Puts a value, broadcast, into part of this tensor: `x.setAt([0, ':'], 1)` is Python's `x[0, :] = 1`. Nested arrays take this tensor's type.
   * @param indices as the arguments of `at`
   */
  setAt(indices: readonly Index[], value: IndexedValue): this;
  /** Rows along the first dimension. */
  [Symbol.iterator](): IterableIterator<Tensor>;
  /** Computes the gradients of this tensor's leaves and adds them to their `grad`. */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  /**
   * Calls `hook` with the gradient of this tensor; a returned tensor replaces it. The tensor's graph keeps the hook and all that it uses:
   * one that uses the tensor itself keeps both until `remove()`.
   * Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
  registerHook(hook: (gradient: Tensor) => Tensor | null | undefined | void): HookHandle;
  /** Matrix transpose: the last two dimensions exchanged. */
  readonly mT: Tensor;
  /** Matrix conjugate transpose. */
  readonly mH: Tensor;
  /** All dimensions reversed. */
  readonly T: Tensor;
  /** Keeps the memory from being used again before the stream's work is done (accelerators). */
  recordStream(stream: { readonly handle: unknown }): void;
}

function conversionOf(target: unknown, options: ConversionOptions): ConversionOptions {
  if (target instanceof Tensor) return { dtype: target.dtype, device: target.device, ...options };
  if (typeof target === 'object' && target !== null) return { ...(target as ConversionOptions), ...options };
  if (typeof target !== 'string')
    throw new ArgumentError(`to(): expected an element type, a device, a tensor or options, got ${String(target)}.`);
  if (dtypeCode(target) !== undefined) {
    requireDtype(target, 'to()');
    return { dtype: target as DType, ...options };
  }
  if (!/^[a-z]+(:\d+)?$/.test(target)) {
    const near = nearest(target, [...Object.keys(dtypeCodes), 'cpu', 'cuda:0', 'mps']);
    throw new ArgumentError(
      `to(): '${target}' is no element type and no device${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  }
  return { device: target, ...options };
}

/**
 * What the graph calls. Made here, where nothing else is in sight: a function keeps all that functions beside it use, and the graph keeps
 * the function, so a hook made within `registerHook` would keep its own tensor alive for ever.
 */
function gradientHook(hook: (gradient: Tensor) => unknown): (gradients: Handle[]) => (Handle | null)[] {
  return (gradients) => {
    const replaced = hook(new Tensor(gradients[0] as Handle));
    if (replaced === undefined || replaced === null) return [null];
    return [handleOf(replaced, 'the gradient that a hook returned')];
  };
}

const methods: Record<string, unknown> & ThisType<Tensor> = {
  to(this: Tensor, target: unknown, options: ConversionOptions = {}): Tensor {
    const { dtype, device, layout, memoryFormat, nonBlocking, copy } = conversionOf(target, options);
    if (
      dtype === undefined &&
      device === undefined &&
      layout === undefined &&
      memoryFormat === undefined &&
      copy !== true
    )
      return this;
    if (
      copy !== true &&
      memoryFormat === undefined &&
      layout === undefined &&
      (dtype === undefined || dtype === this.dtype) &&
      (device === undefined || device === this.device)
    )
      return this;
    return callAny(toFamily(), [this, { dtype, device, layout, nonBlocking, copy, memoryFormat }]) as Tensor;
  },
  cpu(this: Tensor): Tensor {
    return this.to('cpu');
  },
  cuda(this: Tensor, index?: number): Tensor {
    return this.to(index === undefined ? 'cuda' : `cuda:${index}`);
  },
  toTypedArray(this: Tensor): TypedArray {
    const dtype = storedAs(this.dtype);
    const source = dtype === this.dtype ? this : this.detach().to('cpu').to(dtype);
    return typedArrayOver(
      attempt(() => native.read(source.handle), 'toTypedArray', [this]),
      dtype,
    );
  },
  toArray(this: Tensor): Values {
    const dtype = storedAs(this.dtype);
    const dense = this.layout === 'strided' ? this : this.detach().toDense();
    const source = dtype === dense.dtype ? dense : dense.detach().to('cpu').to(dtype);
    const buffer = attempt(() => native.read(source.handle), 'toArray', [this]);
    return nest(decode(buffer, dtype), this.shape) as Values;
  },
  asTypedArray(this: Tensor): TypedArray {
    return typedArrayOver(
      attempt(() => native.map(this.handle), 'asTypedArray', [this]),
      this.dtype,
    );
  },
  at(this: Tensor, ...indices: Index[]): Tensor {
    return at(this, indices);
  },
  setAt(this: Tensor, indices: readonly Index[], value: IndexedValue): Tensor {
    setAt(this, indices, value);
    return this;
  },
  *[Symbol.iterator](this: Tensor): IterableIterator<Tensor> {
    const shape = this.shape;
    if (shape.length === 0) throw new ArgumentError('A tensor without dimensions has no rows to iterate over.');
    for (let i = 0; i < (shape[0] as number); i++) yield this.select(0, i);
  },
  backward(this: Tensor, gradient: Tensor | null = null, options: BackwardOptions = {}): void {
    runBackward([this], gradient === null ? undefined : [gradient], options);
  },
  registerHook(this: Tensor, hook: (gradient: Tensor) => Tensor | null | undefined): HookHandle {
    if (typeof hook !== 'function')
      throw new ArgumentError(`registerHook(): expected a function of the gradient, got ${typeof hook}.`);
    const call = gradientHook(hook);
    let id: number;
    try {
      id = native.addHook(this.handle, call);
    } catch (error) {
      throw failure(error, 'registerHook', [this]);
    }
    return { remove: () => native.removeHook(this.handle, id) };
  },
  recordStream(this: Tensor, stream: { readonly handle: unknown }): void {
    native.call(native.resolve('aten::record_stream', ''), null, this.handle, stream.handle as never);
  },
};

let cachedTo: ReturnType<typeof family> | undefined;
/** `to` with options only is one overload; the others differ just in what is required. */
const toFamily = () => (cachedTo ??= family('to', 'to'));

const shortConversions: Readonly<Record<string, DType>> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  int: 'int32',
  long: 'int64',
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
};

/** Puts the methods of this file on Tensor. */
export function installHandWritten(): void {
  const define = (name: PropertyKey, value: unknown) =>
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true, enumerable: false });
  for (const name of Reflect.ownKeys(methods)) define(name, methods[name as string]);
  for (const [name, dtype] of Object.entries(shortConversions))
    define(name, function (this: Tensor) {
      return this.to(dtype);
    });
  const getter = (name: string, get: (this: Tensor) => Tensor) =>
    Object.defineProperty(Tensor.prototype, name, { get, configurable: true });
  getter('mT', function () {
    return callTensor('mT', this);
  });
  getter('mH', function () {
    return callTensor('mH', this);
  });
  getter('T', function () {
    return callTensor('numpy_T', this);
  });
}
