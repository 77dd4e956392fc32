/** Pictures in folders named after their classes. */
import path from 'node:path';
import { DataError } from '../errors.js';
import type { PictureDataset, Skipped } from '../types.js';
import { readClassFolders } from './class-folders.js';
import { PictureSamples } from './samples.js';

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

/**
 * Pictures in `root/<class>/…`, nested to any depth below the class; or, where the top level consists of folders named train, valid (val,
 * validation) and test, in `root/<part>/<class>/…`, which become `officialParts`. Classes are in the order of their names by code units, as
 * samples are, so the result does not depend on the machine. What is no picture by its name is not taken, and listed in `skipped`.
 * Pictures are not opened.
 * @param root the folder
 * @throws DataError when the folder cannot be read or holds no pictures in class folders
 */
export function imageFolder(root: string, options: ImageFolderOptions = {}): PictureDataset {
  const excluded = new Set(options.exclude);
  const refuse = (name: string) => notAPicture(name) ?? (excluded.has(name) ? 'left out by name' : null);
  const { base, names, labels, classes, skipped, officialParts } = readClassFolders(root, refuse, 'pictures');
  if (names.length === 0) throw new DataError(nothingFound(root, skipped));
  return new PictureSamples(
    {
      name: options.name ?? path.basename(base),
      root: base,
      length: names.length,
      classes,
      skipped,
      officialParts,
    },
    {
      name: (index) => names[index] as string,
      labels: (index) => [labels[index] as number],
      location: (index) => ({ kind: 'file', path: `${base}/${names[index]}` }),
    },
  );
}

function nothingFound(root: string, skipped: readonly Skipped[]): string {
  const flat = skipped.filter((entry) => entry.reason === 'not in a class folder').length;
  if (flat > 0)
    return `${root} holds ${flat} ${flat === 1 ? 'picture' : 'pictures'} but none in a class folder: sort them into ${root}/<class>/, or list them with their labels in a manifest`;
  const example = skipped[0];
  return `${root} holds no pictures: ${root}/<class>/picture.jpg was expected${example ? ` (${skipped.length} other files or folders were found, such as ${example.path}: ${example.reason})` : ''}`;
}
