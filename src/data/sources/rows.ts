/** Reading CSV, TSV and JSON-lines files into rows that know their number. */
import { readFileSync, statSync } from 'node:fs';
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';

/** A cell of CSV is text; one of JSON-lines may be anything. */
export type Cell = unknown;

export interface Rows {
  readonly columns: readonly string[];
  /** One array per row, in the order of `columns`; missing values of JSON-lines are undefined. */
  readonly rows: readonly (readonly Cell[])[];
  /** Number of a row for people: in CSV as a spreadsheet counts, the header being row 1; in JSON-lines the line, from 1. */
  rowNumber(index: number): number;
}

/** Above this a text file no longer fits one string of JavaScript. */
const sizeLimit = 2 ** 29 - 1024;

export function readText(file: string): string {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new DataError(`${file} is a folder: a file was expected`);
    if (stat.size > sizeLimit)
      throw new DataError(`${file} is larger than 512 MB, which is read at once: cut it into several`);
    return decodeText(readFileSync(file), file);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${file}: ${readingFailed(cause)}`, { cause });
  }
}

/** UTF-8, or UTF-16 where its byte order mark says so (what spreadsheets save as "Unicode text"). */
export function decodeText(bytes: Uint8Array, file: string): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${file} is not UTF-8 text: save it as CSV in UTF-8`, { cause });
  }
}

export const isJsonLines = (file: string): boolean => /\.(jsonl|ndjson|json)$/i.test(file);

/** The separator of a text's first line: the commonest of tab, semicolon and comma outside quotes. */
export function guessDelimiter(text: string, file: string): string {
  if (/\.(tsv|tab)$/i.test(file)) return '\t';
  const line =
    text
      .slice(0, 65536)
      .replace(/"[^"]*"/g, '')
      .split(/\r?\n/, 1)[0] ?? '';
  let best = ',';
  for (const delimiter of ['\t', ';', ','])
    if (line.split(delimiter).length > line.split(best).length) best = delimiter;
  return best;
}

/** Records of a CSV text, header or not; blank lines are left out. @throws DataError naming the row */
export function parseCsv(text: string, file: string, delimiter: string): { cells: string[][]; numbers: number[] } {
  let records: string[][];
  try {
    records = parse(text, {
      delimiter,
      bom: true,
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const at = typeof cause.lines === 'number' ? `, line ${cause.lines}` : '';
    const why =
      cause.code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quoted cell is never closed'
        : cause.message.split('\n')[0]?.replace(/^Invalid [^:]*: /, '');
    throw new DataError(`${file}${at}: ${why}`, { cause });
  }
  const cells: string[][] = [];
  const numbers: number[] = [];
  records.forEach((record, index) => {
    if (record.length === 1 && (record[0] as string).trim() === '') return;
    cells.push(record);
    numbers.push(index + 1);
  });
  return { cells, numbers };
}

/** @throws DataError where the file cannot be read, has no header, or a row has another number of cells than the header */
export function readRows(file: string, delimiter?: string): Rows {
  const text = readText(file);
  return isJsonLines(file) ? jsonLines(text, file) : csvRows(text, file, delimiter);
}

export function csvRows(text: string, file: string, delimiter?: string): Rows {
  const { cells, numbers } = parseCsv(text, file, delimiter ?? guessDelimiter(text, file));
  const columns = cells.shift()?.map((name) => name.trim());
  numbers.shift();
  if (!columns) throw new DataError(`${file} is empty: a header and rows were expected`);
  checkColumns(columns, file);
  cells.forEach((row, index) => {
    if (row.length !== columns.length)
      throw new DataError(
        `${file}, row ${numbers[index]}: ${row.length} ${row.length === 1 ? 'cell' : 'cells'} where the header has ${columns.length} (a comma inside a value needs quotes around it)`,
      );
  });
  return { columns, rows: cells, rowNumber: (index) => numbers[index] as number };
}

function checkColumns(columns: readonly string[], file: string): void {
  const seen = new Set<string>();
  for (const name of columns) {
    if (seen.has(name))
      throw new DataError(`${file}: two columns are called ${name === '' ? 'nothing' : name}: give each its own name`);
    seen.add(name);
  }
}

function jsonLines(text: string, file: string): Rows {
  const objects: Record<string, unknown>[] = [];
  const numbers: number[] = [];
  const columns = new Set<string>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new DataError(
        `${file}, row ${index + 1}: not JSON: one object per line was expected, such as {"path": "a.jpg", "label": "rose"}`,
        { cause },
      );
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new DataError(
        `${file}, row ${index + 1}: ${Array.isArray(value) ? 'an array' : JSON.stringify(value)} where an object was expected`,
      );
    objects.push(value as Record<string, unknown>);
    numbers.push(index + 1);
    for (const key of Object.keys(value)) columns.add(key);
  });
  if (objects.length === 0) throw new DataError(`${file} is empty: one JSON object per line was expected`);
  const names = [...columns];
  return {
    columns: names,
    rows: objects.map((object) => names.map((name) => (Object.hasOwn(object, name) ? object[name] : undefined))),
    rowNumber: (index) => numbers[index] as number,
  };
}

/**
 * The position of a column.
 * @param wanted its name as the caller gave it
 * @param usual names to look for otherwise, in order, in any case
 */
export function findColumn(rows: Rows, file: string, wanted: string | undefined, usual: readonly string[]): number {
  if (wanted !== undefined) {
    const at = rows.columns.indexOf(wanted);
    if (at < 0) throw new DataError(`${file} has no column ${wanted}; its columns are ${rows.columns.join(', ')}`);
    return at;
  }
  const lower = rows.columns.map((name) => name.toLowerCase().replace(/[ -]/g, '_'));
  for (const name of usual) if (lower.includes(name)) return lower.indexOf(name);
  return -1;
}

/** Whether a cell says that its value is missing. */
export function isMissing(cell: Cell): boolean {
  if (cell === null || cell === undefined) return true;
  return typeof cell === 'string' && /^(|na|n\/a|nan|null|none|\?)$/i.test(cell.trim());
}
