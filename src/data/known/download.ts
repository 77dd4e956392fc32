/** Downloads a file so that a cut costs nothing but the rest, and a wrong file is never taken for the right one. */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileWriteError, RunError } from '../../track/errors.js';
import { FolderLock, nameOf, readLock, silence } from '../../track/lock.js';
import { DataError } from '../errors.js';
import { md5Of, sha256Of } from './checksum.js';

/** How far a download is. */
export interface DownloadProgress {
  /** Name of the file. */
  readonly file: string;
  readonly received: number;
  /** Where the server says it. */
  readonly total: number | undefined;
  /** While another download of the same file is waited for: who does it, as in `process 12 on elsewhere`. */
  readonly waitingFor?: string;
}

export interface DownloadOptions {
  /** Tries without a single new byte before giving up; default 5. */
  tries?: number;
  /** Milliseconds before the second try; each further one waits twice as long. Default 1000. */
  wait?: number;
  /** Milliseconds without a byte after which a connection counts as cut; default 60,000. */
  idle?: number;
  onProgress?: (progress: DownloadProgress) => void;
}

/** A file that the makers of a data set, or of weights, publish. */
export interface RemoteFile {
  /** Addresses of the same bytes, in the order in which they are tried. */
  readonly urls: readonly string[];
  readonly md5?: string;
  /** All of it or its beginning. Without either checksum only the length that the server tells can be checked. */
  readonly sha256?: string;
}

/** Whether a file is right: its length, where one is given, and its checksum, in the form in which its makers give theirs. */
async function check(
  file: string,
  { md5, sha256 }: RemoteFile,
  length?: number,
): Promise<{ right: boolean; is: string; should: string }> {
  const size = length === undefined ? undefined : await sizeOf(file);
  if (size !== length) return { right: false, is: `${size ?? 0} bytes`, should: `${length}` };
  if (md5 !== undefined) {
    const sum = await md5Of(file);
    return { right: sum === md5, is: `MD5 ${sum}`, should: md5 };
  }
  if (sha256 === undefined) return { right: true, is: '', should: '' };
  const sum = await sha256Of(file);
  return { right: sum.startsWith(sha256), is: `SHA-256 ${sum}`, should: sha256.length < 64 ? `${sha256}…` : sha256 };
}

/** A failure that another try may mend. */
class Passing extends Error {}

/** Another process downloads the file now. */
class LostTurn extends DataError {}

const sizeOf = async (file: string) => (await stat(file).catch(() => undefined))?.size;

function diskError(file: string, error: unknown): DataError | undefined {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  // Sockets have system errors too; what is wanted here are those of the file.
  if (syscall === undefined || !/^(open|write|fsync|ftruncate|mkdir|rename|close)$/.test(syscall)) return undefined;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  return new DataError(
    full
      ? `There is no space left for ${file}; make room and start again, it goes on where it stopped.`
      : `${file} cannot be written: ${message}.`,
    { cause: error },
  );
}

/** What the server says the whole file has, and whether it sends only the rest. */
function readHead(response: Response, url: string, have: number): { start: number; total: number | undefined } {
  const { status, headers } = response;
  // A server may pack what it was asked not to; its lengths are of what it sends then, not of what comes out.
  const encoded = !['', 'identity'].includes(headers.get('content-encoding') ?? '');
  const length = encoded ? Number.NaN : Number(headers.get('content-length') ?? Number.NaN);
  if (status === 200) return { start: 0, total: Number.isFinite(length) ? length : undefined };
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    // A server that sends another stretch than asked for cannot be resumed.
    if (Number(start) !== have) return { start: -1, total: undefined };
    return { start: have, total: total === undefined || total === '*' ? undefined : Number(total) };
  }
  if (status === 416) return { start: -1, total: undefined };
  const message = `${url} answers ${status}${response.statusText === '' ? '' : ` ${response.statusText}`}`;
  if (status >= 500 || status === 429 || status === 408) throw new Passing(message);
  throw new DataError(`${message}; the file may have moved: download it by hand.`);
}

/** Asks for what is missing of `part` and appends it. @returns how many bytes the whole file must have now */
async function fetchRest(url: string, part: string, name: string, options: DownloadOptions): Promise<number> {
  const have = (await sizeOf(part)) ?? 0;
  const controller = new AbortController();
  const idle = options.idle ?? 60_000;
  let timer = setTimeout(() => controller.abort(), idle);
  let received = 0;
  try {
    const response = await fetch(url, {
      signal: controller.signal,
      headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
    });
    const { start, total } = readHead(response, url, have);
    if (start < 0) {
      await response.body?.cancel();
      await rm(part, { force: true });
      if (have === 0) throw new Passing(`${url} answers ${response.status} to a request for the whole file`);
      return await fetchRest(url, part, name, options);
    }
    const file = await open(part, start > 0 ? 'a' : 'w');
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = setTimeout(() => controller.abort(), idle);
        await file.writeFile(chunk);
        received += chunk.length;
        options.onProgress?.({ file: name, received: start + received, total });
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && start + received < total)
      throw new Passing(`${url} ended after ${start + received} of ${total} bytes`);
    return total ?? start + received;
  } catch (error) {
    if (error instanceof DataError) throw error;
    const disk = diskError(part, error);
    if (disk !== undefined) throw disk;
    const cause = (error as Error).cause;
    const why = controller.signal.aborted
      ? `silent for ${idle / 1000} s`
      : cause instanceof Error
        ? cause.message
        : (error as Error).message;
    throw Object.assign(new Passing(error instanceof Passing ? why : `${url}: ${why}`, { cause: error }), { received });
  } finally {
    clearTimeout(timer);
  }
}

