/** Unpacks zip and tar archives so that nothing in them can do harm. */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors.js';
import type { ArchiveEntry } from './entry.js';
import { type ArchiveFormat, formatOf } from './format.js';
import { type ArchiveLimits, archiveLimits, Budget } from './limits.js';
import { isAppleDouble, Names, shown } from './names.js';
import { readTar } from './tar.js';
import { removeLeftovers, temporaryFor } from './temporary.js';
import { readZip } from './zip.js';

export interface UnpackOptions {
  /** See `archiveLimits` for what is assumed. */
  limits?: Partial<ArchiveLimits>;
  /** Bytes unpacked so far. */
  onProgress?: (bytes: number) => void;
}

/** What came out of an archive. */
export interface Unpacked {
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** How many entries were left out: what macOS puts beside the files. */
  readonly leftOut: number;
}

/** Writes one file; it must be new. */
async function writeContent(
  file: string,
  content: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): Promise<void> {
  const handle = await open(file, 'wx', 0o644);
  try {
    for await (const chunk of content) {
      count(chunk.length);
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
}

class Unpacker {
  files = 0;
  leftOut = 0;
  readonly budget: Budget;
  private readonly names: Names;
  private readonly made = new Set<string>();

  constructor(
    private readonly archive: string,
    private readonly folder: string,
    archiveBytes: number,
    limits: ArchiveLimits,
    private readonly onProgress?: (bytes: number) => void,
  ) {
    this.budget = new Budget(archive, archiveBytes, limits);
    this.names = new Names(archive, limits.depth);
  }

  private async makeFolder(name: string): Promise<void> {
    if (this.made.has(name)) return;
    await mkdir(path.join(this.folder, name), { recursive: true });
    this.made.add(name);
  }

  readonly visit = async (entry: ArchiveEntry, content: AsyncIterable<Buffer> | undefined): Promise<void> => {
    this.budget.addEntry();
    if (entry.kind === 'link' || entry.kind === 'special') {
      const what = entry.kind === 'link' ? 'a link' : 'a device, pipe or other special file';
      throw new DataError(`${this.archive} was not unpacked: its entry ${shown(entry.name)} is ${what}.`);
    }
    const name = this.names.take(entry.name, entry.kind === 'folder');
    if (isAppleDouble(entry.name)) {
      this.leftOut++;
      // Read and forgotten: contents of a tar come one after the other.
      if (content !== undefined) for await (const chunk of content) this.budget.addBytes(chunk.length);
      return;
    }
    if (content === undefined) {
      await this.makeFolder(name);
      return;
    }
    this.budget.check(this.budget.bytes + entry.claimed);
    await this.makeFolder(path.posix.dirname(name));
    await writeContent(path.join(this.folder, name), content, (bytes) => this.budget.addBytes(bytes));
    this.files++;
    this.onProgress?.(this.budget.bytes);
  };
}

/** Whether the target is free: not there, or an empty folder. */
async function checkTarget(target: string): Promise<void> {
  try {
    if ((await readdir(target)).length === 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new DataError(`Nothing can be unpacked into ${target}: ${(error as Error).message}.`, { cause: error });
  }
  throw new DataError(`${target} is not empty; give a new or empty folder to unpack into.`);
}

/** How many files a folder holds, without those that macOS puts beside them on some file systems. */
async function countFiles(folder: string): Promise<number> {
  let count = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    if (entry.isDirectory()) count += await countFiles(path.join(folder, entry.name));
    else if (!isAppleDouble(entry.name)) count++;
  }
  return count;
}

/** Errors of the file system in a sentence. */
function failureOf(archive: string, target: string, error: unknown): Error {
  if (error instanceof DataError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new DataError(`${archive} was not unpacked: no space left for ${target}.`, { cause: error });
  }
  return new DataError(`${archive} was not unpacked into ${target}: ${message}.`, { cause: error });
}

async function read(archive: string, format: ArchiveFormat, unpacker: Unpacker): Promise<void> {
  if (format === 'zip') await readZip(archive, unpacker.visit);
  else await readTar(archive, format === 'tar.gz', unpacker.budget, unpacker.visit);
}

/**
 * Unpacks a .zip, .tar, .tar.gz or .tgz, told apart by its content. All or nothing: it unpacks beside the target and is renamed at the
 * end. Refused with a sentence, and with nothing left behind: paths that lead out of the target, links and special files, names that
 * occur twice or differ only in upper and lower case, encrypted or damaged archives, and more than the limits allow.
 * @param target a folder that does not exist or is empty
 * @throws DataError
 */
export async function unpack(archive: string, target: string, options: UnpackOptions = {}): Promise<Unpacked> {
  const source = path.resolve(archive);
  const folder = path.resolve(target);
  const format = await formatOf(source);
  await checkTarget(folder);
  await mkdir(path.dirname(folder), { recursive: true });
  await removeLeftovers(folder);
  const temporary = temporaryFor(folder);
  try {
    const limits = { ...archiveLimits, ...options.limits };
    const unpacker = new Unpacker(source, temporary, (await stat(source)).size, limits, options.onProgress);
    await mkdir(temporary);
    await read(source, format, unpacker);
    if (unpacker.files === 0) throw new DataError(`${source} holds no files.`);
    const present = await countFiles(temporary);
    if (present < unpacker.files) {
      throw new DataError(
        `${source} was not unpacked into ${folder}: only ${present} of its ${unpacker.files} files are still there, something else removed the others meanwhile; unpack it again.`,
      );
    }
    await rename(temporary, folder);
    return { folder, files: unpacker.files, bytes: unpacker.budget.bytes, leftOut: unpacker.leftOut };
  } catch (error) {
    // What stays is removed by a later call; the reason must not be lost over it.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw failureOf(source, folder, error);
  }
}
