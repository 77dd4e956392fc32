/** `loader-memory-child.ts pictures workers`: peak of anonymous memory over an epoch that decodes and two that do not, above the start. */
import { linkSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { DataLoader } from '../../src/data/loader/index.js';
import { torch } from '../../src/torch/index.js';
import { datasetOf, jpeg, temporaryFolder } from '../data/loader/pictures.js';

const [count, workers] = process.argv.slice(2).map(Number) as [number, number];

/** Memory that is no file's: also what threads share. */
function anonymous(): number {
  const lines = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(lines)?.[1]) + 1024 * Number(/RssShmem:\s+(\d+)/.exec(lines)?.[1]);
}

const folder = temporaryFolder();
const root = path.join(folder, 'pictures');
mkdirSync(root);
const originals = 50;
for (let i = 0; i < originals; i++) writeFileSync(path.join(folder, `${i}.jpg`), await jpeg(i, 120, 100));
const files = Array.from({ length: count }, (_, i) => `a species with a long name ${i % 100}/picture number ${i}.jpg`);
for (let i = 0; i < 100; i++) mkdirSync(path.join(root, `a species with a long name ${i}`));
for (const [i, file] of files.entries()) linkSync(path.join(folder, `${i % originals}.jpg`), path.join(root, file));

const start = performance.now();
torch.zeros(1);
const before = anonymous();
const loader = new DataLoader({
  dataset: datasetOf(root, files),
  batchSize: 256,
  shuffle: true,
  workers,
  form: { height: 64, width: 64 },
  cache: { folder: path.join(folder, 'cache'), maxBytes: 1e10 },
});
const peaks: number[] = [];
for (let epoch = 0; epoch < 3; epoch++) {
  let peak = 0;
  for await (const _ of loader) peak = Math.max(peak, anonymous() - before);
  peaks.push(peak);
}
const { decoded, fromCache } = loader.report();
if (decoded !== 0 || fromCache !== count) throw new Error(`${decoded} pictures were decoded in the third epoch`);
await loader.close();
const seconds = Math.round((performance.now() - start) / 1000);
writeSync(1, JSON.stringify({ decoding: peaks[0], cached: Math.max(...peaks.slice(1)), seconds }));
