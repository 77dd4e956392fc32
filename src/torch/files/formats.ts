/** Chooses the format of a file and reads or writes it with any engine; `index.ts` does so with libtorch. */
import { realpathSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '../errors.js';
import { readArchive } from './archive-reader.js';
import { writeArchive } from './archive-writer.js';
import { AtomicFile } from './atomic.js';
import type { FileEngine } from './engine.js';
import { FileFormatError } from './errors.js';
import { readLegacy } from './legacy-reader.js';
import { readSafetensors } from './safetensors-reader.js';
import { writeSafetensors } from './safetensors-writer.js';
import { type ByteSource, openSource } from './source.js';

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

/** Reads a file with an engine. */
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

/** Writes a file with an engine. */
export async function saveWith<T extends object>(
  engine: FileEngine<T>,
  value: unknown,
  path: string | URL,
  { format, metadata }: SaveOptions,
): Promise<void> {
  if (!(path instanceof URL) && typeof path !== 'string') {
    throw new ArgumentError(`save(value, path): the path must be a string or a file: URL, got ${typeof path}.`);
  }
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
