/** Folders that are being filled, beside the place they are for, and what becomes of those that nobody fills any more. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

const mark = '.unpacking-';

/** A new name beside `target` for a folder that is not finished. */
export function temporaryFor(target: string): string {
  return `${target}${mark}${process.pid}-${randomUUID()}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes what killed processes left beside `target`. */
export async function removeLeftovers(target: string): Promise<void> {
  const start = `${path.basename(target)}${mark}`;
  for (const name of await readdir(path.dirname(target))) {
    // What is unpacked into such a folder lies in one of its own beside it, whose name goes on.
    const pid = name.startsWith(start)
      ? Number(/^(\d+)-[0-9a-f-]{36}(?:\.unpacking-.*)?$/.exec(name.slice(start.length))?.[1])
      : Number.NaN;
    if (Number.isInteger(pid) && !isRunning(pid)) {
      await rm(path.join(path.dirname(target), name), { recursive: true, force: true });
    }
  }
}
