/** All that a report says, as plain data: what the page shows and what it carries in a block of JSON come from here. */
import type { Interval } from '../data/intervals.js';
import { fieldFacts, trainSchema } from '../train/config/schema.js';
import type { EnsembleFacts } from '../train/ensemble/write.js';
import type { OverfittingSeen } from '../train/overfit/index.js';
import { type TrainPlan, totalUpdates } from '../train/plan.js';
import { describeProgress } from '../train/progressive.js';
import type { Calibration } from '../train/recipe/calibrate.js';
import { type Advice, adviceFor } from './advice.js';
import { type Curves, curvesOf, type Fit, fitOf, type StepCurves, stepCurvesOf } from './curves.js';
import { type Figures, figuresOf, type MultiLabelFigures, multiLabelFiguresOf } from './figures.js';
import type { RangeTest, RunFiles, StageLine } from './run-files.js';
import { type Verdict, verdictOf } from './verdict.js';

/** A use of the test part, with its result where one was written down. */
export interface TestUse {
  readonly number: number;
  readonly time: string;
  readonly command: string;
  readonly score: number | null;
  readonly samples: number | null;
  readonly interval: Interval | null;
}

export interface Human {
  readonly accuracy: number;
  readonly interval: Interval;
  readonly right: number;
  readonly of: number;
  readonly from: string;
  readonly secondsPerPicture: number;
  readonly net: { readonly accuracy: number; readonly interval: Interval; readonly right: number } | null;
}

