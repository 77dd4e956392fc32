/** `npm run bench -- augment`: a batch of 256 pictures cropped, mirrored and jittered, beside torchvision in each way that people use it. */
import * as augment from '../src/data/augment/index.js';
import type { Batch, BatchContext, BatchTransform } from '../src/data/types.js';
import { torch } from '../src/torch/index.js';
import type { ParityPython } from '../test/support/python.js';
import { interleave, median, type Pairs } from './measure.js';
import { PythonSide } from './python.js';

interface Figure {
  readonly title: string;
  readonly bar: number;
  readonly pairs: Pairs;
  readonly against: string;
}

const count = 256;
const size = 128;
const colours = { brightness: 0.4, contrast: 0.4, saturation: 0.4 } as const;

const rows = [
  { name: 'hue', title: 'with hue', transform: () => augment.colorJitter({ ...colours, hue: 0.1 }) },
  { name: 'plain', title: 'without hue', transform: () => augment.colorJitter(colours) },
] as const;

/** One pass over a batch as the loader hands it out; tensors are freed as in a training step. */
function timed(transform: BatchTransform): () => Promise<number> {
  const input = torch.randint(0, 256, [count, 3, size, size], { dtype: 'uint8' }).contiguous({
    memoryFormat: 'channelsLast',
  });
  const target = torch.zeros([count], { dtype: 'int64' });
  const batch: Batch = { input, target, index: target };
  let epoch = 0;
  return async () => {
    const context: BatchContext = {
      seed: 1,
      epoch: epoch++,
      samples: Array.from({ length: count }, (_, i) => i),
      classes: 2,
    };
    const start = process.hrtime.bigint();
    transform(batch, context).input.dispose();
    return Number(process.hrtime.bigint() - start) / count;
  };
}

/** @returns a figure for each way that torchvision can be used in; per picture on tensors or Pillow's pictures is what data sets do */
export async function measureAugmentation(rounds: number, python: ParityPython): Promise<Figure[]> {
  const side = await PythonSide.start(python, 1, 'reference_augment.py');
  const figures: Figure[] = [];
  try {
    for (const { name, title, transform } of rows) {
      const ours = timed(
        augment.compose([augment.randomResizedCrop({ size }), augment.randomHorizontalFlip(), transform()]),
      );
      await ours();
      let best: Figure | null = null;
      for (const against of ['tensors', 'pillow', 'batch']) {
        const what = `${name}-${against}`;
        if ((await side.time(what, 1)) === null) continue;
        const theirs = async (): Promise<number> => (await side.time(what, 1)) ?? Number.NaN;
        const pairs = await interleave(rounds, ours, theirs);
        const figure = {
          title: `crop, flip, colour jitter ${title}, a picture of ${size} × ${size} of ${count}`,
          bar: 0.5,
          pairs,
          against: what,
        };
        if (best === null || median(pairs.pytorch) < median(best.pairs.pytorch)) best = figure;
      }
      if (best !== null) figures.push({ ...best, title: `${best.title} (${best.against.split('-')[1]})` });
    }
  } finally {
    side.stop();
  }
  return figures;
}
