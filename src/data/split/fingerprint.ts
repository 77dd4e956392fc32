/** What a data set is, in a few bytes: enough to notice that it is no longer the one that was split. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { contentsOf } from '../sources/sealing.js';
import type { Dataset } from '../types.js';

/** SHA-256 of three sides of a data set, and of all together; `sha256:…` in hexadecimal digits. */
export interface DatasetFingerprint {
  readonly all: string;
  /** Names of classes and samples, in order. */
  readonly names: string;
  /** Labels of samples. */
  readonly labels: string;
  /** Sizes of picture files in bytes. */
  readonly sizes: string;
}

export function sha256(text: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Sizes of the files, each file asked once. A file that is gone counts as empty: the loader will name it. */
async function fileSizes(paths: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const waiting = [...new Set(paths)];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < waiting.length) {
      const file = waiting[next++] as string;
      sizes.set(
        file,
        await stat(file).then(
          (found) => found.size,
          () => 0,
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return sizes;
}

/**
 * The fingerprint of a data set's names, labels and file sizes. Equal on every machine for the same data; also for a data set whose test
 * part is sealed.
 */
export async function datasetFingerprint(dataset: Dataset): Promise<DatasetFingerprint> {
  const contents = contentsOf(dataset);
  const names = createHash('sha256');
  const labels = createHash('sha256');
  const sizes = createHash('sha256');
  names.update(JSON.stringify([dataset.kind, dataset.multiLabel, dataset.classes]));
  const locations = Array.from({ length: dataset.length }, (_, i) => contents.location?.(i));
  const size = await fileSizes(locations.flatMap((location) => (location ? [location.path] : [])));
  for (let i = 0; i < dataset.length; i++) {
    names.update(`${JSON.stringify(contents.name(i))}\n`);
    labels.update(`${contents.labels(i).join(',')}\n`);
    const location = locations[i];
    if (location) sizes.update(`${size.get(location.path)}${location.kind === 'raw' ? `@${location.offset}` : ''}\n`);
  }
  const sides = [names, labels, sizes].map((hash) => `sha256:${hash.digest('hex')}`) as [string, string, string];
  return { all: sha256(sides.join('\n')), names: sides[0], labels: sides[1], sizes: sides[2] };
}
