/** Several runs side by side: what differs in their settings, and whether the difference in their results is one. */
import type { Interval } from '../data/intervals.js';
import { ConfigError } from '../train/errors.js';
import { bootstrapIntervals } from '../train/metrics.js';
import type { Curves, StepCurves } from './curves.js';
import { argmax } from './numbers.js';
import { type ReportData, reportData } from './report-data.js';
import type { Predicted, RunFiles } from './run-files.js';

/** One run of a comparison. */
export interface ComparedRun {
  /** Short, and different from those of the others. */
  readonly label: string;
  readonly folder: string;
  readonly state: ReportData['run']['state'];
  readonly data: string;
  readonly model: string;
  readonly parameters: number | null;
  /** Accuracy, or mean average precision; null where it has no result. */
  readonly score: number | null;
  readonly interval: Interval | null;
  readonly count: number | null;
  readonly logLoss: number | null;
  readonly calibrationError: number | null;
  readonly epoch: number | null;
  readonly epochs: number;
  readonly seconds: number;
  readonly perSecond: number | null;
  readonly test: number | null;
  readonly recall: readonly number[];
  readonly curves: Curves;
  readonly steps: StepCurves;
}

/** Two runs on the same samples. */
export interface Pair {
  readonly first: number;
  readonly second: number;
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
  /** Accuracy of the second less that of the first. */
  readonly difference: number;
  /** 95 %, by a bootstrap that draws samples and so keeps the pairs. */
  readonly interval: Interval;
  /** McNemar's exact test: how probable so uneven a split of the samples on which they differ is, were they equally good. */
  readonly pValue: number;
}

export interface ComparisonData {
  readonly format: 'praxis-comparison';
  readonly version: 1;
  readonly runs: readonly ComparedRun[];
  readonly classes: readonly string[];
  readonly noun: string;
  /** Whether all were validated on the same samples; only then is there a difference to test. */
  readonly sameSamples: boolean;
  readonly pairs: readonly Pair[];
  /** Samples that no run gets right. */
  readonly hardest: readonly string[];
  readonly settings: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly headline: string;
  readonly sentences: readonly string[];
}

/**
 * Two-sided exact McNemar test: the smaller count of a fair coin's throws, and all that are as rare.
 * Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages" (1947)
 */
export function mcNemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  if (n === 0) return 1;
  // Terms of the binomial distribution, from their logarithms: 2^-n underflows for large n.
  let log = -n * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    sum += Math.exp(log);
    log += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}

const rightOf = ({ target, probabilities }: Predicted): boolean => argmax(probabilities) === target;

function pairOf(first: number, second: number, right: readonly (readonly boolean[])[]): Pair {
  const [a, b] = [right[first] as readonly boolean[], right[second] as readonly boolean[]];
  const count = (mine: boolean, theirs: boolean) => a.filter((one, i) => one === mine && b[i] === theirs).length;
  const [onlyFirst, onlySecond] = [count(true, false), count(false, true)];
  const differences = Int8Array.from(a, (one, i) => Number(b[i]) - Number(one));
  const { difference } = bootstrapIntervals(
    a.length,
    (positions) => {
      let sum = 0;
      for (const i of positions) sum += differences[i] as number;
      return { difference: sum / positions.length };
    },
    { resamples: 2000 },
  );
  return {
    first,
    second,
    both: count(true, true),
    onlyFirst,
    onlySecond,
    neither: count(false, false),
    difference: (onlySecond - onlyFirst) / a.length,
    interval: difference,
    pValue: mcNemar(onlyFirst, onlySecond),
  };
}

/** Names that tell the runs apart: the model where that does, else the folder. */
function labelsOf(reports: readonly ReportData[]): string[] {
  const folders = reports.map(({ run }) => run.folder.split(/[\\/]/).pop() ?? run.folder);
  const dateless = folders.map((name) => name.replace(/^\d{4}-\d\d-\d\d-/, ''));
  const distinct = (names: readonly string[]) => new Set(names).size === names.length;
  const models = reports.map(({ model }) => model.name);
  if (models.every((name) => name !== '') && distinct(models)) return models;
  if (distinct(dateless)) return dateless;
  return distinct(folders) ? folders : reports.map(({ run }) => run.folder);
}

const shown = (value: unknown): string =>
  value === undefined || value === null ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** Settings in which the runs differ, as they were resolved. */
