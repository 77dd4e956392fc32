/** Reads zip archives with yauzl: names from the central directory, contents streamed, checksums checked. */
import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { DataError } from '../errors.js';
import type { ArchiveEntry, EntryVisitor } from './entry.js';
import { shown } from './names.js';

/** yauzl refuses some names itself and damaged structures too: its words in a sentence of ours. */
function refusal(archive: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const message = (error as Error).message;
  const [, fault, name] =
    /^(absolute path|invalid relative path|invalid characters in fileName): (.*)$/s.exec(message) ?? [];
  if (fault !== undefined) {
    const why = fault === 'absolute path' ? 'has an absolute path' : "leads out of the target folder ('..')";
    return new DataError(`${archive} was not unpacked: its entry ${shown(name ?? '')} ${why}.`, { cause: error });
  }
  return new DataError(`${archive} is damaged: ${message.replace(/\.$/, '')}.`, { cause: error });
}

/** The upper half of the external attributes are a Unix mode, where the archive was made on Unix; other makers leave 0. */
function kindOf(entry: Entry): ArchiveEntry['kind'] {
  const type = (entry.externalFileAttributes >>> 28) & 0xf;
  if (type === 0xa) return 'link';
  if (type !== 0 && type !== 8 && type !== 4) return 'special';
  return entry.fileName.endsWith('/') ? 'folder' : 'file';
}

async function* checked(archive: string, entry: Entry, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const chunk of stream) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) {
    throw new DataError(`${archive} is damaged: the checksum of ${shown(entry.fileName)} is wrong.`);
  }
}

async function visitEntry(archive: string, zip: ZipFile, entry: Entry, visit: EntryVisitor): Promise<void> {
  const kind = kindOf(entry);
  const about: ArchiveEntry = { name: entry.fileName, kind, claimed: entry.uncompressedSize };
  if (kind !== 'file') {
    await visit(about, undefined);
    return;
  }
  if (entry.isEncrypted()) {
    throw new DataError(
      `${archive} is encrypted (${shown(entry.fileName)}); unpack it with its password and give the folder.`,
    );
  }
  if (!entry.canDecodeFileData()) {
    throw new DataError(
      `${archive} packs ${shown(entry.fileName)} with method ${entry.compressionMethod}, which Praxis does not read; unpack it yourself and give the folder.`,
    );
  }
  const stream = await zip.openReadStreamPromise(entry);
  // It may fail before anybody reads it, and yauzl only says so: unless destroyed, it would neither end nor fail for who reads it later.
  stream.on('error', (error) => stream.destroy(error));
  try {
    await visit(about, checked(archive, entry, stream as AsyncIterable<Buffer>));
  } finally {
    stream.destroy();
  }
}

/** Visits the entries of a zip archive. @throws DataError when it is damaged, encrypted, or packed in an unknown way */
export async function readZip(archive: string, visit: EntryVisitor): Promise<void> {
  const { size } = await stat(archive);
  let zip: ZipFile | undefined;
  // Entries that share their bytes are how a small zip becomes an endless one.
  let packed = 0;
  try {
    zip = await yauzl.openPromise(archive, { autoClose: false });
    for await (const entry of zip.eachEntry()) {
      packed += entry.compressedSize;
      if (packed > size) {
        throw new DataError(`${archive} was not unpacked: its entries overlap, as in archives made to fill disks.`);
      }
      await visitEntry(archive, zip, entry, visit);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw refusal(archive, error);
  } finally {
    zip?.close();
  }
}
