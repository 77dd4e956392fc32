/** Rows of tables and texts for a network that was trained on such. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyRows, type RowNormaliser, TableNormaliser } from '../../data/normalise/index.js';
import { TableSamples, TextSamples } from '../../data/sources/in-memory.js';
import { isMissing, readRows } from '../../data/sources/rows.js';
import { numberIn } from '../../data/sources/table.js';
import type { Tensor } from '../../torch/index.js';
import { RunError } from '../errors.js';

/** A row of a table by its columns' names, or a text. */
export type RowInput = string | Readonly<Record<string, string | number | null>>;

const head = (length: number) => ({ name: 'rows', root: path.resolve(), length, classes: ['unknown'] });
const contents = { name: (index: number) => String(index), labels: () => [0] };

/** Rows as the network takes them: [N, features]. @throws RunError naming a column that is missing */
export function featuresOf(rows: readonly RowInput[], normaliser: RowNormaliser): Tensor {
  if (!(normaliser instanceof TableNormaliser)) {
    const texts = rows.map((row) => {
      if (typeof row !== 'string') throw new RunError('This run was trained on texts: give strings.');
      return row;
    });
    return applyRows(normaliser, new TextSamples(head(texts.length), contents, (index) => texts[index] as string))
      .input;
  }
  const columns = normaliser.columns.map(({ name, kind }) => ({
    name,
    type: kind === 'categorical' ? ('categorical' as const) : ('numeric' as const),
  }));
  for (const [i, row] of rows.entries()) {
    if (typeof row !== 'object' || row === null)
      throw new RunError("This run was trained on a table: give rows as { column: value }, or a table's file.");
    const missing = normaliser.columns.find(({ name, kind }) => kind !== 'dropped' && !(name in row));
    if (missing !== undefined)
      throw new RunError(
        `Row ${i + 1} has no column '${missing.name}'; the run was trained on ${columns.map(({ name }) => name).join(', ')}.`,
      );
  }
  const cell = (index: number, column: number): number | string | null => {
    const { name, type } = columns[column] as (typeof columns)[number];
    const value = (rows[index] as Exclude<RowInput, string>)[name] ?? null;
    if (value === null || isMissing(value)) return null;
    if (type === 'categorical') return String(value).trim();
    const number = numberIn(value);
    return Number.isNaN(number) ? null : number;
  };
  return applyRows(normaliser, new TableSamples(head(rows.length), contents, columns, cell)).input;
}

/** A row or text of a file, with what it is called: `plants.csv#3`. */
export interface NamedRow {
  readonly name: string;
  readonly row: RowInput;
}

/** The rows of a table's file, or a text's file as one text. @throws DataError, RunError */
export function rowsOf(file: string, normaliser: RowNormaliser): NamedRow[] {
  if (!(normaliser instanceof TableNormaliser)) {
    try {
      return [{ name: file, row: readFileSync(file, 'utf8') }];
    } catch (error) {
      throw new RunError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
    }
  }
  const { columns, rows, rowNumber } = readRows(file);
  return rows.map((cells, i) => ({
    name: `${file}#${rowNumber(i)}`,
    row: Object.fromEntries(columns.map((column, c) => [column, (cells[c] ?? null) as string | number | null])),
  }));
}
