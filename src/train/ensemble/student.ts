/** One network that is taught by an ensemble, and how much of the ensemble's gain it keeps. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { commandLine, readRecord } from '../../track/index.js';
import type { TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { RunError } from '../errors.js';
import { stages, type TrainEvent } from '../events.js';
import { type RunResult, runRecipe } from '../recipe/recipe.js';
import { planOf } from '../recipe/record.js';
import { StopSignal } from '../stop.js';
import { likeThe, passing } from '../within.js';
import { noteStudent, readEnsemble, type StudentFacts } from './student-facts.js';

export { readEnsemble, type StudentFacts } from './student-facts.js';

export interface DistilOptions {
  /** Settings that differ from the members', whose epochs a student has twice: another model, more epochs still. */
  readonly settings?: Partial<TrainSettings>;
  readonly data?: string;
  /** How much of the target is the teacher's word. Default 1. */
  readonly weight?: number;
  readonly stop?: StopSignal;
  readonly emit?: (event: TrainEvent) => void;
  /** For the record. */
  readonly command?: string;
}

export type DistilResult = RunResult & { readonly student?: StudentFacts };

/** Trains a student on the ensemble's split. Like the first member, but for its targets, which the ensemble gives. */
export async function distil(folder: string, options: DistilOptions = {}): Promise<DistilResult> {
  const { stop = new StopSignal(), emit = () => undefined, command = commandLine() } = options;
  // Refuses what is none, before anything is trained.
  readEnsemble(folder);
  const plan = planOf(folder);
  const [first] = plan.ensemble?.members ?? [];
  const data = options.data ?? plan.data.path;
  if (data === '' || first === undefined)
    throw new RunError(`${folder}: its runs were given their data as objects, which a student cannot open again.`);
  if (!existsSync(data))
    throw new RunError(`${folder}: its data are not at ${data} any more; say where they are now with --data PATH.`);
  const given = (readRecord(folder).configuration.settings ?? {}) as Partial<TrainSettings>;
  const settings = checkSettings(
    {
      ...given,
      ...likeThe(plan),
      // What a teacher says of ever new views takes longer to learn than labels, and overfits less: "patient" (Beyer et al. 2021).
      epochs: 2 * plan.optimisation.epochs,
      // The teacher's word is soft already.
      labelSmoothing: 0,
      name: `${path.basename(folder).replace(/^\d{4}-\d\d-\d\d-/, '')}-student`,
      out: path.dirname(path.resolve(folder)),
      ...options.settings,
      splitFile: path.join(path.resolve(folder), 'split.json'),
    },
    folder,
  );
  const done = await runRecipe({
    data,
    settings,
    distillation: { teacher: path.resolve(folder), weight: options.weight ?? 1 },
    stop,
    emit: passing(
      emit,
      stages.filter((stage) => !['look', 'split', 'normalise', 'report'].includes(stage)),
    ),
    command,
  });
  if (done.state !== 'finished') {
    emit({
      kind: 'finished',
      folder: done.folder,
      state: 'stopped',
      ...stateOfStopped(done.folder),
    });
    return done;
  }
  return { ...done, student: await noteStudent(done.folder, path.resolve(folder)) };
}

/** Before its plan is made there is nothing of a student to go on with. */
function stateOfStopped(folder: string): { readonly resumable: boolean; readonly text: string } {
  if (folder !== '' && readRecord(folder).configuration.plan !== undefined)
    return { resumable: true, text: 'Stopped; the student is saved.' };
  return { resumable: false, text: 'Stopped before the student’s training began.' };
}
