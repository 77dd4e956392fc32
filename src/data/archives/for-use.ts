/** Archives given where a folder is expected: unpacked once into the cache, known again by their content. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { defaultCacheFolder } from '../cache/folder.js';
import { DataError } from '../errors.js';
import { type UnpackOptions, unpack } from './unpack.js';

/** Whether a path looks like an archive by its name. */
export function isArchiveName(file: string): boolean {
  return /\.(zip|tar|tar\.gz|tgz)$/i.test(file);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new DataError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  return hash.digest('hex').slice(0, 16);
}

const isFolder = async (folder: string) => (await stat(folder).catch(() => undefined))?.isDirectory() === true;

/** Archives often hold one folder that holds everything: goes down while there is nothing else and folders follow. */
async function innerFolder(folder: string): Promise<string> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  const only = entries[0];
  if (entries.length !== 1 || only === undefined || !only.isDirectory()) return folder;
  const inner = path.join(folder, only.name);
  const below = await readdir(inner, { withFileTypes: true });
  return below.some((entry) => entry.isDirectory()) ? innerFolder(inner) : folder;
}

/**
 * Unpacks an archive into the cache unless it is there already.
 * @param options `cacheFolder`: where unpacked archives are kept; that of the packed caches by default
 * @returns the folder to use in its place: the one inside the archive that holds more than one thing
 * @throws DataError as `unpack`
 */
export async function unpackForUse(
  archive: string,
  options: UnpackOptions & { cacheFolder?: string } = {},
): Promise<string> {
  const source = path.resolve(archive);
  const base = path.basename(source).replace(/\.(zip|tar|tar\.gz|tgz)$/i, '');
  const name = base.replace(/[^\p{L}\p{N}._-]/gu, '_').slice(0, 80) || 'archive';
  // The data set is named after its folder, so the archive's own name comes last.
  const folder = path.join(options.cacheFolder ?? defaultCacheFolder(), 'unpacked', await digestOf(source), name);
  if (!(await isFolder(folder))) {
    try {
      await unpack(source, folder, options);
    } catch (error) {
      // Another process may have been faster: what it unpacked is the same.
      if (!(await isFolder(folder))) throw error;
    }
  }
  return innerFolder(folder);
}
