/**
 * Predicting as users do it: compiled, in a process of its own. Asked like the PyTorch side, a line for a measurement; answers with
 * nanoseconds per picture.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

// By address: types are checked before anything is compiled.
const { createModel, LoadedRun, torch } = await import(new URL('../dist/index.js', import.meta.url).href);

const root = process.env.PRAXIS_BENCH_DATA ?? '';
const threads = Number(process.env.PRAXIS_BENCH_THREADS);
const side = 64;
const classes = Array.from({ length: 102 }, (_, i) => `class${i}`);
torch.setNumThreads(threads);
const machine = { device: 'cpu', precision: 'float32', memoryFormat: 'channels-last', threads };
const model = createModel('resnet18', { classes: classes.length, size: [side, side] });
model.eval().to({ memoryFormat: 'channelsLast' });
const plan = {
  data: {
    classes,
    multiLabel: false,
    form: { height: side, width: side, channels: 3, fit: 'squash', decode: 'fast' },
    statistics: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  },
};
const run = new LoadedRun(root, plan, model, machine, undefined);
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .sort();

/** All files, the start of the threads included. */
async function many() {
  const start = process.hrtime.bigint();
  /** @type {{ error?: string }[]} */
  const answers = await run.predict(files, { workers: threads });
  if (answers.some((answer) => answer.error !== undefined)) throw new Error('a picture was not read');
  return Number(process.hrtime.bigint() - start) / files.length;
}

/** One file after the other, each alone. */
async function single() {
  const few = files.slice(0, 30);
  const start = process.hrtime.bigint();
  for (const file of few) await run.predict(file);
  return Number(process.hrtime.bigint() - start) / few.length;
}

process.stdout.write('ready\n');
for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${await (line.startsWith('many') ? many() : single())}\n`);
  } catch (error) {
    process.stdout.write(`unavailable ${String(error).replaceAll('\n', ' ').slice(0, 200)}\n`);
  }
}