/** Downloads from one address until the part file is whole, as far as the server can say. @returns how many bytes it must have */
async function fetchAll(
  url: string,
  part: string,
  name: string,
  options: DownloadOptions,
  lock: FolderLock,
): Promise<number> {
  const tries = options.tries ?? 5;
  let wait = options.wait ?? 1000;
  for (let left = tries; ; ) {
    try {
      const length = await fetchRest(url, part, name, options);
      checkLock(lock, part);
      return length;
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      // Whoever sends something deserves all tries again.
      if (((error as { received?: number }).received ?? 0) > 0) {
        left = tries;
        wait = options.wait ?? 1000;
      }
      left--;
      if (left <= 0) {
        const kept = (await sizeOf(part)) ?? 0;
        const more = kept > 0 ? `; ${kept} bytes are kept, the next download goes on from there` : '';
        throw new DataError(`${name} could not be downloaded: ${error.message}${more}.`, { cause: error });
      }
      await sleep(wait);
      wait *= 2;
      checkLock(lock, part);
    }
  }
}

/** Takes the lock of a file that is to be downloaded. Whoever holds it does the work: it is waited for as long as it lives. */
async function takeTurn(target: string, part: string, options: DownloadOptions): Promise<FolderLock> {
  const file = `${target}.lock`;
  for (;;) {
    try {
      return FolderLock.acquire(file, target);
    } catch (error) {
      if (!(error instanceof RunError))
        throw diskError(target, error instanceof FileWriteError ? error.cause : error) ?? error;
    }
    const holder = readLock(file);
    options.onProgress?.({
      file: path.basename(target),
      received: (await sizeOf(part)) ?? 0,
      total: undefined,
      waitingFor: holder ? nameOf(holder) : 'another process',
    });
    await sleep(1000);
  }
}

/** @throws DataError when another process took the lock of `part` over, which writes to it now */
function checkLock(lock: FolderLock, part: string): void {
  const other = lock.takenBy;
  if (other === undefined) return;
  throw new LostTurn(
    `${part} was taken over by ${nameOf(other)} while this process gave no sign of life; wait for it to end and start again.`,
  );
}

/**
 * Downloads a file, unless it is there already. What is cut off is kept in `<target>.part` and continued, in this call and in later ones;
 * the file gets its name only when its checksum is right. Of several that download the same file one does the work, and the others wait.
 * @throws DataError when it cannot be had, when its checksum is wrong, or when a file of that name has other content
 */
export async function download(remote: RemoteFile, target: string, options: DownloadOptions = {}): Promise<void> {
  if ((await sizeOf(target)) !== undefined) {
    await checkFile(target, remote);
    return;
  }
  const part = `${target}.part`;
  try {
    await mkdir(path.dirname(target), { recursive: true });
  } catch (error) {
    throw diskError(target, error) ?? error;
  }
  const lock = await takeTurn(target, part, options);
  const beat = setInterval(() => lock.touch(), silence / 4);
  try {
    // Another process may have been faster.
    if ((await sizeOf(target)) !== undefined) await checkFile(target, remote);
    else await downloadLocked(remote, target, options, lock);
  } finally {
    clearInterval(beat);
    lock.release();
  }
}

async function downloadLocked(
  remote: RemoteFile,
  target: string,
  options: DownloadOptions,
  lock: FolderLock,
): Promise<void> {
  const name = path.basename(target);
  const part = `${target}.part`;
  // A process that was killed at the very end left a whole file behind.
  const checkable = remote.md5 !== undefined || remote.sha256 !== undefined;
  if (checkable && (await sizeOf(part)) !== undefined && (await check(part, remote)).right) {
    await rename(part, target);
    return;
  }
  const failures: DataError[] = [];
  for (const url of remote.urls) {
    const resumed = ((await sizeOf(part)) ?? 0) > 0;
    try {
      let sum = await check(part, remote, await fetchAll(url, part, name, options, lock));
      if (!sum.right && resumed) {
        // What was kept may have been the beginning of another file: once more from the start.
        await rm(part, { force: true });
        sum = await check(part, remote, await fetchAll(url, part, name, options, lock));
      }
      if (!sum.right) {
        await rm(part, { force: true });
        throw new DataError(`${url} gave a file with ${sum.is} instead of ${sum.should}; it was not kept.`);
      }
      await rename(part, target);
      return;
    } catch (error) {
      if (!(error instanceof DataError) || error instanceof LostTurn) throw error;
      if (error.message.startsWith('There is no space')) throw error;
      failures.push(error);
    }
  }
  throw failures[0] as DataError;
}

/** @throws DataError when the file's checksum is another one */
export async function checkFile(file: string, remote: Omit<RemoteFile, 'urls'>): Promise<void> {
  const sum = await check(file, { urls: [], ...remote });
  if (!sum.right) {
    throw new DataError(
      `${file} has ${sum.is} instead of ${sum.should}: it is damaged or another file; move it away and download it again.`,
    );
  }
}
