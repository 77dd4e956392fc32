/** What the loader needs of a kind of data set: the inputs of an epoch's batches, one after the other. */
import type { Tensor } from '../../torch/index.js';

/** Inputs of the samples of a batch that could be read. */
export interface Rows {
  /** Pictures: uint8 [N, C, H, W], channels-last. Tensors: [N, …]. On the loader's device. */
  readonly input: Tensor;
  /** Positions in the loader's data set, one per row. */
  readonly positions: Uint32Array;
}

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export interface RowSource {
  /** Begins the rest of an epoch: `positions` in order, the first batch first. */
  begin(positions: Uint32Array): Promise<void>;
  /** The next batch; null where none of its samples could be read. */
  next(): Promise<Rows | null>;
  /** Ends what `begin` began, finished or not. */
  end(): void;
  /** Samples found bad so far, by name. */
  skips(): Skip[];
  /** Whether a sample was found bad. */
  counts(): { readonly decoded: number; readonly fromCache: number };
  close(): Promise<void>;
}
