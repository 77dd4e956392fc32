/** One network that is taught by an ensemble, and how much of the ensemble's gain it keeps. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { commandLine, readRecord, writeFileAtomic } from '../../track/index.js';
import type { TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { RunError } from '../errors.js';
import { stages, type TrainEvent } from '../events.js';
import { bootstrapIntervals } from '../metrics.js';
import { type RunResult, runRecipe } from '../recipe/recipe.js';
import { planOf } from '../recipe/record.js';
import { StopSignal } from '../stop.js';
import { likeThe, passing } from '../within.js';
import { type Gain, mostProbable } from './compare.js';
import { readOpinion } from './members.js';
import { type EnsembleFacts, ensembleFile, studentFile } from './write.js';

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

/** What `student.json` in the student's run folder holds. */
export interface StudentFacts {
  readonly teacher: string;
  readonly score: number;
  readonly ensembleScore: number;
  readonly meanScore: number;
  /** Over the mean member. */
  readonly gain: Gain;
  /** Share of the ensemble's gain over the mean member; NaN where the ensemble gains nothing. */
  readonly kept: number;
}

export type DistilResult = RunResult & { readonly student?: StudentFacts };

/** What is known of an ensemble. @throws RunError when a folder is none */
export function readEnsemble(folder: string): EnsembleFacts {
  const file = path.join(folder, ensembleFile);
  if (!existsSync(file))
    throw new RunError(
      `${folder} holds no finished ensemble (no ${ensembleFile}); praxis ensemble makes one, praxis resume goes on with one.`,
    );
  return JSON.parse(readFileSync(file, 'utf8')) as EnsembleFacts;
}

/** Trains a student on the ensemble's split. Like the first member, but for its targets, which the ensemble gives. */
export async function distil(folder: string, options: DistilOptions = {}): Promise<DistilResult> {
  const { stop = new StopSignal(), emit = () => undefined, command = commandLine() } = options;
  const facts = readEnsemble(folder);
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
      resumable: done.folder !== '',
      text: 'Stopped; the student is saved.',
    });
    return done;
  }
  const student = studentFacts(path.resolve(folder), facts, done.folder);
  await writeFileAtomic(path.join(done.folder, studentFile), `${JSON.stringify(student, null, 2)}\n`);
  return { ...done, student };
}

/** Compares a student with the mean of the members on the same pictures. */
function studentFacts(folder: string, { members, comparison }: EnsembleFacts, student: string): StudentFacts {
  const { data } = planOf(folder);
  const classes = data.classes.length;
  const own = readOpinion(student, classes);
  const rowOf = new Map(own.samples.map((name, row) => [name, row]));
  const score = (readRecord(student).result?.score ?? Number.NaN) as number;
  const value = score - comparison.meanScore;
  const base = {
    teacher: folder,
    score,
    ensembleScore: comparison.ensemble.score,
    meanScore: comparison.meanScore,
    kept: comparison.overMean.value > 0 ? value / comparison.overMean.value : Number.NaN,
  };
  if (data.multiLabel) return { ...base, gain: { value, interval: { low: Number.NaN, high: Number.NaN } } };
  // Of each picture: whether the student is right, less the share of members that are.
  const differences = meanRight(folder, members, classes, own.samples, own.target as number[]);
  const named = mostProbable(own.probabilities, classes);
  for (const [row, name] of own.samples.entries()) {
    const at = rowOf.get(name) as number;
    differences[row] = (named[at] === own.target[at] ? 1 : 0) - (differences[row] as number);
  }
  const { gain } = bootstrapIntervals(
    differences.length,
    (positions) => ({
      gain: positions.reduce((sum, row) => sum + (differences[row] as number), 0) / positions.length,
    }),
    { resamples: 2000 },
  );
  return { ...base, gain: { value, interval: gain } };
}

/** Share of the members that name each sample's class. */
function meanRight(
  folder: string,
  members: EnsembleFacts['members'],
  classes: number,
  samples: readonly string[],
  target: readonly number[],
): Float64Array {
  const sums = new Float64Array(samples.length);
  for (const member of members) {
    const opinion = readOpinion(path.join(folder, member.folder), classes);
    const named = mostProbable(opinion.probabilities, classes);
    const rowOf = new Map(opinion.samples.map((name, row) => [name, row]));
    for (const [row, name] of samples.entries()) {
      const at = rowOf.get(name);
      if (at !== undefined && named[at] === target[row]) sums[row] = (sums[row] as number) + 1 / members.length;
    }
  }
  return sums;
}
