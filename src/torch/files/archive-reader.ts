import { convert } from './convert.js';
import type { ElementType } from './element-types.js';
import type { FileEngine } from './engine.js';
import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';
import { loadStorages, type Placement, TensorMaker } from './materialise.js';
import { readPickle } from './pickle-reader.js';
import { PickleStorage, type PickleValue } from './pickle-values.js';
import type { ByteSource } from './source.js';
import { type StorageResolver, TorchWorld } from './torch-world.js';
import { readZip, ZipContents, type ZipEntry } from './zip-reader.js';

/** Newest archive version this reader was checked with; PyTorch's own reader stops here too. */
const NEWEST_VERSION = 10;

/**
 * Reads the zip form of `.pt` files (PyTorch 1.6 and newer): `<name>/data.pkl` describes the objects, `<name>/data/<key>` hold the
 * storages, uncompressed and aligned, `<name>/byteorder` says which byte comes first.
 *
 * Source: `torch/serialization.py`, `caffe2/serialize/inline_container.cc`.
 */
export async function readArchive<T>(
  source: ByteSource,
  engine: FileEngine<T>,
  options: { readonly device?: string | undefined; readonly mmap: boolean },
): Promise<unknown> {
  const entries = readZip(source);
  const folder = findFolder(source, entries);
  const contents = new ZipContents(source);
  const text = (name: string): string | null => {
    const entry = entries.get(folder + name);
    return entry === undefined ? null : contents.read(entry, 64).toString('latin1').trim();
  };
  const version = text('version') ?? text('.data/version');
  if (version === null || !/^\d{1,4}$/.test(version))
    throw new FileFormatError(source.name, 'is a zip archive without a PyTorch version');
  if (Number(version) > NEWEST_VERSION) {
    throw new FileFormatError(source.name, `has archive version ${version}; up to ${NEWEST_VERSION} are known`);
  }
  const order = text('byteorder') ?? 'little';
  if (order !== 'little' && order !== 'big')
    throw new FileFormatError(source.name, `has the unknown byte order ${quote(order)}`);

  const records = new RecordStorages(source, entries, folder);
  const pickle = contents.read(entries.get(`${folder}data.pkl`)!, LIMITS.pickleBytes);
  const { value } = readPickle(pickle, 0, source.name, new TorchWorld(source.name, records));

  const folded = [...records.found.values()].filter(({ entry }) => entry.compressed);
  if (folded.length > 0 && order === 'big')
    throw new FileFormatError(source.name, 'is compressed and big-endian, which is not read');
  const placed = new Map<PickleStorage, Placement>();
  for (const { storage, entry } of records.found.values()) {
    if (!entry.compressed) placed.set(storage, { start: entry.start, bytes: entry.bytes });
  }
  const storages = await loadStorages(engine, source, placed, { ...options, bigEndian: order === 'big' });
  for (const { storage, entry } of folded) {
    const onCpu = engine.fromMemory(contents.read(entry, LIMITS.inflatedBytes));
    storages.set(storage, options.device === undefined ? onCpu : engine.toDevice(onCpu, options.device));
  }
  const maker = new TensorMaker(engine, storages);
  return convert(value, source.name, (tensor) => maker.make(tensor));
}

/** The one folder that all records lie in, with its slash. */
function findFolder(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const folders = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (folders.length !== 1) {
    throw new FileFormatError(
      source.name,
      'is a zip archive, but not one that torch.save wrote (it has no single data.pkl)',
    );
  }
  const folder = folders[0]!.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new FileFormatError(
      source.name,
      'is a TorchScript program, not saved tensors; in Python, save its state_dict() instead',
    );
  }
  return folder;
}

/** Finds storages among the records of an archive. */
class RecordStorages implements StorageResolver {
  readonly found = new Map<string, { storage: PickleStorage; entry: ZipEntry }>();
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly #folder: string;

  constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, folder: string) {
    this.#source = source;
    this.#entries = entries;
    this.#folder = folder;
  }

  resolve(key: string, type: ElementType, untyped: boolean, elements: number, _view: PickleValue): PickleStorage {
    const bytes = elements * type.bytes;
    const old = this.found.get(key);
    if (old !== undefined) {
      if (old.storage.type !== type || old.storage.untyped !== untyped || old.storage.bytes !== bytes) {
        throw new FileFormatError(this.#source.name, `describes storage ${quote(key)} in two different ways`);
      }
      return old.storage;
    }
    const entry = this.#entries.get(`${this.#folder}data/${key}`);
    if (entry === undefined) throw new FileFormatError(this.#source.name, `lacks the data of storage ${quote(key)}`);
    if (entry.bytes !== bytes) {
      throw new FileFormatError(
        this.#source.name,
        `holds ${entry.bytes} bytes for storage ${quote(key)}, which needs ${bytes}`,
      );
    }
    const storage = new PickleStorage(key, type, untyped, bytes);
    this.found.set(key, { storage, entry });
    return storage;
  }
}
