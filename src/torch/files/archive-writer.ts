import { basename, extname } from 'node:path';
import type { AtomicFile } from './atomic.js';
import type { FileEngine } from './engine.js';
import { writePickle } from './pickle-writer.js';
import { type PlannedStorage, StoragePlan } from './storage-plan.js';
import { ZipWriter } from './zip-writer.js';

/** Bytes handed on at a time; bounds the copy that tensors of other devices need. */
const PIECE = 64 * 2 ** 20;

/**
 * Writes a value in the zip form of `.pt` files, laid out and named as Python's `torch.save` does. Everything is written when this
 * returns; only the commit is left to the caller.
 *
 * @param path names the folder within the archive, as in Python
 */
export function writeArchive<T extends object>(
  file: AtomicFile,
  path: string,
  value: unknown,
  engine: FileEngine<T>,
): void {
  const plan = new StoragePlan(value, engine, path);
  const pickle = writePickle(value, path, plan);
  const stem = basename(path, extname(path)) || 'archive';
  const zip = new ZipWriter(file);
  const text = (name: string, content: string) =>
    zip.write(`${stem}/${name}`, content.length, [Buffer.from(content, 'latin1')]);
  zip.write(`${stem}/data.pkl`, pickle.length, [pickle]);
  text('byteorder', 'little');
  for (const storage of plan.storages) zip.write(`${stem}/data/${storage.key}`, storage.bytes, pieces(engine, storage));
  text('version', '3\n');
  zip.finish();
}

function* pieces<T>(engine: FileEngine<T>, { tensor, start, bytes }: PlannedStorage<T>): Generator<Uint8Array> {
  for (let done = 0; done < bytes; done += PIECE) {
    yield engine.storageBytes(tensor, start + done, Math.min(PIECE, bytes - done));
  }
}
