/**
 * One look at each picture, small: its size, format, quality and colours, a thumbnail and the hash of its file. Duplicates, drift between
 * parts, and most of what `praxis look` says are found from that.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { BadSampleError, DataError } from '../errors.js';
import { startThread } from '../loader/start-thread.js';
import { locationOf } from '../sources/sealing.js';
import type { PictureDataset } from '../types.js';
import { measurePicture } from './measure-picture.js';
import type { MeasureAnswer, MeasureOrder } from './measure-worker.js';
import {
  type ColumnMemory,
  type Columns,
  columnMemory,
  columnsIn,
  type PictureMeasurements,
  type Unreadable,
  type Words,
} from './measurements.js';

export { area, type PictureMeasurements, side, type Unreadable } from './measurements.js';

export interface MeasureOptions {
  /** Threads; 0: none but this one. Default: one for each core, eight at most, and none for fewer than a thousand pictures. */
  readonly workers?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For fewer pictures, threads take longer to start than they save. */
const worthThreads = 1000;
const mostThreads = 8;
/** Pictures that a thread is given at a time, and how many such orders it has at once: it never waits for the next. */
const perOrder = 16;
const orders = 2;
/** Pictures in work at once without threads: libvips decodes in threads of its own. */
const atOnce = Math.max(4, 2 * availableParallelism());

const known = new WeakMap<PictureDataset, PictureMeasurements>();

/** Looks at all pictures of a data set. The result is kept as long as the data set is. Sealed pictures are looked at too: it shows no labels. */
export async function measurePictures(
  dataset: PictureDataset,
  options: MeasureOptions = {},
): Promise<PictureMeasurements> {
  const before = known.get(dataset);
  if (before) return before;
  const { length } = dataset;
  const { workers = length < worthThreads ? 0 : Math.min(mostThreads, availableParallelism()), onProgress } = options;
  const memory = columnMemory(length);
  const columns = columnsIn(memory);
  const words = {
    content: new Array<string>(length).fill(''),
    format: new Array<Words['format'] | ''>(length).fill(''),
    mode: new Array<string>(length).fill(''),
  };
  const unreadable: Unreadable[] = [];
  let done = 0;
  const note = (index: number, seen: Words | { readonly unreadable: string }): void => {
    if ('unreadable' in seen) unreadable.push({ index, reason: seen.unreadable });
    else for (const name of ['content', 'format', 'mode'] as const) words[name][index] = seen[name] as never;
    onProgress?.(++done, length);
  };
  if (workers > 0) await inThreads(dataset, memory, workers, note, options.signal);
  else await here(dataset, columns, note, options.signal);
  unreadable.sort((a, b) => a.index - b.index);
  const measured: PictureMeasurements = { ...columns, ...words, length, unreadable };
  known.set(dataset, measured);
  return measured;
}

type Note = (index: number, seen: Words | { readonly unreadable: string }) => void;

async function here(
  dataset: PictureDataset,
  columns: Columns,
  note: Note,
  signal: AbortSignal | undefined,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < dataset.length) {
      signal?.throwIfAborted();
      const index = next++;
      try {
        note(index, await measurePicture(locationOf(dataset, index), columns, index));
      } catch (error) {
        if (!(error instanceof BadSampleError)) throw error;
        note(index, { unreadable: error.reason });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function inThreads(
  dataset: PictureDataset,
  memory: ColumnMemory,
  workers: number,
  note: Note,
  signal: AbortSignal | undefined,
): Promise<void> {
  let next = 0;
  const threads: Worker[] = [];
  const work = (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let pending = 0;
      const order = (): void => {
        const indices = Array.from({ length: Math.min(perOrder, dataset.length - next) }, (_, i) => next + i);
        if (indices.length === 0) return;
        next += indices.length;
        pending++;
        const locations = indices.map((index) => locationOf(dataset, index));
        thread.postMessage({ indices, locations } satisfies MeasureOrder);
      };
      const stopped = (): void => reject(signal?.reason);
      signal?.addEventListener('abort', stopped, { once: true });
      thread.on('error', reject);
      thread.on('exit', () => reject(new DataError('a thread that looks at pictures ended before its work was done')));
      thread.on('message', (answer: MeasureAnswer) => {
        try {
          if (answer.kind === 'failed') throw answer.error;
          pending--;
          answer.seen.forEach((seen, i) => {
            note(answer.indices[i] as number, seen);
          });
          order();
          if (pending === 0) resolve();
        } catch (error) {
          reject(error);
        }
      });
      for (let i = 0; i < orders; i++) order();
      if (pending === 0) resolve();
    });
  try {
    signal?.throwIfAborted();
    for (let i = 0; i < workers; i++) threads.push(startThread('../duplicates/measure-worker', memory, {}));
    await Promise.all(threads.map(work));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}
