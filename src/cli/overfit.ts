/** `praxis overfit`: what every layer of a finished run knows of its training samples, and of others. */
import type { Command } from 'commander';
import type { OverfitReport } from '../train/overfit/overfit.js';
import { progressLine } from './progress.js';
import { reportAfter } from './report.js';

/** A share as a bar of twenty characters, training and validation part on one line. */
function bar(train: number, validation: number): string {
  const at = (share: number) => Math.round(20 * Math.max(0, Math.min(1, share)));
  const [low, high] = [at(Math.min(train, validation)), at(Math.max(train, validation))];
  return `${'█'.repeat(low)}${'░'.repeat(high - low)}${' '.repeat(20 - high)}`;
}

/** The table. */
export function overfitLines(report: OverfitReport): string[] {
  const width = Math.max(5, ...report.layers.map(({ name }) => name.length));
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(8);
  return [
    `${'layer'.padEnd(width)}  ${'training'.padStart(8)}  ${'validation'.padStart(10)}  ${'gap'.padStart(6)}`,
    ...report.layers.map(
      ({ name, train, validation, gap }) =>
        `${name.padEnd(width)}  ${percent(train)}  ${percent(validation).padStart(10)}  ${(100 * gap).toFixed(1).padStart(6)}  ${bar(train, validation)}`,
    ),
    '',
    report.text,
    ...classLines(report),
    ...(report.lateCount === 0
      ? []
      : [
          `${report.lateCount.toLocaleString('en-GB')} training samples are named rightly by the last layers only: odd, hard, wrongly labelled, or learnt by heart. Look at them: ${report.late
            .slice(0, 3)
            .map(({ name }) => name)
            .join(', ')}${report.lateCount > 3 ? ', … (overfit.json)' : ''}.`,
        ]),
    `Linear probes on ${report.features} numbers of each layer at most, ${report.samples.train.toLocaleString('en-GB')} training and ${report.samples.validation.toLocaleString('en-GB')} validation samples; drawn in ${report.run}/overfit.svg.`,
  ];
}

/** The classes that are known by heart most, where they differ. */
function classLines({ classes }: OverfitReport): string[] {
  const sorted = [...classes].filter(({ gap }) => Number.isFinite(gap)).sort((a, b) => b.gap - a.gap);
  const [most, least] = [sorted[0], sorted.at(-1)];
  if (most === undefined || least === undefined || sorted.length < 2) return [];
  const points = (gap: number) => `${(100 * gap).toFixed(1)} points`;
  return [
    `By class the gap is largest for ${most.name} (${points(most.gap)}) and least for ${least.name} (${points(least.gap)}).`,
  ];
}

export function addOverfit(program: Command): void {
  program
    .command('overfit')
    .summary('see after which layer of a finished run overfitting begins')
    .description(
      [
        'Freezes the chosen network and trains a linear classifier on what comes out of every layer, on the training pictures; measures it on',
        'them and on the validation pictures. Where the two part, the network knows its own pictures better than others. Nothing of the run is',
        'changed; overfit.json and overfit.svg are put beside it, and its page is written anew.',
      ].join('\n'),
    )
    .argument('<run>', 'folder of a finished run')
    .option('--data <path>', 'where the data are now, if they have moved')
    .option('--samples <count>', 'training samples to look at, at most', '4000')
    .option('--features <count>', 'numbers that each probe gets, at most: the same for all layers', '64')
    .option('--json', 'print all figures as JSON')
    .action(async (folder: string, options: { data?: string; samples: string; features: string; json?: boolean }) => {
      const counts = (['samples', 'features'] as const).map((name) => {
        const count = Number(options[name]);
        if (!Number.isInteger(count) || count < 1)
          throw new Error(`--${name} takes a whole number from 1, got '${options[name]}'.`);
        return count;
      });
      const { overfit } = await import('../train/overfit/overfit.js');
      const line = progressLine(process.stderr);
      const report = await overfit(folder, {
        samples: counts[0] as number,
        features: counts[1] as number,
        ...(options.data === undefined ? {} : { data: options.data }),
        onProgress: (text, share) => line.show(`${text} ${Math.round(100 * share)} %`),
      }).finally(() => line.clear());
      if (options.json === true) console.log(JSON.stringify(report, null, 2));
      else for (const text of overfitLines(report)) console.log(text);
      // The page has a place for it.
      await reportAfter(folder, options.data, options.json === true);
    });
}
