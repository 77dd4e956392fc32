/** Pictures in folders named after their classes. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { Part, PictureDataset, Skipped } from '../types.js';
import { PictureSamples } from './samples.js';
import { absolute, byCodeUnits, walk } from './walk.js';

export interface ImageFolderOptions {
  /** Name of the data set; the folder's by default. */
  readonly name?: string;
  /** Names of samples (paths relative to the root, with `/`) to leave out. */
  readonly exclude?: Iterable<string>;
}

const extensions = new Set(['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'tif', 'tiff', 'gif', 'bmp', 'dib', 'avif']);

/** Formats that people have and that are not read, with what to do. */
const unread: Readonly<Record<string, string>> = {
  heic: 'HEIC is not read: convert it to JPEG',
  heif: 'HEIC is not read: convert it to JPEG',
  jxl: 'JPEG XL is not read: convert it to PNG',
  jp2: 'JPEG 2000 is not read: convert it to PNG',
  psd: 'Photoshop documents are not read: export it as PNG',
  svg: 'drawings are not read: export it as PNG',
  cr2: 'raw camera files are not read: export it as JPEG',
  nef: 'raw camera files are not read: export it as JPEG',
  arw: 'raw camera files are not read: export it as JPEG',
  dng: 'raw camera files are not read: export it as JPEG',
};

/** Why a file is no picture by its name, or null. */
export function notAPicture(name: string): string | null {
  const extension = path.posix.extname(name).slice(1).toLowerCase();
  if (extension === '') return 'no extension';
  if (extensions.has(extension)) return null;
  return unread[extension] ?? `not a picture (.${extension})`;
}

const partOfFolder: Readonly<Record<string, Part>> = {
  train: 'train',
  training: 'train',
  valid: 'validation',
  val: 'validation',
  validation: 'validation',
  test: 'test',
  testing: 'test',
};

const top = (name: string): string => name.slice(0, name.indexOf('/') >>> 0);

/** The folders that split the data into parts, if the top level is made of such. */
function partFolders(topFolders: readonly string[], folders: readonly string[]): Map<string, Part> | null {
  const found = new Map<string, Part>();
  for (const folder of topFolders) {
    const part = partOfFolder[folder.toLowerCase()];
    if (part) found.set(folder, part);
  }
  const named = new Set(found.values());
  // A lone folder `train` is a split only when nothing lies beside it; `test` or `valid` without `train` are classes like any other.
  if (!named.has('train') || (named.size === 1 && topFolders.length > 1)) return null;
  if (!folders.some((name) => found.get(top(name)) === 'train' && name.includes('/'))) return null;
  return found;
}

/**
 * Pictures in `root/<class>/…`, nested to any depth below the class; or, where the top level consists of folders named train, valid (val,
 * validation) and test, in `root/<part>/<class>/…`, which become `officialParts`. Classes are in the order of their names by code units, as
 * samples are, so the result does not depend on the machine. What is no picture by its name is not taken, and listed in `skipped`.
 * Pictures are not opened.
 * @param root the folder
 * @throws DataError when the folder cannot be read or holds no pictures in class folders
 */
export function imageFolder(root: string, options: ImageFolderOptions = {}): PictureDataset {
  const base = absolute(root);
  checkFolder(base);
  const { files, folders, skipped } = walk(base);
  const unreadable = skipped.find((entry) => entry.path === '');
  if (unreadable) throw new DataError(`${root}: ${unreadable.reason}`);
  const topFolders = folders.filter((name) => !name.includes('/'));
  const parts = partFolders(topFolders, folders);
  const excluded = new Set(options.exclude);
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
      notAPicture(file) ??
      (excluded.has(file) ? 'left out by name' : null) ??
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
  if (names.length === 0) throw new DataError(nothingFound(root, left));
  left.sort((a, b) => byCodeUnits(a.path, b.path));
  const official = parts && new Set(parts.values()).size > 1 ? partIndices : undefined;
  return new PictureSamples(
    {
      name: options.name ?? path.basename(base),
      root: base,
      length: names.length,
      classes,
      skipped: left,
      officialParts: official,
    },
    {
      name: (index) => names[index] as string,
      labels: (index) => [labels[index] as number],
      location: (index) => ({ kind: 'file', path: `${base}/${names[index]}` }),
    },
  );
}

function checkFolder(root: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(root).isDirectory();
  } catch (cause) {
    throw new DataError(
      `${root}: ${readingFailed(cause) === 'no such file' ? 'no such folder' : readingFailed(cause)}`,
      { cause },
    );
  }
  if (!isFolder) throw new DataError(`${root} is a file: a folder with one folder of pictures per class was expected`);
}

function nothingFound(root: string, skipped: readonly Skipped[]): string {
  const flat = skipped.filter((entry) => entry.reason === 'not in a class folder').length;
  if (flat > 0)
    return `${root} holds ${flat} ${flat === 1 ? 'picture' : 'pictures'} but none in a class folder: sort them into ${root}/<class>/, or list them with their labels in a manifest`;
  const example = skipped[0];
  return `${root} holds no pictures: ${root}/<class>/picture.jpg was expected${example ? ` (${skipped.length} other files or folders were found, such as ${example.path}: ${example.reason})` : ''}`;
}
