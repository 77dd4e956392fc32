/** Opens the packed cache of a data set in one form, made on first use. */
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import type { PictureDataset, PictureForm } from '../types.js';
import { type CacheAbout, defaultCacheFolder, fileNames, makeRoom, markUsed, readAbout } from './folder.js';
import { JournalReader } from './journal.js';
import { cacheKey } from './key.js';
import type { SampleTable } from './sample-table.js';
import type { StorePlan } from './store.js';

export interface CacheOptions {
  /** Where packed pictures are kept. Default: `PRAXIS_CACHE_DIR`, else the user's cache folder. */
  readonly folder?: string;
  /** Size of all caches in the folder, in bytes; those unused for longest are deleted beyond it. Default: 20 GB, at most a tenth of the free disk. */
  readonly maxBytes?: number;
}

/** A cache in use. */
export interface OpenCache {
  readonly folder: string;
  readonly plan: StorePlan;
  readonly journal: JournalReader;
  close(): void;
}

/** Bytes from one picture to the next: whole 64-bit words, which copy several times faster than single bytes do. */
export function slotStride(form: PictureForm): number {
  return Math.ceil((form.height * form.width * form.channels) / 8) * 8;
}

/**
 * @param dataset the root data set, whose indices are the slots
 * @param table is filled with what the journal knows
 * @throws DataError or a system error when there can be no cache: the caller goes on without
 */
export function openCache(
  dataset: PictureDataset,
  form: PictureForm,
  decoder: string | null,
  table: SampleTable,
  options: CacheOptions,
): OpenCache {
  const base = options.folder === undefined ? defaultCacheFolder() : path.resolve(options.folder);
  const slug = dataset.name.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 40);
  const folder = path.join(base, `${slug}-${form.height}x${form.width}-${cacheKey(dataset, form, decoder)}`);
  mkdirSync(folder, { recursive: true });
  const stride = slotStride(form);
  const length = stride * dataset.length;
  if (!makeRoom(base, length, options.maxBytes, folder))
    throw new DataError(
      `${dataset.name} needs ${Math.ceil(length / 1e6)} MB of cache, more than there may be in ${base}; raise cache.maxBytes or clear what is there (praxis cache)`,
    );
  const about: CacheAbout = { praxisCache: 1, name: dataset.name, root: dataset.root, samples: dataset.length, form };
  const unmark = describe(folder, about);
  const plan: StorePlan = {
    dataFile: path.join(folder, fileNames.data),
    journalFile: path.join(folder, fileNames.journal),
    mapped: null,
    stride,
    pictureBytes: form.height * form.width * form.channels,
    stopped: new SharedArrayBuffer(4),
  };
  try {
    lengthen(plan.dataFile, length);
  } catch (error) {
    unmark();
    throw error;
  }
  const journal = new JournalReader(plan.journalFile, table);
  journal.update();
  return { folder, plan, journal, close: unmark };
}

/** Notes what the cache is of and who uses it. A folder that is only for reading is used as it is. */
function describe(folder: string, about: CacheAbout): () => void {
  try {
    if (readAbout(folder) === null) {
      const temporary = path.join(folder, `about-${randomUUID()}.tmp`);
      writeFileSync(temporary, `${JSON.stringify(about, null, 2)}\n`);
      renameSync(temporary, path.join(folder, fileNames.about));
    }
    return markUsed(folder);
  } catch {
    return () => undefined;
  }
}

/** The file in full length from the beginning; what is not written to takes no room. It is never made shorter: others may have it mapped. */
function lengthen(file: string, length: number): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' && (error as NodeJS.ErrnoException).code !== 'EROFS')
      throw error;
    descriptor = openSync(file, 'r');
  }
  try {
    if (fstatSync(descriptor).size < length) ftruncateSync(descriptor, length);
  } finally {
    closeSync(descriptor);
  }
}
