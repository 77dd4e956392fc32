/** Small data sets of pictures for the tests of loader and cache. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { DataLoader, type DataLoaderOptions } from '../../../src/data/loader/index.js';
import { PictureSamples } from '../../../src/data/sources/samples.js';
import type { Batch, PictureDataset } from '../../../src/data/types.js';

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is deleted when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-loader-'));
  folders.push(folder);
  return folder;
}

/** The data set of files in a folder; labels go 0, 1, 2, 0, 1, 2, … */
export function datasetOf(root: string, files: readonly string[], multiLabel = false): PictureDataset {
  return new PictureSamples(
    { name: 'small', root, length: files.length, classes: ['a', 'b', 'c'], multiLabel },
    {
      name: (index) => files[index] as string,
      labels: (index) => (multiLabel ? (index % 3 === 0 ? [] : [0, index % 3]) : [index % 3]),
      location: (index) => ({ kind: 'file', path: path.join(root, files[index] as string) }),
    },
  );
}

/** A picture of its own for every seed. */
export function jpeg(seed: number, width = 60, height = 50): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (((i >> 3) + 1) * (seed + 3) * 7) & 255;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
}

/** Writes `count` JPEG files; those at the places `broken` cannot be decoded. */
export async function makePictures(count: number, broken: readonly number[] = []): Promise<PictureDataset> {
  const root = path.join(temporaryFolder(), 'pictures');
  mkdirSync(root);
  const files = Array.from({ length: count }, (_, i) => `${String(i).padStart(4, '0')}.jpg`);
  for (const [i, file] of files.entries())
    writeFileSync(path.join(root, file), broken.includes(i) ? 'not a picture' : await jpeg(i));
  return datasetOf(root, files);
}

/** Files with these names, for decoders that look at the name only. */
export function makeFiles(names: readonly string[]): PictureDataset {
  const root = path.join(temporaryFolder(), 'files');
  mkdirSync(root);
  for (const name of names) writeFileSync(path.join(root, name), name);
  return datasetOf(root, names);
}

export const decoder = new URL('./decoder.ts', import.meta.url);

export const smallForm = { height: 16, width: 12 } as const;

/** All that a batch holds, in one word. */
export function digest({ input, target, index }: Batch): string {
  const hash = createHash('sha256');
  for (const tensor of [input, target, index]) {
    hash.update(`${tensor.dtype} ${tensor.shape}\n`);
    hash.update(new Uint8Array((tensor.contiguous().toTypedArray() as Uint8Array).buffer.slice(0)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Digests of the batches of some epochs. */
export async function digests(loader: DataLoader, epochs = 1): Promise<string[]> {
  const found: string[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) for await (const batch of loader) found.push(digest(batch));
  return found;
}

/** Makes a loader, uses it and closes it. */
export async function withLoader<Result>(
  options: DataLoaderOptions,
  work: (loader: DataLoader) => Promise<Result>,
): Promise<Result> {
  const loader = new DataLoader({ form: smallForm, cache: false, workers: 0, ...options });
  try {
    return await work(loader);
  } finally {
    await loader.close();
  }
}
