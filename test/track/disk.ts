/** A tiny disk, to be filled. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs work on a file system of its own with so much room; false where this machine does not let us mount one. */
export async function withTinyDisk(kibibytes: number, work: (place: string) => Promise<void> | void): Promise<boolean> {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'praxis-test', place]);
  if (mounted.status !== 0) {
    fs.rmdirSync(place);
    return false;
  }
  try {
    await work(place);
  } finally {
    // A file that is mapped into memory holds the disk until the tensor over it is collected, which may take more than one collection.
    for (let tries = 0; spawnSync('umount', [place]).status !== 0 && tries < 40; tries++) {
      globalThis.gc?.();
      await sleep(50);
    }
    fs.rmdirSync(place);
  }
  return true;
}
