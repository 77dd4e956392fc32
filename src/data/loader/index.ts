export type { CacheOptions } from '../cache/open.js';
export { DataLoader, type LoaderReport } from './data-loader.js';
export type { DataLoaderOptions } from './options.js';
export type { Skip } from './rows.js';
