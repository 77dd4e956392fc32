/** Data sets that everybody knows, from their official files. */
import type { PictureDataset } from '../types.js';
import { cifar10, cifar100 } from './cifar.js';
import { flowers102 } from './flowers102.js';
import { fashionMnist, mnist } from './mnist.js';
import type { KnownOptions } from './places.js';

export { cifar10, cifar100 } from './cifar.js';
export { type DownloadOptions, type DownloadProgress, download, type RemoteFile } from './download.js';
export { type Flowers102Options, flowers102 } from './flowers102.js';
export { fashionMnist, mnist } from './mnist.js';
export type { KnownOptions } from './places.js';

/** The known data sets by the names that the command line uses. */
export const knownDatasets: Readonly<
  Record<string, (root: string, options?: KnownOptions) => Promise<PictureDataset>>
> = {
  flowers102,
  cifar10,
  cifar100,
  mnist,
  'fashion-mnist': fashionMnist,
};
