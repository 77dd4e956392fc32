/** What the stages before a training have in common, whatever is trained: how they speak, and how a stop among them ends. */
import type { RunFolder } from '../../track/index.js';
import { StoppedEarly } from '../errors.js';
import type { Stage, TrainEvent } from '../events.js';
import type { StopSignal } from '../stop.js';
import type { RunResult } from './recipe.js';
import { StageLog } from './stage-log.js';

type Emit = (event: TrainEvent) => void;

/** Says what a stage found, and how far it is. */
export interface StageTalk {
  /** @throws StoppedEarly when it was asked to stop before the training */
  line(stage: Stage, text: string, facts?: Readonly<Record<string, unknown>>): void;
  /** A callback for a stage that counts. */
  working(stage: Stage, text: string): (done: number, all: number) => void;
}

/** @throws StoppedEarly when it was asked to stop, before the training */
export function stopEarly({ reason }: StopSignal): void {
  if (reason !== undefined) throw new StoppedEarly(`Stopped (${reason}) before the training began.`);
}

export const stageTalk = (stop: StopSignal, emit: Emit): StageTalk => ({
  line(stage, text, facts) {
    emit({ kind: 'stage', stage, text, ...(facts ? { facts } : {}) });
    // From the training on it is saved first.
    if (stage !== 'train') stopEarly(stop);
  },
  working: (stage, text) => (done, all) => emit({ kind: 'working', stage, text, share: all === 0 ? 1 : done / all }),
});

/** Runs stages, whose words go into the folder as soon as there is one. A stop before the training is a result, not an error. */
export async function loggedStages<Result extends RunResult>(
  emit: Emit,
  stages: (emit: Emit, onFolder: (run: RunFolder) => void) => Promise<Result>,
): Promise<Result | RunResult> {
  let folder = '';
  const log = new StageLog(emit);
  try {
    return await stages(log.emit, (run) => {
      folder = run.path;
      log.into(folder);
    });
  } catch (error) {
    if (!(error instanceof StoppedEarly)) throw error;
    const text = `${error.message} Start it again when you like.`;
    emit({ kind: 'finished', folder, state: 'stopped', resumable: false, text });
    return { folder, state: 'stopped' };
  }
}
