/** Data sets whose input lies in memory: rows of a table, lines of text, tensors. */
import type { Tensor } from '../../torch/index.js';
import type { TableColumn, TableDataset, TensorDataset, TextDataset } from '../types.js';
import { Samples, type SamplesHead } from './samples.js';
import type { SampleContents } from './sealing.js';

/** Rows of a table. */
export class TableSamples extends Samples implements TableDataset {
  readonly kind = 'table';
  readonly columns: readonly TableColumn[];
  readonly #cell: (index: number, column: number) => number | string | null;

  constructor(
    head: SamplesHead,
    contents: SampleContents,
    columns: readonly TableColumn[],
    cell: (index: number, column: number) => number | string | null,
  ) {
    super(head, contents);
    this.columns = columns;
    this.#cell = cell;
  }

  cell(index: number, column: number): number | string | null {
    return this.#cell(index, column);
  }
}

/** Lines of text. */
export class TextSamples extends Samples implements TextDataset {
  readonly kind = 'text';
  readonly #text: (index: number) => string;

  constructor(head: SamplesHead, contents: SampleContents, text: (index: number) => string) {
    super(head, contents);
    this.#text = text;
  }

  text(index: number): string {
    return this.#text(index);
  }
}

/** Rows of a tensor. */
export class TensorSamples extends Samples implements TensorDataset {
  readonly kind = 'tensors';
  readonly #make: () => Tensor;
  #input: Tensor | undefined;

  /** @param input makes the tensor when it is first asked for, so that a view of a data set costs nothing until then */
  constructor(head: SamplesHead, contents: SampleContents, input: () => Tensor) {
    super(head, contents);
    this.#make = input;
  }

  get input(): Tensor {
    this.#input ??= this.#make();
    return this.#input;
  }
}
