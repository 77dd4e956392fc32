/** One process at a time for a folder: a lock that outlives neither its process nor its machine. */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { temporaryFor } from './atomic.js';
import { errorCode, RunError, writeError } from './errors.js';

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system tells it; a number may be given again to another process. Empty where unknown. */
  readonly born: string;
  /** The space in which its number counts: another in each container, even where the host's name is the same. Empty where unknown. */
  readonly space?: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
  readonly token: string;
}

/** A process on another machine counts as gone when it gave no sign for this long, milliseconds. */
export const silence = 120_000;
/** A guard older than this belongs to a process that died while taking over. Milliseconds. */
const guardLife = 30_000;

/** Tokens of locks this process gave up but could not delete: the disk was full, read-only or gone. */
const givenUp = new Set<string>();

/** What the system tells of a process after its name: /proc/PID/stat from the third field on. Empty where there is no /proc. */
function statOf(pid: number): string[] {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** When a process began: field 22 of /proc/PID/stat. Empty where there is no /proc. */
export const bornOf = (pid: number): string => statOf(pid)[19] ?? '';

/** The process numbers' space of this process, as the system names it. Empty where it does not. */
export function ownSpace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number, born: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  const { 0: state, 19: now = '' } = statOf(pid);
  // It has ended, and nobody has asked how: in a container often nobody ever does.
  if (state === 'Z' || state === 'X') return false;
  return born === '' || now === '' || now === born;
}

/** Reads a lock file; undefined when there is none, null when it holds no lock (a kill between making and filling it). */
export function readLock(file: string): LockHolder | null | undefined {
  try {
    const holder = JSON.parse(fs.readFileSync(file, 'utf8')) as LockHolder;
    return typeof holder?.pid === 'number' && typeof holder.token === 'string' ? holder : null;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : null;
  }
}

/** Whether the number of a holder's process means that process here, too. */
export function isNear({ host, space }: Pick<LockHolder, 'host' | 'space'>): boolean {
  const own = ownSpace();
  return host === os.hostname() && (space === undefined || space === '' || own === '' || space === own);
}

/** Whether the process that took a lock still works: alive on this machine, or heard of lately on another or in another container. */
export function isHeld(file: string, holder: LockHolder | null): boolean {
  if (holder !== null && givenUp.has(holder.token)) return false;
  if (holder !== null && isNear(holder)) return isAlive(holder.pid, holder.born);
  try {
    return Date.now() - fs.statSync(file).mtimeMs < silence;
  } catch {
    return false;
  }
}

export class FolderLock {
  private constructor(
    readonly path: string,
    readonly holder: LockHolder,
  ) {}

  /**
   * Takes the lock, from a dead process if need be.
   * @param what names what is locked in the error: `The run runs/2026-11-22-flowers`
   * @throws RunError naming the process that holds it
   */
  static acquire(file: string, what: string): FolderLock {
    const holder: LockHolder = {
      pid: process.pid,
      host: os.hostname(),
      born: bornOf(process.pid),
      space: ownSpace(),
      since: new Date().toISOString(),
      token: randomUUID(),
    };
    for (let attempt = 0; attempt < 5; attempt++) {
      if (create(file, holder)) return new FolderLock(file, holder);
      const other = readLock(file);
      if (other === undefined) continue;
      if (isHeld(file, other)) throw inUse(what, other, file);
      if (takeOver(file, other, holder)) return new FolderLock(file, holder);
    }
    throw inUse(what, readLock(file) ?? null, file);
  }

  /** Whether the lock is still this process's: someone may have removed the folder, or taken over while this machine slept. */
  get valid(): boolean {
    return readLock(this.path)?.token === this.holder.token;
  }

  /** Who took the lock over from this process, which gave no sign for too long. */
  get takenBy(): LockHolder | undefined {
    const now = readLock(this.path);
    return now && now.token !== this.holder.token ? now : undefined;
  }

  /** A sign of life for other machines. */
  touch(): void {
    try {
      const now = new Date();
      fs.utimesSync(this.path, now, now);
    } catch {}
  }

  release(): void {
    if (!this.valid) return;
    try {
      fs.unlinkSync(this.path);
    } catch {
      givenUp.add(this.holder.token);
    }
  }
}

/** `process 12 on elsewhere`, or `this process`. */
export function nameOf(holder: LockHolder): string {
  const near = isNear(holder);
  const where = near ? '' : holder.host === os.hostname() ? ' of another container' : ` on ${holder.host}`;
  return holder.pid === process.pid && near ? 'this process' : `process ${holder.pid}${where}`;
}

function inUse(what: string, holder: LockHolder | null, file: string): RunError {
  if (holder === null)
    return new RunError(`${what} is in use by another process; if you know it is not, delete ${file}.`);
  return new RunError(
    `${what} is in use by ${nameOf(holder)} since ${holder.since}; wait for it to end, or use another folder.`,
  );
}

/** Makes the lock file with its contents in one step: a link to a file that is complete. */
function create(file: string, holder: LockHolder): boolean {
  const temporary = temporaryFor(file);
  try {
    fs.writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    try {
      fs.linkSync(temporary, file);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      // A file system without links: the contents follow the name.
      fs.writeFileSync(file, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw writeError(file, error);
  } finally {
    remove(temporary);
  }
}

/** Replaces a dead process's lock. Of several that try, the guard, named after that very lock, lets one through. */
function takeOver(file: string, dead: LockHolder | null, holder: LockHolder): boolean {
  const guard = path.join(path.dirname(file), `.${path.basename(file)}.${dead?.token ?? 'unreadable'}`);
  try {
    fs.closeSync(fs.openSync(guard, 'wx'));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw writeError(file, error);
    try {
      if (Date.now() - fs.statSync(guard).mtimeMs > guardLife) fs.unlinkSync(guard);
    } catch {}
    return false;
  }
  try {
    // Someone may have taken over and left between the look at the lock and the guard.
    const now = readLock(file);
    if (now === undefined || now?.token !== dead?.token) return false;
    const temporary = temporaryFor(file);
    fs.writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    fs.renameSync(temporary, file);
    return true;
  } finally {
    remove(guard);
  }
}

function remove(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {}
}
