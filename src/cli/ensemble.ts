/** `praxis ensemble`: several models whose probabilities are averaged. */
import type { Command } from 'commander';
import type { EnsembleComparison, Gain } from '../train/ensemble/compare.js';
import type { EnsembleResult } from '../train/ensemble/join.js';
import { duration } from './runs.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const points = (gain: Gain): string =>
  `${(100 * gain.value).toFixed(1)} points (95 %: ${(100 * gain.interval.low).toFixed(1)} to ${(100 * gain.interval.high).toFixed(1)})`;
const millions = (x: number): string => (x >= 1e6 ? `${(x / 1e6).toFixed(1)} M` : `${(x / 1e3).toFixed(1)} k`);

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
  const line = (title: string, text: string) => `${title.padEnd(13)} ${text}`;
  const loss = (x: number) => (Number.isNaN(x) ? '' : `  log loss ${x.toFixed(3)}`);
  return [
    ...members.map(
      ({ name, score, logLoss }, i) =>
        `${(i === 0 ? 'members' : '').padEnd(13)} ${name.padEnd(width)}  ${percent(score)}${loss(logLoss)}${i === comparison.best ? '  best' : ''}`,
    ),
    line(
      'ensemble',
      `${percent(comparison.ensemble.score)} ${comparison.scoreName} on the ${comparison.samples.toLocaleString('en-GB')} validation pictures${loss(comparison.ensemble.logLoss)}`,
    ),
    line('gain', `${points(comparison.overMean)} over the mean member, ${percent(comparison.meanScore)}`),
    line('', `${points(comparison.overBest)} over the best, which was chosen on the same pictures`),
    line('', verdict(comparison)),
    ...(disagreement === undefined
      ? []
      : [
          line(
            'disagreement',
            `two members differ on ${percent(disagreement.pairs)} of the pictures; all agree on ${percent(disagreement.unanimous)}${disagreement.unanimous > 0 ? `, and are right on ${percent(disagreement.rightWhereUnanimous)} of those` : ''}; ${percent(disagreement.allWrong)} are wrong for all`,
          ),
        ]),
    ...(calibration.folds === 0
      ? []
      : [
          line(
            'calibration',
            `error ${percent(calibration.before)}, after temperature ${calibration.temperature.toFixed(2)}: ${percent(calibration.after)}; log loss ${calibration.logLossBefore.toFixed(3)}, after: ${calibration.logLossAfter.toFixed(3)} (cross-fitted in ${calibration.folds} parts)`,
          ),
        ]),
    line(
      'cost',
      `${cost.times} times a single model to predict: ${millions(cost.parameters)} parameters, ${millions(cost.multiplyAdds)} multiply-adds per picture; ${duration(cost.seconds)} of training`,
    ),
    line('report', `Everything is in ${folder}: model.safetensors holds all members, ensemble.json these figures.`),
    line('test', `sealed; when all choices are made, once: praxis test ${folder}`),
  ];
}

interface EnsembleArguments {
  readonly out: string;
  readonly name?: string;
  readonly temperature: boolean;
  readonly json?: boolean;
}

export function addEnsemble(program: Command): void {
  program
    .command('ensemble')
    .summary('average the probabilities of several models, and see what it gains')
    .description(
      [
        'Joins finished runs that share split, classes and picture size: averages their probabilities, shows the gain over the mean and',
        'the best of them, how far they disagree, what it costs, and fits a temperature that makes the probabilities mean what they say.',
        '',
        'The folder is a run folder: praxis predict and praxis test take it. Each model overfits in its own way; the mean keeps what they share.',
      ].join('\n'),
    )
    .argument('<runs...>', 'folders of finished runs')
    .option('--out <folder>', 'where the folder of the ensemble is made', 'runs')
    .option('--name <text>', 'its name; by default the date and the data')
    .option('--no-temperature', 'leave the probabilities as they are')
    .option('--json', 'print all figures as JSON')
    .action(async (folders: string[], options: EnsembleArguments) => {
      const [{ joinRuns }, { commandLine }] = await Promise.all([
        import('../train/ensemble/join.js'),
        import('../track/facts.js'),
      ]);
      const result = await joinRuns(folders, {
        out: options.out,
        temperature: options.temperature,
        command: commandLine(),
        ...(options.name === undefined ? {} : { name: options.name }),
      });
      if (options.json === true) console.log(JSON.stringify(result, null, 2));
      else for (const line of ensembleLines(result)) console.log(line);
    });
}
