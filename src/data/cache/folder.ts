/** The folder that caches lie in: where it is, what is in it, and how it is kept small. */
import { randomUUID } from 'node:crypto';
import {
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import { isAlive, isNear, ownSpace } from '../../track/lock.js';
import type { PictureForm } from '../types.js';

/** One packed cache. */
export interface CacheEntry {
  readonly folder: string;
  /** Name and place of the data set. */
  readonly name: string;
  readonly root: string;
  readonly samples: number;
  readonly form: PictureForm;
  /** Bytes it takes on disk. */
  readonly bytes: number;
  readonly lastUsed: Date;
  /** Whether a running process uses it. */
  readonly inUse: boolean;
}

/** What a cache says about itself, in `about.json`, whose time of change is when it was last used. */
export interface CacheAbout {
  readonly praxisCache: 1;
  readonly name: string;
  readonly root: string;
  readonly samples: number;
  readonly form: PictureForm;
}

export const fileNames = { about: 'about.json', data: 'pictures.bin', journal: 'journal.txt' } as const;

/** `PRAXIS_CACHE_DIR`, or `praxis` in the folder that the system has for caches. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { PRAXIS_CACHE_DIR, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (PRAXIS_CACHE_DIR) return path.resolve(PRAXIS_CACHE_DIR);
  if (process.platform === 'win32' && LOCALAPPDATA) return path.join(LOCALAPPDATA, 'praxis', 'cache');
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches', 'praxis');
  // A relative XDG_CACHE_HOME is to be ignored, says its specification.
  const caches = XDG_CACHE_HOME && path.isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : path.join(homedir(), '.cache');
  return path.join(caches, 'praxis');
}

/** 20 GB, but at most a tenth of what is free or taken by caches already. */
export function defaultMaxBytes(folder: string, used: number): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return Math.min(20e9, (bavail * bsize + used) / 10);
  } catch {
    return 20e9;
  }
}

/** Sparse files take less than they are long. */
const bytesOnDisk = (file: string): number => {
  try {
    const { blocks, size } = statSync(file);
    return blocks === undefined ? size : blocks * 512;
  } catch {
    return 0;
  }
};

export function readAbout(folder: string): CacheAbout | null {
  try {
    const about = JSON.parse(readFileSync(path.join(folder, fileNames.about), 'utf8')) as CacheAbout;
    return about.praxisCache === 1 ? about : null;
  } catch {
    return null;
  }
}

/** The caches in a folder, least recently used first. What Praxis did not make is not looked at. */
export function listCaches(folder: string): CacheEntry[] {
  const entries: CacheEntry[] = [];
  for (const name of namesIn(folder)) {
    const within = path.join(folder, name);
    const about = readAbout(within);
    if (about === null) continue;
    const bytes = bytesOnDisk(path.join(within, fileNames.data)) + bytesOnDisk(path.join(within, fileNames.journal));
    let lastUsed = new Date(0);
    try {
      lastUsed = statSync(path.join(within, fileNames.about)).mtime;
    } catch {}
    entries.push({
      folder: within,
      name: about.name,
      root: about.root,
      samples: about.samples,
      form: about.form,
      bytes,
      lastUsed,
      inUse: isUsed(within),
    });
  }
  return entries.sort((a, b) => a.lastUsed.getTime() - b.lastUsed.getTime());
}

/** A user's mark is a file named after host and process, which holds the space that the process's number counts in. */
const markPattern = /^user-(.*)-(\d+)-\d+$/;
/** Whether a process of another host or container still runs cannot be known; its mark counts for a day. */
const foreignLifetime = 24 * 3600 * 1000;

/** Marks a cache as used by this process, and as used now. @returns ends it */
export function markUsed(folder: string): () => void {
  // A number that nobody else has: threads, and copies of this module, count for themselves and share the process.
  const own = BigInt(`0x${randomUUID().replaceAll('-', '')}`);
  const mark = path.join(folder, `user-${hostname()}-${process.pid}-${own}`);
  writeFileSync(mark, ownSpace());
  const now = new Date();
  utimesSync(path.join(folder, fileNames.about), now, now);
  return () => {
    try {
      unlinkSync(mark);
    } catch {}
  };
}

function isUsed(folder: string): boolean {
  for (const name of namesIn(folder)) {
    const [, host, pid] = markPattern.exec(name) ?? [];
    if (host === undefined) continue;
    const mark = path.join(folder, name);
    const near = isNear({ host, space: spaceOf(mark) });
    if (near ? isAlive(Number(pid), '') : ageOf(mark) < foreignLifetime) return true;
    rmSync(mark, { force: true });
  }
  return false;
}

/** None where there is no such folder, or not any more: another process may just have removed a cache. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The space that the number of a mark's process counts in; empty in marks of older versions, and of those that are just gone. */
function spaceOf(mark: string): string {
  try {
    return readFileSync(mark, 'utf8');
  } catch {
    return '';
  }
}

function ageOf(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Deletes a cache. Processes that use it go on with what they have open. */
export function removeCache(entry: CacheEntry): void {
  // First what makes it a cache: what is left of an interrupted deletion is found by nobody, and its data are let go of next.
  for (const name of [fileNames.about, fileNames.data, fileNames.journal])
    rmSync(path.join(entry.folder, name), { force: true });
  rmSync(entry.folder, { recursive: true, force: true });
}

/**
 * Makes room for a cache of `wanted` bytes: deletes those unused for longest until it fits under the limit.
 * @param except folder of the cache that room is made for
 * @returns whether it fits
 */
export function makeRoom(folder: string, wanted: number, maxBytes: number | undefined, except: string): boolean {
  const others = listCaches(folder).filter((entry) => entry.folder !== except);
  let used = others.reduce((sum, entry) => sum + entry.bytes, 0);
  const limit = maxBytes ?? defaultMaxBytes(folder, used);
  if (wanted > limit) return false;
  for (const entry of others) {
    if (used + wanted <= limit) break;
    if (entry.inUse) continue;
    removeCache(entry);
    used -= entry.bytes;
  }
  return used + wanted <= limit;
}
