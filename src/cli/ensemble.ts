/** `praxis ensemble`: several models whose probabilities are averaged. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { EnsembleComparison, Gain } from '../train/ensemble/compare.js';
import type { EnsembleResult } from '../train/ensemble/join.js';
import type { DistilResult } from '../train/ensemble/student.js';
import type { TrainedEnsemble } from '../train/ensemble/train.js';
import { reportAfter } from './report.js';
import { duration } from './runs.js';
import { addSettings, givenSettings } from './settings-flags.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
/** `1.1 points (95 %: -0.2 to 2.4)`. */
export const points = (gain: Gain): string =>
  `${(100 * gain.value).toFixed(1)} points (95 %: ${(100 * gain.interval.low).toFixed(1)} to ${(100 * gain.interval.high).toFixed(1)})`;
const millions = (x: number): string => (x >= 1e6 ? `${(x / 1e6).toFixed(1)} M` : `${(x / 1e3).toFixed(1)} k`);
const line = (title: string, text: string): string => `${title.padEnd(13)} ${text}`;

/** What a gain means, in words that do not claim more than its interval. */
function verdict({ overMean, overBest }: EnsembleComparison): string {
  if (overBest.interval.low > 0) return 'Better than every member, beyond what chance would do.';
  if (overMean.interval.low > 0)
    return 'Better than a member on average, beyond what chance would do; the best member may be as good.';
  if (overMean.interval.high < 0) return 'Worse than a member on average: do not use it.';
  return 'Within what chance would do: these pictures do not show that it helps.';
}

/** The lines that say what came of it. */
export function ensembleLines({ folder, comparison, cost }: EnsembleResult): string[] {
  const { members, calibration, disagreement } = comparison;
  const width = Math.max(...members.map(({ name }) => name.length));
  const loss = (x: number) => (Number.isNaN(x) ? '' : `  log loss ${x.toFixed(3)}`);
  return [
    ...members.map(
      ({ name, score, logLoss }, i) =>
        `${(i === 0 ? 'members' : '').padEnd(13)} ${name.padEnd(width)}  ${percent(score)}${loss(logLoss)}${i === comparison.best ? '  best' : ''}`,
    ),
    line(
      'ensemble',
      `${percent(comparison.ensemble.score)} ${comparison.scoreName} on the ${comparison.samples.toLocaleString('en-GB')} validation samples${loss(comparison.ensemble.logLoss)}`,
    ),
    line('gain', `${points(comparison.overMean)} over the mean member, ${percent(comparison.meanScore)}`),
    line('', `${points(comparison.overBest)} over the best, which was chosen on the same samples`),
    line('', verdict(comparison)),
    ...(disagreement === undefined
      ? []
      : [
          line(
            'disagreement',
            `two members differ on ${percent(disagreement.pairs)} of the samples; all agree on ${percent(disagreement.unanimous)}${disagreement.unanimous > 0 ? `, and are right on ${percent(disagreement.rightWhereUnanimous)} of those` : ''}; all are wrong on ${percent(disagreement.allWrong)}`,
          ),
        ]),
    ...(calibration.folds === 0
      ? []
      : [
          line(
            'calibration',
            `error ${percent(calibration.before)}, after temperature ${calibration.temperature.toFixed(2)}: ${percent(calibration.after)} (a perfect one would show ${percent(calibration.chance)} on so few); log loss ${calibration.logLossBefore.toFixed(3)}, after: ${calibration.logLossAfter.toFixed(3)} (cross-fitted in ${calibration.folds} parts)`,
          ),
        ]),
    line(
      'cost',
      `${cost.times} times a single model to predict: ${millions(cost.parameters)} parameters, ${millions(cost.multiplyAdds)} multiply-adds per sample; ${duration(cost.seconds)} of training`,
    ),
    line('report', `Everything is in ${folder}: model.safetensors holds all members, ensemble.json these figures.`),
    line('test', `sealed; when all choices are made, once: praxis test ${folder}`),
  ];
}

