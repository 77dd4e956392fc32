/** The features of pictures as rows of numbers that distances and a linear probe can be taken of. Uses the engine. */
import { featureLength } from '../../data/pictures/features.js';
import { type Tensor, torch } from '../../torch/index.js';

/**
 * Columns `from` to `to` of the features of some pictures, each brought to mean 0 and deviation 1; constant columns become 0.
 * @returns float32 [pictures, columns that vary or not]
 */
export function featureRows(features: Uint8Array, indices: readonly number[], from: number, to: number): Tensor {
  const columns = to - from;
  const rows = new Float32Array(indices.length * columns);
  const sums = new Float64Array(columns);
  const squares = new Float64Array(columns);
  indices.forEach((index, row) => {
    for (let c = 0; c < columns; c++) {
      const value = features[index * featureLength + from + c] as number;
      rows[row * columns + c] = value;
      sums[c] = (sums[c] as number) + value;
      squares[c] = (squares[c] as number) + value * value;
    }
  });
  const n = Math.max(1, indices.length);
  for (let c = 0; c < columns; c++) {
    const mean = (sums[c] as number) / n;
    // Columns that hardly vary are kept small: one odd pixel is no outlier.
    const deviation = Math.max(6, Math.sqrt(Math.max(0, (squares[c] as number) / n - mean * mean)));
    for (let row = 0; row < indices.length; row++) {
      const at = row * columns + c;
      rows[at] = ((rows[at] as number) - mean) / deviation;
    }
  }
  return torch.fromBuffer(rows, { shape: [indices.length, columns] });
}
