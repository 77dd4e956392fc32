/** Tables: rows of numbers and categories with a class each. */
import path from 'node:path';
import { DataError } from '../errors.js';
import type { Skipped, TableColumn, TableDataset } from '../types.js';
import { TableSamples } from './in-memory.js';
import { encodeLabels, groupsOf, officialParts } from './labels.js';
import { type Cell, findColumn, isMissing, type Rows, readRows } from './rows.js';
import { absolute } from './walk.js';

export interface TableOptions {
  /** Name of the data set; the file's by default. */
  readonly name?: string;
  /** Column of the class; by default the first called label, target or class, else the last. */
  readonly label?: string;
  /** Columns to leave out, such as a row's number. */
  readonly ignore?: readonly string[];
  /** Types of columns that should not be guessed: a postal code is a category, though it looks like a number. */
  readonly types?: Readonly<Record<string, 'numeric' | 'categorical'>>;
  /** Column of what must stay on one side of a split; none by default. */
  readonly group?: string;
  /** Column of the parts train, validation, test; none by default. */
  readonly split?: string;
  /** Class names in order; by default those that occur. */
  readonly classes?: readonly string[];
  /** What separates cells; found by looking by default. */
  readonly delimiter?: string;
}

/** A number as people write it in a table, or NaN. */
export function numberIn(cell: Cell): number {
  if (typeof cell === 'number') return cell;
  if (typeof cell !== 'string') return Number.NaN;
  const text = cell.trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/**
 * A table in CSV, TSV or JSON lines. A column is numeric where every value that is not missing is a number, else categorical; a value is
 * missing where the cell is empty, NA, N/A, NaN, null, none or `?`. Rows without a class are not taken, and listed in `skipped`.
 * @throws DataError naming the row where something is wrong with it
 */
export function table(file: string, options: TableOptions = {}): TableDataset {
  const rows = readRows(file, options.delimiter);
  if (rows.rows.length === 0) throw new DataError(`${file} has a header but no rows`);
  const usual = findColumn(rows, file, options.label, ['label', 'target', 'class']);
  const labelColumn = usual >= 0 ? usual : rows.columns.length - 1;
  const groupColumn = options.group === undefined ? -1 : findColumn(rows, file, options.group, []);
  const splitColumn = options.split === undefined ? -1 : findColumn(rows, file, options.split, []);
  const notInput = new Set([labelColumn, groupColumn, splitColumn]);
  for (const name of options.ignore ?? []) notInput.add(findColumn(rows, file, name, []));
  const inputs = rows.columns.map((_, column) => column).filter((column) => !notInput.has(column));
  if (inputs.length === 0)
    throw new DataError(`${file} has no column besides that of the class, ${rows.columns[labelColumn]}`);
  for (const name of Object.keys(options.types ?? {})) findColumn(rows, file, name, []);

  const skipped: Skipped[] = [];
  const kept: number[] = [];
  rows.rows.forEach((row, index) => {
    if (isMissing(row[labelColumn]))
      skipped.push({ path: `${path.basename(file)}#${rows.rowNumber(index)}`, reason: 'no class' });
    else kept.push(index);
  });
  const where = (sample: number): string => `${file}, row ${rows.rowNumber(kept[sample] as number)}`;
  const named = kept.map((row) => [String(rows.rows[row]?.[labelColumn]).trim()]);
  checkClasses(rows, labelColumn, named, file, options);
  const { classes, labels } = encodeLabels(named, options.classes, where);
  const read = inputs.map((column) => readColumn(rows, column, kept, options, file));
  const group = groupsOf(rows, groupColumn, kept);
  const base = path.basename(file);
  return new TableSamples(
    {
      name: options.name ?? path.parse(file).name,
      root: absolute(file),
      length: kept.length,
      classes,
      skipped,
      officialParts: officialParts(rows, splitColumn, kept, file),
    },
    {
      name: (index) => `${base}#${rows.rowNumber(kept[index] as number)}`,
      labels: (index) => labels[index] as readonly number[],
      ...(group ? { group } : {}),
    },
    read.map(({ column }) => column),
    (index, column) => {
      const values = read[column]?.values;
      if (!values || index < 0 || index >= kept.length)
        throw new DataError(`${file}: there is no cell in sample ${index}, column ${column}`);
      return values[index] as number | string | null;
    },
  );
}

/** A column of measured numbers is not a class. */
function checkClasses(
  rows: Rows,
  column: number,
  named: readonly string[][],
  file: string,
  options: TableOptions,
): void {
  const distinct = new Set(named.flat());
  if (distinct.size === 0) throw new DataError(`${file}: no row has a class in column ${rows.columns[column]}`);
  const fractions = [...distinct].some((name) => !Number.isNaN(numberIn(name)) && !Number.isInteger(Number(name)));
  if (!options.classes && distinct.size > 20 && fractions)
    throw new DataError(
      `${file}: column ${rows.columns[column]} has ${distinct.size} different numbers, which are not classes: name the column of the class with the option label`,
    );
}

function readColumn(
  rows: Rows,
  column: number,
  kept: readonly number[],
  options: TableOptions,
  file: string,
): { column: TableColumn; values: readonly (number | string | null)[] } {
  const name = rows.columns[column] as string;
  const wanted = options.types?.[name];
  const cells = kept.map((row) => rows.rows[row]?.[column]);
  const numbers = cells.map((cell) => (isMissing(cell) ? null : numberIn(cell)));
  const wrong = numbers.findIndex((value) => value !== null && !Number.isFinite(value));
  if (wanted === 'numeric' && wrong >= 0)
    throw new DataError(
      `${file}, row ${rows.rowNumber(kept[wrong] as number)}: ${JSON.stringify(cells[wrong])} in the numeric column ${name} is not a number`,
    );
  if (wanted !== 'categorical' && wrong < 0 && numbers.some((value) => value !== null))
    return { column: { name, type: 'numeric' }, values: numbers };
  const values = cells.map((cell) =>
    isMissing(cell) ? null : typeof cell === 'object' ? JSON.stringify(cell) : String(cell).trim(),
  );
  return { column: { name, type: 'categorical' }, values };
}
