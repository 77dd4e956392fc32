/** Batches for tests: pictures that differ everywhere, with keys that are not their rows. */
import type { Batch, BatchContext } from '../../../src/data/types.js';
import { torch } from '../../../src/torch/index.js';

export interface BatchOptions {
  readonly height?: number;
  readonly width?: number;
  readonly channels?: number;
  readonly classes?: number;
  readonly seed?: number;
  readonly channelsLast?: boolean;
}

export function batchOf(count: number, options: BatchOptions = {}): Batch {
  const { height = 12, width = 10, channels = 3, classes = 5, seed = 5, channelsLast = false } = options;
  const generator = new torch.Generator();
  generator.manualSeed(seed);
  const input = torch.randint(0, 256, [count, channels, height, width], { dtype: 'uint8', generator });
  const target = torch.randint(0, classes, [count], { dtype: 'int64', generator });
  return {
    input: channelsLast ? input.contiguous({ memoryFormat: 'channelsLast' }) : input,
    target,
    index: torch.arange(count, { dtype: 'int64' }),
  };
}

export function contextOf(count: number, options: Partial<BatchContext> = {}): BatchContext {
  return { seed: 9, epoch: 0, classes: 5, samples: Array.from({ length: count }, (_, i) => 1000 + 7 * i), ...options };
}

/** Some rows of a batch, as a smaller one. */
export function part(batch: Batch, context: BatchContext, rows: readonly number[]): [Batch, BatchContext] {
  const index = torch.tensor(rows as number[], { dtype: 'int64' });
  const take = (x: Batch['input']) => x.indexSelect(0, index);
  return [
    { input: take(batch.input), target: take(batch.target), index: take(batch.index) },
    { ...context, samples: rows.map((row) => context.samples[row] as number) },
  ];
}
