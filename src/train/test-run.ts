/** The test, once: opens the seal, measures, writes the use down for good. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadSplit } from '../data/split/index.js';
import { openSeal } from '../data/split/seal.js';
import type { Dataset } from '../data/types.js';
import { RunFolder, writeFileAtomic } from '../track/index.js';
import { evaluationLoader } from './build.js';
import { type Classifier, placeModel } from './compute.js';
import { EnsembleClassifier } from './ensemble/classifier.js';
import { compareEnsemble, type EnsembleComparison } from './ensemble/compare.js';
import type { StudentFacts } from './ensemble/student.js';
import { chanceCalibrationError } from './ensemble/temperature.js';
import { memberSplits, studentFile } from './ensemble/write.js';
import { RunError } from './errors.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { Interval } from './metrics.js';
import type { TrainPlan } from './plan.js';
import { openData } from './recipe/data.js';
import { loadModel, openOptionsOf, planOf } from './recipe/record.js';
import { readier } from './recipe/rows.js';
import { countViews, viewsFor } from './views.js';

export interface TestOptions {
  /** Test-time augmentation: average the answers to several views of each picture. Default false. */
  readonly tta?: boolean;
  /** Allows a use of the test part after the first; every report shows it from then on. */
  readonly again?: boolean;
  readonly data?: string | Dataset;
  readonly model?: Classifier;
  /** For the record. */
  readonly command?: string;
  readonly onBatch?: (done: number, all: number) => void;
}

export interface TestResult {
  readonly score: number;
  readonly scoreName: Evaluation['scoreName'];
  readonly loss: number;
  /** 95 %: Wilson's for the accuracy, from 1,000 bootstrap samples for the others. */
  readonly intervals: Readonly<Record<string, Interval>>;
  readonly report: Evaluation['report'];
  readonly samples: number;
  /** How many views of each picture were averaged, with test-time augmentation. */
  readonly views?: number;
  /** How often the test part was opened, this time included. */
  readonly uses: number;
  /**
   * Of an ensemble: what it gains over its members here, where none of them was chosen. On the validation part each member stands at the epoch
   * that is best there, and looks better than it is.
   */
  readonly members?: MembersTested;
  /** Of a model that an ensemble taught, where that ensemble has been tested on the same pictures: how much of its gain there the model keeps. */
  readonly student?: StudentTested;
  /** The calibration error that a perfectly calibrated model would show on so many samples, by chance; not for multi-label data. */
  readonly calibrationByChance?: number;
}

export type MembersTested = Pick<
  EnsembleComparison,
  'members' | 'meanScore' | 'best' | 'overMean' | 'overBest' | 'disagreement'
>;

/** A student beside those who taught it, on the test part. */
export interface StudentTested {
  /** Folder of the ensemble. */
  readonly teacher: string;
  readonly ensembleScore: number;
  readonly meanScore: number;
  /** Share of the ensemble's gain over its mean member; null where it gains nothing. */
  readonly kept: number | null;
}

/**
 * Tests the chosen model of a run on the sealed part.
 * @throws RunError when the run is not finished; DataError when the seal was opened before and `again` is not set
 */
