/** Making tensors: from JavaScript's numbers and bytes, constant, random, ranges. */

import { callTensor } from './dispatch.js';
import {
  type DeviceString,
  type DType,
  dtypeOfTypedArray,
  type Layout,
  type MemoryFormat,
  type TypedArray,
} from './dtype.js';
import { ArgumentError } from './errors.js';
import { attempt } from './failure.js';
import type { Generator } from './generator.js';
import { native } from './load.js';
import {
  encode,
  flatten,
  inferDtype,
  type NestedArray,
  requireDtype,
  shapeOf,
  storedAs,
  type TensorData,
} from './pack.js';
import { Tensor } from './tensor.js';
import type { Scalar } from './types.js';

/** Options of every creation function. */
export interface TensorOptions {
  /** Element type; default: the default floating type, or what the data says. */
  readonly dtype?: DType;
  /** Where it is made; default `cpu`, or the default device. */
  readonly device?: DeviceString | (string & {});
  readonly requiresGrad?: boolean;
}

export interface EmptyOptions extends TensorOptions {
  readonly layout?: Layout;
  readonly memoryFormat?: MemoryFormat;
  readonly pinMemory?: boolean;
}

export interface RandomOptions extends TensorOptions {
  readonly generator?: Generator;
}

let defaultDtype: DType = 'float32';
let defaultDevice = 'cpu';

/** The floating-point type of new tensors, `float32` unless set. */
export function getDefaultDtype(): DType {
  return defaultDtype;
}

/** Sets the floating-point type of new tensors. */
export function setDefaultDtype(dtype: DType): void {
  requireDtype(dtype, 'setDefaultDtype()');
  if (!/^(b?float)/.test(dtype)) throw new ArgumentError(`setDefaultDtype(): ${dtype} is not a floating-point type.`);
  defaultDtype = dtype;
}

export function getDefaultDevice(): string {
  return defaultDevice;
}

/** Sets where new tensors are made. */
export function setDefaultDevice(device: DeviceString): void {
  const type = device.split(':')[0] as string;
  if (type !== 'cpu' && type !== 'meta' && attempt(() => native.deviceCount(type), 'setDefaultDevice', [device]) === 0)
    throw new ArgumentError(`setDefaultDevice(): there is no ${type} device here.`);
  defaultDevice = device;
}

interface EngineOptions {
  readonly dtype: DType;
  readonly device: string;
}

const engineOptions = (options: TensorOptions, dtype: DType = defaultDtype): EngineOptions => ({
  dtype: options.dtype ?? dtype,
  device: options.device ?? defaultDevice,
});

function finish(tensor: Tensor, options: TensorOptions): Tensor {
  return options.requiresGrad === true ? tensor.requiresGrad_(true) : tensor;
}

const isTypedArray = (data: unknown): data is TypedArray => ArrayBuffer.isView(data) && !(data instanceof DataView);

function fromBytes(
  title: 'tensor' | 'fromBuffer',
  bytes: Uint8Array,
  offset: number,
  shape: readonly number[],
  dtype: DType,
  share = false,
): Tensor {
  const code = requireDtype(dtype, `${title}()`);
  return attempt(() => new Tensor(native.fromBytes(bytes, offset, shape, code, share)), title, [shape, dtype]);
}

/**
 * A tensor of given values, copied. Numbers become the default floating type, bigints `int64`, booleans `bool`, typed arrays their own type.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
 * @param data a number, nested arrays of equal rows, or a typed array (one dimension; see `fromBuffer` for more)
 * @throws ArgumentError naming the element that does not fit
 */
export function tensor(data: TensorData | Tensor, options: TensorOptions = {}): Tensor {
  if (data instanceof Tensor)
    return finish(data.detach().clone().to({ dtype: options.dtype, device: options.device }), options);
  let made: Tensor;
  if (isTypedArray(data)) {
    const given = dtypeOfTypedArray(data);
    made = fromBytes('tensor', new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 0, [data.length], given);
    made = made.to({ dtype: options.dtype, device: options.device ?? defaultDevice });
  } else if (
    data instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== 'undefined' && data instanceof SharedArrayBuffer)
  ) {
    throw new ArgumentError('tensor(): a buffer has no element type; use torch.fromBuffer(buffer, { dtype, shape }).');
  } else {
    const nested = data as NestedArray;
    const shape = shapeOf(nested);
    const flat = flatten(nested, shape);
    const dtype = options.dtype ?? inferDtype(flat, defaultDtype);
    requireDtype(dtype, 'tensor()');
    const stored = storedAs(dtype);
    made = fromBytes('tensor', encode(flat, stored), 0, shape, stored);
    made = made.to({ dtype, device: options.device ?? defaultDevice });
  }
  return finish(made, options);
}

