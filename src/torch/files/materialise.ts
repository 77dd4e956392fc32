import type { FileEngine } from './engine.js';
import { FileFormatError } from './errors.js';
import { type DenseBody, PickleStorage, type PickleTensor, type SparseBody } from './pickle-values.js';
import type { ByteSource } from './source.js';

/** Where the bytes of a storage lie. */
export interface Placement {
  readonly start: number;
  readonly bytes: number;
}

export interface ReadOptions {
  /** Where the tensors go, e.g. `cuda:0`. Default: the CPU, wherever they were saved. */
  readonly device?: string | undefined;
  readonly mmap: boolean;
  /** True when the file was written on a machine that keeps the high byte first. */
  readonly bigEndian: boolean;
}

/** Alignment that fits every dtype; used where a storage does not say its own. */
const WIDEST = 16;

/** Maps a file once, when a first tensor wants it. */
export class FileMapping<T> {
  readonly #engine: FileEngine<T>;
  readonly #source: ByteSource;
  /** Null when the file cannot be mapped. */
  #whole: T | null | undefined;

  constructor(engine: FileEngine<T>, source: ByteSource) {
    this.#engine = engine;
    this.#source = source;
  }

  /** Whether bytes at `start` can be used where they lie. */
  fits(start: number, alignment: number): boolean {
    return start % alignment === 0 && this.#mapped() !== null;
  }

  slice(start: number, bytes: number): T {
    const whole = this.#mapped();
    if (whole === null) throw new FileFormatError(this.#source.name, 'cannot be mapped');
    return this.#engine.slice(whole, start, bytes);
  }

  #mapped(): T | null {
    if (this.#whole === undefined) {
      this.#whole = this.#map();
      if (this.#whole !== null) rememberMapping(this.#engine.facts(this.#whole).storage);
    }
    return this.#whole;
  }

  /**
   * The engine maps by path, and a save may have put another file there since this one was opened: its bytes lie elsewhere. The question
   * comes after the mapping, and the open file keeps its identity from being given to another: yes says that the right one was mapped.
   */
  #map(): T | null {
    const { path, size } = this.#source;
    if (path === null) return null;
    let whole: T;
    try {
      whole = this.#engine.map(path, size);
    } catch (error) {
      // The other file may be shorter, or gone already.
      if (this.#source.isInPlace()) throw error;
      return null;
    }
    return this.#source.isInPlace() ? whole : null;
  }
}

/** Brings the bytes of storages into the engine. */
export async function loadStorages<T>(
  engine: FileEngine<T>,
  source: ByteSource,
  storages: ReadonlyMap<PickleStorage, Placement>,
  options: ReadOptions,
): Promise<Map<PickleStorage, T>> {
  const loaded = new Map<PickleStorage, T>();
  const mapping = new FileMapping(engine, source);
  for (const [storage, { start, bytes }] of storages) {
    const alignment = storage.untyped ? WIDEST : storage.type.bytes;
    const mapped = options.mmap && bytes > 0 && !options.bigEndian && mapping.fits(start, alignment);
    const onCpu = mapped
      ? mapping.slice(start, bytes)
      : await readBytes(engine, source, start, bytes, swapWidth(source, storage, options));
    loaded.set(storage, options.device === undefined ? onCpu : engine.toDevice(onCpu, options.device));
  }
  return loaded;
}

/** Bytes that must change places together for this machine; 1 for none. */
function swapWidth(source: ByteSource, storage: PickleStorage, { bigEndian }: ReadOptions): 1 | 2 | 4 | 8 {
  if (!bigEndian) return 1;
  if (storage.untyped) {
    throw new FileFormatError(
      source.name,
      'was written on a big-endian machine and holds untyped storages, which cannot be turned round',
    );
  }
  return storage.type.swap;
}

/** From this size on, bytes of a file go straight into the engine's memory; below, one copy more costs less. */
const DIRECT = 2 ** 18;

/** A copy of bytes of the file, as a 1-d uint8 tensor. */
export async function readBytes<T>(
  engine: FileEngine<T>,
  source: ByteSource,
  start: number,
  bytes: number,
  swap: 1 | 2 | 4 | 8 = 1,
): Promise<T> {
  if (source.inMemory || bytes < DIRECT) {
    const given = source.read(start, bytes);
    if (swap === 1) return engine.fromMemory(given);
    const turned = Uint8Array.from(given);
    swapBytes(turned, swap);
    return engine.fromMemory(turned);
  }
  const target = engine.allocate(bytes);
  await source.readInto(target.memory, start);
  swapBytes(target.memory, swap);
  return target.storage;
}

/** Turns each group of `width` bytes round, in place. */
export function swapBytes(memory: Uint8Array, width: 1 | 2 | 4 | 8): void {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  if (width === 2) bytes.swap16();
  else if (width === 4) bytes.swap32();
  else if (width === 8) bytes.swap64();
}

/** Makes tensors of descriptions; one description gives one tensor, however often it is asked for. */
export class TensorMaker<T> {
  readonly #engine: FileEngine<T>;
  readonly #storages: ReadonlyMap<PickleStorage, T>;
  readonly #made = new Map<PickleTensor | PickleStorage, T>();

