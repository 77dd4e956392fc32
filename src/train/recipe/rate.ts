/** The learning rate of a run: the usual one where the range test shows room for it, else what the range test says. */
import type { DataLoader } from '../../data/loader/index.js';
import type { Batch } from '../../data/types.js';
import { type CommonOptions, type LrFindResult, lrFind, type Optimizer } from '../../optim/index.js';
import { OutOfMemoryError } from '../../torch/index.js';
import { type Classifier, type LossOptions, logitsOf, lossOf, type Machine, placeInput } from '../compute.js';

export interface RateChoice {
  readonly learningRate: number;
  readonly sentence: string;
  readonly found?: LrFindResult;
}

/** `range-test.json`: the curve and what was read from it. Fits JSON. */
export const rangeTestJson = ({ sweeps, suggestions, complete }: LrFindResult): object => ({
  rates: sweeps.map(({ rates }) => rates),
  losses: sweeps.map(({ losses }) => losses),
  suggestions: Object.fromEntries(Object.entries(suggestions).map(([name, { lr }]) => [name, lr])),
  complete,
});

const short = (x: number): string => Number(x.toPrecision(2)).toString();

export interface RangeTestOptions {
  readonly model: Classifier;
  readonly optimizer: Optimizer<CommonOptions>;
  readonly loader: DataLoader;
  readonly machine: Machine;
  readonly loss: LossOptions;
  /** What would be used without a test. */
  readonly usual: number;
  /** `auto`: the usual rate if it is safe. `find`: what the test suggests. */
  readonly wanted: 'auto' | 'find';
  readonly onProgress?: (share: number) => void;
}

/** The range test on the run's own batches, which leaves no trace; shorter than `lrFind`'s default unless it is to decide alone. */
export async function findRate(options: RangeTestOptions): Promise<RateChoice> {
  const { model, optimizer, loader, machine, loss, usual, wanted, onProgress } = options;
  const found = await lrFind<Batch>({
    model,
    optimizer,
    batches: loader,
    loss: ({ input, target }) => {
      model.train();
      return lossOf(logitsOf(model, placeInput(input, machine), machine), target.to({ device: machine.device }), loss);
    },
    ...(wanted === 'find' ? { seeds: [1, 2], steps: 80, trialSteps: 0 } : { seeds: [1], steps: 40, trialSteps: 0 }),
    from: Math.min(1e-5, usual / 100),
    ...(onProgress ? { onProgress } : {}),
  });
  const { highest } = found.suggestions;
  const suggested = `the loss ${found.complete ? `spikes above ${short(highest.lr)}` : `does not spike up to ${short(highest.lr)}`}`;
  if (wanted === 'find')
    return { learningRate: found.lr, sentence: `${short(found.lr)} by the range test: ${suggested}`, found };
  // A test without warm-up spikes earlier than the run will: it overrules only where the usual rate itself spikes.
  if (usual <= highest.lr || !found.complete)
    return { learningRate: usual, sentence: `${short(usual)}, the usual one: ${suggested}`, found };
  const half = highest.lr / 2;
  // So far below what trains other networks no rate moves weights enough to raise a loss: with small batches what looks like a spike is noise.
  const least = usual / 10;
  if (half < least)
    return {
      learningRate: least,
      sentence: `${short(least)}, a tenth of the usual ${short(usual)}: ${suggested}, but so low a rate changes too little for that, and batches this small are noisy`,
      found,
    };
  return {
    learningRate: half,
    sentence: `${short(half)} instead of the usual ${short(usual)}: ${suggested}`,
    found,
  };
}

/**
 * Largest batch, a power of two, that fits into memory: what the activations of so many pictures need, checked by `tryStep`, halved while
 * that runs out of memory. At least a few batches remain in an epoch: with one there would be nothing random about the gradient.
 */
export function largestBatch(
  tryStep: (batchSize: number) => void,
  { bytesEach, free, samples }: { readonly bytesEach: number; readonly free: number; readonly samples: number },
): number {
  const fitting = Math.min((0.6 * free) / bytesEach, samples / 4, 4096);
  for (let size = 2 ** Math.max(0, Math.floor(Math.log2(fitting))); size > 1; size /= 2) {
    try {
      tryStep(size);
      return size;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
  return 1;
}
