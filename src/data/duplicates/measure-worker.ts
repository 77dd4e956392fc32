/** A thread that looks at pictures, and writes what it sees into memory that it shares with the others. */
import { parentPort, workerData } from 'node:worker_threads';
import { BadSampleError } from '../errors.js';
import type { PictureLocation } from '../types.js';
import { measurePicture } from './measure-picture.js';
import { type ColumnMemory, columnsIn, type Words } from './measurements.js';

/** Some pictures to look at. */
export interface MeasureOrder {
  readonly indices: readonly number[];
  readonly locations: readonly PictureLocation[];
}

/** What came of the pictures of one order. Orders overlap, so answers need not come in their order. */
export type MeasureAnswer =
  | {
      readonly kind: 'done';
      readonly indices: readonly number[];
      readonly seen: readonly (Words | { readonly unreadable: string })[];
    }
  | { readonly kind: 'failed'; readonly error: Error };

/** Pictures of an order that are in work at once: while one is decoded, another one is read or measured. */
const atOnce = 2;

const port = parentPort;
if (port === null) throw new Error('measure-worker.ts runs in a worker thread.');
const columns = columnsIn(workerData.data as ColumnMemory);

async function work({ indices, locations }: MeasureOrder): Promise<MeasureAnswer> {
  const seen: (Words | { unreadable: string })[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < indices.length) {
      const at = next++;
      try {
        seen[at] = await measurePicture(locations[at] as PictureLocation, columns, indices[at] as number);
      } catch (error) {
        if (!(error instanceof BadSampleError)) throw error;
        seen[at] = { unreadable: error.reason };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { kind: 'done', indices, seen };
}

port.on('message', async (order: MeasureOrder) => {
  port.postMessage(await work(order).catch((error: Error): MeasureAnswer => ({ kind: 'failed', error })));
});