export async function testRun(folder: string, options: TestOptions = {}): Promise<TestResult> {
  const plan = planOf(folder);
  const model = await loadModel(folder, plan, options.model);
  const source = options.data ?? plan.data.path;
  if (source === '')
    throw new RunError(
      `${folder}: this run was given its data as an object; give it again: testRun(folder, { data }).`,
    );
  const run = await RunFolder.open(folder, { write: true });
  try {
    const dataset = await openData(source, openOptionsOf(folder));
    const file = run.file('split.json');
    const split = await loadSplit(file, dataset);
    // Whatever is missing is found before the seal is broken.
    const ready = readier(dataset, run.path);
    const seal = await openSeal(split, {
      // Of an ensemble the members keep the record too: each of them can be tested alone.
      files: [file, ...memberSplits(run.path)],
      command: options.command ?? `testRun('${folder}')`,
      run: path.basename(run.path),
      again: options.again,
    });
    placeModel(model, plan.machine);
    const loader = evaluationLoader(ready(seal.dataset), plan, Math.max(64, plan.optimisation.batchSize));
    const evaluateOne = (one: Classifier): Promise<Evaluation | undefined> =>
      evaluate(one, loader, {
        machine: plan.machine,
        classes: plan.data.classes,
        multiLabel: plan.data.multiLabel,
        ...(options.tta === true ? { views: viewsFor(plan) } : {}),
        ...(options.onBatch ? { onBatch: options.onBatch } : {}),
      });
    let evaluation: Evaluation | undefined;
    const alone: Evaluation[] = [];
    try {
      evaluation = await evaluateOne(model);
      if (model instanceof EnsembleClassifier && model.members.length > 1)
        for (let i = 0; i < model.members.length; i++) alone.push((await evaluateOne(model.memberAt(i))) as Evaluation);
    } finally {
      await loader.close();
    }
    const measured = evaluation as Evaluation;
    const { score, scoreName, loss, report, predictions } = measured;
    const samples = predictions.index.length;
    const intervals = measured.intervals();
    const views = options.tta === true ? { views: countViews(viewsFor(plan)) } : {};
    const members = alone.length === 0 ? {} : { members: membersTested(plan, alone) };
    const student = studentTested(run.path, { score, samples, ...views });
    const chance = plan.data.multiLabel
      ? {}
      : { calibrationByChance: chanceCalibrationError(predictions.probabilities, plan.data.classes.length) };
    const compared = { ...members, ...(student === undefined ? {} : { student }), ...chance };
    const result = { score, scoreName, loss, intervals, report, samples, ...views, ...compared, uses: seal.uses };
    await seal.record({ score, loss, samples });
    await writeFileAtomic(run.file(`test-${seal.uses}.json`), `${JSON.stringify(result, null, 2)}\n`);
    await run.update({
      result: {
        ...run.record.result,
        test: { score, loss, samples, interval: intervals.accuracy ?? null },
        testUses: seal.uses,
      },
    });
    return result;
  } finally {
    await run.close();
  }
}

/** What the first test of the ensemble that taught a run says of it; nothing where there was no such test, or one of other pictures or views. */
function studentTested(
  folder: string,
  own: Pick<TestResult, 'score' | 'samples' | 'views'>,
): StudentTested | undefined {
  // A comparison must not cost the test its result: files of others that are gone or damaged are no fault of this run.
  const read = <T>(file: string): T | undefined => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as T;
    } catch {
      return undefined;
    }
  };
  const teacher = read<StudentFacts>(path.join(folder, studentFile))?.teacher;
  const test = teacher === undefined ? undefined : read<TestResult>(path.join(teacher, 'test-1.json'));
  if (teacher === undefined || test?.members === undefined) return undefined;
  const { score, samples, views, members } = test;
  if (samples !== own.samples || views !== own.views) return undefined;
  const { meanScore } = members;
  const kept = score > meanScore ? (own.score - meanScore) / (score - meanScore) : null;
  return { teacher, ensembleScore: score, meanScore, kept };
}

/** The members beside their mean, on the pictures that all of them were asked about. */
function membersTested(plan: TrainPlan, alone: readonly Evaluation[]): MembersTested {
  const [first] = alone as readonly [Evaluation];
  const members = plan.ensemble?.members ?? [];
  const { overMean, overBest, meanScore, best, disagreement, ...rest } = compareEnsemble(
    alone.map(({ predictions }, i) => ({
      name: members[i]?.name ?? `member ${i + 1}`,
      probabilities: predictions.probabilities,
    })),
    { classes: plan.data.classes.length, target: first.predictions.target, multiLabel: plan.data.multiLabel },
    { temperature: false, weights: members.map(({ weight }) => weight) },
  );
  return { members: rest.members, meanScore, best, overMean, overBest, ...(disagreement ? { disagreement } : {}) };
}