function differing(files: readonly RunFiles[], reports: readonly ReportData[]): ComparisonData['settings'] {
  const resolved = reports.map(({ settings, model }, i) => {
    const { plan } = files[i] as RunFiles;
    const all = new Map(settings.map(({ name, value, became }) => [name, shown(became ?? value)]));
    if (plan !== undefined) {
      const { optimisation, machine, augmentation, data } = plan;
      for (const name of [
        'epochs',
        'batchSize',
        'learningRate',
        'weightDecay',
        'labelSmoothing',
        'schedule',
        'optimizer',
      ] as const)
        all.set(
          name,
          shown(
            typeof optimisation[name] === 'number' ? Number(optimisation[name].toPrecision(4)) : optimisation[name],
          ),
        );
      for (const name of ['precision', 'memoryFormat', 'threads', 'device'] as const)
        all.set(name, shown(machine[name]));
      all.set('convolutions', shown(machine.convolutions ?? 'engine'));
      all.set('ema', shown(optimisation.ema ?? 'off'));
      all.set('progressive', optimisation.progressive === undefined ? 'off' : 'on');
      all.set('augment', shown(augmentation?.preset ?? 'none'));
      if (data.form !== undefined) all.set('size', `${data.form.height} × ${data.form.width}`);
      all.set('model', model.name);
    }
    return all;
  });
  const names = [...new Set(resolved.flatMap((all) => [...all.keys()]))].filter(
    (name) => !['name', 'out'].includes(name),
  );
  return names
    .map((name) => ({ name, values: resolved.map((all) => all.get(name) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
const points = (x: number): string => `${x > 0 ? '+' : x < 0 ? '−' : ''}${Math.abs(100 * x).toFixed(1)}`;
const shortP = (p: number): string => (p < 0.001 ? 'below 0.001' : p.toPrecision(2));

function verdict(runs: readonly ComparedRun[], pairs: readonly Pair[], same: boolean, noun: string) {
  const scored = runs.map((run, i) => ({ ...run, i })).filter(({ score }) => score !== null);
  if (scored.length < 2)
    return {
      headline: 'Fewer than two of these runs have a result, so there is nothing to compare yet.',
      sentences: [],
    };
  const [best, next] = scored.toSorted((a, b) => (b.score as number) - (a.score as number)) as [
    (typeof scored)[number],
    (typeof scored)[number],
  ];
  const both = `${best.label} ${percent(best.score as number)}, ${next.label} ${percent(next.score as number)}`;
  if (!same)
    return {
      headline: `${both}: measured on different ${noun}s.`,
      sentences: [
        `These runs were not validated on the same ${noun}s, so the difference is partly that of the ${noun}s. Train them on one split (--split-file) to compare them ${noun} by ${noun}.`,
      ],
    };
  const pair = pairs.find(
    ({ first, second }) => (first === best.i && second === next.i) || (first === next.i && second === best.i),
  );
  if (pair === undefined) return { headline: `${both}.`, sentences: [] };
  const sign = pair.second === best.i ? 1 : -1;
  const [low, high] = sign > 0 ? [pair.interval.low, pair.interval.high] : [-pair.interval.high, -pair.interval.low];
  const [mine, theirs] = sign > 0 ? [pair.onlySecond, pair.onlyFirst] : [pair.onlyFirst, pair.onlySecond];
  const proven = pair.pValue < 0.05;
  return {
    headline: proven
      ? `${best.label} is better than ${next.label}: ${percent(best.score as number)} against ${percent(next.score as number)}.`
      : `${both}: not a difference that these ${noun}s can show.`,
    sentences: [
      `On the same ${best.count} ${noun}s ${best.label} alone is right on ${mine}, ${next.label} alone on ${theirs}: ${points(sign * pair.difference)} points (95 %: ${points(low)} to ${points(high)}; McNemar's exact test: p ${shortP(pair.pValue)}).`,
      ...(runs.length > 2
        ? [
            `The best of ${runs.length} looks better than it is, because it was chosen on these ${noun}s; of many comparisons one in twenty falls below 0.05 by chance.`,
          ]
        : []),
      'Another seed would move each of them as well: a difference that matters shows again with other seeds.',
    ],
  };
}

/** Compares runs. @throws ConfigError when they have other classes, so that nothing can be compared */
export function comparisonData(files: readonly RunFiles[]): ComparisonData {
  const reports = files.map(reportData);
  const [first] = reports as [ReportData, ...ReportData[]];
  const { classes, noun } = first.data;
  for (const [i, { data, run }] of reports.entries())
    if (data.classes.join('\n') !== classes.join('\n'))
      throw new ConfigError(
        `${run.folder}: this run has other classes (${data.classes.length}) than ${first.run.folder} (${classes.length}); runs ${i + 1} and 1 cannot be compared.`,
      );
  const labels = labelsOf(reports);
  const runs = reports.map((report, i): ComparedRun => {
    const { figures, chosen, time, tests } = report;
    const one = figures?.kind === 'one label' ? figures : undefined;
    return {
      label: labels[i] as string,
      folder: report.run.folder,
      state: report.run.state,
      data: report.data.name,
      model: report.model.name,
      parameters: report.model.parameters,
      score: one?.accuracy ?? (figures?.kind === 'many labels' ? figures.meanAveragePrecision : null),
      interval: one?.intervals.accuracy ?? null,
      count: figures?.count ?? null,
      logLoss: one?.logLoss ?? null,
      calibrationError: one?.calibrationError ?? null,
      epoch: chosen?.epoch ?? null,
      epochs: report.curves.epoch.length,
      seconds: time.training ?? time.whole,
      perSecond: time.perSecond,
      test: tests[0]?.score ?? null,
      recall: figures?.perClass.map(({ recall }) => recall) ?? [],
      curves: report.curves,
      steps: report.steps,
    };
  });
  // In one order for all: workers and resumed runs may have written them in others.
  const rows = files.map(({ predicted }) =>
    predicted.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  );
  const key = (all: readonly Predicted[]): string => JSON.stringify(all.map(({ name, target }) => [name, target]));
  const keys = rows.filter((all) => all.length > 0).map(key);
  const sameSamples = keys.length > 1 && new Set(keys).size === 1;
  const single = reports.every(({ figures }) => figures === null || figures.kind === 'one label');
  const right = rows.map((all) => all.map(rightOf));
  const pairs =
    sameSamples && single
      ? runs.flatMap((_, a) =>
          runs.flatMap((__, b) =>
            b <= a || rows[a]?.length === 0 || rows[b]?.length === 0 ? [] : [pairOf(a, b, right)],
          ),
        )
      : [];
  const with_ = right.filter((all) => all.length > 0);
  const hardest =
    pairs.length === 0
      ? []
      : (rows.find((all) => all.length > 0) ?? [])
          .filter((_, i) => with_.every((all) => all[i] === false))
          .map(({ name }) => name);
  return {
    format: 'praxis-comparison',
    version: 1,
    runs,
    classes,
    noun,
    sameSamples,
    pairs,
    hardest,
    settings: differing(files, reports),
    ...verdict(runs, pairs, sameSamples && single, noun),
  };
}
