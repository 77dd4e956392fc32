/** Looking at tables: missing values, columns that say nothing or everything, skew. */
import { findDuplicates } from '../data/duplicates/index.js';
import { counted, someOf } from '../data/split/findings.js';
import type { TableDataset } from '../data/types.js';
import { copyFindings } from './copies.js';
import { toldBy } from './labels.js';
import { type ColumnSummary, type LookFinding, percent, spreadOf, type TableSummary } from './report.js';

/** Share of missing cells from which a column is a warning. */
const manyMissing = 0.2;
/** Skewness from which a logarithm is worth a thought. */
const skewed = 2;
/** Of what guessing leaves wrong, how much a single column must get right to be a leak. */
const leakGain = 0.95;
const bins = 20;

type Cell = number | string | null;

export async function lookAtTable(dataset: TableDataset): Promise<{ summary: TableSummary; findings: LookFinding[] }> {
  const columns = dataset.columns.map((_, column) =>
    Array.from({ length: dataset.length }, (_, index) => dataset.cell(index, column)),
  );
  const summaries = dataset.columns.map(({ name, type }, c) => summaryOf(name, type, columns[c] as Cell[]));
  const duplicates = await findDuplicates(dataset);
  return {
    summary: { columns: summaries },
    findings: [
      ...copyFindings(dataset, duplicates, 'row'),
      ...missing(summaries, dataset.length),
      ...constant(summaries),
      ...equalColumns(dataset, columns),
      ...leaks(dataset, columns, summaries),
      ...skew(summaries),
    ],
  };
}

function summaryOf(name: string, type: ColumnSummary['type'], cells: readonly Cell[]): ColumnSummary {
  const present = cells.filter((cell) => cell !== null);
  const counts = new Map<Cell, number>();
  for (const cell of present) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const base = { name, type, missing: cells.length - present.length, distinct: counts.size };
  if (type === 'numeric') {
    const numbers = present as number[];
    return { ...base, spread: spreadOf(numbers), skewness: skewness(numbers) };
  }
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
  return { ...base, common: common.map(([value, count]) => ({ value: String(value), count })) };
}

/** Third standardised moment; 0 where all values are equal. */
export function skewness(values: readonly number[]): number {
  const n = values.length;
  if (n < 3) return 0;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  let second = 0;
  let third = 0;
  for (const value of values) {
    second += (value - mean) ** 2;
    third += (value - mean) ** 3;
  }
  return second === 0 ? 0 : third / n / (second / n) ** 1.5;
}

function missing(columns: readonly ColumnSummary[], rows: number): LookFinding[] {
  const with_ = columns.filter((column) => column.missing > 0).sort((a, b) => b.missing - a.missing);
  if (with_.length === 0) return [];
  const worst = (with_[0] as ColumnSummary).missing / rows;
  return [
    {
      kind: 'missing',
      severity: worst >= manyMissing ? 'warning' : 'note',
      message: `${counted(with_.length, 'column has', 'columns have')} missing values: ${someOf(with_.map((column) => `${column.name} (${percent(column.missing / rows)})`))}.`,
      evidence: { columns: Object.fromEntries(with_.map((column) => [column.name, column.missing])) },
      remedy:
        'Ask why they are missing; normalisation fills them in and can add a column that says so. Drop what is mostly empty.',
      samples: [],
    },
  ];
}

function constant(columns: readonly ColumnSummary[]): LookFinding[] {
  const found = columns.filter(({ distinct }) => distinct <= 1).map(({ name }) => name);
  if (found.length === 0) return [];
  return [
    {
      kind: 'constant-column',
      severity: 'note',
      message: `${counted(found.length, 'column has', 'columns have')} the same value in all rows: ${someOf(found)}.`,
      evidence: { columns: found },
      remedy: 'Leave it out: it tells nothing.',
      samples: [],
    },
  ];
}

function equalColumns(dataset: TableDataset, columns: readonly (readonly Cell[])[]): LookFinding[] {
  const first = new Map<string, string>();
  const pairs: [string, string][] = [];
  for (const [c, cells] of columns.entries()) {
    const { name } = dataset.columns[c] as { name: string };
    // Categories are equal when they divide the rows alike, whatever they are called.
    const numbers = new Map<Cell, number>();
    const key = cells
      .map((cell) => {
        if (typeof cell === 'number' || cell === null) return String(cell);
        const known = numbers.get(cell) ?? numbers.size;
        numbers.set(cell, known);
        return `c${known}`;
      })
      .join('\u0001');
    if (new Set(cells).size <= 1) continue;
    const before = first.get(key);
    if (before === undefined) first.set(key, name);
    else pairs.push([before, name]);
  }
  if (pairs.length === 0) return [];
  return [
    {
      kind: 'duplicate-column',
      severity: 'note',
      message: `${counted(pairs.length, 'column says', 'columns say')} the same as another: ${someOf(pairs.map(([a, b]) => `${b} as ${a}`))}.`,
      evidence: { pairs },
      remedy: 'Keep one of each.',
      samples: [],
    },
  ];
}

