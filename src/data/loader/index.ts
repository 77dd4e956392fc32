export { DataLoader, type LoaderReport } from './data-loader.js';
export type { CacheOptions, DataLoaderOptions } from './options.js';
export type { Skip } from './rows.js';
