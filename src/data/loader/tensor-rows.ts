/** Batches of rows of a tensor. */
import { torch } from '../../torch/index.js';
import type { TensorDataset } from '../types.js';
import type { RowSource, Rows, Skip } from './rows.js';

export class TensorRows implements RowSource {
  readonly #dataset: TensorDataset;
  readonly #batchSize: number;
  readonly #device: string | undefined;
  #positions: Uint32Array = new Uint32Array(0);
  #taken = 0;

  constructor(dataset: TensorDataset, batchSize: number, device: string | undefined) {
    this.#dataset = dataset;
    this.#batchSize = batchSize;
    this.#device = device;
  }

  async begin(positions: Uint32Array): Promise<void> {
    this.#positions = positions;
    this.#taken = 0;
  }

  async next(): Promise<Rows | null> {
    const positions = this.#positions.subarray(this.#taken, this.#taken + this.#batchSize);
    this.#taken += positions.length;
    const { input } = this.#dataset;
    const index = torch.tensor(Int32Array.from(positions)).to(input.device);
    const rows = torch.indexSelect(input, 0, index);
    return { input: this.#device === undefined ? rows : rows.to(this.#device), positions };
  }

  end(): void {}

  skips(): Skip[] {
    return [];
  }

  counts() {
    return { decoded: 0, fromCache: 0 };
  }

  async close(): Promise<void> {}
}