export interface BufferOptions extends TensorOptions {
  /** Default: one dimension over all elements from `byteOffset`. */
  readonly shape?: readonly number[];
  /** Where the first element is, in bytes. Default 0. */
  readonly byteOffset?: number;
  /** Use the memory itself instead of a copy; only memory that cannot be taken away: a SharedArrayBuffer. Default: true for one. */
  readonly share?: boolean;
}

/**
 * A tensor over bytes. Over a SharedArrayBuffer it shares the memory: changes are seen on both sides. Anything else is copied,
 * because an ArrayBuffer can be detached under the tensor.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.frombuffer.html
 */
export function fromBuffer(data: TypedArray | ArrayBuffer | SharedArrayBuffer, options: BufferOptions = {}): Tensor {
  const view = isTypedArray(data) ? data : null;
  const buffer = view === null ? (data as ArrayBuffer | SharedArrayBuffer) : view.buffer;
  if (!(buffer instanceof ArrayBuffer) && !(buffer instanceof SharedArrayBuffer))
    throw new ArgumentError('fromBuffer(): expected a typed array, an ArrayBuffer or a SharedArrayBuffer.');
  const shared = buffer instanceof SharedArrayBuffer;
  const share = options.share ?? shared;
  if (share && !shared)
    throw new ArgumentError(
      'fromBuffer(): only a SharedArrayBuffer can be shared; an ArrayBuffer can be detached. Leave out share.',
    );
  const bytes = view === null ? new Uint8Array(buffer) : new Uint8Array(buffer, view.byteOffset, view.byteLength);
  const dtype = options.dtype ?? (view === null ? 'uint8' : dtypeOfTypedArray(view));
  const offset = options.byteOffset ?? 0;
  const itemSize = bytesOf(dtype);
  const shape = options.shape ?? [Math.max(0, Math.floor((bytes.byteLength - offset) / itemSize))];
  const made = fromBytes('fromBuffer', bytes, offset, shape, dtype, share);
  return finish(options.device === undefined ? made : made.to({ device: options.device }), options);
}

const bytesOf = (dtype: DType): number => {
  const bits = /(\d+)/.exec(dtype)?.[1];
  return dtype === 'bool' || bits === undefined ? 1 : Math.max(1, Number(bits) / 8);
};

/** `torch.zeros(2, 3)`, `torch.zeros([2, 3])` and either with options at the end. */
export type ShapeArguments<Options> =
  | [...shape: number[]]
  | [...shape: number[], options: Options]
  | [shape: readonly number[], options?: Options];

function splitShape<Options extends object>(args: readonly unknown[], name: string): [number[], Options] {
  const last = args.at(-1);
  const options =
    typeof last === 'object' && last !== null && !Array.isArray(last) ? (last as Options) : ({} as Options);
  const rest = options === last ? args.slice(0, -1) : args;
  const shape: readonly unknown[] = Array.isArray(rest[0]) ? rest[0] : rest;
  if (
    (Array.isArray(rest[0]) && rest.length > 1) ||
    !shape.every((x) => typeof x === 'number' && Number.isInteger(x) && x >= 0)
  )
    throw new ArgumentError(`${name}(): the shape must be integers of at least 0, got ${JSON.stringify(rest)}.`);
  return [shape as number[], options];
}

const filled =
  (name: string) =>
  (...args: ShapeArguments<TensorOptions>): Tensor => {
    const [shape, options] = splitShape<TensorOptions>(args, name);
    return finish(callTensor(name, shape, engineOptions(options)), options);
  };

/** Zeros of a shape. */
export const zeros = filled('zeros');
/** Ones of a shape. */
export const ones = filled('ones');

const random =
  (name: string) =>
  (...args: ShapeArguments<RandomOptions>): Tensor => {
    const [shape, options] = splitShape<RandomOptions>(args, name);
    const engine = engineOptions(options);
    return finish(
      callTensor(name, shape, options.generator ? { ...engine, generator: options.generator } : engine),
      options,
    );
  };

/** Uniform random numbers in [0, 1). Same seed, same bits as PyTorch. */
export const rand = random('rand');
/** Random numbers of the standard normal distribution. Same seed, same bits as PyTorch. */
export const randn = random('randn');

/** Memory of a shape as it is, not cleared. */
export function empty(...args: ShapeArguments<EmptyOptions>): Tensor {
  const [shape, options] = splitShape<EmptyOptions>(args, 'empty');
  const { layout, memoryFormat, pinMemory } = options;
  return finish(callTensor('empty', shape, { ...engineOptions(options), layout, memoryFormat, pinMemory }), options);
}

