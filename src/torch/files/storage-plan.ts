import { type ElementType, elementByName } from './element-types.js';
import type { FileEngine, TensorFacts } from './engine.js';
import { FileFormatError } from './errors.js';
import { wasMapped } from './materialise.js';
import type { PickledSparse, PickledTensor, TensorBook } from './pickle-writer.js';
import { countElements } from './safetensors-header.js';

/** One record of an archive: a stretch of the memory behind `tensor`. */
export interface PlannedStorage<T> {
  readonly key: string;
  readonly tensor: T;
  /** In bytes from the start of the memory. */
  readonly start: number;
  readonly bytes: number;
}

interface Use<T> {
  readonly tensor: T;
  readonly facts: TensorFacts;
  readonly type: ElementType;
  /** Bytes of the memory that the tensor's elements reach: [from, to). */
  readonly from: number;
  readonly to: number;
}

/**
 * Decides which memory is written for a set of tensors. Tensors over one memory share one record, as in Python, and the whole
 * memory is written. Two cases differ: memory that is a mapped file, and memory seen through several dtypes, are cut into the
 * stretches that are in use, so that a part of a file does not bring the file along.
 */
export class StoragePlan<T extends object> implements TensorBook {
  readonly storages: PlannedStorage<T>[] = [];
  readonly #engine: FileEngine<T>;
  readonly #file: string;
  readonly #uses = new Map<T, Use<T>>();
  readonly #sparse = new Map<T, PickledSparse>();
  readonly #entries = new Map<T, PickledTensor>();

  /** Plans for all tensors that `value` reaches. */
  constructor(value: unknown, engine: FileEngine<T>, file: string) {
    this.#engine = engine;
    this.#file = file;
    this.#collect(value);
    const shared = new Map<bigint, Use<T>[]>();
    for (const use of this.#uses.values()) {
      const { id, bytes } = use.facts.storage;
      // Empty memory has no identity: each such tensor gets a record of its own.
      if (bytes === 0) this.#record(use.type, [use], 0, 0);
      else if (shared.has(id)) shared.get(id)!.push(use);
      else shared.set(id, [use]);
    }
    for (const uses of shared.values()) this.#place(uses);
  }

  isTensor(value: unknown): boolean {
    return this.#engine.isTensor(value);
  }

  entry(tensor: object): PickledTensor | PickledSparse {
    const entry = this.#sparse.get(tensor as T) ?? this.#entries.get(tensor as T);
    // Everything the pickle writer reaches was collected before.
    if (entry === undefined) throw new Error('a tensor was added while its container was being saved');
    return entry;
  }

  /** Walks over everything that will be written, without recursion. */
  #collect(root: unknown): void {
    const seen = new Set<object>();
    const pending: unknown[] = [root];
    while (pending.length > 0) {
      const value = pending.pop();
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      const children = this.#engine.isTensor(value) ? this.#add(value) : childrenOf(value);
      // Last in, first out: records are numbered in the order in which the value is read.
      for (let index = children.length - 1; index >= 0; index--) pending.push(children[index]);
    }
  }

  /** Notes a tensor; gives the dense parts of a sparse one, to be noted too. */
  #add(tensor: T): readonly T[] {
    const facts = this.#engine.facts(tensor);
    if (facts.layout.startsWith('sparse')) {
      const { layout, indices, values, shape } = this.#engine.sparseParts(tensor);
      const parts = [...indices, values];
      this.#sparse.set(tensor, { layout, parts, shape });
      return parts;
    }
    if (facts.layout !== 'strided') {
      throw new FileFormatError(
        this.#file,
        `cannot be written: a tensor of layout ${facts.layout} has no form in PyTorch's files`,
      );
    }
    const type = elementByName(facts.dtype);
    if (type === undefined) {
      throw new FileFormatError(
        this.#file,
        `cannot be written: a tensor of dtype ${facts.dtype} cannot be saved; convert it first`,
      );
    }
    const from = facts.offset * type.bytes;
    this.#uses.set(tensor, { tensor, facts, type, from, to: from + reach(facts) * type.bytes });
    return [];
  }

  #place(uses: readonly Use<T>[]): void {
    const [{ type, facts }] = uses as [Use<T>];
    if (!wasMapped(facts.storage) && uses.every((use) => use.type === type)) {
      this.#record(type, uses, 0, facts.storage.bytes - (facts.storage.bytes % type.bytes));
      return;
    }
    let group: Use<T>[] = [];
    let start = 0;
    let end = 0;
    const close = () => {
      if (group.length > 0) this.#record(group[0]!.type, group, start, end - start);
    };
    for (const use of [...uses].sort((a, b) => a.from - b.from || b.to - a.to)) {
      if (group.length > 0 && use.from < end) {
        if (group[0]!.type !== use.type || (use.from - start) % use.type.bytes !== 0) throw this.#mixed(group[0]!, use);
        group.push(use);
        end = Math.max(end, use.to);
      } else {
        close();
        group = [use];
        start = use.from;
        end = use.to;
      }
    }
    close();
  }

  #record(type: ElementType, uses: readonly Use<T>[], start: number, bytes: number): void {
    const key = String(this.storages.length);
    this.storages.push({ key, tensor: uses[0]!.tensor, start, bytes });
    for (const { tensor, facts } of uses) {
      this.#entries.set(tensor, {
        key,
        type,
        elements: bytes / type.bytes,
        offset: facts.offset - start / type.bytes,
        shape: facts.shape,
        strides: facts.strides,
        requiresGrad: facts.requiresGrad,
        conjugate: facts.conjugate,
        negative: facts.negative,
      });
    }
  }

  #mixed(a: Use<T>, b: Use<T>): FileFormatError {
    return new FileFormatError(
      this.#file,
      `cannot be written: a ${a.facts.dtype} and a ${b.facts.dtype} tensor show the same memory, which PyTorch's format cannot express; ` +
        'save a clone() of one of them',
    );
  }
}

/** Elements from the first to the last one of a tensor, in memory. */
function reach({ shape, strides }: TensorFacts): number {
  if (countElements(shape) === 0) return 0;
  return 1 + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
}

/** What a container holds, apart from the keys of Maps, which cannot be tensors. */
function childrenOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Set || value instanceof Map) return [...value.values()];
  if (ArrayBuffer.isView(value)) return [];
  const hidden = Object.getOwnPropertySymbols(value).map((key) => (value as Record<symbol, unknown>)[key]);
  return [...Object.values(value), ...hidden];
}
