/** `praxis test`: the one look at the sealed part. */
import type { Command } from 'commander';
import { points } from './ensemble.js';
import { reportAfter } from './report.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function addTest(program: Command): void {
  program
    .command('test')
    .summary('open the sealed test part and measure the chosen model, once')
    .description(
      'Measures the chosen weights of a finished run on pictures that nothing was chosen by. The use is written into the run for good;\na second one needs --again, and every report shows it.',
    )
    .argument('<run>', 'run folder')
    .option('--again', 'open the seal a further time, knowing that the result becomes less true')
    .option('--tta', 'look at each picture several times, a little moved and mirrored, and average the answers')
    .option('--data <path>', 'where the data are now, if they have moved')
    .option('--json', 'print all figures as JSON')
    .action(async (folder: string, options: { again?: boolean; tta?: boolean; data?: string; json?: boolean }) => {
      const [{ testRun }, { commandLine }] = await Promise.all([
        import('../train/test-run.js'),
        import('../track/facts.js'),
      ]);
      const result = await testRun(folder, {
        again: options.again === true,
        tta: options.tta === true,
        command: commandLine(),
        ...(options.data === undefined ? {} : { data: options.data }),
      });
      if (options.json === true) {
        console.log(JSON.stringify(result, null, 2));
        await reportAfter(folder, options.data, true);
        return;
      }
      const range = (name: string): string => {
        const interval = result.intervals[name];
        return interval === undefined ? '' : ` (95 %: ${percent(interval.low)} to ${percent(interval.high)})`;
      };
      console.log(
        `${result.scoreName.padEnd(18)} ${percent(result.score)}${range('accuracy')} of ${result.samples} test pictures`,
      );
      if ('balancedAccuracy' in result.report) {
        const { report } = result;
        console.log(
          `${'balanced accuracy'.padEnd(18)} ${percent(report.balancedAccuracy)}${range('balancedAccuracy')}`,
        );
        console.log(`${'log loss'.padEnd(18)} ${report.logLoss.toFixed(3)}`);
        const chance = result.calibrationByChance;
        console.log(
          `${'calibration error'.padEnd(18)} ${percent(report.calibrationError)}${chance === undefined ? '' : ` (a perfectly calibrated model would show ${percent(chance)} on as many)`}`,
        );
      }
      if (result.members !== undefined) {
        const { members, meanScore, best, overMean } = result.members;
        console.log(
          `${'members'.padEnd(18)} ${percent(meanScore)} on average, ${percent((members[best] as { score: number }).score)} at best, each alone; together ${points(overMean)} over their mean`,
        );
      }
      if (result.student !== undefined) {
        const { ensembleScore, meanScore, kept } = result.student;
        console.log(
          `${'taught by'.padEnd(18)} an ensemble with ${percent(ensembleScore)}, its mean member ${percent(meanScore)}${kept === null ? '' : `: keeps ${Math.round(100 * kept)} % of what it gains`}`,
        );
      }
      console.log(
        result.uses === 1
          ? 'The seal is open: this was the one test. It is written down in split.json.'
          : `The test part has now been opened ${result.uses} times; what was chosen in between may have been chosen for it.`,
      );
      await reportAfter(folder, options.data);
    });
}