/** The lines about a student. */
export function studentLines({ folder, student }: DistilResult): string[] {
  if (student === undefined) return [];
  const { score, ensembleScore, meanScore, gain, kept } = student;
  const share = Number.isNaN(kept)
    ? ''
    : `: ${Math.round(100 * kept)} % of the ensemble's gain, at the cost of one model`;
  return [
    line('student', `${percent(score)}; the ensemble ${percent(ensembleScore)}, its mean member ${percent(meanScore)}`),
    line('', `${points(gain)} over the mean member${share}`),
    line('report', `Everything is in ${folder}.`),
  ];
}

interface EnsembleArguments {
  readonly config?: string;
  readonly members?: string;
  readonly bootstrap?: boolean;
  readonly subsets?: string;
  readonly snapshots?: boolean;
  readonly average?: string | true;
  readonly data?: string;
  readonly temperature: boolean;
  readonly distil?: boolean;
  readonly json?: boolean;
}

/** What a share is called on the command line. */
function shareOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const share = Number(text.replace(/\s*%$/, '')) / (text.endsWith('%') ? 100 : 1);
  if (!(share > 0 && share <= 1)) throw new Error(`--subsets takes a share above 0 and up to 1, got '${text}'.`);
  return share;
}

const isRun = (place: string): boolean => existsSync(path.join(place, 'run.json'));

export function addEnsemble(program: Command): void {
  const command = program
    .command('ensemble')
    .summary('average the probabilities of several models, and see what it gains')
    .description(
      [
        'praxis ensemble DATA --members 5 trains models that differ by their seeds on one split, in one process; takes all settings of praxis train',
        '(the budget is for each member). praxis ensemble RUN RUN… joins finished runs that share split, classes and picture size.',
        'praxis ensemble ENSEMBLE --distil teaches one network what the ensemble says.',
        '',
        'Cheaper: praxis ensemble RUN --snapshots joins the kept checkpoints of one run; praxis ensemble RUN… --average averages weights',
        'instead of probabilities, those of its checkpoints (SWA) or of several runs that began with the same weights (a soup), and keeps the one',
        'network that comes of it only if it validates better than the best alone.',
        '',
        'Shows the gain over the mean and the best member with its interval, how far they disagree, what it costs, and fits a temperature that',
        'makes the probabilities mean what they say. The folder is a run folder: praxis predict and praxis test take it, praxis resume goes on.',
      ].join('\n'),
    )
    .argument('<data or runs...>', 'a data set to train members on, or folders of finished runs')
    .option('--config <file>', 'settings from this file instead of praxis.config.*')
    .option('--members <count>', 'how many to train (default: 5)')
    .option('--bootstrap', 'train each on samples drawn with replacement')
    .option('--subsets <share>', 'train each on another share of the training part, e.g. 0.8')
    .option('--snapshots', 'join the kept checkpoints of one run (train it with --keep 5 or more)')
    .option('--average [way]', 'average weights: greedy, while it helps (the default), or uniform, all of them')
    .option('--data <path>', 'with --snapshots and --average: where the data are now, if they have moved')
    .option('--no-temperature', 'leave the probabilities as they are')
    .option('--distil', 'then train one network that says what the ensemble says')
    .option('--json', 'print all figures as JSON');
  addSettings(command);
  command.action(async (places: string[], options: EnsembleArguments) => {
    const { gatherSettings } = await import('../train/config/settings.js');
    const runs = places.filter(isRun);
    const training = runs.length === 0;
    const [missing] = places.filter((place) => !isRun(place));
    if (!training && missing !== undefined)
      throw new Error(`${missing} is no run folder; give either one data set to train on, or finished runs to join.`);
    if (training && places.length > 1)
      throw new Error(`Give one data set to train on, or finished runs to join; got ${places.join(', ')}.`);
    if (options.snapshots === true && (runs.length !== 1 || options.average !== undefined))
      throw new Error('--snapshots takes one finished run, whose kept checkpoints it joins by their probabilities.');
    if (options.average !== undefined && (training || options.distil === true))
      throw new Error('--average takes finished runs, and gives one network, which needs no --distil.');
    const { settings } = await gatherSettings(
      givenSettings(command),
      options.config === undefined ? {} : { config: options.config },
    );
    const { commandLine } = await import('../track/facts.js');
    const join = {
      out: settings.out,
      temperature: options.temperature,
      command: commandLine(),
      ...(settings.name === undefined ? {} : { name: settings.name }),
      ...(options.data === undefined ? {} : { data: options.data }),
    };
    if (options.average !== undefined) {
      const { average, averageLines, wayOf } = await import('./ensemble-average.js');
      const averaged = await average(runs, { ...join, way: wayOf(options.average) });
      if (options.json === true) console.log(JSON.stringify(averaged, null, 2));
      else for (const text of averageLines(averaged)) console.log(text);
      return;
    }
    let made: EnsembleResult | undefined;
    let stopped: string | undefined;
    let folder = runs[0] as string;
    if (training) {
      const { trainEnsemble } = await import('../train/ensemble/train.js');
      const subsets = shareOf(options.subsets);
      const trained = await shown((stop, emit) =>
        trainEnsemble({
          data: places[0] as string,
          settings,
          members: Number(options.members ?? 5),
          temperature: options.temperature,
          ...(options.bootstrap === undefined ? {} : { bootstrap: options.bootstrap }),
          ...(subsets === undefined ? {} : { subsets }),
          stop,
          emit,
          command: commandLine(),
        }),
      );
      made = trained.ensemble;
      if (made === undefined) return;
      stopped = trained.stopped;
    } else if (options.snapshots === true) {
      made = await (await import('./ensemble-average.js')).snapshots(folder, join);
    } else if (runs.length > 1 || options.distil !== true) {
      const { joinRuns } = await import('../train/ensemble/join.js');
      made = await joinRuns(runs, join);
    }
    if (made !== undefined) {
      folder = made.folder;
      if (options.json !== true) for (const text of ensembleLines(made)) console.log(text);
      await reportAfter(folder, undefined, options.json === true);
    }
    // Whoever asked to stop when the last member was done does not want a student begun.
    if (stopped !== undefined && options.distil === true) {
      console.error(`The ensemble is done, its student is not begun; go on with: praxis ensemble ${folder} --distil`);
      const { signalCodes } = await import('./training.js');
      process.exitCode = stopped === 'SIGTERM' ? signalCodes.SIGTERM : signalCodes.SIGINT;
    }
    const student =
      options.distil === true && stopped === undefined ? await teach(folder, command, commandLine()) : undefined;
    if (options.json === true) console.log(JSON.stringify({ ...made, student: student?.student }, null, 2));
    else if (student !== undefined) for (const text of studentLines(student)) console.log(text);
    if (student?.state === 'finished') await reportAfter(student.folder, undefined, options.json === true);
  });
}

