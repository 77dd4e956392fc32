/** The loader beside torchvision's, on the same JPEG files with as many workers, and beside a plain copy of memory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { DataLoader } from '../src/data/loader/index.js';
import { PictureSamples } from '../src/data/sources/samples.js';
import type { PictureDataset } from '../src/data/types.js';
import { torch } from '../src/torch/index.js';
import type { ParityPython } from '../test/support/python.js';
import { interleave, type Pairs } from './measure.js';
import { makePictures } from './pictures.js';
import { PythonSide } from './python.js';

export interface DataFigure {
  readonly title: string;
  readonly bar: number;
  readonly pairs: Pairs;
  readonly against: string;
  /** Of the values; nanoseconds where it is not said. */
  readonly unit?: 'bytes';
}

const count = 1024;
const batchSize = 256;
const classes = 4;

async function makeFiles(root: string): Promise<PictureDataset> {
  const files = await makePictures(root, count, classes);
  return new PictureSamples(
    {
      name: 'bench',
      root,
      length: count,
      classes: Array.from({ length: classes }, (_, i) => `class${String(i).padStart(3, '0')}`),
    },
    {
      name: (i) => files[i] as string,
      labels: (i) => [i % classes],
      location: (i) => ({ kind: 'file', path: path.join(root, files[i] as string) }),
    },
  );
}

/** Nanoseconds for a picture, over one epoch. */
async function epoch(loader: DataLoader): Promise<number> {
  const start = process.hrtime.bigint();
  let seen = 0;
  for await (const { input } of loader) seen += input.size(0);
  if (seen !== count) throw new Error(`${seen} of ${count} pictures were read`);
  return Number(process.hrtime.bigint() - start) / count;
}

/** Three figures, or none where Python has no torchvision. */
export async function measureData(rounds: number, python: ParityPython): Promise<DataFigure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-bench-'));
  const workers = availableParallelism();
  process.env.PRAXIS_BENCH_DATA = path.join(folder, 'pictures');
  process.env.PRAXIS_BENCH_WORKERS = String(workers);
  const side = await PythonSide.start(python, 1, 'reference_data.py');
  try {
    mkdirSync(path.join(folder, 'pictures'));
    const dataset = await makeFiles(path.join(folder, 'pictures'));
    const theirs = (name: string) => async () => (await side.time(name, 1)) ?? Number.NaN;
    if ((await side.time('first', 1)) === null) return [];
    let made = 0;
    const make = () =>
      new DataLoader({
        dataset,
        batchSize,
        shuffle: true,
        workers,
        cache: { folder: path.join(folder, `cache${made++}`), maxBytes: 1e10 },
      });
    const few = Math.min(rounds, 7);
    // Compiled, as users run it: from the sources each thread would first compile them.
    const compiled = await PythonSide.startNode('loader.mjs');
    const first = async (): Promise<number> => (await compiled.time('first', 1)) ?? Number.NaN;
    const firstPairs = await interleave(few, first, theirs('first'));
    compiled.stop();
    const loader = make();
    for (let i = 0; i < 3; i++) await epoch(loader);
    const laterPairs = await interleave(few, () => epoch(loader), theirs('later'));
    const memory = torch.randint(0, 256, [count, 3 * 128 * 128], { dtype: 'uint8' });
    const copy = async (): Promise<number> => {
      const start = process.hrtime.bigint();
      for (let at = 0; at < count; at += batchSize) memory.at(`${at}:${at + batchSize}`).clone();
      return Number(process.hrtime.bigint() - start) / count;
    };
    const copyPairs = await interleave(Math.max(rounds, 21), () => epoch(loader), copy);
    await loader.close();
    const what = `500 × 667 JPEG → 128 × 128, ${workers} workers`;
    return [
      { title: `loader, first epoch (${what}), a picture`, bar: 0.667, pairs: firstPairs, against: 'torchvision' },
      { title: 'loader, later epochs, a picture', bar: 0.125, pairs: laterPairs, against: 'torchvision' },
      {
        title: 'loader, later epochs, against a plain copy of the bytes',
        bar: 1.667,
        pairs: copyPairs,
        against: 'copy',
      },
    ];
  } finally {
    side.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
