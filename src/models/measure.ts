/** How fast a model is on this machine. */
import * as nn from '../nn/index.js';
import { AdamW } from '../optim/index.js';
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { requireWhole, requireWholes } from './options.js';

export interface MeasureOptions {
  /** Samples at a time, default 32. */
  readonly batchSize?: number;
  /** Seconds to spend on each of training and inference, default 2; at least one step is measured whatever it takes. */
  readonly seconds?: number;
  /** Where to compute, default where the model is. */
  readonly device?: string;
  /** Lay pictures out channels last, default true: faster on most machines. */
  readonly channelsLast?: boolean;
  /** Measure training, too; default true. */
  readonly training?: boolean;
  readonly signal?: AbortSignal;
}

/** Samples per second, the median over the steps measured. */
export interface Speed {
  readonly samplesPerSecond: number;
  /** The slowest and the fastest step. */
  readonly range: readonly [number, number];
  /** How many steps were measured. */
  readonly steps: number;
}

export interface ModelSpeed {
  readonly batchSize: number;
  readonly device: string;
  readonly inference: Speed;
  /** Forward, backward and a step of AdamW; null when not asked for. */
  readonly training: Speed | null;
}

/** Lets other things run between two steps: a progress line, a signal. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function time(step: () => void, batchSize: number, options: MeasureOptions): Promise<Speed> {
  const budget = 1000 * (options.seconds ?? 2);
  const start = performance.now();
  // The first step also sets up memory and kernels.
  step();
  const times: number[] = [];
  do {
    await breathe();
    options.signal?.throwIfAborted();
    const before = performance.now();
    step();
    times.push(performance.now() - before);
  } while (performance.now() - start < budget || (times.length < 3 && performance.now() - start < 2 * budget));
  times.sort((a, b) => a - b);
  const rate = (milliseconds: number): number => (1000 * batchSize) / milliseconds;
  const middle = ((times[(times.length - 1) >> 1] as number) + (times[times.length >> 1] as number)) / 2;
  return {
    samplesPerSecond: rate(middle),
    range: [rate(times.at(-1) as number), rate(times[0] as number)],
    steps: times.length,
  };
}

/**
 * Measures inference and training on random numbers, on a copy of the model: neither its weights nor the random state change.
 * @param sample shape of one sample, without the batch: [channels, height, width]
 * @throws ArgumentError when such samples do not fit the model
 */
export async function measureModel(
  model: nn.Module,
  sample: readonly number[],
  options: MeasureOptions = {},
): Promise<ModelSpeed> {
  const { batchSize = 32, channelsLast = true, training = true } = options;
  requireWholes('measureModel', 'sample', sample);
  requireWhole('measureModel', 'batchSize', batchSize);
  if (options.seconds !== undefined && !(options.seconds > 0))
    throw new ArgumentError(`measureModel: seconds must be above 0, got ${String(options.seconds)}.`);
  const device = options.device ?? String(model.parameters()[0]?.device ?? 'cpu');
  const copy = model.deepCopy().to(device);
  const pictures = sample.length === 3;
  if (pictures && channelsLast) copy.to({ memoryFormat: 'channelsLast' });
  const states = ['cpu', ...(device === 'cpu' ? [] : [device])].map((at) => [at, torch.getRngState(at)] as const);
  try {
    let input: Tensor = torch.rand([batchSize, ...sample], { device });
    if (pictures && channelsLast) input = input.contiguous({ memoryFormat: 'channelsLast' });
    copy.eval();
    const classes = torch.noGrad(() => copy.forward(input.narrow(0, 0, 1)).size(-1));
    const target = torch.randint(0, classes, [batchSize], { device });
    const inference = await time(
      () => torch.scope(() => torch.noGrad(() => void copy.forward(input).sum().item())),
      batchSize,
      options,
    );
    if (!training) return { batchSize, device, inference, training: null };
    copy.train();
    const learnt = copy.parameters().filter((parameter) => parameter.requiresGrad);
    const optimizer = new AdamW(learnt, { lr: 1e-4 });
    const step = (): void =>
      torch.scope(() => {
        const loss = nn.functional.crossEntropy(copy.forward(input), target);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        loss.item();
      });
    return { batchSize, device, inference, training: await time(step, batchSize, options) };
  } finally {
    for (const [at, state] of states) torch.setRngState(state, at);
  }
}
