/** Opening whatever a person points at: an archive, the folder of a known data set, or anything that `openDataset` can tell by looking. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isArchiveName, unpackForUse } from './archives/index.js';
import { defaultCacheFolder } from './cache/folder.js';
import { exclusionsOf, readExclusions, withoutSamples } from './exclusions.js';
import { cifar10, cifar100, fashionMnist, flowers102, mnist } from './known/index.js';
import { type OpenDatasetOptions, openDataset } from './sources/index.js';
import type { Dataset } from './types.js';

/** Files, each also as `.gz`, that only the folder of one known data set holds, in it or in the folder that its archive makes. */
const known = [
  { open: flowers102, inner: 'flowers-102', files: ['imagelabels.mat', 'setid.mat'] },
  { open: cifar10, inner: 'cifar-10-batches-bin', files: ['data_batch_1.bin', 'test_batch.bin'] },
  { open: cifar100, inner: 'cifar-100-binary', files: ['train.bin', 'test.bin', 'fine_label_names.txt'] },
  { open: fashionMnist, inner: 'FashionMNIST', files: ['train-images-idx3-ubyte'] },
  { open: mnist, inner: 'MNIST', files: ['train-images-idx3-ubyte'] },
] as const;

const holds = (folder: string, files: readonly string[]): boolean =>
  files.every((name) => existsSync(path.join(folder, name)) || existsSync(path.join(folder, `${name}.gz`)));

/** The known data set of a folder, or undefined. MNIST and Fashion-MNIST have the same files; the folder's name tells. */
function knownAt(folder: string): (typeof known)[number] | undefined {
  return known.find(({ inner, files }) => {
    const places = [path.join(folder, inner), path.join(folder, inner, 'raw')];
    if (places.some((place) => holds(place, files))) return true;
    const isFashion = inner === 'FashionMNIST';
    return holds(folder, files) && (!isFashion || /fashion/i.test(path.basename(folder)));
  });
}

export interface OpenSourceOptions extends OpenDatasetOptions {
  /**
   * A list of samples to leave out (see `exclusions.ts`); false: none. Default: the list that lies with the data, where there is one.
   */
  readonly excludeFile?: string | false;
}

/**
 * Opens a folder, file or archive (unpacked into the cache first), without the samples that its exclusion list names.
 * @throws DataError when it cannot be told what it is, or the list cannot be read
 */
export async function openSource(place: string, options: OpenSourceOptions = {}): Promise<Dataset> {
  const { excludeFile, ...rest } = options;
  const isArchive = isArchiveName(place) && existsSync(place);
  const folder = isArchive ? await unpackForUse(place, { cacheFolder: defaultCacheFolder() }) : path.resolve(place);
  const found = rest.kind === undefined ? knownAt(folder) : undefined;
  const dataset = found === undefined ? openDataset(folder, rest) : await found.open(folder);
  const list = excludeFile === false ? undefined : (excludeFile ?? exclusionsOf(path.resolve(place)));
  if (list === undefined) return dataset;
  const names = readExclusions(list).map(({ name }) => name);
  return withoutSamples(dataset, names, list);
}
