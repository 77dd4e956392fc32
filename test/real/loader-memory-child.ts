/**
 * `loader-memory-child.ts dist pictures workers`: peak of anonymous memory over an epoch that decodes and two that do not, above the start.
 * The library is the compiled one: what compiles TypeScript takes memory in every thread.
 */
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { PictureDataset } from '../../src/data/types.js';

const [dist, ...numbers] = process.argv.slice(2);
const [count, workers] = numbers.map(Number) as [number, number];
const { DataLoader }: typeof import('../../src/data/loader/index.js') = await import(`${dist}/data/loader/index.js`);
const { torch }: typeof import('../../src/torch/index.js') = await import(`${dist}/torch/index.js`);

/** Memory that is no file's: also what threads share. */
function anonymous(): number {
  const lines = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(lines)?.[1]) + 1024 * Number(/RssShmem:\s+(\d+)/.exec(lines)?.[1]);
}

const folder = mkdtempSync(path.join(tmpdir(), 'praxis-memory-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const root = path.join(folder, 'pictures');
mkdirSync(root);
const originals = 50;
for (let i = 0; i < originals; i++) {
  const pixels = Buffer.alloc(120 * 100 * 3, i);
  await sharp(pixels, { raw: { width: 120, height: 100, channels: 3 } }).toFile(path.join(folder, `${i}.jpg`));
}
const files = Array.from({ length: count }, (_, i) => `a species with a long name ${i % 100}/picture number ${i}.jpg`);
for (let i = 0; i < 100; i++) mkdirSync(path.join(root, `a species with a long name ${i}`));
for (const [i, file] of files.entries()) linkSync(path.join(folder, `${i % originals}.jpg`), path.join(root, file));

const dataset: PictureDataset = {
  kind: 'pictures',
  name: 'many',
  root,
  length: count,
  classes: ['a', 'b'],
  multiLabel: false,
  skipped: [],
  sampleName: (i) => files[i] as string,
  target: (i) => i % 2,
  labels: (i) => [i % 2],
  location: (i) => ({ kind: 'file', path: path.join(root, files[i] as string) }),
};

const start = performance.now();
torch.zeros(1);
const before = anonymous();
const loader = new DataLoader({
  dataset,
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
