import type { ElementType } from './element-types.js';

/** What the file formats must know about a tensor to write it. */
export interface TensorFacts {
  /** PyTorch's dtype name, e.g. `float32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In elements, as is `offset`. */
  readonly strides: readonly number[];
  readonly offset: number;
  /** Identity of the memory, equal for tensors that share it, and its size in bytes. */
  readonly storage: { readonly id: bigint; readonly bytes: number };
  readonly requiresGrad: boolean;
  readonly device: string;
  /** `strided`, `sparse_coo`, … */
  readonly layout: string;
  readonly conjugate: boolean;
  readonly negative: boolean;
}

export interface SparseParts<T> {
  readonly layout: 'sparse_coo' | 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc';
  readonly indices: readonly T[];
  readonly values: T;
  readonly shape: readonly number[];
  /** Known only for COO; null elsewhere. */
  readonly coalesced: boolean | null;
}

/**
 * The few things the file formats need from an engine. Keeping them behind this interface lets the readers be tested, and fuzzed,
 * without one.
 */
export interface FileEngine<T> {
  isTensor(value: unknown): value is T;
  facts(tensor: T): TensorFacts;
  /** Throws when the loaded engine lacks the dtype. */
  checkType(type: ElementType): void;

  /** A new 1-d uint8 tensor on the CPU and its memory, to be filled. */
  allocate(bytes: number): { readonly storage: T; readonly memory: Uint8Array };
  /** A new 1-d uint8 tensor on the CPU with a copy of the bytes. */
  fromMemory(bytes: Uint8Array): T;
  /** A file as a 1-d uint8 tensor, mapped privately: pages are read when touched, and writes stay in this process. */
  map(path: string, bytes: number): T;
  /** A part of a 1-d uint8 tensor, over the same memory. */
  slice(storage: T, start: number, bytes: number): T;
  /**
   * A tensor over the memory of a 1-d uint8 tensor: not a view to autograd, with a version counter of its own.
   * `offset` and `strides` are in elements from the start of `storage`, which must be aligned to the element size.
   */
  view(storage: T, type: ElementType, shape: readonly number[], strides: readonly number[], offset: number): T;
  toDevice(storage: T, device: string): T;
  /** The tensor with lazy bits and the gradient flag set. */
  finish(tensor: T, flags: { requiresGrad: boolean; conjugate: boolean; negative: boolean }): T;
  makeSparse(parts: SparseParts<T>): T;

  sparseParts(tensor: T): SparseParts<T>;
  /** Bytes of the memory behind a tensor, from `start`: of the storage, whatever the tensor shows of it. To be used at once. */
  storageBytes(tensor: T, start: number, bytes: number): Uint8Array;
  /** The elements in row-major order. To be used at once. */
  elementBytes(tensor: T): Uint8Array;
}
