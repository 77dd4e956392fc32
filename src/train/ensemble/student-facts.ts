/** How much of an ensemble's gain its student keeps; nothing here trains. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readRecord, writeFileAtomic } from '../../track/index.js';
import { RunError } from '../errors.js';
import { bootstrapIntervals } from '../metrics.js';
import { planOf } from '../recipe/record.js';
import { type Gain, mostProbable } from './compare.js';
import { readOpinion } from './members.js';
import { type EnsembleFacts, ensembleFile, studentFile } from './write.js';

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

/** What is known of an ensemble. @throws RunError when a folder is none */
export function readEnsemble(folder: string): EnsembleFacts {
  const file = path.join(folder, ensembleFile);
  if (!existsSync(file))
    throw new RunError(
      `${folder} holds no finished ensemble (no ${ensembleFile}); praxis ensemble makes one, praxis resume goes on with one.`,
    );
  return JSON.parse(readFileSync(file, 'utf8')) as EnsembleFacts;
}

/** Writes `student.json` into the folder of a student whose training is finished. @param teacher folder of its ensemble */
export async function noteStudent(folder: string, teacher: string): Promise<StudentFacts> {
  const student = studentFacts(teacher, readEnsemble(teacher), folder);
  await writeFileAtomic(path.join(folder, studentFile), `${JSON.stringify(student, null, 2)}\n`);
  return student;
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
