/** Walking a folder: every file below it, once, in a stable order, whatever links and unreadable folders there are. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { readingFailed } from '../pictures/raw.js';
import type { Skipped } from '../types.js';

/** Order by UTF-16 code units: the same on every machine, whatever its language. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What operating systems and programs leave in folders. */
const leftByPrograms = new Set([
  '__MACOSX',
  '@eaDir',
  '$RECYCLE.BIN',
  'System Volume Information',
  'Thumbs.db',
  'desktop.ini',
]);

export interface Walk {
  /** Relative to the root, with `/`, in order. */
  readonly files: string[];
  /** All folders, in order, without the root. */
  readonly folders: string[];
  readonly skipped: Skipped[];
}

type Kind = 'file' | 'folder' | 'link' | { readonly other: string };

function kindOf(entry: Dirent): Kind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'link';
  return { other: 'neither a file nor a folder' };
}

/** Folders are read first and links to folders last, so that what a link leads to is known by its own name where it has one. */
export function walk(root: string): Walk {
  const files: string[] = [];
  const folders: string[] = [];
  const skipped: Skipped[] = [];
  const links: string[] = [];
  /** Real paths of the folders read; without links in them, paths from the real root are real. */
  const read = new Set<string>();
  const skip = (name: string, reason: string): void => {
    skipped.push({ path: name, reason });
  };

  const readFolder = (start: string): void => {
    const waiting = [start];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const folder = name === '' ? root : `${root}/${name}`;
      let entries: Dirent[];
      try {
        const real = realpathSync(folder);
        if (read.has(real)) {
          skip(name, 'a link to a folder that is already read');
          continue;
        }
        read.add(real);
        entries = readdirSync(folder, { withFileTypes: true });
      } catch (cause) {
        skip(name, `unreadable folder: ${readingFailed(cause)}`);
        continue;
      }
      if (name !== '') folders.push(name);
      for (const entry of entries) {
        const below = name === '' ? entry.name : `${name}/${entry.name}`;
        const kind = kindOf(entry);
        if (leftByPrograms.has(entry.name)) skip(below, 'left by the operating system');
        else if (entry.name.startsWith('.')) skip(below, 'hidden');
        else if (entry.name.includes('\uFFFD')) skip(below, 'its name is not valid UTF-8: rename it');
        else if (kind === 'file') files.push(below);
        else if (kind === 'folder') waiting.push(below);
        else if (kind === 'link') links.push(below);
        else skip(below, kind.other);
      }
    }
  };

  readFolder('');
  while (links.length > 0) {
    links.sort(byCodeUnits);
    for (const name of links.splice(0)) {
      try {
        const target = statSync(`${root}/${name}`);
        if (target.isFile()) files.push(name);
        else if (target.isDirectory()) readFolder(name);
        else skip(name, 'neither a file nor a folder');
      } catch (cause) {
        const broken = (cause as NodeJS.ErrnoException).code === 'ENOENT';
        skip(name, broken ? 'a symbolic link to nothing' : readingFailed(cause));
      }
    }
  }
  files.sort(byCodeUnits);
  folders.sort(byCodeUnits);
  skipped.sort((a, b) => byCodeUnits(a.path, b.path));
  return { files, folders, skipped };
}

/** The absolute path of a root, with `/`. */
export function absolute(root: string): string {
  return path.resolve(root).split(path.sep).join('/');
}
