/** Reads tar archives, bare or in gzip, with node-tar's parser. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { DataError } from '../errors.js';
import type { ArchiveEntry, EntryVisitor } from './entry.js';
import type { Budget } from './limits.js';
import { shown } from './names.js';

function kindOf({ type, unsupported }: ReadEntry): ArchiveEntry['kind'] {
  if (unsupported) return 'special';
  if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') return 'file';
  if (type === 'Directory' || type === 'GNUDumpDir') return 'folder';
  return type === 'SymbolicLink' || type === 'Link' ? 'link' : 'special';
}

/** Visits the entries of a tar archive. @throws DataError when it is damaged */
export async function readTar(archive: string, gzip: boolean, budget: Budget, visit: EntryVisitor): Promise<void> {
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
  };
  // A failure elsewhere ends the reading of the entry in hand, which would otherwise wait for bytes that do not come.
  async function* contentOf(entry: ReadEntry): AsyncGenerator<Buffer> {
    if (failure !== undefined) throw failure;
    for await (const chunk of entry) {
      yield chunk;
      if (failure !== undefined) throw failure;
    }
  }
  let current: ReadEntry | undefined;
  // Entries come one after the other: the parser waits until one is read.
  let visited = Promise.resolve();
  const handle = (entry: ReadEntry) => {
    entry.on('error', () => {});
    visited = visited
      .then(async () => {
        if (failure !== undefined) throw failure;
        current = entry;
        const kind = kindOf(entry);
        const about: ArchiveEntry = { name: entry.path, kind, claimed: entry.size };
        await visit(about, kind === 'file' ? contentOf(entry) : undefined);
      })
      .catch(fail)
      .finally(() => entry.resume());
  };
  const parser = new Parser({ file: archive, onReadEntry: handle });
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    fail(
      new DataError(
        `${archive} was not unpacked: its entry ${shown(entry.path)} is of a kind that is no file (${entry.type}).`,
      ),
    );
  });
  parser.on('warn', (code: string, message: string | Error) => {
    if (!code.startsWith('TAR_ENTRY_INFO')) {
      const text = message instanceof Error ? message.message : message;
      fail(new DataError(`${archive} is damaged: ${text.replace(/^TAR_\w+: /, '').replace(/\.$/, '')}.`));
    }
  });
  const ended = new Promise<void>((resolve) => parser.once('end', resolve));
  let any = false;
  const consume = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      any = true;
      if (failure !== undefined) throw failure;
      try {
        // Headers count too: a gzip of nothing but zeros or empty entries is a bomb as well.
        if (gzip) budget.check(budget.bytes + chunk.length);
        if (!parser.write(chunk)) await new Promise<void>((resolve) => parser.once('drain', resolve));
      } catch (error) {
        // Leaving this loop destroys the stream it reads, whose own error may reach the pipeline before this one.
        fail(error as Error);
        throw error;
      }
    }
    parser.end();
    if (any) await ended;
  };
  const file = createReadStream(archive);
  try {
    if (gzip) await pipeline(file, createGunzip(), consume);
    else await pipeline(file, consume);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    fail(
      code?.startsWith('Z_') === true
        ? new DataError(`${archive} is damaged: ${(error as Error).message}.`, { cause: error })
        : (error as Error),
    );
    current?.destroy(failure);
  }
  await visited;
  if (failure !== undefined) throw failure;
}
