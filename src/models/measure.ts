/** How fast a model is on this machine. */
import * as nn from '../nn/index.js';
import { AdamW } from '../optim/index.js';
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { turn } from '../torch/turn.js';
import { requireWhole, requireWholes } from './options.js';

export interface MeasureOptions {
  /** Samples at a time, default 32. A slow model is measured with fewer, so that the time is kept; the result says with how many. */
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
  /** Samples at a time. */
  readonly batchSize: number;
}

export interface ModelSpeed {
  readonly device: string;
  readonly inference: Speed;
  /** Forward, backward and a step of AdamW; null when not asked for. */
  readonly training: Speed | null;
}

/** Samples in the step that tries how long one takes; more than one, for the sake of batch normalisation. */
const tryWith = 4;

async function time(step: (samples: number) => void, options: MeasureOptions): Promise<Speed> {
  const { batchSize = 32, seconds = 2 } = options;
  const budget = 1000 * seconds;
  const start = performance.now();
  // The first step sets up memory and kernels, the second says what to expect.
  let samples = Math.min(tryWith, batchSize);
  step(samples);
  const tried = performance.now();
  step(samples);
  const expected = ((performance.now() - tried) / samples) * batchSize;
  // Three steps should fit into what is left of the time.
  const affordable = Math.floor((batchSize * (budget - (performance.now() - start))) / (3 * expected));
  samples = Math.max(samples, Math.min(batchSize, affordable));
  if (samples !== Math.min(tryWith, batchSize)) step(samples);
  const times: number[] = [];
  do {
    await turn();
    options.signal?.throwIfAborted();
    const before = performance.now();
    step(samples);
    times.push(performance.now() - before);
  } while (performance.now() - start < budget);
  times.sort((a, b) => a - b);
  const rate = (milliseconds: number): number => (1000 * samples) / milliseconds;
  const middle = ((times[(times.length - 1) >> 1] as number) + (times[times.length >> 1] as number)) / 2;
  const range = [rate(times.at(-1) as number), rate(times[0] as number)] as const;
  return { samplesPerSecond: rate(middle), range, steps: times.length, batchSize: samples };
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
    const first = (tensor: Tensor, samples: number): Tensor => tensor.narrow(0, 0, samples);
    const answer = (samples: number): void =>
      torch.scope(() => torch.noGrad(() => void copy.forward(first(input, samples)).sum().item()));
    const inference = await time(answer, options);
    if (!training) return { device, inference, training: null };
    copy.train();
    const learnt = copy.parameters().filter((parameter) => parameter.requiresGrad);
    const optimizer = new AdamW(learnt, { lr: 1e-4 });
    const step = (samples: number): void =>
      torch.scope(() => {
        const loss = nn.functional.crossEntropy(copy.forward(first(input, samples)), first(target, samples));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        loss.item();
      });
    return { device, inference, training: await time(step, options) };
  } finally {
    for (const [at, state] of states) torch.setRngState(state, at);
  }
}
