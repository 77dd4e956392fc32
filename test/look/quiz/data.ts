/** Small data sets of noisy coloured squares, made in a temporary folder. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { sampleRandom } from '../../../src/data/random.js';

const side = 24;

/** `counts[i]` pictures of class `names[i]`, no two alike, in `data/` of a folder to remove afterwards. */
export async function squares(names: readonly string[], counts: readonly number[]): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-quiz-'));
  for (const [label, name] of names.entries()) {
    mkdirSync(path.join(folder, 'data', name), { recursive: true });
    for (let i = 0; i < (counts[label] as number); i++) {
      const draws = sampleRandom(label, 0, i, 99);
      const pixels = Uint8Array.from({ length: side * side * 3 }, (_, at) =>
        Math.min(255, ((label * 37 + (at % 3) * 61) % 128) + draws.integer(128)),
      );
      const picture = sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
      await picture.png().toFile(path.join(folder, 'data', name, `${String(i).padStart(3, '0')}.png`));
    }
  }
  return folder;
}

/** Adds a file that is no picture, though it is called one. */
export function addBroken(folder: string, name: string, file: string): void {
  writeFileSync(path.join(folder, 'data', name, file), 'no picture');
}
