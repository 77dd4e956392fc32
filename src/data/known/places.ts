/** Where the files of a known data set lie, and how they get there. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { unpack } from '../archives/index.js';
import { removeLeftovers, temporaryFor } from '../archives/temporary.js';
import { DataError } from '../errors.js';
import { checkFile, type DownloadOptions, download, type RemoteFile } from './download.js';

export interface KnownOptions extends DownloadOptions {
  /** Download what is missing; default false. */
  download?: boolean;
  /** Check MD5 sums of files where their makers publish them; default true. False is for files of your own in the same form. */
  verify?: boolean;
}

export const exists = async (file: string): Promise<boolean> => (await stat(file).catch(() => undefined)) !== undefined;

/** The first of `folders` in which one of `names` lies, else the first. */
export async function findFolder(folders: readonly string[], names: readonly string[]): Promise<string> {
  for (const folder of folders) for (const name of names) if (await exists(path.join(folder, name))) return folder;
  return folders[0] as string;
}

export interface ArchivedFolder {
  /** Folder that holds the archive, and will hold the unpacked folder. */
  readonly base: string;
  /** Name of the archive's file. */
  readonly archive: string;
  readonly remote: RemoteFile;
  /** The folder inside the archive. */
  readonly folder: string;
}

/**
 * Makes sure that a folder out of an archive is there: as it is, or unpacked, or downloaded and unpacked. The archive is kept.
 * @throws DataError naming what is missing
 */
export async function obtainFolder(set: string, wanted: ArchivedFolder, options: KnownOptions): Promise<string> {
  const { base, archive, remote, folder } = wanted;
  const target = path.join(base, folder);
  if (await exists(target)) return target;
  const file = path.join(base, archive);
  if (options.download) await download(remote, file, options);
  else if (!(await exists(file))) throw missing(set, target, file);
  else if (options.verify !== false) await checkFile(file, remote);
  const beside = path.join(base, `.${folder}.unpacked`);
  await removeLeftovers(beside);
  // A name of its own: another process may be unpacking the same.
  const whole = temporaryFor(beside);
  try {
    await unpack(file, whole);
    if (!(await exists(path.join(whole, folder)))) throw new DataError(`${file} holds no folder named ${folder}.`);
    await mkdir(path.dirname(target), { recursive: true });
    try {
      await rename(path.join(whole, folder), target);
    } catch (error) {
      // The other process may have been faster: what it unpacked is the same.
      if (!(await exists(target))) throw error;
    }
  } finally {
    // What stays is removed by a later call.
    await rm(whole, { recursive: true, force: true }).catch(() => undefined);
  }
  return target;
}

/** Makes sure that a file is there. @throws DataError naming what is missing */
export async function obtainFile(
  set: string,
  file: string,
  remote: RemoteFile,
  options: KnownOptions,
): Promise<string> {
  if (options.download) await download(remote, file, options);
  else if (!(await exists(file))) throw missing(set, file);
  else if (options.verify !== false) await checkFile(file, remote);
  return file;
}

function missing(set: string, ...files: string[]): DataError {
  return new DataError(
    `${set} needs ${files.join(' or ')}, which is not there: download it with { download: true } or \`praxis download ${set}\`.`,
  );
}
