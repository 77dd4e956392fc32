/** What is measured on the run's own first batches: the machine's settings, and the largest batch. */
import os from 'node:os';
import type { Dataset } from '../../data/types.js';
import { type ModelDescription, trainingBytes } from '../../models/index.js';
import { type CommonOptions, fasterProductDtype, type Optimizer } from '../../optim/index.js';
import { Preserved } from '../../optim/preserve.js';
import { type Tensor, torch } from '../../torch/index.js';
import { buildLoaders } from '../build.js';
import { type Classifier, type Machine, Stepper } from '../compute.js';
import type { TrainSettings } from '../config/schema.js';
import type { OptimisationPlan, TrainPlan } from '../plan.js';
import type { Tuned, TuneOptions } from '../tune.js';
import { largestBatch } from './rate.js';
import { stepOptions } from './rebuild.js';

interface TrainBatch {
  readonly input: Tensor;
  readonly target: Tensor;
}

/** The first batches exactly as the network will get them; the position of the run's own loader is not touched. */
export async function firstBatches(train: Dataset, plan: TrainPlan, count: number): Promise<TrainBatch[]> {
  const loaders = buildLoaders({ train, validation: train }, plan);
  const found: TrainBatch[] = [];
  try {
    for await (const { input, target } of loaders.train) {
      found.push({ input, target });
      if (found.length === count) break;
    }
  } finally {
    await Promise.all([loaders.train.close(), loaders.validation.close()]);
  }
  return found;
}

export interface HalfPrecision {
  /** Whether it is worth trying. */
  readonly worth: boolean;
  /** What Muon is told: PyTorch's bfloat16 would stop training on a processor that has no instructions for it. */
  readonly muon: Pick<OptimisationPlan, 'nsDtype'>;
  /** What the line of the stage says of it. */
  readonly text: string;
}

/** What bfloat16 is good for on a device, measured by products of matrices. */
export function halfPrecision(device: string): HalfPrecision {
  const { dtype, slower } = fasterProductDtype(device);
  if (dtype === 'bfloat16') return { worth: true, muon: {}, text: '' };
  const muon = { nsDtype: dtype };
  if (slower === undefined) return { worth: true, muon, text: '' };
  return { worth: false, muon, text: `; bfloat16 takes ${slower.toFixed(0)} times as long here and is left out` };
}

/** The machine until it is tuned: what the settings say, and the plainest choice for the rest. */
export const untunedMachine = (settings: TrainSettings, device: string): Machine => ({
  device,
  precision: settings.precision === 'auto' ? 'float32' : settings.precision,
  memoryFormat: settings.memoryFormat === 'auto' ? 'contiguous' : settings.memoryFormat,
  threads: settings.threads === 'auto' ? torch.getNumThreads() : settings.threads,
});

/** What the settings say of the machine, which is then not measured. */
export const settledMachine = (
  settings: TrainSettings,
): Pick<TuneOptions, 'precision' | 'memoryFormat' | 'threads' | 'convolutions'> => ({
  ...(settings.precision === 'auto' ? {} : { precision: settings.precision }),
  ...(settings.memoryFormat === 'auto' ? {} : { memoryFormat: settings.memoryFormat }),
  ...(settings.threads === 'auto' ? {} : { threads: settings.threads }),
  ...(settings.convolutions === 'auto' ? {} : { convolutions: settings.convolutions }),
});

/** A choice in words: `bfloat16, channels-last, 2 threads, convolutions rearranged`. */
export function choiceText({ precision, memoryFormat, threads, convolutions }: Machine): string {
  const rearranged = convolutions === 'rearranged' ? ', convolutions rearranged' : '';
  return `${precision}, ${memoryFormat}, ${threads} thread${threads === 1 ? '' : 's'}${rearranged}`;
}

/** `bfloat16, channels-last, 2 threads: 310 pictures/s, 1.8 times plain float32; loss within 0.3 %`. */
export function machineText({ machine, trials, gain }: Tuned, noun = 'picture'): string {
  const chosen = trials.find((trial) => trial.machine === machine);
  const [plain] = trials;
  const speed = `${choiceText(machine)}: ${chosen?.perSecond.toFixed(0)} ${noun}s/s`;
  if (trials.length === 1) return speed;
  if (chosen === plain) return `${speed}, the fastest of ${trials.length} ways`;
  const difference = Math.max(
    ...(chosen?.losses ?? []).map((loss, i) => Math.abs(loss / (plain?.losses[i] as number) - 1)),
  );
  return `${speed}, ${gain.toFixed(2)} times plain float32; loss within ${(100 * difference).toPrecision(1)} %`;
}

export interface SettleOptions {
  readonly wanted: number | 'largest';
  readonly model: Classifier;
  readonly optimizer: Optimizer<CommonOptions>;
  readonly draft: TrainPlan;
  readonly batch: TrainBatch;
  readonly cost: ModelDescription;
  readonly samples: number;
}

/** The batch size of the run: as wanted, but no more than there are samples; for `largest` what a real step fits into memory. */
export function settleBatchSize({ wanted, model, optimizer, draft, batch, cost, samples }: SettleOptions): number {
  if (wanted !== 'largest') return Math.min(wanted, samples);
  const preserved = new Preserved(model, optimizer, []);
  preserved.rewind();
  try {
    return largestBatch(
      (size) => {
        const rows = batch.target.shape[0] as number;
        const places = torch.arange(size).remainder(rows);
        const stepper = new Stepper(
          model,
          optimizer,
          draft.machine,
          stepOptions(draft.optimisation, draft.data.multiLabel),
        );
        stepper.step({ input: batch.input.indexSelect(0, places), target: batch.target.indexSelect(0, places) });
      },
      { bytesEach: trainingBytes(cost, 2) - trainingBytes(cost, 1), free: os.freemem(), samples },
    );
  } finally {
    preserved.restore();
    preserved.dispose();
  }
}