type Work<Result> = (
  stop: import('../train/stop.js').StopSignal,
  emit: (event: import('../train/events.js').TrainEvent) => void,
) => Promise<Result>;

/** Shows trainings until they end; gives what they came to, if that is anything, and why they were asked to stop, if they were. */
export async function shown(
  work: Work<TrainedEnsemble>,
): Promise<{ readonly ensemble: EnsembleResult | undefined; readonly stopped: string | undefined }> {
  const [{ Training }, { showTraining }] = await Promise.all([import('../train/train.js'), import('./training.js')]);
  let result: TrainedEnsemble | undefined;
  let signal: import('../train/stop.js').StopSignal | undefined;
  const training = new Training(async (stop, emit) => {
    signal = stop;
    result = await work(stop, emit);
    return result;
  });
  process.exitCode = await showTraining(training);
  return { ensemble: result?.ensemble, stopped: signal?.reason };
}

async function teach(folder: string, command: Command, typed: string): Promise<DistilResult> {
  const [{ distil }, { Training }, { showTraining }, { parseFlag }] = await Promise.all([
    import('../train/ensemble/student.js'),
    import('../train/train.js'),
    import('./training.js'),
    import('../train/config/settings.js'),
  ]);
  // What was typed for the members holds for the student too; where only a teacher was named it is the student's own.
  const given = Object.entries(givenSettings(command)).filter(
    ([name]) => !['name', 'splitFile', 'seed'].includes(name),
  );
  const settings = Object.fromEntries(
    given.map(([name, text]) => [name, parseFlag(name as Parameters<typeof parseFlag>[0], text)]),
  );
  let result: DistilResult | undefined;
  const training = new Training(async (stop, emit) => {
    emit({ kind: 'note', text: line('student', `learns from ${folder}`) });
    result = await distil(folder, { settings, stop, emit, command: typed });
    return result;
  });
  process.exitCode = await showTraining(training);
  return result as DistilResult;
}
