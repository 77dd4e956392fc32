/**
 * `npm run bench`: Praxis beside PyTorch on the same libtorch, in one run, as ratios of interleaved pairs.
 * `npm run bench -- add view` runs some; `--rounds 31` sets the number of pairs; `--json` prints the figures.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { torch } from '../src/torch/index.js';
import { python, skipLive } from '../test/support/python.js';
import { measureAugmentation } from './augment.js';
import { cases, type Run } from './cases.js';
import { measureData } from './data.js';
import { interleave, median, type Pairs, ratio, readable, spread } from './measure.js';
import { measurePredicting } from './predict.js';
import { PythonSide } from './python.js';
import { measureTraining } from './train.js';

interface Row {
  /** Key in `cases.ts`. */
  readonly name: string;
  readonly title: string;
  /** Cases of `reference.py`; the fastest of them counts. */
  readonly against: readonly string[];
  /** Repetitions in one measurement. */
  readonly repetitions: number;
  /** The most that the ratio may be. */
  readonly bar: number;
}

const rows: Row[] = [
  { name: 'add', title: 'a.add(b), 1 element', against: ['add'], repetitions: 50000, bar: 1.1 },
  { name: 'view', title: 'a.view(1, 1)', against: ['view'], repetitions: 50000, bar: 1.1 },
  { name: 'addNumber', title: 'a.add(2)', against: ['addNumber'], repetitions: 30000, bar: 1.0 },
  {
    name: 'perceptron',
    title: '64-64-64-10 perceptron, batch 32: forward, backward, AdamW',
    against: ['perceptronLoop', 'perceptronForeach', 'perceptronFused'],
    repetitions: 300,
    bar: 0.65,
  },
  { name: 'matmul', title: 'matmul 1024 × 1024 × 1024', against: ['matmul'], repetitions: 4, bar: 1.03 },
  {
    name: 'convolution',
    title: 'convolution 3 × 3, forward and backward',
    against: ['convolution'],
    repetitions: 4,
    bar: 1.03,
  },
];

rows.push(
  {
    name: 'adamw',
    title: 'AdamW step, 11.7 M parameters of a ResNet-18',
    against: ['adamwForeach', 'adamwFused'],
    repetitions: 20,
    bar: 1.0,
  },
  {
    name: 'convnet',
    title: "the course's ConvNet, batch 32 at 128 × 128: one step",
    against: ['convnet'],
    repetitions: 1,
    bar: 1.0,
  },
);

const { values: options, positionals: chosen } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const rounds = Number(options.rounds);
const known = [...rows.map((row) => row.name), 'start', 'data', 'augment', 'train', 'predict'];
const unknown = chosen.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}'; there are ${known.join(', ')}.`);
  process.exit(2);
}
const wanted = (name: string) => chosen.length === 0 || chosen.includes(name);

/** Collection is part of the price of JavaScript: what a case leaves behind is collected inside its own time or the next round's. */
const timed = (run: Run, repetitions: number) => async (): Promise<number> => {
  const start = process.hrtime.bigint();
  run(repetitions);
  return Number(process.hrtime.bigint() - start) / repetitions;
};

interface Figure {
  readonly title: string;
  readonly bar: number;
  readonly pairs: Pairs;
  readonly against: string;
  readonly unit?: 'bytes';
}

async function measure(row: Row, side: PythonSide): Promise<Figure | null> {
  const run = cases[row.name]?.();
  if (run === undefined) throw new Error(`bench/cases.ts has no case ${row.name}`);
  run(row.repetitions);
  const available: { name: string; first: number }[] = [];
  for (const name of row.against) {
    await side.time(name, row.repetitions);
    const first = await side.time(name, row.repetitions);
    if (first !== null) available.push({ name, first });
  }
  let best: Figure | null = null;
  for (const { name } of available) {
    const pairs = await interleave(
      rounds,
      timed(run, row.repetitions),
      async () => (await side.time(name, row.repetitions)) ?? Number.NaN,
    );
    const figure = { title: row.title, bar: row.bar, pairs, against: name };
    if (best === null || median(pairs.pytorch) < median(best.pairs.pytorch)) best = figure;
  }
  return best;
}

/** A new process each: import and one operation, against `python -c "import torch; torch.ones(1)"`. */
async function measureStart(command: string, env: NodeJS.ProcessEnv): Promise<Figure> {
  const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url));
  const once = (program: string, args: string[], environment: NodeJS.ProcessEnv) => async () => {
    const start = process.hrtime.bigint();
    const result = spawnSync(program, args, { env: environment, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr.trim().split('\n').at(-1)}`);
    return Number(process.hrtime.bigint() - start);
  };
  const ours = once(
    process.execPath,
    ['--input-type=module', '-e', `import { torch } from ${JSON.stringify(entry)}; torch.ones(1)`],
    process.env,
  );
  const theirs = once(command, ['-W', 'ignore', '-c', 'import torch; torch.ones(1)'], env);
  await ours();
  await theirs();
  return {
    title: 'start: import and one operation',
    bar: 0.6,
    against: 'start',
    pairs: await interleave(Math.min(rounds, 9), ours, theirs),
  };
}

if (python === null) {
  console.error(`Nothing to compare with: ${skipLive}. Run \`npm run setup:parity\` first.`);
  process.exit(1);
}
torch.setNumThreads(1);
const side = await PythonSide.start(python, 1);
const figures: Figure[] = [];
for (const row of rows)
  if (wanted(row.name)) {
    const figure = await measure(row, side);
    if (figure !== null) figures.push(figure);
  }
if (wanted('start')) figures.push(await measureStart(python.command, python.environment));
side.stop();
if (wanted('augment')) figures.push(...(await measureAugmentation(rounds, python)));
if (wanted('data')) figures.push(...(await measureData(rounds, python)));
if (wanted('train')) figures.push(...(await measureTraining(rounds, python)));
if (wanted('predict')) figures.push(...(await measurePredicting(rounds, python)));

if (options.json)
  console.log(
    JSON.stringify(
      figures.map((x) => ({
        title: x.title,
        ratio: ratio(x.pairs),
        bar: x.bar,
        praxis: median(x.pairs.praxis),
        pytorch: median(x.pairs.pytorch),
      })),
    ),
  );
else {
  const load = loadavg()
    .map((x) => x.toFixed(1))
    .join(' ');
  console.log(
    `libtorch ${torch.version}, PyTorch ${python.torch}, 1 thread (training: all), median of ${rounds} interleaved pairs, load ${load}\n`,
  );
  for (const figure of figures) {
    const value = ratio(figure.pairs);
    const [low, high] = spread(figure.pairs);
    const shown = figure.unit === 'bytes' ? (x: number) => `${(x / 1e6).toFixed(0)} MB` : readable;
    const mark = value <= figure.bar ? '✔' : '✘';
    console.log(
      `${mark} ${figure.title.padEnd(60)} ${shown(median(figure.pairs.praxis)).padStart(9)} : ${shown(median(figure.pairs.pytorch)).padStart(9)}  ratio ${value.toFixed(3)} (${low.toFixed(2)}–${high.toFixed(2)}), bar ${figure.bar}`,
    );
  }
}
