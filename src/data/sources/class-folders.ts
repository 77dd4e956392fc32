/** Folders named after classes, below folders named after parts where there are such. */
import { statSync } from 'node:fs';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { Part, Skipped } from '../types.js';
import { partNamed } from './labels.js';
import { absolute, byCodeUnits, walk } from './walk.js';

const top = (name: string): string => name.slice(0, name.indexOf('/') >>> 0);

/** The folders that split the data into parts, if the top level is made of such. */
function partFolders(topFolders: readonly string[], folders: readonly string[]): Map<string, Part> | null {
  const found = new Map<string, Part>();
  for (const folder of topFolders) {
    const part = partNamed(folder);
    if (part) found.set(folder, part);
  }
  const named = new Set(found.values());
  // A lone folder `train` is a split only when nothing lies beside it; `test` or `valid` without `train` are classes like any other.
  if (!named.has('train') || (named.size === 1 && topFolders.length > 1)) return null;
  if (!folders.some((name) => found.get(top(name)) === 'train' && name.includes('/'))) return null;
  return found;
}

/** The files of a folder with their classes. */
export interface ClassFolders {
  /** Absolute path of the folder. */
  readonly base: string;
  /** Relative to the folder, in order. */
  readonly names: readonly string[];
  /** A class index for each name. */
  readonly labels: readonly number[];
  /** Names of the class folders in order, empty ones too. */
  readonly classes: readonly string[];
  readonly skipped: readonly Skipped[];
  readonly officialParts: Readonly<Record<Part, readonly number[]>> | undefined;
}

/**
 * Reads `root/<class>/…` or `root/<part>/<class>/…`.
 * @param refuse why a file is not taken, or null
 * @param holds what the files are called: `pictures`
 * @throws DataError when the folder cannot be read
 */
export function readClassFolders(root: string, refuse: (name: string) => string | null, holds: string): ClassFolders {
  const base = absolute(root);
  checkFolder(root, holds);
  const { files, folders, skipped } = walk(base);
  const unreadable = skipped.find((entry) => entry.path === '');
  if (unreadable) throw new DataError(`${root}: ${unreadable.reason}`);
  const topFolders = folders.filter((name) => !name.includes('/'));
  const parts = partFolders(topFolders, folders);
  const classNames = new Set<string>();
  for (const folder of folders) {
    const levels = folder.split('/');
    if (!parts) classNames.add(levels[0] as string);
    else if (levels.length > 1 && parts.has(levels[0] as string)) classNames.add(levels[1] as string);
  }
  const classes = [...classNames].sort(byCodeUnits);
  const classIndex = new Map(classes.map((name, index) => [name, index]));
  const names: string[] = [];
  const labels: number[] = [];
  const partIndices: Record<Part, number[]> = { train: [], validation: [], test: [] };
  const left: Skipped[] = [...skipped];
  for (const file of files) {
    const levels = file.split('/');
    const part = parts?.get(levels[0] as string);
    const depth = parts ? 1 : 0;
    const reason =
      refuse(file) ??
      (parts && !part ? `beside ${[...parts.keys()].join(', ')}` : null) ??
      (levels.length < depth + 2 ? 'not in a class folder' : null);
    if (reason !== null) {
      left.push({ path: file, reason });
      continue;
    }
    if (part) partIndices[part].push(names.length);
    names.push(file);
    labels.push(classIndex.get(levels[depth] as string) as number);
  }
  left.sort((a, b) => byCodeUnits(a.path, b.path));
  const official = parts && new Set(parts.values()).size > 1 ? partIndices : undefined;
  return { base, names, labels, classes, skipped: left, officialParts: official };
}

function checkFolder(root: string, holds: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(root).isDirectory();
  } catch (cause) {
    throw new DataError(
      `${root}: ${readingFailed(cause) === 'no such file' ? 'no such folder' : readingFailed(cause)}`,
      { cause },
    );
  }
  if (!isFolder) throw new DataError(`${root} is a file: a folder with one folder of ${holds} per class was expected`);
}
