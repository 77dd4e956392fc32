/** Tables: from columns of numbers and categories to features with mean 0 and deviation 1, as the training part says. */
import { DataError } from '../errors.js';
import type { TableDataset, TensorDataset } from '../types.js';
import { type ColumnPlan, planCategorical, planNumeric, type Straightening, straighten } from './columns.js';
import { checkTrainingPart, roomFor, withInput } from './rows.js';

export interface FitTableOptions {
  /** What straightens a column of numbers, by name, where the choice should be another. */
  readonly straighten?: Readonly<Record<string, Straightening>>;
  /** A column with more categories than this keeps the most frequent; 64 by default. */
  readonly maxCategories?: number;
}

/** What is stored. */
export interface TableNormaliserJson {
  readonly kind: 'table';
  readonly version: 1;
  readonly rows: number;
  readonly columns: readonly ColumnPlan[];
}

function featuresOf(plan: ColumnPlan): string[] {
  switch (plan.kind) {
    case 'dropped':
      return [];
    case 'numeric':
      return [...(plan.value ? [plan.name] : []), ...(plan.missing ? [`${plan.name} missing`] : [])];
    case 'categorical':
      return [
        ...plan.categories.map((category) => `${plan.name}=${category}`),
        `${plan.name} other`,
        ...(plan.missing ? [`${plan.name} missing`] : []),
      ];
  }
}

/** Makes tensors of tables, the same way each time. */
export class TableNormaliser {
  /** Names of the features: `age`, `age missing`, `colour=red`, `colour other`. */
  readonly features: readonly string[];
  readonly #widths: readonly number[];
  readonly #places: readonly ReadonlyMap<string, number>[];

  /** @internal Use `fitTable` or `TableNormaliser.fromJSON`. */
  constructor(
    /** What becomes of each column, and why. */
    readonly columns: readonly ColumnPlan[],
    /** Rows of the training part. */
    readonly rows: number,
  ) {
    this.features = columns.flatMap(featuresOf);
    this.#widths = columns.map((plan) => featuresOf(plan).length);
    this.#places = columns.map(
      (plan) => new Map(plan.kind === 'categorical' ? plan.categories.map((category, i) => [category, i]) : []),
    );
  }

  /** Columns that tell nothing, with the reason. */
  get dropped(): readonly { readonly name: string; readonly why: string }[] {
    return this.columns.filter((plan) => plan.kind === 'dropped').map(({ name, why }) => ({ name, why }));
  }

  /**
   * The table as float32 [N, features], with its names, labels and seals.
   * @throws DataError when it has other columns than the one this was fitted to
   */
  apply(dataset: TableDataset): TensorDataset {
    const { columns } = this;
    for (const [i, plan] of columns.entries()) {
      const theirs = dataset.columns[i];
      if (theirs?.name !== plan.name || dataset.columns.length !== columns.length)
        throw new DataError(
          `${dataset.name} has the columns ${dataset.columns.map(({ name }) => name).join(', ')}, but the training part had ${columns.map(({ name }) => name).join(', ')}; give a table with the same ones in the same order.`,
        );
      if (plan.kind === 'numeric' && theirs.type !== 'numeric')
        throw new DataError(
          `${dataset.name}: the column ${plan.name} held numbers in the training part and holds words here; correct the table, or read it with types: { ${JSON.stringify(plan.name)}: 'categorical' } both times.`,
        );
    }
    const width = this.features.length;
    const values = roomFor(dataset, width, 'leave out columns of many categories (ignore), or lower maxCategories');
    for (let row = 0; row < dataset.length; row++) {
      let place = row * width;
      for (const [i, columnWidth] of this.#widths.entries()) {
        this.#write(values, place, i, dataset.cell(row, i));
        place += columnWidth;
      }
    }
    return withInput(dataset, values, width);
  }

  #write(values: Float32Array, place: number, column: number, cell: number | string | null): void {
    const plan = this.columns[column] as ColumnPlan;
    if (plan.kind === 'numeric') {
      const x = cell === null ? plan.median : (cell as number);
      if (plan.value) values[place] = (straighten(x, plan) - plan.mean) / plan.std;
      if (plan.missing && cell === null) values[place + (plan.value ? 1 : 0)] = 1;
    } else if (plan.kind === 'categorical') {
      const other = plan.categories.length;
      // What was never missing in the training part has no feature for that: it is one more unknown.
      if (cell === null) values[place + other + (plan.missing ? 1 : 0)] = 1;
      else values[place + (this.#places[column]?.get(String(cell)) ?? other)] = 1;
    }
  }

  /** `12 features of 7 columns: 4 numeric (1 by logarithm, 1 by rank), 2 categorical; dropped id (…)`. */
  describe(): string {
    const numeric = this.columns.filter((plan) => plan.kind === 'numeric');
    const count = (how: Straightening) => numeric.filter((plan) => plan.straighten === how).length;
    const straightened = [
      [count('log') + count('signed-log'), 'by logarithm'] as const,
      [count('rank'), 'by rank'] as const,
      [numeric.filter((plan) => plan.missing).length, 'with gaps filled by the median'] as const,
    ].flatMap(([n, how]) => (n > 0 ? [`${n} ${how}`] : []));
    const categorical = this.columns.filter((plan) => plan.kind === 'categorical').length;
    const kinds = [
      ...(numeric.length > 0
        ? [`${numeric.length} numeric${straightened.length > 0 ? ` (${straightened.join(', ')})` : ''}`]
        : []),
      ...(categorical > 0 ? [`${categorical} categorical`] : []),
    ];
    const dropped = this.dropped.map(({ name, why }) => `${name} (${why})`);
    return `${this.features.length} features of ${this.columns.length} columns: ${kinds.join(', ')}${dropped.length > 0 ? `; dropped ${dropped.join(', ')}` : ''}`;
  }

  toJSON(): TableNormaliserJson {
    return { kind: 'table', version: 1, rows: this.rows, columns: this.columns };
  }

  /** @throws DataError when it is not what `toJSON` gave */
  static fromJSON(json: unknown): TableNormaliser {
    const { kind, version, rows, columns } = (json ?? {}) as Partial<TableNormaliserJson>;
    if (kind !== 'table' || version !== 1 || typeof rows !== 'number' || !Array.isArray(columns))
      throw new DataError('this is not the normalisation of a table; give what TableNormaliser.toJSON gave.');
    return new TableNormaliser(columns as readonly ColumnPlan[], rows);
  }
}

