/** Starts a worker thread from a module beside this one, be it JavaScript in `dist/` or TypeScript in `src/`. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Worker threads do not inherit what compiles TypeScript in the main thread. */
const withTsx = `
const { workerData } = require('node:worker_threads');
import('tsx/esm/api').then(({ register }) => {
  register();
  return import(workerData.file);
});`;

/** @param name of the module without its extension; it finds `data` as `workerData.data` */
export function startThread(name: string, data: unknown, options: WorkerOptions): Worker {
  const extension = import.meta.url.slice(-3);
  const file = new URL(`${name}${extension}`, import.meta.url);
  const given = { ...options, execArgv: [], workerData: { file: file.href, data } };
  return extension === '.ts' ? new Worker(withTsx, { ...given, eval: true }) : new Worker(file, given);
}
