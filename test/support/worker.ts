/** Worker threads that run TypeScript: `--import tsx` reaches only the main thread. */
import { Worker } from 'node:worker_threads';

const bootstrap = `
const { workerData } = require('node:worker_threads');
import('tsx/esm/api').then(({ register }) => {
  register();
  return import(workerData.file);
});`;

/** Starts a TypeScript file in a worker thread; it finds `data` as `workerData.data`. */
export function startWorker(file: URL, data: unknown): Worker {
  return new Worker(bootstrap, { eval: true, workerData: { file: file.href, data } });
}
