/** Class names from the labels of rows, and the names of parts. */
import { DataError } from '../errors.js';
import { type Part, parts } from '../types.js';
import { type Cell, isMissing, type Rows } from './rows.js';
import { byCodeUnits } from './walk.js';

export const usualLabelColumns = [
  'label',
  'labels',
  'class',
  'classes',
  'target',
  'category',
  'species',
  'tags',
  'class_name',
] as const;
export const usualGroupColumns = ['group', 'group_id'] as const;
export const usualSplitColumns = ['split', 'part', 'subset', 'set'] as const;

/** Class names in order: as numbers where all are whole numbers, by code units otherwise. */
export function sortClasses(names: Iterable<string>): string[] {
  const sorted = [...names];
  if (sorted.every((name) => /^-?\d{1,15}$/.test(name))) return sorted.sort((a, b) => Number(a) - Number(b));
  return sorted.sort(byCodeUnits);
}

/** The label names of a cell: text, a number, an array of them, text of a JSON array, or text with separators. */
export function labelNames(cell: Cell, separator: string | undefined, where: string): string[] {
  if (Array.isArray(cell)) return cell.flatMap((value) => labelNames(value, undefined, where));
  if (typeof cell === 'number' || typeof cell === 'boolean') return [String(cell)];
  if (typeof cell !== 'string')
    throw new DataError(`${where}: a label is text, a number or an array of them, not ${JSON.stringify(cell)}`);
  const text = cell.trim();
  if (separator !== undefined && text.startsWith('[')) {
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (cause) {
      throw new DataError(`${where}: ${text} is not a JSON array of labels`, { cause });
    }
    return labelNames(values, undefined, where);
  }
  if (separator === undefined) return [text];
  return text
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Names to indices: classes are collected from what occurs, or given. */
export function encodeLabels(
  named: readonly (readonly string[])[],
  given: readonly string[] | undefined,
  where: (index: number) => string,
): { classes: string[]; labels: (readonly number[])[] } {
  const classes = given ? [...given] : sortClasses(new Set(named.flat()));
  const indices = new Map(classes.map((name, index) => [name, index]));
  const labels = named.map((names, sample) => {
    const found = new Set<number>();
    for (const name of names) {
      const index = indices.get(name);
      if (index === undefined)
        throw new DataError(
          `${where(sample)}: ${name} is none of the classes given (${classes.slice(0, 8).join(', ')}${classes.length > 8 ? ', …' : ''})`,
        );
      found.add(index);
    }
    return [...found].sort((a, b) => a - b);
  });
  return { classes, labels };
}

const partNames: Readonly<Record<string, Part>> = {
  train: 'train',
  training: 'train',
  valid: 'validation',
  val: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
};

/** The part that a name (train, valid, val, validation, dev, test, in any case) stands for. */
export function partNamed(name: string): Part | undefined {
  const lower = name.trim().toLowerCase();
  return Object.hasOwn(partNames, lower) ? partNames[lower] : undefined;
}

/** Indices per part from a column of part names. @throws DataError for an unknown or missing name */
export function officialParts(
  rows: Rows,
  column: number,
  kept: readonly number[],
  file: string,
): Record<Part, readonly number[]> | undefined {
  if (column < 0) return undefined;
  const found = Object.fromEntries(parts.map((part) => [part, []])) as unknown as Record<Part, number[]>;
  kept.forEach((row, sample) => {
    const cell = rows.rows[row]?.[column];
    const part = typeof cell === 'string' ? partNamed(cell) : undefined;
    if (!part)
      throw new DataError(
        `${file}, row ${rows.rowNumber(row)}: the part is ${isMissing(cell) ? 'missing' : JSON.stringify(cell)}; train, validation or test was expected`,
      );
    found[part].push(sample);
  });
  return found;
}

/** The group of each sample from a column; missing ones belong to none. */
export function groupsOf(
  rows: Rows,
  column: number,
  kept: readonly number[],
): ((index: number) => string | undefined) | undefined {
  if (column < 0) return undefined;
  return (index) => {
    const cell = rows.rows[kept[index] as number]?.[column];
    return isMissing(cell) ? undefined : String(cell).trim();
  };
}
