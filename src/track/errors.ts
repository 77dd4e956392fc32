/** Errors of files and run folders: one sentence that names the file, what was wrong and what to do. */
import path from 'node:path';

/** A run folder cannot be used as asked: it is none, it is damaged, or another run is using it. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

/** A file could not be written; what was there before is still there, whole. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';
  constructor(
    message: string,
    readonly path: string,
    /** The system's code: `ENOSPC`, `EROFS`, `EACCES`, …; empty where there is none. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the system's codes mean, as a clause to follow `cannot be written: `. */
const meanings: Readonly<Record<string, (file: string) => string>> = {
  ENOSPC: (file) => `the disk that holds ${path.dirname(file)} is full; free some space`,
  EDQUOT: (file) => `your quota on the disk that holds ${path.dirname(file)} is used up; free some space`,
  EROFS: (file) => `${path.dirname(file)} lies on a file system that is read-only; use another folder`,
  EACCES: (file) => `you may not write in ${path.dirname(file)}; change its permissions or use another folder`,
  EPERM: (file) => `you may not write in ${path.dirname(file)}; change its permissions or use another folder`,
  ENOENT: (file) => `there is no folder ${path.dirname(file)}; make it first`,
  ENOTDIR: (file) => `${path.dirname(file)} is not a folder; use another one`,
  EISDIR: () => 'it is a folder; choose another name',
  ENAMETOOLONG: () => 'its name is too long for the file system; choose a shorter one',
  EMFILE: () => 'too many files are open; raise the limit (ulimit -n)',
  EIO: () => 'the disk reports an error of its own; check it',
  EFBIG: () => 'the file would be larger than the file system or the limit of this process allows',
};

let listening = false;

/** Where warnings go that nobody else takes. A closed pipe, which a stream reports as an event that nobody expects, must not end a run. */
export function toStderr(sentence: string): void {
  if (!listening) process.stderr.on('error', () => undefined);
  listening = true;
  process.stderr.write(`${sentence}\n`);
}

/** The system's code of an error, or an empty string. */
export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Why a file could not be written, as a clause without the file's name. */
export function writeProblem(file: string, error: unknown): string {
  const meaning = meanings[errorCode(error)];
  if (meaning !== undefined) return meaning(file);
  return error instanceof Error ? error.message : String(error);
}

/** One sentence for a file that could not be written. */
export function writeError(file: string, error: unknown): FileWriteError {
  if (error instanceof FileWriteError) return error;
  return new FileWriteError(`${file} cannot be written: ${writeProblem(file, error)}.`, file, errorCode(error), {
    cause: error,
  });
}
