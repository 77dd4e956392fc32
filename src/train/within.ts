/** Trainings within a larger work (an ensemble, an ablation, a learning curve): each a run folder of its own, so that a kill costs little. */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { listRuns } from '../track/index.js';
import type { TrainSettings } from './config/schema.js';
import type { Stage, TrainEvent } from './events.js';
import type { TrainPlan } from './plan.js';
import { type RecipeOptions, type RunResult, runRecipe } from './recipe/recipe.js';
import { resumeRun } from './recipe/resume.js';

export interface WithinOptions extends RecipeOptions {
  /** What it is called within the larger work; one folder each. */
  readonly name: string;
  readonly data: string;
  /** Leaves the checkpoints of a finished training. Default false: the chosen weights are all that is used afterwards. */
  readonly keepCheckpoints?: boolean;
}

/** Trains, or goes on, or takes what is finished already. */
export async function trainWithin(options: WithinOptions): Promise<RunResult> {
  const { name, settings, data, stop, emit, command } = options;
  const found = existsSync(settings.out) ? listRuns(settings.out).find((run) => run.name === name) : undefined;
  const record = found?.record;
  const result = async (): Promise<RunResult> => {
    if (found !== undefined && record?.state === 'finished') {
      const { score, epoch } = (record.result ?? {}) as { score?: number; epoch?: number };
      return {
        folder: found.path,
        state: 'finished',
        ...(score === undefined ? {} : { score }),
        ...(epoch === undefined ? {} : { epoch }),
      };
    }
    if (found !== undefined && record?.configuration.plan !== undefined)
      return resumeRun({ folder: found.path, data, stop, emit, command });
    // Ended before its training began: nothing in it is of use.
    if (found !== undefined) rmSync(found.path, { recursive: true, force: true });
    return runRecipe({ ...options, settings: { ...settings, name } });
  };
  const done = await result();
  if (done.state === 'finished' && options.keepCheckpoints !== true)
    rmSync(path.join(done.folder, 'checkpoints'), { recursive: true, force: true });
  return done;
}

/** The settings of later trainings that are to be like an earlier one: what it measured and chose is not measured again. */
export function likeThe(plan: TrainPlan): Partial<TrainSettings> {
  const { precision, memoryFormat, threads, convolutions = 'engine' } = plan.machine;
  const { epochs, batchSize, learningRate } = plan.optimisation;
  return { precision, memoryFormat, threads, convolutions, epochs, batchSize, learningRate };
}

/**
 * Passes on what is told of a training within a larger work: some stages, its warnings, and its epochs unless no stage is wanted; not its
 * end, which is not the end.
 */
export function passing(emit: (event: TrainEvent) => void, stages: readonly Stage[]): (event: TrainEvent) => void {
  return (event) => {
    if (event.kind === 'finished' || (event.kind === 'stage' && !stages.includes(event.stage))) return;
    if (event.kind === 'epoch' && stages.length === 0) return;
    emit(event);
  };
}
