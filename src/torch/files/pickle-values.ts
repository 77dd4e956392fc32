import type { ElementType } from './element-types.js';

/**
 * What the restricted unpickler builds: plain descriptions of Python values. They become TypeScript values only after the whole
 * stream was read and checked (`convert.ts`), so that nothing is allocated for a file that turns out to be broken.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleSet
  | PickleGlobal
  | PickleElementType
  | PickleText
  | PickleComplex
  | PickleNumpyType
  | PickleStorage
  | PickleTensor;

export class PickleList {
  readonly items: PickleValue[] = [];
}

/** A tuple, also `torch.Size`. */
export class PickleTuple {
  readonly items: readonly PickleValue[];
  /** The items as sizes, once they were checked to be that: many tensors may name one tuple. */
  sizes: readonly number[] | null = null;
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A `dict`, `OrderedDict` or `Counter`. */
export class PickleDict {
  /** Key, value, key, value, … in file order; a later pair wins over an earlier one with the same key. */
  readonly pairs: PickleValue[] = [];
  /** Attributes of an OrderedDict, such as the `_metadata` of a state dict. */
  attributes: PickleDict | null = null;
}

export class PickleSet {
  readonly items: PickleValue[] = [];
}

/** A name from the allow-list: a function that may be "called", or a class. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** `torch.float32` and its like, and the typed storage classes that stand for a dtype. */
export class PickleElementType {
  readonly type: ElementType;
  /** True for `torch.storage.UntypedStorage`: bytes, whose dtype the tensor names. */
  readonly untyped: boolean;
  /** True for a storage class, false for a dtype. */
  readonly isStorage: boolean;
  constructor(type: ElementType, isStorage: boolean, untyped: boolean) {
    this.type = type;
    this.isStorage = isStorage;
    this.untyped = untyped;
  }
}

/** `torch.device` or a layout: known by its text. */
export class PickleText {
  readonly kind: 'device' | 'layout';
  readonly text: string;
  constructor(kind: 'device' | 'layout', text: string) {
    this.kind = kind;
    this.text = text;
  }
}

export class PickleComplex {
  readonly re: number;
  readonly im: number;
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** `numpy.dtype`, as far as scalars need it. */
export class PickleNumpyType {
  readonly code: string;
  bigEndian = false;
  constructor(code: string) {
    this.code = code;
  }
}

/** Memory that tensors share. */
export class PickleStorage {
  /** Name of the record or key that holds the bytes. */
  readonly key: string;
  readonly type: ElementType;
  readonly untyped: boolean;
  readonly bytes: number;
  /** The storage this one is a part of (old legacy files), and where in it. */
  readonly root: PickleStorage | null;
  readonly rootOffset: number;
  constructor(
    key: string,
    type: ElementType,
    untyped: boolean,
    bytes: number,
    root: PickleStorage | null = null,
    rootOffset = 0,
  ) {
    this.key = key;
    this.type = type;
    this.untyped = untyped;
    this.bytes = bytes;
    this.root = root;
    this.rootOffset = rootOffset;
  }
}

/** A dense tensor over a storage, or a sparse one made of dense parts. */
export class PickleTensor {
  readonly body: DenseBody | SparseBody;
  readonly requiresGrad: boolean;
  constructor(body: DenseBody | SparseBody, requiresGrad: boolean) {
    this.body = body;
    this.requiresGrad = requiresGrad;
  }
}

export interface DenseBody {
  readonly kind: 'dense';
  readonly storage: PickleStorage;
  readonly type: ElementType;
  /** In elements of `type`, as are the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly conjugate: boolean;
  readonly negative: boolean;
}

export interface SparseBody {
  readonly kind: 'sparse';
  readonly layout: 'sparse_coo' | 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc';
  /** Indices (COO), or compressed and plain indices. */
  readonly indices: readonly PickleTensor[];
  readonly values: PickleTensor;
  readonly shape: readonly number[];
  readonly coalesced: boolean | null;
}

/** How error messages call a value. */
export function describeKind(value: PickleValue): string {
  if (value === null) return 'None';
  if (typeof value !== 'object') return typeof value === 'string' ? 'a string' : `a ${typeof value}`;
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof PickleGlobal) return value.name;
  const names: [new (...args: never[]) => object, string][] = [
    [PickleList, 'a list'],
    [PickleTuple, 'a tuple'],
    [PickleDict, 'a dict'],
    [PickleSet, 'a set'],
    [PickleElementType, 'a dtype or storage type'],
    [PickleText, 'a device or layout'],
    [PickleComplex, 'a complex number'],
    [PickleNumpyType, 'a numpy dtype'],
    [PickleStorage, 'a storage'],
    [PickleTensor, 'a tensor'],
  ];
  return names.find(([type]) => value instanceof type)?.[1] ?? 'a value';
}
