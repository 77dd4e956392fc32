import { realpathSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../tensor.js';
import { readArchive } from './archive-reader.js';
import { writeArchive } from './archive-writer.js';
import { AtomicFile } from './atomic.js';
import type { FileEngine } from './engine.js';
import { FileFormatError } from './errors.js';
import { readLegacy } from './legacy-reader.js';
import { readSafetensors, readSafetensorsMetadata } from './safetensors-reader.js';
import { writeSafetensors } from './safetensors-writer.js';
import { type ByteSource, openSource } from './source.js';
import { torchEngine } from './torch-engine.js';

export { asMap, stateDictMetadata } from './convert.js';
export { FileFormatError } from './errors.js';

/** What `load` gives: the TypeScript counterparts of Python's values. */
export type Loaded =
  | Tensor
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | { readonly re: number; readonly im: number }
  | Loaded[]
  | { [key: string]: Loaded }
  | Map<Loaded, Loaded>
  | Set<Loaded>;

export interface LoadOptions {
  /** Where the tensors go, e.g. `cuda:0`. Default: the CPU, wherever they were saved. */
  readonly device?: string;
  /**
   * Use the file's own pages instead of copying them: instant, and only what is touched is read. The file must not be changed
   * or cut short in place while its tensors live (replacing it, as `save` does, is fine). Default: true for `.safetensors`, else false.
   */
  readonly mmap?: boolean;
}

export interface SaveOptions {
  /** Instead of what the extension says. */
  readonly format?: 'safetensors' | 'pt';
  /** Text pairs for the header of a `.safetensors` file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const ARCHIVE_EXTENSIONS: ReadonlySet<string> = new Set(['.pt', '.pth', '.th', '.ckpt', '.bin', '.tar']);

/**
 * Reads tensors and what they are packed in from a `.safetensors`, `.pt` or `.pth` file (zip or legacy), or from its bytes.
 * Reading never runs code: a file may name only what is on a fixed list, anything else is an error that says its name.
 *
 * Python's dicts become plain objects when all keys are strings, else Maps; lists arrays; tuples frozen arrays; ints that a
 * number cannot hold bigints; parameters tensors that require a gradient. docs/files.md has the whole table.
 *
 * @throws FileFormatError when the file is broken, cut short, or holds something not on the list
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.load.html (`weights_only=True`)
 */
export async function load<R = Loaded>(source: string | URL | Uint8Array, options: LoadOptions = {}): Promise<R> {
  return (await loadWith(torchEngine, source, options)) as R;
}

/** `load` for any engine. @internal */
export async function loadWith<T>(
  engine: FileEngine<T>,
  source: string | URL | Uint8Array,
  { device, mmap }: LoadOptions,
): Promise<unknown> {
  // Leaves the caller's synchronous scope (noGrad, inferenceMode), whose modes must not colour what is loaded.
  await null;
  const bytes = openSource(source);
  try {
    switch (formatOf(bytes)) {
      case 'safetensors':
        return await readSafetensors(bytes, engine, { device, mmap: mmap ?? true });
      case 'zip':
        return await readArchive(bytes, engine, { device, mmap: mmap ?? false });
      case 'legacy':
        return await readLegacy(bytes, engine, { device, mmap: mmap ?? false });
    }
  } finally {
    bytes.close();
  }
}

/** The text pairs in the header of a `.safetensors` file. Reads nothing else. */
export async function loadMetadata(source: string | URL | Uint8Array): Promise<Record<string, string>> {
  const bytes = openSource(source);
  try {
    return readSafetensorsMetadata(bytes);
  } finally {
    bytes.close();
  }
}

/** Told by the first bytes; only `.safetensors`, which has no mark of its own, is told by its name too. */
function formatOf(source: ByteSource): 'safetensors' | 'zip' | 'legacy' {
  if (source.path !== null && extname(source.path).toLowerCase() === '.safetensors') return 'safetensors';
  const first = source.read(0, Math.min(source.size, 512));
  if (first.length >= 4 && first.readUInt32LE(0) === 0x04034b50) return 'zip';
  if (first.length >= 2 && first[0] === 0x80 && first[1]! <= 5) return 'legacy';
  if (first.length >= 9 && first[8] === 0x7b) return 'safetensors';
  if (first.toString('latin1', 257, 262) === 'ustar') {
    throw new FileFormatError(
      source.name,
      'is a tar archive, the form of PyTorch before 0.1.10; open it in Python and save it again',
    );
  }
  throw new FileFormatError(
    source.name,
    first.length === 0
      ? 'is empty'
      : 'is neither a .safetensors file nor one that PyTorch saved (.pt, .pth, zip or legacy)',
  );
}

/**
 * Writes a value to a file, in the format its extension names: `.safetensors` (a flat object of tensors), or `.pt`, `.pth`,
 * `.ckpt`, `.bin`, `.th`, `.tar` (PyTorch's zip form: tensors, numbers, bigints, strings, booleans, null, bytes, arrays, plain objects,
 * Maps and Sets, nested as you like). Python's `torch.load(weights_only=True)` and `safetensors.torch.load_file` read the result.
 *
 * What is written is what the tensors hold at the moment of the call. The file appears whole or not at all: it is written beside
 * its place, flushed to the disk and renamed.
 *
 * @throws FileFormatError for values a file cannot hold; the message says where in the value they are
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.save.html
 */
export async function save(value: unknown, path: string | URL, options: SaveOptions = {}): Promise<void> {
  return saveWith(torchEngine, value, path, options);
}

/** `save` for any engine. @internal */
export async function saveWith<T extends object>(
  engine: FileEngine<T>,
  value: unknown,
  path: string | URL,
  { format, metadata }: SaveOptions,
): Promise<void> {
  const given = path instanceof URL ? fileURLToPath(path) : path;
  const chosen = format ?? formatFor(given);
  if (metadata !== undefined && chosen !== 'safetensors') {
    throw new FileFormatError(
      given,
      'cannot be written: metadata goes only into .safetensors files; put it into the saved object',
    );
  }
  const file = new AtomicFile(target(given));
  try {
    if (chosen === 'safetensors') writeSafetensors(file, given, value, metadata ?? {}, engine);
    else writeArchive(file, given, value, engine);
  } catch (error) {
    file.abandon();
    throw error;
  }
  await file.commit();
}

function formatFor(path: string): 'safetensors' | 'pt' {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') return 'safetensors';
  if (ARCHIVE_EXTENSIONS.has(extension)) return 'pt';
  throw new FileFormatError(
    path,
    `cannot be written: ${extension === '' ? 'a name without extension' : `the extension ${extension}`} does not tell the format; ` +
      "use .safetensors or .pt, or pass { format: 'pt' }",
  );
}

/** A link is followed, as when writing to it, instead of being replaced. */
function target(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
