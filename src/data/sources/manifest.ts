/** Pictures listed in a CSV or JSON-lines file with their labels. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { PictureDataset, Skipped } from '../types.js';
import {
  encodeLabels,
  groupsOf,
  labelNames,
  officialParts,
  usualGroupColumns,
  usualLabelColumns,
  usualSplitColumns,
} from './labels.js';
import { findColumn, isMissing, type Rows, readRows } from './rows.js';
import { PictureSamples } from './samples.js';
import { absolute } from './walk.js';

export interface ManifestOptions {
  /** Name of the data set; the file's by default. */
  readonly name?: string;
  /** Folder that paths are relative to; the manifest's by default. */
  readonly root?: string;
  /** Column of the paths; by default the first called path, file, filename, image … */
  readonly path?: string;
  /** Column of the labels; by default the first called label, class, target, category, species, labels, tags … */
  readonly label?: string;
  /** Column of what must stay on one side of a split; by default `group`. */
  readonly group?: string;
  /** Column of the parts train, validation, test; by default `split` or `part`. */
  readonly split?: string;
  /** What separates several labels of one picture; makes the data set multi-label. */
  readonly separator?: string;
  /** Whether a picture may have any number of labels; by default when labels are arrays, a separator is given, or the column is called labels or tags. */
  readonly multiLabel?: boolean;
  /** Class names in order; by default those that occur. */
  readonly classes?: readonly string[];
  /** What separates cells in CSV; found by looking by default. */
  readonly delimiter?: string;
  /** Names of samples to leave out. */
  readonly exclude?: Iterable<string>;
}

export const usualPathColumns = [
  'path',
  'file',
  'filename',
  'file_name',
  'filepath',
  'file_path',
  'image',
  'image_path',
  'image_file',
  'image_name',
  'picture',
  'photo',
  'img',
] as const;

/** Whether cells hold several labels, and what separates them. */
function labelSeparator(rows: Rows, column: number, options: ManifestOptions): string | undefined {
  if (options.multiLabel === false) return undefined;
  if (options.separator !== undefined) return options.separator;
  const cells = rows.rows.map((row) => row[column]);
  const plural = /^(labels|tags|classes)$/i.test(rows.columns[column] as string);
  if (!options.multiLabel && !plural && !cells.some(Array.isArray)) return undefined;
  return (
    ['|', ';', ','].find((separator) => cells.some((cell) => typeof cell === 'string' && cell.includes(separator))) ??
    '|'
  );
}

/**
 * Pictures listed in a file: CSV with a header (comma, semicolon or tab) or JSON lines, with a column of paths and one of labels, and
 * optionally a group and a part of each. Rows whose picture is missing or that have no label are not taken, and listed in `skipped`.
 * Samples are in the order of the rows.
 * @throws DataError naming the row where something is wrong with it
 */
export function manifest(file: string, options: ManifestOptions = {}): PictureDataset {
  const rows = readRows(file, options.delimiter);
  const pathColumn = findColumn(rows, file, options.path, usualPathColumns);
  const labelColumn = findColumn(rows, file, options.label, usualLabelColumns);
  if (pathColumn < 0 || labelColumn < 0)
    throw new DataError(
      `${file} has no column of ${pathColumn < 0 ? 'paths (such as path)' : 'labels (such as label)'}; its columns are ${rows.columns.join(', ')}: say which with the option ${pathColumn < 0 ? 'path' : 'label'}`,
    );
  const root = absolute(options.root ?? path.dirname(file));
  const separator = labelSeparator(rows, labelColumn, options);
  const multiLabel = separator !== undefined;
  const excluded = new Set(options.exclude);
  const skipped: Skipped[] = [];
  const kept: number[] = [];
  const names: string[] = [];
  const places: string[] = [];
  const named: string[][] = [];
  const firstSeen = new Map<string, number>();
  rows.rows.forEach((row, index) => {
    const where = `${file}, row ${rows.rowNumber(index)}`;
    const cell = row[pathColumn];
    if (typeof cell !== 'string' || cell.trim() === '') throw new DataError(`${where}: no path`);
    if (/^(https?|s3|gs|data):/i.test(cell))
      throw new DataError(`${where}: ${cell.slice(0, 60)} is an address: download the pictures first`);
    const written = path.sep === '\\' ? cell.trim().replaceAll('\\', '/') : cell.trim();
    const place = path.posix.resolve(root, written);
    const name = path.posix.relative(root, place);
    const label = row[labelColumn];
    const missing = isMissing(label) && !(multiLabel && label === '');
    const reason = excluded.has(name)
      ? 'left out by name'
      : missing
        ? `row ${rows.rowNumber(index)}: no label`
        : notAFile(place, rows.rowNumber(index));
    if (reason !== null) {
      skipped.push({ path: name, reason });
      return;
    }
    const labels = labelNames(label, separator, where);
    if (!multiLabel && labels.length !== 1)
      throw new DataError(`${where}: ${labels.length} labels where one was expected (multiLabel: true allows several)`);
    const before = firstSeen.get(name);
    if (before !== undefined) {
      if (labels.join('\n') !== named[before]?.join('\n'))
        throw new DataError(
          `${where}: ${name} has another label than in row ${rows.rowNumber(kept[before] as number)}`,
        );
      skipped.push({
        path: name,
        reason: `row ${rows.rowNumber(index)}: already in row ${rows.rowNumber(kept[before] as number)}`,
      });
      return;
    }
    firstSeen.set(name, names.length);
    kept.push(index);
    names.push(name);
    places.push(place);
    named.push(labels);
  });
  if (names.length === 0)
    throw new DataError(
      `${file} lists no picture that can be used${skipped[0] ? `: ${skipped[0].path}: ${skipped[0].reason} (paths are taken relative to ${root}; the option root changes that)` : ''}`,
    );
  const { classes, labels } = encodeLabels(
    named,
    options.classes,
    (sample) => `${file}, row ${rows.rowNumber(kept[sample] as number)}`,
  );
  const group = groupsOf(rows, findColumn(rows, file, options.group, usualGroupColumns), kept);
  const official = officialParts(rows, findColumn(rows, file, options.split, usualSplitColumns), kept, file);
  return new PictureSamples(
    {
      name: options.name ?? path.parse(file).name,
      root,
      length: names.length,
      classes,
      multiLabel,
      skipped,
      officialParts: official,
    },
    {
      name: (index) => names[index] as string,
      labels: (index) => labels[index] as readonly number[],
      location: (index) => ({ kind: 'file', path: places[index] as string }),
      ...(group ? { group } : {}),
    },
  );
}

function notAFile(place: string, row: number): string | null {
  try {
    return statSync(place).isFile() ? null : `row ${row}: a directory, not a file`;
  } catch (cause) {
    return `row ${row}: ${readingFailed(cause)}`;
  }
}
