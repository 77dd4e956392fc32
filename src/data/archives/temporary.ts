/** Folders that are being filled, beside the place they are for, and what becomes of those that nobody fills any more. */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isAlive, ownSpace } from '../../track/lock.js';

const mark = '.unpacking-';
/** After the mark: the process, where its number counts (earlier versions did not say), and what is unpacked into such a folder in turn. */
const owner = /^(\d+)(?:-([0-9a-f]{8}))?-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.unpacking-.*)?$/;
/** Milliseconds without a change after which nobody works on a folder, as far as can be told from elsewhere. */
const life = 24 * 60 * 60 * 1000;

/** Where the number of this process counts: this machine, and this container on it. */
const ownPlace = (): string => createHash('sha256').update(`${os.hostname()}\0${ownSpace()}`).digest('hex').slice(0, 8);

/** A new name beside `target` for a folder that is not finished. It says who fills it. */
export function temporaryFor(target: string): string {
  return `${target}${mark}${process.pid}-${ownPlace()}-${randomUUID()}`;
}

/** Whether a file, or a folder and all that is in it, has not changed for so long that nobody works on it. */
async function isAbandoned(file: string): Promise<boolean> {
  const state = await lstat(file);
  if (Date.now() - state.mtimeMs < life) return false;
  if (!state.isDirectory()) return true;
  for (const name of await readdir(file)) if (!(await isAbandoned(path.join(file, name)))) return false;
  return true;
}

/** Removes what killed processes left beside `target`. What cannot be removed stays: that is no reason not to unpack. */
export async function removeLeftovers(target: string): Promise<void> {
  const folder = path.dirname(target);
  const start = `${path.basename(target)}${mark}`;
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, place] = (name.startsWith(start) && owner.exec(name.slice(start.length))) || [];
    if (pid === undefined) continue;
    const left = path.join(folder, name);
    try {
      // Elsewhere the number means another process, which may be at work.
      const ended = place === ownPlace() ? !isAlive(Number(pid), '') : await isAbandoned(left);
      if (ended) await rm(left, { recursive: true, force: true });
    } catch {}
  }
}