/**
 * Settles how a table becomes features, column by column: numbers get the median where they are missing (and a feature that says so), a
 * logarithm or ranks where they are skewed, mean 0 and deviation 1; categories get a feature each and one for all others; columns that tell
 * nothing are dropped by name.
 * @param train the training part and nothing else, as `split.train`: what is known of the others must not flow into training
 * @throws DataError when a sample is sealed, an option names no column, or no column is left
 */
export function fitTable(train: TableDataset, options: FitTableOptions = {}): TableNormaliser {
  checkTrainingPart(train, 'fitTable');
  const { straighten: wanted = {}, maxCategories = 64 } = options;
  if (!Number.isInteger(maxCategories) || maxCategories < 1)
    throw new DataError(`fitTable: maxCategories is an integer from 1 on, got ${String(maxCategories)}.`);
  for (const [name, how] of Object.entries(wanted)) {
    const column = train.columns.find((one) => one.name === name);
    if (column === undefined)
      throw new DataError(
        `fitTable: straighten names the column ${name}; there are ${train.columns.map((one) => one.name).join(', ')}.`,
      );
    if (column.type !== 'numeric')
      throw new DataError(`fitTable: the column ${name} holds categories, which cannot be straightened.`);
    if (!['none', 'log', 'signed-log', 'rank'].includes(how))
      throw new DataError(`fitTable: straighten.${name} is none, log, signed-log or rank, got ${String(how)}.`);
  }
  const plans = train.columns.map(({ name, type }, column): ColumnPlan => {
    const cells = Array.from({ length: train.length }, (_, row) => train.cell(row, column));
    if (type === 'categorical') return planCategorical(name, cells as (string | null)[], maxCategories);
    if (wanted[name] === 'log') {
      const low = cells.findIndex((cell) => cell !== null && (cell as number) <= -1);
      if (low >= 0)
        throw new DataError(
          `fitTable: the column ${name} has the value ${cells[low]}, and log(1 + x) needs more than −1; use signed-log.`,
        );
    }
    return planNumeric(name, cells as (number | null)[], wanted[name]);
  });
  const normaliser = new TableNormaliser(plans, train.length);
  if (normaliser.features.length === 0)
    throw new DataError(
      `${train.name}: no column tells anything: ${normaliser.dropped.map(({ name, why }) => `${name} (${why})`).join('; ')}.`,
    );
  return normaliser;
}