/** Values of a column as words: numbers in bins of equal counts, so that neighbours count as one. */
function values(cells: readonly Cell[], summary: ColumnSummary): (string | undefined)[] {
  if (summary.type === 'categorical' || summary.distinct <= bins)
    return cells.map((cell) => (cell === null ? undefined : String(cell)));
  const sorted = (cells.filter((cell) => cell !== null) as number[]).sort((a, b) => a - b);
  const edges = Array.from(
    { length: bins - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / bins)] as number,
  );
  return cells.map((cell) => {
    if (cell === null) return undefined;
    let bin = 0;
    while (bin < edges.length && (cell as number) >= (edges[bin] as number)) bin++;
    return String(bin);
  });
}

function leaks(
  dataset: TableDataset,
  columns: readonly (readonly Cell[])[],
  summaries: readonly ColumnSummary[],
): LookFinding[] {
  if (dataset.multiLabel || dataset.length < 20 || dataset.classes.length < 2) return [];
  const labels = Array.from({ length: dataset.length }, (_, index) => dataset.target(index));
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const guessing = Math.max(...counts.values()) / dataset.length;
  const findings: LookFinding[] = [];
  const told: { column: string; accuracy: number }[] = [];
  const identifiers: string[] = [];
  for (const [c, summary] of summaries.entries()) {
    const cells = columns[c] as readonly Cell[];
    const present = dataset.length - summary.missing;
    const whole = cells.every((cell) => typeof cell !== 'number' || Number.isInteger(cell));
    if (summary.distinct === present && present > 20 && (summary.type === 'categorical' || (whole && isRunning(cells))))
      identifiers.push(summary.name);
    if (summary.distinct < 2) continue;
    const { accuracy, covered } = toldBy(values(cells, summary), labels);
    if (covered > 0.5 && accuracy - guessing > leakGain * (1 - guessing)) told.push({ column: summary.name, accuracy });
  }
  if (told.length > 0)
    findings.push({
      kind: 'label-leak',
      severity: 'error',
      message: `${counted(told.length, 'column gives', 'columns give')} the label away: ${someOf(told.map(({ column, accuracy }) => `${column} alone is right in ${percent(accuracy)}`))}.`,
      evidence: { columns: told, guessing },
      remedy:
        'Ask whether this is known before the label is; if not, leave the column out, or every result is too good.',
      samples: [],
    });
  if (identifiers.length > 0)
    findings.push({
      kind: 'identifier',
      severity: 'note',
      message: `${counted(identifiers.length, 'column has', 'columns have')} a value of its own for every row: ${someOf(identifiers)}.`,
      evidence: { columns: identifiers },
      remedy: 'Leave out numbers and names of rows: they are learned by heart and mean nothing for new ones.',
      samples: [],
    });
  return findings;
}

/** Whether numbers go up by one each, as row numbers do, in whatever order. */
function isRunning(cells: readonly Cell[]): boolean {
  const numbers = cells.filter((cell) => typeof cell === 'number');
  const { least, most } = spreadOf(numbers);
  return numbers.length > 1 && most - least === numbers.length - 1;
}

function skew(columns: readonly ColumnSummary[]): LookFinding[] {
  const found = columns
    .filter(({ skewness: own, distinct }) => own !== undefined && Math.abs(own) > skewed && distinct > 2)
    .sort((a, b) => Math.abs(b.skewness ?? 0) - Math.abs(a.skewness ?? 0));
  if (found.length === 0) return [];
  return [
    {
      kind: 'skew',
      severity: 'note',
      message: `${counted(found.length, 'column is', 'columns are')} very skewed: ${someOf(found.map(({ name, skewness: own }) => `${name} (${(own as number).toFixed(1)})`))}.`,
      evidence: { columns: Object.fromEntries(found.map(({ name, skewness: own }) => [name, own])) },
      remedy: 'A logarithm or ranks make small differences visible that a few large values hide.',
      samples: [],
    },
  ];
}
