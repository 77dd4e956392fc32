/** What lies in a run folder, read for its report. Whatever is missing is left out: a run that was stopped has a report, too. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readSplitFile, type SplitFile } from '../data/split/file.js';
import { type SealUse, usesOf } from '../data/split/seal-events.js';
import type { QuizAttempt, QuizScore } from '../look/quiz/index.js';
import { lastQuizScore } from '../look/quiz/index.js';
import { type MetricsLine, type RunRecord, type RunState, readMetrics, readRecord, stateOf } from '../track/index.js';
import { parsePlain } from '../track/json.js';
import { secondsOf } from '../track/list.js';
import { type EnsembleFacts, ensembleFile } from '../train/ensemble/write.js';
import { type OverfittingSeen, overfittingSeen } from '../train/overfit/index.js';
import type { TrainPlan } from '../train/plan.js';
import type { Calibration } from '../train/recipe/calibrate.js';
import { argmax } from './numbers.js';

/** What the chosen weights said of one validation sample. */
export interface Predicted {
  readonly name: string;
  /** Class number; for multi-label data a row of zeros and ones. */
  readonly target: number | readonly number[];
  readonly probabilities: Float64Array;
}

/** A stage of the recipe or a warning, as it was printed. */
export interface StageLine {
  readonly kind: 'stage' | 'warning' | 'rollback';
  readonly stage?: string;
  readonly text: string;
  /** Since the command began. */
  readonly seconds: number;
}

/** `range-test.json`. */
export interface RangeTest {
  readonly rates: readonly (readonly number[])[];
  readonly losses: readonly (readonly number[])[];
  readonly suggestions: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

/** What a finished run notes of itself. */
export interface ResultFile {
  readonly metric: string;
  readonly score: number;
  readonly loss: number;
  /** Ensembles have none of these. */
  readonly epoch?: number;
  readonly checkpoints?: number;
  readonly averaged?: boolean;
  readonly calibration?: Calibration;
  readonly splitFingerprint: string;
}

export interface RunFiles {
  /** Absolute path. */
  readonly folder: string;
  readonly record: RunRecord;
  readonly state: RunState | 'interrupted';
  /** Time spent in all sessions. */
  readonly seconds: number;
  readonly plan: TrainPlan | undefined;
  readonly metrics: readonly MetricsLine[];
  readonly predicted: readonly Predicted[];
  readonly result: ResultFile | undefined;
  readonly split: SplitFile | undefined;
  readonly uses: readonly SealUse[];
  readonly findings: Readonly<Record<string, unknown>>;
  readonly stages: readonly StageLine[];
  readonly rangeTest: RangeTest | undefined;
  /** JPEG of a training batch as the network got it. */
  readonly samples: Buffer | undefined;
  /** Figures of each test, the first one first. */
  readonly tests: readonly Readonly<Record<string, unknown>>[];
  readonly quiz: { readonly attempt: QuizAttempt; readonly score: QuizScore } | undefined;
  /** What the run shows of overfitting; not where there is no epoch, nor for ensembles, whose members overfit each for itself. */
  readonly overfitting: OverfittingSeen | undefined;
  /** What an ensemble's members are and gain; not in other folders. */
  readonly ensemble: EnsembleFacts | undefined;
  /** Sentences about files that are there and cannot be read. */
  readonly problems: readonly string[];
}

async function jsonLines<Line>(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for (const text of (await readFile(file, 'utf8')).split('\n')) {
    if (text === '') continue;
    try {
      lines.push(parsePlain(text) as Line);
    } catch {
      // A kill may have torn the last line.
    }
  }
  return lines;
}

/** Reads everything there is. @throws RunError when the folder holds no run */
export async function readRun(folder: string): Promise<RunFiles> {
  const place = path.resolve(folder);
  const record = readRecord(place);
  const state = stateOf(place, record);
  const problems: string[] = [];
  const at = (name: string): string => path.join(place, name);
  const from = async <T>(name: string, read: (file: string) => Promise<T>): Promise<T | undefined> => {
    if (!existsSync(at(name))) return undefined;
    try {
      return await read(at(name));
    } catch (error) {
      const reason = (error as Error).message.split('\n')[0] ?? '';
      problems.push(reason.startsWith(at(name)) ? reason : `${name} cannot be read: ${reason}`);
      return undefined;
    }
  };
  const json = <T>(name: string): Promise<T | undefined> =>
    from(name, async (file) => parsePlain(await readFile(file, 'utf8')) as T);

  const metrics: MetricsLine[] = [];
  for await (const line of readMetrics(at('metrics.jsonl'))) metrics.push(line);
  const rows =
    (await from('validation.jsonl', (file) =>
      jsonLines<Omit<Predicted, 'probabilities'> & { probabilities: number[] }>(file),
    )) ?? [];
  const predicted = rows.map((row) => ({ ...row, probabilities: Float64Array.from(row.probabilities) }));
  const split = await from('split.json', readSplitFile);
  const tests: Record<string, unknown>[] = [];
  for (let use = 1; existsSync(at(`test-${use}.json`)); use++) {
    const test = await json<Record<string, unknown>>(`test-${use}.json`);
    if (test !== undefined) tests.push(test);
  }
  const said = new Map(predicted.map(({ name, probabilities }) => [name, argmax(probabilities)]));
  const quiz = await from('quiz.json', (file) =>
    lastQuizScore(file, {
      ...(split === undefined ? {} : { splitFingerprint: split.fingerprint }),
      net: (name) => said.get(name),
    }),
  );
  const plan = record.configuration.plan as TrainPlan | undefined;
  const some = plan !== undefined && metrics.some(({ kind }) => kind === 'epoch');
  return {
    folder: place,
    record,
    state,
    seconds: secondsOf(record, state === 'running'),
    plan,
    metrics,
    predicted,
    result: await json<ResultFile>('result.json'),
    split,
    uses: split === undefined ? [] : usesOf(split.seal),
    findings: (await json<Record<string, unknown>>('findings.json')) ?? {},
    stages: (await from('stages.jsonl', (file) => jsonLines<StageLine>(file))) ?? [],
    rangeTest: await json<RangeTest>('range-test.json'),
    samples: await from('samples.jpg', (file) => readFile(file)),
    tests,
    quiz,
    overfitting: some ? await from('metrics.jsonl', () => overfittingSeen(place)) : undefined,
    ensemble: await json<EnsembleFacts>(ensembleFile),
    problems,
  };
}
