/** Picture files for the benchmarks: JPEG of 500 × 667 and about 42 kB, as the 8,189 photographs of Flowers-102 (345 MB) are on average. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { sampleRandom } from '../src/data/random.js';

const width = 500;
const height = 667;

/** Writes `count` pictures, soft shapes with some noise as photographs are, into a folder per class; gives their paths below `root`. */
export async function makePictures(root: string, count: number, classes: number): Promise<string[]> {
  const name = (label: number): string => `class${String(label).padStart(3, '0')}`;
  const files = Array.from({ length: count }, (_, i) => `${name(i % classes)}/${String(i).padStart(4, '0')}.jpg`);
  for (let label = 0; label < classes; label++) mkdirSync(path.join(root, name(label)), { recursive: true });
  for (const [i, file] of files.entries()) {
    const draws = sampleRandom(0, 0, i);
    const small = Uint8Array.from({ length: 40 * 53 * 3 }, () => draws.integer(256));
    const soft = await sharp(small, { raw: { width: 40, height: 53, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
    for (let k = 0; k < soft.length; k++)
      soft[k] = Math.max(0, Math.min(255, (soft[k] as number) + ((k * 2654435761) >>> 28) - 8));
    const encoded = await sharp(soft, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 72 })
      .toBuffer();
    writeFileSync(path.join(root, file), encoded);
  }
  return files;
}
