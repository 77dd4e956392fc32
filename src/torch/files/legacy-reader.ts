import { convert } from './convert.js';
import type { ElementType } from './element-types.js';
import type { FileEngine } from './engine.js';
import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';
import { loadStorages, type Placement, TensorMaker } from './materialise.js';
import { CutShort } from './pickle-cursor.js';
import { readPickle } from './pickle-reader.js';
import { describeKind, PickleList, PickleStorage, PickleTuple, type PickleValue } from './pickle-values.js';
import type { ByteSource } from './source.js';
import { natural } from './tensor-arguments.js';
import { type StorageResolver, TorchWorld } from './torch-world.js';

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;
const FIRST_PIECE = 2 ** 20;

/**
 * Reads the form of `.pt` files that PyTorch wrote before 1.6 (and with `_use_new_zipfile_serialization=False`): five pickle
 * streams (a magic number, a version, facts about the machine, the objects, the storage keys), then each storage as an 8-byte
 * count of elements and its raw bytes. The bytes are always little-endian.
 *
 * Source: `_legacy_save` and `_legacy_load` in `torch/serialization.py`.
 */
export async function readLegacy<T>(
  source: ByteSource,
  engine: FileEngine<T>,
  options: { readonly device?: string | undefined; readonly mmap: boolean },
): Promise<unknown> {
  const { value, roots, keys, end } = readStreams(source);
  const placed = place(source, roots, keys, end);
  const storages = await loadStorages(engine, source, placed, { ...options, bigEndian: false });
  const maker = new TensorMaker(engine, storages);
  return convert(value, source.name, (tensor) => maker.make(tensor));
}

interface Streams {
  readonly value: PickleValue;
  readonly roots: SequentialStorages;
  readonly keys: readonly PickleValue[];
  /** Where the raw storages begin. */
  readonly end: number;
}

/** The streams have no lengths, so pieces of the file are tried, larger each time; most often the first one does. */
function readStreams(source: ByteSource): Streams {
  const most = Math.min(source.size, LIMITS.pickleBytes);
  for (let length = FIRST_PIECE; ; length *= 8) {
    try {
      return parseStreams(source.read(0, Math.min(length, most)), source.name);
    } catch (error) {
      if (length >= most || !(error instanceof CutShort)) throw error;
    }
  }
}

function parseStreams(bytes: Buffer, name: string): Streams {
  let at = 0;
  const next = (storages: StorageResolver | null): PickleValue => {
    const { value, end } = readPickle(bytes, at, name, new TorchWorld(name, storages));
    at = end;
    return value;
  };
  if (next(null) !== MAGIC_NUMBER)
    throw new FileFormatError(name, 'is a pickle file, but not one that torch.save wrote');
  if (next(null) !== PROTOCOL_VERSION)
    throw new FileFormatError(name, `has a legacy version other than ${PROTOCOL_VERSION}`);
  next(null);
  const roots = new SequentialStorages(name);
  const value = next(roots);
  const keys = next(null);
  if (!(keys instanceof PickleList))
    throw new FileFormatError(name, `has ${describeKind(keys)} where its storage keys should be`);
  return { value, roots, keys: keys.items, end: at };
}

/** Walks over the raw storages behind the pickle streams. All sizes are checked before anything is allocated. */
function place(
  source: ByteSource,
  roots: SequentialStorages,
  keys: readonly PickleValue[],
  start: number,
): Map<PickleStorage, Placement> {
  const placed = new Map<PickleStorage, Placement>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? roots.found.get(key) : undefined;
    if (storage === undefined) throw new FileFormatError(source.name, 'lists a storage that no tensor uses');
    if (placed.has(storage)) throw new FileFormatError(source.name, `lists storage ${quote(storage.key)} twice`);
    const elements = source.read(at, 8).readBigInt64LE();
    if (elements * BigInt(storage.type.bytes) !== BigInt(storage.bytes)) {
      throw new FileFormatError(
        source.name,
        `holds ${elements} elements for storage ${quote(storage.key)}, which needs ${storage.bytes / storage.type.bytes}`,
      );
    }
    at += 8;
    if (at + storage.bytes > source.size) throw new FileFormatError(source.name, 'is cut short within its tensor data');
    placed.set(storage, { start: at, bytes: storage.bytes });
    at += storage.bytes;
  }
  for (const storage of roots.found.values()) {
    if (!placed.has(storage)) throw new FileFormatError(source.name, `lacks the data of storage ${quote(storage.key)}`);
  }
  return placed;
}

/** Collects the storages that the object stream names, and parts of them. */
class SequentialStorages implements StorageResolver {
  readonly found = new Map<string, PickleStorage>();
  readonly #parts = new Map<string, PickleStorage>();
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  resolve(key: string, type: ElementType, untyped: boolean, elements: number, view: PickleValue): PickleStorage {
    const fail = (problem: string) => new FileFormatError(this.#file, problem);
    let root = this.found.get(key);
    if (root === undefined) {
      root = new PickleStorage(key, type, untyped, elements * type.bytes);
      this.found.set(key, root);
    } else if (root.type !== type || root.untyped !== untyped || root.bytes !== elements * type.bytes) {
      throw fail(`describes storage ${quote(key)} in two different ways`);
    }
    if (view === null) return root;
    if (!(view instanceof PickleTuple) || typeof view.items[0] !== 'string') throw fail('has a malformed storage view');
    const offset = natural(view.items[1], 'offset of a storage view', fail) * type.bytes;
    const bytes = natural(view.items[2], 'size of a storage view', fail) * type.bytes;
    if (!(offset + bytes <= root.bytes)) throw fail(`has a part of storage ${quote(key)} that reaches beyond it`);
    const name = view.items[0];
    const old = this.#parts.get(name);
    if (old !== undefined) {
      if (old.root !== root || old.rootOffset !== offset || old.bytes !== bytes)
        throw fail(`describes storage ${quote(name)} in two different ways`);
      return old;
    }
    const part = new PickleStorage(name, type, untyped, bytes, root, offset);
    this.#parts.set(name, part);
    return part;
  }
}
