/** Training as a whole beside the seed text's own script: one step, whole epochs from files, the peak of memory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compose, toFloat } from '../src/data/augment/index.js';
import { DataLoader } from '../src/data/loader/index.js';
import { openSource } from '../src/data/open-source.js';
import type { Dataset } from '../src/data/types.js';
import { torch } from '../src/torch/index.js';
import type { Machine } from '../src/train/compute.js';
import { tuneMachine } from '../src/train/tune.js';
import type { ParityPython } from '../test/support/python.js';
import { batchSize, Course, classes, courseBatch } from './course.js';
import type { DataFigure } from './data.js';
import { interleave, type Pairs } from './measure.js';
import { makePictures } from './pictures.js';
import { PythonSide } from './python.js';

/** Pictures of the epochs: two batches, half of the text's training part. */
const pictures = 2 * batchSize;
/** Steps whose peak is measured; the memory of a step is the same from the second on. */
const memorySteps = 4;

const plain: Machine = {
  device: 'cpu',
  precision: 'float32',
  memoryFormat: 'contiguous',
  threads: availableParallelism(),
};

/** What tuning picks for the text's net, with float32 only or with all precisions. */
async function tuned(precision?: 'float32'): Promise<Machine> {
  const { model, optimizer } = new Course(plain);
  const { machine, trials, gain } = await tuneMachine({
    model,
    optimizer,
    batches: [courseBatch()],
    device: 'cpu',
    threads: plain.threads,
    ...(precision === undefined ? {} : { precision }),
  });
  const all = trials.map((x) => `${x.machine.precision} ${x.machine.memoryFormat} ${x.perSecond.toFixed(0)}/s`);
  console.error(`tuned (${all.join(', ')}): ${machine.precision} ${machine.memoryFormat}, ${gain.toFixed(2)} times`);
  return machine;
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start);
}

async function epoch(course: Course, loader: DataLoader): Promise<void> {
  let seen = 0;
  for await (const batch of loader) seen += course.stepper.step(batch).count;
  if (seen !== pictures) throw new Error(`${seen} of ${pictures} pictures were trained on`);
}

/** Peak of a process that takes the steps, in bytes. */
function peak(command: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const result = spawnSync(command, args, { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stderr.trim().split('\n').at(-1)}`);
  return Number(result.stdout.trim().split('\n').at(-1));
}

/** Peaks as pairs, in bytes. */
function measureMemory(machine: Machine, python: ParityPython): Pairs {
  const env = { ...process.env, ...python.environment, PRAXIS_BENCH_THREADS: String(plain.threads) };
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const steps = String(memorySteps);
  const ours = [...process.execArgv, here('train-memory.ts'), steps, JSON.stringify(machine)];
  const theirs = ['-W', 'ignore', here('reference_train.py'), 'memory', steps];
  return { praxis: [peak(process.execPath, ours, env)], pytorch: [peak(python.command, theirs, env)] };
}

async function measureEpochs(
  rounds: number,
  machine: Machine,
  side: PythonSide,
  dataset: Dataset,
  folder: string,
): Promise<DataFigure[]> {
  const theirs = async (): Promise<number> => (await side.time('epoch', 1)) ?? Number.NaN;
  if ((await side.time('epoch', 1)) === null) return [];
  const course = new Course(machine);
  let made = 0;
  const make = (): DataLoader =>
    new DataLoader({
      dataset,
      batchSize,
      shuffle: true,
      workers: plain.threads,
      transform: compose([toFloat()]),
      cache: { folder: path.join(folder, `cache${made++}`), maxBytes: 1e10 },
    });
  const first = async (): Promise<number> => {
    const loader = make();
    const time = await timed(() => epoch(course, loader));
    await loader.close();
    return time;
  };
  const firstPairs = await interleave(rounds, first, theirs);
  const loader = make();
  await epoch(course, loader);
  const laterPairs = await interleave(rounds, () => timed(() => epoch(course, loader)), theirs);
  await loader.close();
  const what = `${pictures} files of 500 × 667`;
  return [
    { title: `the course's epoch, the first (${what})`, bar: 0.33, pairs: firstPairs, against: 'epoch' },
    { title: "the course's epoch, from the second on", bar: 0.2, pairs: laterPairs, against: 'epoch' },
  ];
}

/** Five figures; those of epochs only where Python has torchvision. */
export async function measureTraining(rounds: number, python: ParityPython): Promise<DataFigure[]> {
  const before = torch.getNumThreads();
  const few = Math.min(rounds, 7);
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-bench-'));
  process.env.PRAXIS_BENCH_DATA = path.join(folder, 'pictures');
  process.env.PRAXIS_BENCH_BATCH = String(batchSize);
  const side = await PythonSide.start(python, plain.threads, 'reference_train.py');
  try {
    const batch = courseBatch();
    const theirs = async (): Promise<number> => (await side.time('step', 1)) ?? Number.NaN;
    const figures: DataFigure[] = [];
    const best = await tuned();
    for (const [machine, bar, what] of [
      [await tuned('float32'), 0.95, 'float32 on both sides'],
      [best, 0.55, 'tuned'],
    ] as const) {
      const course = new Course(machine);
      const ours = (): Promise<number> => timed(() => void course.stepper.step(batch));
      await ours();
      await theirs();
      figures.push({
        title: `the course's step, batch ${batchSize} at 128 × 128, ${what}`,
        bar,
        pairs: await interleave(few, ours, theirs),
        against: 'step',
      });
    }
    await makePictures(path.join(folder, 'pictures'), pictures, Math.min(classes, pictures));
    torch.setNumThreads(plain.threads);
    const dataset = await openSource(path.join(folder, 'pictures'));
    figures.push(...(await measureEpochs(Math.min(rounds, 5), best, side, dataset, folder)));
    figures.push({
      title: `peak of memory over ${memorySteps} steps, tuned`,
      bar: 1.1,
      pairs: measureMemory(best, python),
      against: 'memory',
      unit: 'bytes',
    });
    return figures;
  } finally {
    side.stop();
    torch.setNumThreads(before);
    rmSync(folder, { recursive: true, force: true });
  }
}
