/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, flushed to the disk, renamed over the old
 * one, and the folder flushed. A kill at any moment leaves the old file or the new one. Nothing here loads the engine.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { errorCode, writeError } from './errors.js';

/** Names of files that are not finished; also those that `torch.save` writes. */
const temporaryName = /^\..+\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.tmp$/;

/** A new name in the same folder for a file that is not finished. */
export function temporaryFor(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file).slice(0, 100)}.${randomUUID()}.tmp`);
}

/** A link is followed, as when writing to it, instead of being replaced. */
function target(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/** Flushes the names in a folder to the disk. Some file systems cannot, which is no reason to fail. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.promises.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {}
}

/** `syncFolder`, at once. */
export function syncFolderSync(folder: string): void {
  try {
    const descriptor = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {}
}

/**
 * Writes a file whole or not at all. On any failure the old file is untouched and nothing is left beside it.
 * @throws FileWriteError one sentence with the path: full disk, read-only folder, no such folder
 */
export async function writeFileAtomic(file: string, data: string | Uint8Array): Promise<void> {
  const place = target(file);
  const temporary = temporaryFor(place);
  try {
    const handle = await fs.promises.open(temporary, 'wx', 0o666);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(temporary, place);
  } catch (error) {
    await fs.promises.unlink(temporary).catch(() => undefined);
    throw writeError(file, error);
  }
  await syncFolder(path.dirname(place));
}

/** `writeFileAtomic`, done when it returns. */
export function writeFileAtomicSync(file: string, data: string | Uint8Array): void {
  const place = target(file);
  const temporary = temporaryFor(place);
  try {
    const descriptor = fs.openSync(temporary, 'wx', 0o666);
    try {
      fs.writeFileSync(descriptor, data);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, place);
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(file, error);
  }
  syncFolderSync(path.dirname(place));
}

function removeQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {}
}

/**
 * Makes `alias` another name of the contents of `file`, replacing what had the name before; a copy where the file system knows no
 * links. There is no moment without an `alias` once there was one.
 * @throws FileWriteError
 */
export async function replaceWithLink(file: string, alias: string): Promise<void> {
  const temporary = temporaryFor(alias);
  try {
    try {
      await fs.promises.link(file, temporary);
    } catch (error) {
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EACCES'].includes(errorCode(error)))
        throw error;
      await fs.promises.copyFile(file, temporary);
      const handle = await fs.promises.open(temporary, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    await fs.promises.rename(temporary, alias);
  } catch (error) {
    await fs.promises.unlink(temporary).catch(() => undefined);
    throw writeError(alias, error);
  }
  // Renaming one name of a file over another name of the same file does nothing (POSIX), and leaves both.
  await fs.promises.unlink(temporary).catch(() => undefined);
}

/** Removes unfinished files that a kill left in a folder. Only for a folder that nobody else is writing to. Returns their names. */
export function removeTemporaries(folder: string): string[] {
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder).filter((name) => temporaryName.test(name));
  } catch {}
  for (const name of names) removeQuietly(path.join(folder, name));
  return names;
}
