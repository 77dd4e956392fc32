/**
 * `torch`: tensors, operators, gradients, devices, random numbers and files, with PyTorch's names in camelCase and PyTorch's numbers.
 * Loading this module loads the engine.
 */
import { backward, DifferentiableOperation, FunctionContext, grad } from './autograd.js';
import * as create from './create.js';
import * as devices from './devices.js';
import { asMap, FileFormatError, load, loadMetadata, save, stateDictMetadata } from './files/index.js';
import type {
  TorchFftFunctions,
  TorchFunctions,
  TorchLinalgFunctions,
  TorchSpecialFunctions,
} from './generated/functions.generated.js';
import {
  fftFunctionNames,
  linalgFunctionNames,
  specialFunctionNames,
  torchFunctionNames,
} from './generated/names.generated.js';
import { Generator } from './generator.js';
import { functionNamespace, installMethods } from './install.js';
import { native } from './load.js';
import { emptyCache, findLeaks, keep, memory, scope, trackLeaks } from './memory.js';
import { installHandWritten } from './methods.js';
import * as modes from './modes.js';
import { hasOperator, ops } from './ops.js';
import { getPrintOptions, setPrintOptions, withPrintOptions } from './print.js';
import * as random from './random.js';
import { receiveTensor, shareTensor } from './sharing.js';
import { slice } from './slice.js';
import { Tensor } from './tensor.js';

installHandWritten();
installMethods();

const autograd = { backward, grad, Function: DifferentiableOperation, FunctionContext };

const handWritten = {
  ...create,
  ...modes,
  ...random,
  ...devices,
  Tensor,
  Generator,
  autograd,
  ops,
  hasOperator,
  memory,
  scope,
  keep,
  emptyCache,
  trackLeaks,
  findLeaks,
  shareTensor,
  receiveTensor,
  slice,
  setPrintOptions,
  getPrintOptions,
  withPrintOptions,
  save,
  load,
  loadMetadata,
  asMap,
  stateDictMetadata,
  linalg: functionNamespace(linalgFunctionNames, 'linalg.') as unknown as TorchLinalgFunctions,
  fft: functionNamespace(fftFunctionNames, 'fft.') as unknown as TorchFftFunctions,
  special: functionNamespace(specialFunctionNames, 'special.') as unknown as TorchSpecialFunctions,
  /** Version of the engine, e.g. `2.13.0`. */
  get version(): string {
    return native.info().torch;
  },
  /** Warnings of the engine since the last call. */
  takeWarnings: (): string[] => native.takeWarnings(),
};

type Torch = typeof handWritten & Omit<TorchFunctions, keyof typeof handWritten>;

const functions = functionNamespace(torchFunctionNames, '');
/** The namespace `torch`: everything hand-written, then every operator that PyTorch has as a function. */
export const torch: Torch = Object.defineProperties(
  functions,
  Object.getOwnPropertyDescriptors(handWritten),
) as unknown as Torch;

export type { BackwardOptions, GradOptions } from './autograd.js';
export type { BufferOptions, EmptyOptions, LikeOptions, RandomOptions, TensorOptions } from './create.js';
export type { DeviceString, DType, Layout, MemoryFormat, TypedArray } from './dtype.js';
export { ArgumentError, EngineError, MissingOperatorError, OutOfMemoryError, TorchError } from './errors.js';
export type { Loaded, LoadOptions, SaveOptions } from './files/index.js';
export type { Index, IndexArray, IndexedValue } from './indexing.js';
export type { LeakSite } from './memory.js';
export type { ConversionOptions, HookHandle, Values } from './methods.js';
export type { AutocastOptions } from './modes.js';
export type { NestedArray, TensorData } from './pack.js';
export type { TensorTicket } from './sharing.js';
export type { Slice, SliceString } from './slice.js';
export type { Complex, Scalar } from './types.js';
export { DifferentiableOperation, FileFormatError, FunctionContext, Generator, Tensor };
