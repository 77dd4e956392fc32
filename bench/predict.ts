/** Predicting JPEG files beside a torchvision script with the same network, on the same cores. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { ParityPython } from '../test/support/python.js';
import type { DataFigure } from './data.js';
import { interleave } from './measure.js';
import { makePictures } from './pictures.js';
import { PythonSide } from './python.js';

const count = 1000;

/** Two figures, or none where Python has no torchvision. */
export async function measurePredicting(rounds: number, python: ParityPython): Promise<DataFigure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-bench-'));
  const threads = availableParallelism();
  process.env.PRAXIS_BENCH_DATA = path.join(folder, 'pictures');
  process.env.PRAXIS_BENCH_THREADS = String(threads);
  try {
    mkdirSync(path.join(folder, 'pictures'));
    await makePictures(path.join(folder, 'pictures'), count, 4);
    const theirs = await PythonSide.start(python, threads, 'reference_predict.py').catch(() => null);
    if (theirs === null) return [];
    const ours = await PythonSide.startNode('predict.mjs');
    const ask = (side: PythonSide, name: string) => async () => (await side.time(name, 1)) ?? Number.NaN;
    for (const side of [ours, theirs]) await side.time('single', 1);
    const pairs = (name: string) => interleave(Math.min(rounds, 5), ask(ours, name), ask(theirs, name));
    const figures = [
      {
        title: `predicting ${count} JPEG files of 500 × 667, ResNet-18 at 64 × 64, a picture`,
        bar: 0.667,
        pairs: await pairs('many'),
        against: 'torchvision',
      },
      { title: 'predicting one file alone', bar: 1, pairs: await pairs('single'), against: 'torchvision' },
    ];
    ours.stop();
    theirs.stop();
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
