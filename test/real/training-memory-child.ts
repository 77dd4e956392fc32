/** Trains for many epochs and prints, after each, the bytes in use: `training-memory-child.ts DATA OUT`. */
import { torch } from '../../src/torch/index.js';
import { train } from '../../src/train/index.js';
import { quick } from '../train/runs.js';

const [data, out] = process.argv.slice(2) as [string, string];
for await (const event of train({ ...quick, data, out, epochs: 24, batchSize: 4, cache: true, mixup: 0.2 })) {
  if (event.kind !== 'epoch') continue;
  global.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
  global.gc?.();
  const { handles } = torch.memory({ collect: true });
  process.stdout.write(`${process.memoryUsage.rss()} ${handles}\n`);
}
