/** A training in a process of its own, to be killed: `run-child.ts JSON`. Prints a line for each event, and what goes wrong. */
import { Worker } from 'node:worker_threads';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { resume, type TrainOptions, train } from '../../src/train/index.js';

/** What the child is told. */
export interface ChildOrder {
  readonly options?: TrainOptions;
  /** Run to go on with. */
  readonly resume?: string;
  readonly data?: string;
  /** The text's kind of network, small, with dropout and batch normalisation, instead of a named one. */
  readonly dropout?: boolean;
  /** When it kills itself, wherever it is then: so many milliseconds after a line that begins so. */
  readonly kill?: { readonly after: string; readonly milliseconds: number };
}

class DropoutNet extends nn.Module {
  network = new nn.Sequential(
    new nn.Conv2d(3, 4, 5, { stride: 2, padding: 2 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Conv2d(4, 8, 3, { stride: 2, padding: 1 }),
    new nn.GroupNorm(1, 8),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    // So that smaller pictures fit, too.
    new nn.AdaptiveAvgPool2d(4),
    new nn.Flatten(),
    new nn.Linear(8 * 16, 3),
  );
  override forward(x: Tensor): Tensor {
    return this.network.call(x) as Tensor;
  }
}

const order = JSON.parse(process.argv[2] as string) as ChildOrder;

/** Waits in a thread of its own: this one may be within a step when its time has come. */
const killer = `
const { flag, milliseconds, pid } = require('node:worker_threads').workerData;
Atomics.wait(flag, 0, 0);
Atomics.wait(flag, 1, 0, milliseconds);
process.kill(pid, 'SIGKILL');`;
const flag = new Int32Array(new SharedArrayBuffer(8));
if (order.kill !== undefined) {
  const workerData = { flag, milliseconds: order.kill.milliseconds, pid: process.pid };
  new Worker(killer, { eval: true, workerData, execArgv: [] }).unref();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
  if (order.kill === undefined || !line.startsWith(order.kill.after)) return;
  if (order.kill.milliseconds === 0) process.kill(process.pid, 'SIGKILL');
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}

torch.manualSeed(7);
const model = order.dropout === true ? { model: new DropoutNet() } : {};
const training =
  order.resume === undefined
    ? train({ ...(order.options as TrainOptions), ...model })
    : resume(order.resume, { ...model, ...(order.data === undefined ? {} : { data: order.data }) });
try {
  for await (const event of training) {
    if (event.kind === 'stage') print(`stage ${event.stage}`);
    else if (event.kind === 'step') print(`step ${event.step}`);
    else if (event.kind === 'finished') print(`finished ${event.state}`);
    else if (event.kind === 'warning') print(`warning ${event.text}`);
    else if (event.kind !== 'working') print(event.kind);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
