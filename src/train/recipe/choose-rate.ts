/** The learning rate of a run, as given or by the range test on its own loader. */
import type { CommonOptions, Optimizer } from '../../optim/index.js';
import { type RunFolder, writeFileAtomic } from '../../track/index.js';
import { stringifyPlain } from '../../track/json.js';
import { buildLoaders } from '../build.js';
import type { Classifier } from '../compute.js';
import type { TrainEvent } from '../events.js';
import type { TrainPlan } from '../plan.js';
import type { StopSignal } from '../stop.js';
import { findRate, rangeTestJson } from './rate.js';
import type { ReadyParts } from './rows.js';
import { stopEarly } from './stages.js';

const short = (x: number): string => Number(x.toPrecision(3)).toString();

interface ChooseRate {
  readonly rateBatch: TrainPlan;
  readonly parts: ReadyParts;
  readonly model: Classifier;
  readonly run: RunFolder;
  readonly trial: Optimizer<CommonOptions>;
  readonly wanted: number | 'auto' | 'find';
  readonly usual: number;
  readonly stop: StopSignal;
  readonly emit: (event: TrainEvent) => void;
}

/** The range test draws itself into the run folder. @throws StoppedEarly when it was asked to stop */
export async function chooseRate({ rateBatch, parts, model, run, trial, wanted, usual, stop, emit }: ChooseRate) {
  if (typeof wanted === 'number') return { learningRate: wanted, sentence: `${short(wanted)}, as given` };
  const loaders = buildLoaders(parts, rateBatch);
  try {
    const rate = await findRate({
      model,
      optimizer: trial,
      loader: loaders.train,
      machine: rateBatch.machine,
      loss: { labelSmoothing: rateBatch.optimisation.labelSmoothing, multiLabel: rateBatch.data.multiLabel },
      usual,
      wanted,
      onProgress: (share) => {
        emit({ kind: 'working', stage: 'learning rate', text: 'range test', share });
        stopEarly(stop);
      },
    });
    if (rate.found !== undefined) {
      await writeFileAtomic(run.file('learning-rate.svg'), await rate.found.svg());
      await writeFileAtomic(run.file('range-test.json'), `${stringifyPlain(rangeTestJson(rate.found))}\n`);
    }
    return rate;
  } finally {
    await Promise.all([loaders.train.close(), loaders.validation.close()]);
  }
}