/** One value in every element; the default floating type unless it is a boolean or bigint. */
export function full(shape: readonly number[], value: Scalar, options: TensorOptions = {}): Tensor {
  const dtype = typeof value === 'object' && 'float' in value ? defaultDtype : inferDtype([value], defaultDtype);
  return finish(callTensor('full', shape, value, engineOptions(options, dtype)), options);
}

/**
 * Random integers from `low` (default 0) up to but not including `high`, int64.
 * `randint(10, [3])`, `randint(5, 10, [3])`. Same seed, same numbers as PyTorch.
 */
export function randint(high: number, shape: readonly number[], options?: RandomOptions): Tensor;
export function randint(low: number, high: number, shape: readonly number[], options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | readonly number[],
  third?: readonly number[] | RandomOptions,
  fourth?: RandomOptions,
): Tensor {
  const [low, high, shape, options] =
    typeof second === 'number'
      ? [first, second, third as readonly number[], fourth ?? {}]
      : [0, first, second, (third as RandomOptions | undefined) ?? {}];
  const { generator } = options;
  return finish(
    callTensor('randint', low, high, shape, {
      ...engineOptions(options, 'int64'),
      ...(generator ? { generator } : {}),
    }),
    options,
  );
}

/** A random order of 0 … n−1, int64. Same seed, same order as PyTorch. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const { generator } = options;
  return finish(
    callTensor('randperm', n, { ...engineOptions(options, 'int64'), ...(generator ? { generator } : {}) }),
    options,
  );
}

/**
 * Numbers from `start` (0) to `end` (excluded) in steps (1). int64 when all are integers, as in PyTorch, because ranges are indices.
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: (number | TensorOptions | undefined)[]): Tensor {
  const numbers = args.filter((x) => typeof x === 'number');
  const options = (args.find((x) => typeof x === 'object') ?? {}) as TensorOptions;
  if (numbers.length === 0 || numbers.length > 3)
    throw new ArgumentError('arange(): expected (end), (start, end) or (start, end, step).');
  const [start, end, step] =
    numbers.length === 1 ? [0, numbers[0] as number, 1] : [numbers[0] as number, numbers[1] as number, numbers[2] ?? 1];
  const dtype = numbers.every(Number.isInteger) ? 'int64' : defaultDtype;
  return finish(callTensor('arange', start, end, step, engineOptions(options, dtype)), options);
}

/** `steps` numbers from `start` to `end`, both included, evenly spaced. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  return finish(callTensor('linspace', start, end, steps, engineOptions(options)), options);
}

/** `steps` numbers from base^start to base^end. */
export function logspace(
  start: number,
  end: number,
  steps: number,
  base: number | TensorOptions = 10,
  options: TensorOptions = {},
): Tensor {
  const given = typeof base === 'object' ? base : options;
  return finish(
    callTensor('logspace', start, end, steps, typeof base === 'number' ? base : 10, engineOptions(given)),
    given,
  );
}

/** Ones on the diagonal, zeros elsewhere; n × n or n × m. */
export function eye(n: number, m?: number | TensorOptions, options: TensorOptions = {}): Tensor {
  const given = typeof m === 'object' ? m : options;
  return finish(
    typeof m === 'number' ? callTensor('eye', n, m, engineOptions(given)) : callTensor('eye', n, engineOptions(given)),
    given,
  );
}

/** Options of the `…Like` functions; what is not given is taken from the tensor. */
export interface LikeOptions extends TensorOptions {
  readonly memoryFormat?: MemoryFormat;
}

const like =
  (name: string) =>
  (other: Tensor, options: LikeOptions = {}): Tensor => {
    const { dtype, device, memoryFormat } = options;
    return finish(callTensor(name, other, { dtype, device, memoryFormat }), options);
  };

export const zerosLike = like('zeros_like');
export const onesLike = like('ones_like');
export const emptyLike = like('empty_like');
export const randLike = like('rand_like');
export const randnLike = like('randn_like');

/** One value in every element, with another tensor's shape, type and device. */
export function fullLike(other: Tensor, value: Scalar, options: LikeOptions = {}): Tensor {
  const { dtype, device, memoryFormat } = options;
  return finish(callTensor('full_like', other, value, { dtype, device, memoryFormat }), options);
}

/** Random integers with another tensor's shape, type and device. */
export function randintLike(other: Tensor, low: number, high: number, options: LikeOptions = {}): Tensor {
  const { dtype, device, memoryFormat } = options;
  return finish(callTensor('randint_like', other, low, high, { dtype, device, memoryFormat }), options);
}

/** A single value as a tensor without dimensions. */
export function scalarTensor(value: Scalar, options: TensorOptions = {}): Tensor {
  return finish(callTensor('scalar_tensor', value, engineOptions(options)), options);
}
