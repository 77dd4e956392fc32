/** Either kind of rows, for who does not care which. */
import { DataError } from '../errors.js';
import type { Dataset, TableDataset, TensorDataset, TextDataset } from '../types.js';
import { fitTable, TableNormaliser } from './table.js';
import { fitVocabulary, TextNormaliser } from './text.js';

export type RowNormaliser = TableNormaliser | TextNormaliser;

/** Settles on the training part how a table or texts become features. @throws DataError */
export function fitRows(train: TableDataset | TextDataset): RowNormaliser {
  return train.kind === 'table' ? fitTable(train) : fitVocabulary(train);
}

/** The data set as tensors; what is tensors already stays. @throws DataError when it is of another kind than what was fitted */
export function applyRows(normaliser: RowNormaliser, dataset: Dataset): TensorDataset {
  if (normaliser instanceof TableNormaliser && dataset.kind === 'table') return normaliser.apply(dataset);
  if (normaliser instanceof TextNormaliser && dataset.kind === 'text') return normaliser.apply(dataset);
  throw new DataError(
    `${dataset.name} holds ${dataset.kind === 'text' ? 'texts' : dataset.kind}, but what was trained on held ${normaliser instanceof TableNormaliser ? 'a table' : 'texts'}; give the same data.`,
  );
}

/** From what `toJSON` gave. @throws DataError */
export function rowNormaliserFrom(json: unknown): RowNormaliser {
  return (json as { kind?: unknown } | null)?.kind === 'text'
    ? TextNormaliser.fromJSON(json)
    : TableNormaliser.fromJSON(json);
}
