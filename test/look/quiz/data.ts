/** Small data sets of coloured squares, made in a temporary folder. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';

/** `counts[i]` pictures of class `names[i]`, each of another colour; a folder to remove afterwards. */
export async function squares(
  names: readonly string[],
  counts: readonly number[],
  prefix = 'praxis-quiz-',
): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  for (const [label, name] of names.entries()) {
    mkdirSync(path.join(folder, 'data', name), { recursive: true });
    for (let i = 0; i < (counts[label] as number); i++) {
      const background = { r: (label * 67) % 256, g: (i * 11) % 256, b: (label * 31 + i * 5) % 256 };
      const picture = sharp({ create: { width: 24, height: 24, channels: 3, background } });
      await picture.png().toFile(path.join(folder, 'data', name, `${String(i).padStart(3, '0')}.png`));
    }
  }
  return folder;
}

/** Adds a file that is no picture, though it is called one. */
export function addBroken(folder: string, name: string, file: string): void {
  writeFileSync(path.join(folder, 'data', name, file), 'no picture');
}