export interface Finding {
  readonly severity: string;
  readonly about: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Setting {
  readonly name: string;
  readonly group: string;
  readonly help: string;
  /** As asked for. */
  readonly value: unknown;
  /** What `auto` became, and why. */
  readonly became?: unknown;
  readonly reason?: string;
  /** Whether it is another than the default. */
  readonly changed: boolean;
}

export interface ReportData {
  readonly format: 'praxis-report';
  readonly version: 1;
  readonly run: {
    readonly name: string;
    readonly folder: string;
    readonly state: RunFiles['state'];
    readonly reason: string | null;
    readonly created: string;
    readonly finished: string | null;
    readonly commands: readonly string[];
    readonly seed: number | null;
  };
  readonly data: {
    readonly name: string;
    readonly place: string;
    readonly samples: number;
    readonly classes: readonly string[];
    readonly noun: 'picture' | 'text' | 'row' | 'sample';
    readonly train: number;
    readonly validation: number;
    readonly test: number;
    /** Samples of each class in all parts together, where look counted them. */
    readonly counts: readonly number[] | null;
    readonly size: readonly [number, number] | null;
    readonly mean: readonly number[] | null;
    readonly deviation: readonly number[] | null;
  };
  readonly model: { readonly name: string; readonly parameters: number | null; readonly multiplyAdds: number | null };
  readonly chosen: {
    /** Null for an ensemble, whose members were chosen each for itself. */
    readonly epoch: number | null;
    readonly epochs: number;
    readonly checkpoints: number;
    readonly averaged: boolean;
    /** How its logits were divided after the training; null where they were not. */
    readonly calibration: Calibration | null;
    readonly metric: string;
    readonly score: number;
    readonly loss: number;
  } | null;
  readonly figures: Figures | MultiLabelFigures | null;
  readonly curves: Curves;
  /** How pictures grew in the course of the training, in words; null where they were whole from the first. */
  readonly growth: string | null;
  readonly fit: Fit | null;
  /** Where it learned by heart, and what to do about it. */
  readonly overfitting: OverfittingSeen | null;
  readonly steps: StepCurves;
  readonly rangeTest: (RangeTest & { readonly used: number }) | null;
  readonly time: {
    readonly whole: number;
    readonly training: number | null;
    readonly perEpoch: number | null;
    readonly perSecond: number | null;
    readonly waiting: number | null;
    readonly updates: number | null;
    readonly stages: readonly { readonly stage: string; readonly seconds: number }[];
  };
  /** What a run of several networks gains over them. */
  readonly ensemble: EnsembleFacts['comparison'] | null;
  /** The weights that a fine-tuning began with. */
  readonly startedFrom: string | null;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly human: Human | null;
  readonly tests: readonly TestUse[];
  readonly findings: readonly Finding[];
  readonly told: readonly StageLine[];
  readonly settings: readonly Setting[];
  readonly verdict: Verdict;
  readonly advice: readonly Advice[];
  readonly problems: readonly string[];
}

type Facts = Readonly<Record<string, unknown>>;
const numberIn = (facts: Facts | undefined, name: string): number | null =>
  typeof facts?.[name] === 'number' ? (facts[name] as number) : null;
const textIn = (facts: Facts | undefined, name: string): string =>
  typeof facts?.[name] === 'string' ? (facts[name] as string) : '';

/** What sample is called: the run's normalisation tells what kind of data it was. */
function nounOf({ plan, stages }: RunFiles): ReportData['data']['noun'] {
  if (plan?.data.form !== undefined) return 'picture';
  const look = stages.find(({ stage }) => stage === 'look')?.text ?? '';
  return / texts,/.test(look) ? 'text' : plan === undefined ? 'sample' : 'row';
}

function findingsOf({ findings, stages }: RunFiles): Finding[] {
  const look = findings.look as { warnings?: readonly string[] } | undefined;
  const split = (findings.split ?? []) as readonly {
    severity?: string;
    check?: string;
    message?: string;
    remedy?: string;
  }[];
  const more = (findings.findings ?? []) as readonly {
    severity?: string;
    kind?: string;
    message?: string;
    remedy?: string;
  }[];
  const told = new Set<string>();
  const all: Finding[] = [
    ...(look?.warnings ?? []).map((message) => ({ severity: 'warning', about: 'look', message, remedy: '' })),
    ...more.map(({ severity = 'note', kind = 'look', message = '', remedy = '' }) => ({
      severity,
      about: kind,
      message,
      remedy,
    })),
    ...split.map(({ severity = 'note', check = 'split', message = '', remedy = '' }) => ({
      severity,
      about: `split: ${check}`,
      message,
      remedy,
    })),
    ...stages
      .filter(({ kind }) => kind !== 'stage')
      .map(({ text }) => ({ severity: 'warning', about: 'while training', message: text, remedy: '' })),
  ];
  // The recipe prints what the split found as a warning, too.
  return all.filter(({ message, remedy }) => {
    const seen = told.has(message) || [...told].some((one) => one !== '' && message.startsWith(one));
    told.add(message);
    return message !== '' && (!seen || remedy !== '');
  });
}

function settingsOf({ record }: RunFiles): Setting[] {
  const given = (record.configuration.settings ?? {}) as Facts;
  const choices = (record.configuration.choices ?? []) as readonly {
    setting: string;
    value: unknown;
    reason: string;
  }[];
  const defaults = trainSchema.parse({}) as Facts;
  return Object.entries(fieldFacts).flatMap(([name, facts]) => {
    const value = given[name];
    const choice = choices.find(({ setting }) => setting === name);
    if (value === undefined && choice === undefined) return [];
    return [
      {
        name,
        group: facts.group,
        help: facts.help,
        value: value ?? null,
        ...(choice === undefined ? {} : { became: choice.value, reason: choice.reason }),
        changed: JSON.stringify(value) !== JSON.stringify(defaults[name]),
      },
    ];
  });
}

function testsOf({ uses, tests }: RunFiles): TestUse[] {
  return uses.map(({ number, time, command, result }) => {
    const facts = (result ?? {}) as Facts;
    const file = tests.find((one) => one.uses === number);
    const intervals = file?.intervals as Readonly<Record<string, Interval>> | undefined;
    return {
      number,
      time,
      command,
      score: numberIn(facts, 'score'),
      samples: numberIn(facts, 'samples'),
      interval: intervals?.accuracy ?? null,
    };
  });
}

function humanOf({ quiz }: RunFiles): Human | null {
  if (quiz === undefined || quiz.score.of === 0) return null;
  const { score, attempt } = quiz;
  return {
    accuracy: score.accuracy,
    interval: score.interval,
    right: score.right,
    of: score.of,
    from: attempt.from,
    secondsPerPicture: score.secondsPerPicture,
    net: score.net === undefined ? null : { ...score.net },
  };
}

/** Seconds that each stage took, from the times at which they were told. */
function stageTimes(stages: readonly StageLine[]): { stage: string; seconds: number }[] {
  let before = 0;
  return stages.flatMap(({ kind, stage, seconds }) => {
    if (kind !== 'stage' || stage === undefined) return [];
    const spent = Math.max(0, seconds - before);
    before = seconds;
    // The line of training is told as it begins; what follows until the selection is the training.
    return stage === 'train' ? [] : [{ stage: stage === 'select' ? 'train and select' : stage, seconds: spent }];
  });
}

function growthOf(plan: TrainPlan | undefined): string | null {
  // Not the form of the data: what is validated may be larger.
  const { size } = plan?.model.options ?? {};
  const { progressive, epochs = 0 } = plan?.optimisation ?? {};
  return progressive && size ? describeProgress(progressive, size, epochs) : null;
}

function timeOf(files: RunFiles, curves: Curves): ReportData['time'] {
  const { plan, record } = files;
  const sum = curves.seconds.reduce((a, b) => a + b, 0);
  const count = curves.seconds.length;
  const samples = plan === undefined ? 0 : plan.optimisation.batches * plan.optimisation.batchSize;
  return {
    whole: files.seconds,
    training: numberIn(record.progress, 'seconds'),
    perEpoch: count === 0 ? null : sum / count,
    perSecond: count === 0 || samples === 0 ? null : (samples * count) / sum,
    waiting: count === 0 ? null : curves.waiting.reduce((a, b, i) => a + b * (curves.seconds[i] as number), 0) / sum,
    updates: plan === undefined ? null : totalUpdates(plan.optimisation),
    stages: stageTimes(files.stages),
  };
}

/** Computes everything. */
export function reportData(files: RunFiles): ReportData {
  const { record, plan, result, predicted, split } = files;
  const dataFacts = record.data;
  const classes = plan?.data.classes ?? (dataFacts?.classes as readonly string[] | undefined) ?? [];
  const curves = curvesOf(files.metrics);
  const multiLabel = plan?.data.multiLabel === true;
  const figures =
    predicted.length === 0
      ? null
      : multiLabel
        ? multiLabelFiguresOf(predicted, classes.length)
        : figuresOf(predicted, classes.length);
  const counts = (files.findings.look as { counts?: readonly number[] } | undefined)?.counts;
  const base = {
    format: 'praxis-report',
    version: 1,
    run: {
      name: record.name,
      folder: files.folder,
      state: files.state,
      reason: record.reason ?? null,
      created: record.created,
      finished: record.finished ?? null,
      commands: record.sessions.map(({ command }) => command),
      seed: record.seed ?? null,
    },
    data: {
      name: textIn(dataFacts, 'name'),
      place: textIn(dataFacts, 'path') || textIn(dataFacts, 'root'),
      samples: numberIn(dataFacts, 'samples') ?? 0,
      classes,
      noun: nounOf(files),
      train: numberIn(record.split, 'train') ?? split?.parts.train.length ?? 0,
      validation: numberIn(record.split, 'validation') ?? split?.parts.validation.length ?? 0,
      test: numberIn(record.split, 'test') ?? split?.parts.test.length ?? 0,
      counts: counts ?? null,
      size: plan?.data.form === undefined ? null : ([plan.data.form.height, plan.data.form.width] as const),
      mean: plan?.data.statistics?.mean ?? null,
      deviation: plan?.data.statistics?.std ?? null,
    },
    model: {
      name: textIn(record.model, 'name') || (plan?.model.name ?? ''),
      parameters: numberIn(record.model, 'parameters'),
      multiplyAdds: numberIn(record.model, 'multiplyAdds'),
    },
    chosen:
      result === undefined
        ? null
        : {
            epoch: result.epoch ?? null,
            epochs: curves.epoch.at(-1) ?? 0,
            checkpoints: result.checkpoints ?? 1,
            averaged: result.averaged ?? false,
            calibration: result.calibration ?? null,
            metric: result.metric,
            score: result.score,
            loss: result.loss,
          },
    figures,
    curves,
    growth: growthOf(plan),
    fit: fitOf(curves) ?? null,
    overfitting: files.overfitting ?? null,
    steps: stepCurvesOf(files.metrics),
    rangeTest:
      files.rangeTest === undefined || plan === undefined
        ? null
        : { ...files.rangeTest, used: plan.optimisation.learningRate },
    time: timeOf(files, curves),
    ensemble: files.ensemble?.comparison ?? null,
    startedFrom: plan?.transfer?.source ?? null,
    machine: { ...record.machine, ...record.engine, ...plan?.machine },
    human: humanOf(files),
    tests: testsOf(files),
    findings: findingsOf(files),
    told: files.stages,
    settings: settingsOf(files),
    problems: files.problems,
  } as const;
  return { ...base, verdict: verdictOf(base), advice: adviceFor(base, plan) };
}

/** What verdict and advice are made from. */
export type ReportFacts = Omit<ReportData, 'verdict' | 'advice'>;
