/** Telling by looking what kind of data lies somewhere. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { Dataset } from '../types.js';
import { imageFolder, notAPicture } from './image-folder.js';
import { manifest, usualPathColumns } from './manifest.js';
import { findColumn, guessDelimiter, isJsonLines, readRows, readText } from './rows.js';
import { table } from './table.js';
import { textLines, usualTextColumns } from './text-lines.js';
import { walk } from './walk.js';

export interface OpenDatasetOptions {
  /** Name of the data set; that of the folder or file by default. */
  readonly name?: string;
  /** What it is, where looking does not tell. */
  readonly kind?: 'imageFolder' | 'manifest' | 'table' | 'textLines';
  /** Column of the labels of a file. */
  readonly label?: string;
  /** Names of pictures to leave out. */
  readonly exclude?: Iterable<string>;
}

const openers = { imageFolder, manifest, table, textLines } as const;

/** Manifests that people put beside their pictures. */
const manifestNames = /^(manifest|labels|annotations|metadata|index|train)\.(csv|tsv|jsonl|ndjson)$/i;

/**
 * Opens a folder of pictures or texts by class, a manifest of pictures, a table, or labelled texts, whichever it looks like.
 * @throws DataError when it looks like none, saying what was found and what was expected
 */
export function openDataset(source: string, options: OpenDatasetOptions = {}): Dataset {
  const { kind, ...rest } = options;
  if (kind !== undefined) {
    if (!Object.hasOwn(openers, kind))
      throw new DataError(`there is no kind of data called ${kind}: ${Object.keys(openers).join(', ')} are known`);
    return openers[kind](source, rest);
  }
  let isFolder: boolean;
  try {
    isFolder = statSync(source).isDirectory();
  } catch (cause) {
    throw new DataError(`${source}: ${readingFailed(cause).replace('no such file', 'no such file or folder')}`, {
      cause,
    });
  }
  return isFolder ? openFolder(source, rest) : openFile(source, rest);
}

function openFolder(folder: string, options: Omit<OpenDatasetOptions, 'kind'>): Dataset {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (cause) {
    throw new DataError(`${folder}: ${readingFailed(cause)}`, { cause });
  }
  const manifests = entries.filter((name) => manifestNames.test(name));
  const { files } = walk(folder);
  const within = files.filter((name) => name.includes('/'));
  const pictures = within.filter((name) => notAPicture(name) === null).length;
  const texts = within.filter((name) => /\.txt$/i.test(name)).length;
  // A list of labels beside pictures that all lie in one folder is what tells their classes.
  const pictureFolders = new Set(
    within.filter((name) => notAPicture(name) === null).map((name) => path.posix.dirname(name)),
  );
  if (manifests.length === 1 && (pictures === 0 || pictureFolders.size === 1))
    return openFile(path.join(folder, manifests[0] as string), options);
  if (pictures > 0 && pictures >= texts) return imageFolder(folder, options);
  if (texts > 0) return textLines(folder, options);
  const flat = files.filter((name) => notAPicture(name) === null).length;
  const found =
    flat > 0
      ? `${flat} ${flat === 1 ? 'picture' : 'pictures'} outside of class folders`
      : files.length === 0
        ? 'no files'
        : `${files.length} ${files.length === 1 ? 'file' : 'files'} but no pictures or texts in class folders`;
  throw new DataError(
    `${folder} holds ${found}: expected were ${folder}/<class>/picture.jpg, ${folder}/<class>/text.txt, or a manifest such as ${folder}/labels.csv with the columns path and label`,
  );
}

function openFile(file: string, options: Omit<OpenDatasetOptions, 'kind'>): Dataset {
  if (!/\.(csv|tsv|tab|txt|jsonl|ndjson|json)$/i.test(file))
    throw new DataError(
      `${file} is not a kind of file that data is read from: a folder, or a file ending in .csv, .tsv or .jsonl was expected`,
    );
  if (!isJsonLines(file)) {
    const text = readText(file);
    const first = (text.split(/\r?\n/, 1)[0] ?? '').replace(/^\uFEFF/, '').split(guessDelimiter(text, file));
    const known = first.some((cell) => isUsual(cell, usualTextColumns) || isUsual(cell, usualPathColumns));
    if (/\.(tsv|tab|txt)$/i.test(file) && first.length === 2 && !known && looksLikeText(text))
      return textLines(file, options);
  }
  const rows = readRows(file);
  const pathColumn = findColumn(rows, file, undefined, usualPathColumns);
  if (
    pathColumn >= 0 &&
    rows.rows.some((row) => typeof row[pathColumn] === 'string' && notAPicture(row[pathColumn]) === null)
  )
    return manifest(file, options);
  if (findColumn(rows, file, undefined, usualTextColumns) >= 0) return textLines(file, options);
  return table(file, options);
}

function isUsual(cell: string, names: readonly string[]): boolean {
  return names.includes(cell.trim().toLowerCase());
}

/** Whether the second of two cells mostly holds words. */
function looksLikeText(text: string): boolean {
  const lines = text.split(/\r?\n/, 50).filter((line) => line.trim() !== '');
  return lines.filter((line) => /\S\s+\S/.test(line.slice(line.indexOf('\t') + 1))).length * 2 > lines.length;
}
