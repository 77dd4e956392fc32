/**
 * The loader as users run it: compiled, in a process of its own. Asked like the PyTorch side, a line for a measurement; answers with
 * nanoseconds per picture of one epoch.
 */
import path from 'node:path';
import readline from 'node:readline';

// By address: types are checked before anything is compiled.
const { DataLoader, imageFolder } = await import(new URL('../dist/index.js', import.meta.url).href);

const root = process.env.PRAXIS_BENCH_DATA ?? '';
const workers = Number(process.env.PRAXIS_BENCH_WORKERS);
const dataset = imageFolder(root);
let made = 0;

/** @param {AsyncIterable<{ input: { size(dimension: number): number } }>} loader */
async function epoch(loader) {
  const start = process.hrtime.bigint();
  let seen = 0;
  for await (const { input } of loader) seen += input.size(0);
  if (seen !== dataset.length) throw new Error(`${seen} of ${dataset.length} pictures were read`);
  return Number(process.hrtime.bigint() - start) / seen;
}

/** One epoch with a cache that is empty, the start of the threads included. */
async function first() {
  const start = process.hrtime.bigint();
  const cache = { folder: path.join(root, '..', `cache${made++}`), maxBytes: 1e10 };
  const loader = new DataLoader({ dataset, batchSize: 256, shuffle: true, workers, cache });
  await epoch(loader);
  const time = Number(process.hrtime.bigint() - start) / dataset.length;
  await loader.close();
  return time;
}

process.stdout.write('ready\n');
for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    if (!line.startsWith('first')) throw new Error(`there is no measurement ${line}`);
    process.stdout.write(`${await first()}\n`);
  } catch (error) {
    process.stdout.write(`unavailable ${String(error).replaceAll('\n', ' ').slice(0, 200)}\n`);
  }
}
