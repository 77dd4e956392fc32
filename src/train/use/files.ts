/** The files that a command was pointed at. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { RunError } from '../errors.js';

const kinds = {
  picture: /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i,
  table: /\.(csv|tsv|jsonl|ndjson)$/i,
  text: /\.(txt|text|md)$/i,
} as const;

/**
 * Files as they are named, and those of a kind in folders, searched through, in a stable order.
 * @throws RunError for what is not there, and for a folder that holds none
 */
export function filesAmong(places: readonly string[], kind: keyof typeof kinds): string[] {
  return places.flatMap((place) => {
    let isFolder: boolean;
    try {
      isFolder = statSync(place).isDirectory();
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code;
      throw new RunError(
        reason === 'ENOENT' || reason === 'ENOTDIR'
          ? `${place}: there is no such file or folder.`
          : `${place} cannot be read (${reason}).`,
      );
    }
    if (!isFolder) return [place];
    const found = readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && kinds[kind].test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
      .sort();
    if (found.length === 0) throw new RunError(`${place}: there is no ${kind} in this folder.`);
    return found;
  });
}
