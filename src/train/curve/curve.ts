/** More data? Trains on growing shares of the training part, fits a power law, and says what twice the data would bring. */
import path from 'node:path';
import { saveSplit } from '../../data/split/index.js';
import { type Drawing, drawSvg } from '../../optim/draw.js';
import { commandLine, gitFacts, RunFolder, readRecord, writeFileAtomic } from '../../track/index.js';
import type { TrainOptions, TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { RunError } from '../errors.js';
import type { TrainEvent } from '../events.js';
import type { Interval } from '../metrics.js';
import { describeSplit, makeSplit, openData, requireWritable } from '../recipe/data.js';
import type { RunResult } from '../recipe/recipe.js';
import { planOf } from '../recipe/record.js';
import { StopSignal } from '../stop.js';
import { likeThe, passing, trainWithin } from '../within.js';
import { errorAt, type PowerLaw, predictError } from './power-law.js';

export interface LearningCurveOptions {
  readonly data: string;
  readonly settings?: TrainOptions;
  /** Shares of the training part. Default 0.1, 0.2, 0.4, 0.7 and 1. */
  readonly shares?: readonly number[];
  /** Trainings of each share, from other seeds and on other samples. Default 2. */
  readonly seeds?: number;
  readonly stop?: StopSignal;
  readonly emit?: (event: TrainEvent) => void;
  /** For the record. */
  readonly command?: string;
}

/** One training. */
export interface CurveTraining {
  readonly share: number;
  readonly samples: number;
  readonly seed: number;
  readonly score: number;
}

export interface LearningCurve {
  readonly folder: string;
  readonly scoreName: 'accuracy' | 'mean average precision';
  readonly trainings: readonly CurveTraining[];
  /** Of the error, 1 − score. */
  readonly law: PowerLaw;
  /** Samples of the whole training part. */
  readonly samples: number;
  /** What the law says of twice as many; the gain is over what it says of all there are. */
  readonly twice: { readonly score: number; readonly gain: number; readonly interval: Interval };
  readonly text: string;
}

export type CurveResult = RunResult & { readonly curve?: LearningCurve };

interface CurveSpec {
  readonly data: string;
  readonly shares: readonly number[];
  readonly seeds: number;
}

type Told = Required<Pick<LearningCurveOptions, 'stop' | 'emit' | 'command'>>;

const toldOf = (options: Pick<LearningCurveOptions, 'stop' | 'emit' | 'command'>): Told => ({
  stop: options.stop ?? new StopSignal(),
  emit: options.emit ?? (() => undefined),
  command: options.command ?? commandLine(),
});

/** Trains on growing shares. @throws DataError, RunError, ConfigError */
export async function learningCurve(options: LearningCurveOptions): Promise<CurveResult> {
  const told = toldOf(options);
  const shares = [...new Set(options.shares ?? [0.1, 0.2, 0.4, 0.7, 1])].sort((a, b) => a - b);
  const { seeds = 2 } = options;
  if (shares.length < 3 || shares.some((share) => !(share > 0 && share <= 1)))
    throw new RunError(
      `A learning curve needs three different shares or more, above 0 and up to 1, got ${shares.join(', ')}.`,
    );
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new RunError(`The seeds of each share must be a whole number from 1, got ${seeds}.`);
  const settings = checkSettings(options.settings ?? {}, 'the settings');
  const dataset = await openData(options.data);
  requireWritable(settings.out);
  const split = await makeSplit(dataset, settings);
  told.emit({ kind: 'stage', stage: 'split', text: describeSplit(split) });
  const spec: CurveSpec = { data: path.resolve(options.data), shares, seeds };
  const run = await RunFolder.create(settings.out, {
    name: settings.name ?? `${dataset.name}-learning-curve`,
    command: told.command,
    onWarning: (text) => told.emit({ kind: 'warning', text }),
    facts: {
      seed: settings.seed,
      data: { path: dataset.root, name: dataset.name, root: dataset.root, samples: dataset.length },
      split: { fingerprint: split.fingerprint },
      git: await gitFacts(process.cwd()),
      configuration: { settings, learningCurve: spec },
    },
  });
  await saveSplit(split, run.file('split.json'));
  return work(run, spec, settings, told);
}

/** Whether a folder is that of a learning curve that is not finished. */
export const isUnfinishedCurve = (folder: string): boolean => {
  const { configuration, state } = readRecord(folder);
  return configuration.learningCurve !== undefined && state !== 'finished';
};

/** Goes on with a learning curve that was stopped or killed. @throws RunError */
export async function resumeCurve(
  options: Pick<LearningCurveOptions, 'stop' | 'emit' | 'command'> & {
    readonly folder: string;
    readonly data?: string;
  },
): Promise<CurveResult> {
  const record = readRecord(options.folder);
  const spec = record.configuration.learningCurve as CurveSpec | undefined;
  if (spec === undefined) throw new RunError(`${options.folder} is no learning curve.`);
  const told = toldOf(options);
  const run = await RunFolder.resume(options.folder, {
    command: told.command,
    onWarning: (text) => told.emit({ kind: 'warning', text }),
  });
  const settings = checkSettings(record.configuration.settings, options.folder);
  return work(run, { ...spec, data: options.data ?? spec.data }, settings, told);
}

async function work(run: RunFolder, spec: CurveSpec, settings: TrainSettings, told: Told): Promise<CurveResult> {
  const { stop, emit, command } = told;
  try {
    const trainings: CurveTraining[] = [];
    let first: string | undefined;
    // The whole part first: what it settles (rate, epochs) holds for the smaller ones.
    for (const share of [...spec.shares].reverse())
      for (let at = 0; at < spec.seeds; at++) {
        const seed = settings.seed + at;
        const like = first === undefined ? {} : likeThe(planOf(first));
        const done = await trainWithin({
          name: `${Math.round(1000 * share) / 10} %, seed ${seed}`,
          data: spec.data,
          ...(share === 1 ? {} : { part: { share, seed } }),
          // As many updates for small parts as for the whole would be longer than they need; as many epochs are fewer updates.
          settings: checkSettings(
            {
              ...settings,
              ...like,
              ...(first === undefined ? {} : epochsFor(planOf(first).optimisation.epochs, share)),
              seed,
              splitFile: run.file('split.json'),
              out: run.file('trainings'),
            },
            'the settings',
          ),
          stop,
          emit: passing(emit, []),
          command,
        });
        if (done.state === 'stopped') return await stopped(run, told);
        first ??= done.folder;
        const samples = readRecord(done.folder).split?.train as number;
        const score = done.score ?? Number.NaN;
        trainings.push({ share, samples, seed, score });
        emit({
          kind: 'note',
          text: `${`${Math.round(100 * share)} %`.padEnd(13)} ${samples.toLocaleString('en-GB')} samples, seed ${seed}: ${(100 * score).toFixed(1)} %`,
        });
      }
    const curve = await settle(run, trainings.reverse(), planOf(first as string).data);
    emit({ kind: 'finished', folder: run.path, state: 'finished', resumable: false, text: curve.text });
    return { folder: run.path, state: 'finished', curve };
  } catch (error) {
    if (run.writable) await run.end('failed', { reason: (error as Error).message });
    throw error;
  }
}

/** Epochs for a share: more of them, as fewer samples make fewer updates, but not so many that a tenth takes as long as all. */
const epochsFor = (whole: number, share: number): { readonly epochs: number } => ({
  epochs: Math.max(1, Math.round(whole / Math.sqrt(share))),
});

async function stopped(run: RunFolder, { stop, emit }: Told): Promise<CurveResult> {
  const reason = stop.reason ?? 'asked to stop';
  await run.end('stopped', { reason });
  const text = `Stopped (${reason}); every training so far is saved.`;
  emit({ kind: 'finished', folder: run.path, state: 'stopped', resumable: true, text });
  return { folder: run.path, state: 'stopped' };
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(1)}`;

async function settle(
  run: RunFolder,
  trainings: readonly CurveTraining[],
  data: { readonly multiLabel: boolean; readonly name: string },
): Promise<LearningCurve> {
  const points = trainings.map(({ samples, score }) => ({ samples, error: 1 - score }));
  const samples = Math.max(...points.map((point) => point.samples));
  const scoreName = data.multiLabel ? 'mean average precision' : 'accuracy';
  const ahead = predictError(points, 2 * samples);
  const now = 1 - errorAt(ahead.law, samples);
  const interval = { low: 1 - ahead.interval.high, high: 1 - ahead.interval.low };
  const twice = { score: 1 - ahead.error, gain: 1 - ahead.error - now, interval };
  const advice =
    interval.low > now + 0.005
      ? 'More data is worth collecting.'
      : twice.gain > 0.01
        ? 'It may be worth it; these trainings do not make it sure.'
        : 'More of the same data would hardly help; look for another remedy.';
  const text = `Twice the data (${(2 * samples).toLocaleString('en-GB')} samples) would bring about ${percent(twice.score)} ${scoreName} (95 %: ${percent(interval.low)} to ${percent(interval.high)}), ${signed(twice.gain)} points. ${advice}`;
  const curve: LearningCurve = { folder: run.path, scoreName, trainings, law: ahead.law, samples, twice, text };
  const { folder: _, ...portable } = curve;
  await writeFileAtomic(run.file('learning-curve.json'), `${JSON.stringify(portable, null, 2)}\n`);
  await writeFileAtomic(run.file('learning-curve.svg'), await drawSvg(drawing(curve, data.name, points)));
  const best = Math.max(...trainings.map(({ score }) => score));
  await run.update({ best: { metric: `validation ${scoreName}`, value: best, step: 0 } });
  await run.end('finished', { result: { metric: `validation ${scoreName}`, score: best, twice } });
  return curve;
}

function drawing(
  { law, samples, trainings, scoreName }: LearningCurve,
  name: string,
  points: readonly { readonly samples: number; readonly error: number }[],
): Drawing {
  const least = Math.min(...trainings.map((one) => one.samples));
  const x = Array.from({ length: 25 }, (_, i) => Math.round(least * ((2 * samples) / least) ** (i / 24)));
  const seeds = [...new Set(trainings.map(({ seed }) => seed))];
  const ranges = x.map((at) => predictError(points, at, { resamples: 200 }).interval);
  return {
    title: `${name}: ${scoreName} over the number of training samples`,
    xLabel: 'training samples',
    yLabel: `validation ${scoreName}`,
    logX: true,
    lines: [
      { name: 'power law', x, y: x.map((at) => 1 - errorAt(law, at)) },
      ...seeds.map((seed) => {
        const own = trainings.filter((one) => one.seed === seed);
        return { name: `seed ${seed}`, x: own.map((one) => one.samples), y: own.map(({ score }) => score) };
      }),
    ],
    band: { x, low: ranges.map(({ high }) => 1 - high), high: ranges.map(({ low }) => 1 - low) },
    marks: [{ x: samples, label: 'all there is' }],
  };
}
