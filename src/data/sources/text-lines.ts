/** Lines of text with a label each. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { Skipped, TextDataset } from '../types.js';
import { readClassFolders } from './class-folders.js';
import { TextSamples } from './in-memory.js';
import {
  encodeLabels,
  groupsOf,
  labelNames,
  officialParts,
  usualGroupColumns,
  usualLabelColumns,
  usualSplitColumns,
} from './labels.js';
import {
  decodeText,
  findColumn,
  guessDelimiter,
  isJsonLines,
  isMissing,
  type Rows,
  readRows,
  readText,
} from './rows.js';
import type { SamplesHead } from './samples.js';
import { absolute } from './walk.js';

export interface TextLinesOptions {
  /** Name of the data set; the file's or folder's by default. */
  readonly name?: string;
  /** Column of the text; by default the first called text, sentence, review … */
  readonly text?: string;
  /** Column of the label; by default the first called label, class, target … */
  readonly label?: string;
  /** Column of what must stay on one side of a split; by default `group`. */
  readonly group?: string;
  /** Column of the parts train, validation, test; by default `split` or `part`. */
  readonly split?: string;
  /** What separates several labels of one text; makes the data set multi-label. */
  readonly separator?: string;
  /** Class names in order; by default those that occur. */
  readonly classes?: readonly string[];
  /** What separates cells in CSV; found by looking by default. */
  readonly delimiter?: string;
}

export const usualTextColumns = [
  'text',
  'sentence',
  'review',
  'content',
  'message',
  'line',
  'body',
  'comment',
] as const;

/**
 * Texts with labels: CSV or TSV with a header, lines `label<TAB>text` without one, JSON lines, or a folder `root/<class>/….txt` in which each
 * file is one text.
 * @throws DataError naming the row where something is wrong with it
 */
export function textLines(source: string, options: TextLinesOptions = {}): TextDataset {
  let isFolder: boolean;
  try {
    isFolder = statSync(source).isDirectory();
  } catch (cause) {
    throw new DataError(`${source}: ${readingFailed(cause)}`, { cause });
  }
  return isFolder ? textFolder(source, options) : textFile(source, options);
}

function textFile(file: string, options: TextLinesOptions): TextDataset {
  const rows = headerless(file, options) ?? readRows(file, options.delimiter);
  const textColumn = findColumn(rows, file, options.text, usualTextColumns);
  const labelColumn = findColumn(rows, file, options.label, usualLabelColumns);
  if (textColumn < 0 || labelColumn < 0)
    throw new DataError(
      `${file} has no column of ${textColumn < 0 ? 'texts (such as text)' : 'labels (such as label)'}; its columns are ${rows.columns.join(', ')}: say which with the option ${textColumn < 0 ? 'text' : 'label'}`,
    );
  const base = path.basename(file);
  const skipped: Skipped[] = [];
  const kept: number[] = [];
  const texts: string[] = [];
  const named: string[][] = [];
  const multiLabel = options.separator !== undefined || rows.rows.some((row) => Array.isArray(row[labelColumn]));
  rows.rows.forEach((row, index) => {
    const text = row[textColumn];
    const where = `${file}, row ${rows.rowNumber(index)}`;
    const reason = isMissing(row[labelColumn])
      ? 'no label'
      : typeof text === 'string' && text.trim() !== ''
        ? null
        : 'no text';
    if (reason !== null) {
      skipped.push({ path: `${base}#${rows.rowNumber(index)}`, reason });
      return;
    }
    kept.push(index);
    texts.push(text as string);
    named.push(labelNames(row[labelColumn], options.separator, where));
  });
  if (kept.length === 0) throw new DataError(`${file} has no row with a text and a label`);
  const { classes, labels } = encodeLabels(
    named,
    options.classes,
    (sample) => `${file}, row ${rows.rowNumber(kept[sample] as number)}`,
  );
  const group = groupsOf(rows, findColumn(rows, file, options.group, usualGroupColumns), kept);
  const head: SamplesHead = {
    name: options.name ?? path.parse(file).name,
    root: absolute(file),
    length: kept.length,
    classes,
    multiLabel,
    skipped,
    officialParts: officialParts(rows, findColumn(rows, file, options.split, usualSplitColumns), kept, file),
  };
  return new TextSamples(
    head,
    {
      name: (index) => `${base}#${rows.rowNumber(kept[index] as number)}`,
      labels: (index) => labels[index] as readonly number[],
      ...(group ? { group } : {}),
    },
    (index) => textAt(texts, index, file),
  );
}

function textAt(texts: readonly string[], index: number, source: string): string {
  const text = texts[index];
  if (text === undefined)
    throw new DataError(`${source} has samples 0 to ${texts.length - 1}, there is no sample ${index}`);
  return text;
}

/** Lines `label<TAB>text`, or null where the first line is a header or has another number of cells. */
function headerless(file: string, options: TextLinesOptions): Rows | null {
  if (isJsonLines(file) || options.text !== undefined || options.label !== undefined) return null;
  const text = readText(file);
  if (guessDelimiter(text, file) !== '\t') return null;
  const first = (text.split(/\r?\n/, 1)[0] ?? '').split('\t');
  const lower = first.map((cell) => cell.trim().toLowerCase());
  if (first.length !== 2 || lower.some((cell) => usualTextColumns.some((name) => name === cell))) return null;
  // Quotes are part of the text here: nothing says that they quote.
  const rows: string[][] = [];
  const numbers: number[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    const tab = line.indexOf('\t');
    if (tab < 0) throw new DataError(`${file}, row ${index + 1}: no tab between label and text`);
    rows.push([line.slice(0, tab), line.slice(tab + 1)]);
    numbers.push(index + 1);
  });
  return { columns: ['label', 'text'], rows, rowNumber: (index) => numbers[index] as number };
}

function textFolder(root: string, options: TextLinesOptions): TextDataset {
  const refuse = (name: string) => (/\.txt$/i.test(name) ? null : 'not a text (.txt)');
  const { base, names, labels, classes, skipped, officialParts } = readClassFolders(root, refuse, 'texts');
  if (names.length === 0) throw new DataError(`${root} holds no texts: ${root}/<class>/text.txt was expected`);
  const encoded = options.classes
    ? encodeLabels(
        labels.map((label) => [classes[label] as string]),
        options.classes,
        (sample) => `${root}/${names[sample]}`,
      )
    : { classes, labels: labels.map((label) => [label]) };
  const texts = names.map((name) => {
    try {
      return decodeText(readFileSync(`${base}/${name}`), `${root}/${name}`);
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw new DataError(`${root}/${name}: ${readingFailed(cause)}`, { cause });
    }
  });
  return new TextSamples(
    {
      name: options.name ?? path.basename(base),
      root: base,
      length: names.length,
      classes: encoded.classes,
      skipped,
      officialParts,
    },
    { name: (index) => names[index] as string, labels: (index) => encoded.labels[index] as readonly number[] },
    (index) => textAt(texts, index, root),
  );
}
