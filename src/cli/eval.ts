/** `praxis eval`: how good a finished run is on other data. */
import type { Command } from 'commander';
import { progressLine } from './progress.js';
import { wholeNumber } from './values.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function addEval(program: Command): void {
  program
    .command('eval')
    .summary('measure a finished run on other labelled data')
    .description(
      'Measures the chosen weights on a labelled folder, table or file: accuracy and more, with 95 % intervals. Classes are matched by name.\nSamples that the run was trained on are told; those of its sealed test part are left out. The run is not changed.',
    )
    .argument('<run>', 'run folder')
    .argument('<data>', 'labelled data: a folder per class, a table, an archive')
    .option('--only-new', 'leave out samples of its training and validation part, too')
    .option('--batch-size <count>', 'how many go through the network at once', '64')
    .option('--json', 'print all figures as JSON')
    .action(async (folder: string, data: string, options: { onlyNew?: boolean; batchSize: string; json?: boolean }) => {
      const batchSize = wholeNumber('--batch-size', options.batchSize);
      const [{ loadRun }, { stringifyPlain }] = await Promise.all([
        import('../train/predict.js'),
        import('../track/json.js'),
      ]);
      const run = await loadRun(folder);
      const progress = progressLine(process.stderr);
      const result = await run.evaluate(data, {
        onlyNew: options.onlyNew === true,
        batchSize,
        onBatch: (done, all) => progress.show(`batch ${done}/${all}`),
      });
      progress.clear();
      if (options.json === true) {
        console.log(stringifyPlain(result, 2));
        return;
      }
      const range = (name: string): string => {
        const interval = result.intervals[name];
        return interval === undefined ? '' : ` (95 %: ${percent(interval.low)} to ${percent(interval.high)})`;
      };
      const tell = (name: string, text: string): void => console.log(`${name.padEnd(22)} ${text}`);
      tell(result.scoreName, `${percent(result.score)}${range('accuracy')} of ${result.samples} ${run.kind}s`);
      const { report } = result;
      if ('balancedAccuracy' in report) {
        if (report.top5 !== undefined) tell('among the first five', `${percent(report.top5)}${range('top5')}`);
        tell('balanced accuracy', `${percent(report.balancedAccuracy)}${range('balancedAccuracy')}`);
        tell('macro F1', `${percent(report.macroF1)}${range('macroF1')}`);
        const loss = result.intervals.logLoss;
        tell(
          'log loss',
          `${report.logLoss.toFixed(3)}${loss === undefined ? '' : ` (95 %: ${loss.low.toFixed(3)} to ${loss.high.toFixed(3)})`}`,
        );
        tell('calibration error', percent(report.calibrationError));
        const worst = report.perClass
          .map((one, i) => ({ ...one, name: result.classes[i] as string }))
          .filter(({ support, recall }) => support > 0 && recall < 1)
          .sort((a, b) => a.recall - b.recall)
          .slice(0, 3);
        if (worst.length > 0)
          tell(
            'most often missed',
            worst.map(({ name, recall, support }) => `${name} ${percent(1 - recall)} of ${support}`).join(', '),
          );
      } else {
        tell('micro F1', percent(report.microF1));
        tell('macro F1', percent(report.macroF1));
        tell('all labels right', percent(report.exactMatch));
      }
      for (const note of result.notes) console.log(`! ${note}`);
    });
}
