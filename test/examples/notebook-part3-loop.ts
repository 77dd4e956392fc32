/** Runs part three's loop as a program of its own, as the example imports `praxis`; told what by its argument, prints JSON. */
import { ConvNet, DataLoader, imageFolder, torch } from 'praxis';
import { makeOptimizer, resize, toTensor, train } from '../../examples/notebook/part3.js';

/** What to run: pictures made of numbers, or the pictures of a folder. */
export interface LoopCase {
  readonly channels: number;
  readonly lr: number;
  readonly size: number;
  readonly epochs: number;
  /** A folder of classes; without it the stored case's numbers. */
  readonly folder?: string;
}

/** One step, as scripts/golden/notebook_part3.py reads it. */
export interface Step {
  readonly files: readonly string[];
  readonly labels: readonly number[];
}

export interface LoopResult {
  readonly losses: readonly number[];
  /** What the loader gave, in its order; empty for made pictures. */
  readonly epochs: readonly (readonly Step[])[];
}

/** The bytes of a linear congruential generator. */
function made(seed: number, count: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 16) & 255;
  });
}

async function run({ channels, lr, size, epochs, folder }: LoopCase): Promise<LoopResult> {
  torch.setNumThreads(1);
  torch.manualSeed(0);
  const net = new ConvNet({ channels, blocks: 4 });
  const optimizer = makeOptimizer(net, lr);
  const losses: number[] = [];
  const options = { validLoader: [], epochs, device: 'cpu', onStep: (loss: number) => losses.push(loss) };
  if (folder === undefined) {
    const batches = Array.from({ length: 4 }, (_, k) => ({
      input: torch
        .tensor(made(k, 16 * 3 * size * size))
        .view(16, 3, size, size)
        .to('float32')
        .div(255),
      target: torch.tensor(Array.from({ length: 16 }, (_, i) => BigInt((7 * i + k) % 102))),
    }));
    await train(net, optimizer, { ...options, trainLoader: batches });
    return { losses, epochs: [] };
  }
  const dataset = await imageFolder(folder);
  const given: Step[][] = [];
  const seen: Step[] = [];
  const loader = new DataLoader({
    dataset,
    batchSize: 16,
    shuffle: true,
    workers: 1,
    cache: false,
    form: resize(size, size),
    transform: (batch) => {
      const indices = (batch.index.toArray() as number[]).map(Number);
      const files = indices.map((index) => {
        const location = dataset.location(index);
        if (location.kind !== 'file') throw new Error('not a file');
        return location.path;
      });
      seen.push({ files, labels: (batch.target.toArray() as number[]).map(Number) });
      return toTensor(batch);
    },
  });
  await train(net, optimizer, { ...options, trainLoader: loader });
  await loader.close();
  for (let i = 0; i < epochs; i++) given.push(seen.slice(i * loader.length, (i + 1) * loader.length));
  return { losses, epochs: given };
}

const write = process.stdout.write.bind(process.stdout);
// The loop's own lines would come between.
console.log = () => undefined;
write(`${JSON.stringify(await run(JSON.parse(process.argv[2] as string) as LoopCase))}\n`);
