/** A training in a process of its own, to be killed: `run-child.ts JSON`. Prints a line for each event, and what goes wrong. */
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
torch.manualSeed(7);
const model = order.dropout === true ? { model: new DropoutNet() } : {};
const training =
  order.resume === undefined
    ? train({ ...(order.options as TrainOptions), ...model })
    : resume(order.resume, { ...model, ...(order.data === undefined ? {} : { data: order.data }) });
try {
  for await (const event of training) {
    if (event.kind === 'stage') process.stdout.write(`stage ${event.stage}\n`);
    else if (event.kind === 'step') process.stdout.write(`step ${event.step}\n`);
    else if (event.kind === 'finished') process.stdout.write(`finished ${event.state}\n`);
    else if (event.kind === 'warning') process.stdout.write(`warning ${event.text}\n`);
    else if (event.kind !== 'working') process.stdout.write(`${event.kind}\n`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
