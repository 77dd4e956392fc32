/** The one loader that gives the labels of a sealed part; for the test step, which writes each use down. Not exported to the public. */
import { DataLoader } from './data-loader.js';
import type { DataLoaderOptions } from './options.js';
import { grantSealed } from './sealed-access.js';

/** A loader of a data set with sealed samples. Whoever calls this has opened the seal and noted that. */
export function sealedLoader(options: DataLoaderOptions): DataLoader {
  const own = { ...options };
  grantSealed(own);
  return new DataLoader(own);
}
