/** `builder.ts root count folder workers`: reads an epoch through the cache and prints the digests of its batches. */
import { writeSync } from 'node:fs';
import { DataLoader } from '../../../src/data/loader/index.js';
import { datasetOf, digests, smallForm } from '../loader/pictures.js';

const [root, count, folder, workers] = process.argv.slice(2) as [string, string, string, string];
const files = Array.from({ length: Number(count) }, (_, i) => `${String(i).padStart(4, '0')}.jpg`);
const loader = new DataLoader({
  dataset: datasetOf(root, files),
  batchSize: 8,
  shuffle: true,
  seed: 2,
  form: smallForm,
  workers: Number(workers),
  cache: { folder },
});
writeSync(1, 'begin\n');
const found = await digests(loader);
await loader.close();
writeSync(1, JSON.stringify(found));