  constructor(engine: FileEngine<T>, storages: ReadonlyMap<PickleStorage, T>) {
    this.#engine = engine;
    this.#storages = storages;
  }

  make(value: PickleTensor | PickleStorage): T {
    const old = this.#made.get(value);
    if (old !== undefined) return old;
    const tensor = value instanceof PickleStorage ? this.#flat(value) : this.#tensor(value);
    this.#made.set(value, tensor);
    return tensor;
  }

  /** A storage saved by itself: all of it as a 1-d tensor. */
  #flat(storage: PickleStorage): T {
    this.#engine.checkType(storage.type);
    const elements = Math.floor(storage.bytes / storage.type.bytes);
    return this.#engine.view(this.#memory(storage), storage.type, [elements], [1], 0);
  }

  #tensor(value: PickleTensor): T {
    const { body, requiresGrad } = value;
    if (body.kind === 'sparse') {
      return this.#engine.finish(this.#sparse(body), { requiresGrad, conjugate: false, negative: false });
    }
    const { conjugate, negative } = body;
    return this.#engine.finish(this.#dense(body), { requiresGrad, conjugate, negative });
  }

  #dense({ storage, type, shape, strides, offset }: DenseBody): T {
    this.#engine.checkType(type);
    return this.#engine.view(this.#memory(storage), type, shape, strides, offset);
  }

  #sparse({ layout, indices, values, shape, coalesced }: SparseBody): T {
    return this.#engine.makeSparse({
      layout,
      indices: indices.map((part) => this.make(part)),
      values: this.make(values),
      shape,
      coalesced,
    });
  }

  #memory(storage: PickleStorage): T {
    const own = this.#storages.get(storage);
    if (own !== undefined) return own;
    const root = storage.root === null ? undefined : this.#storages.get(storage.root);
    // Readers place every storage or its root before tensors are made.
    if (root === undefined) throw new Error(`storage ${storage.key} was not loaded`);
    return this.#engine.slice(root, storage.rootOffset, storage.bytes);
  }
}

const mappings = new Set<string>();

/** Notes the memory of a mapped file, so that saving one of its tensors does not write the whole file. */
function rememberMapping(storage: { readonly id: bigint; readonly bytes: number }): void {
  mappings.add(`${storage.id}:${storage.bytes}`);
}

/**
 * Whether this memory is, or once was, a mapped file. An address may be used again, so the answer can be a false yes; saving is
 * right either way.
 */
export function wasMapped(storage: { readonly id: bigint; readonly bytes: number }): boolean {
  return mappings.has(`${storage.id}:${storage.bytes}`);
}
