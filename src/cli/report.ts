/** `praxis report`: the page of a run. */
import path from 'node:path';
import type { Command } from 'commander';

interface ReportArguments {
  readonly out?: string;
  readonly data?: string;
  readonly open?: boolean;
  readonly json?: boolean;
}

/** As one would type it. */
export const shortPath = (file: string): string => {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') || relative === '' ? file : relative;
};

/** Writes the report after a run and says where it is. A report that cannot be made ends nothing. */
export async function reportAfter(folder: string, data?: string, quiet = false): Promise<void> {
  try {
    const { writeReport } = await import('../report/write.js');
    const { file } = await writeReport(folder, data === undefined ? {} : { data });
    if (!quiet) console.log(`${'page'.padEnd(13)} ${shortPath(file)}: open it in a browser; it needs nothing else.`);
  } catch (error) {
    console.error(
      `! The report could not be written: ${(error as Error).message} Try again with: praxis report ${folder}`,
    );
  }
}

export function addReport(program: Command): void {
  program
    .command('report')
    .summary('write the page of a run: how good it is, where it fails, what to try next; of several: which is better')
    .description(
      [
        'Writes report.html into the run folder: verdict, curves, confusions, mistakes with pictures, calibration, class by class,',
        'settings, and how to use the model. The page needs no network. praxis train writes it by itself at the end.',
        '',
        'Of several runs it writes comparison.html here: what differs in their settings, their curves, their results with intervals,',
        'and, where they were validated on the same pictures, whether the difference is one.',
      ].join('\n'),
    )
    .argument('<runs...>', 'run folder, or several to compare')
    .option('--out <file>', 'write the page there')
    .option('--data <path>', 'where the data are now, if they have moved')
    .option('--open', 'open it in the browser')
    .option('--json', 'print all figures as JSON')
    .action(async (runs: string[], options: ReportArguments) => {
      const file = runs.length === 1 ? await one(runs[0] as string, options) : await several(runs, options);
      if (options.open !== true) return;
      const { openBrowser } = await import('./open-browser.js');
      openBrowser(file);
    });
}

async function print(data: unknown, options: ReportArguments, lines: readonly string[]): Promise<void> {
  if (options.json === true) {
    const { stringifyPlain } = await import('../track/json.js');
    console.log(stringifyPlain(data, 2));
  } else for (const line of lines) console.log(line);
}

async function one(folder: string, options: ReportArguments): Promise<string> {
  const { writeReport } = await import('../report/write.js');
  const { file, data, problem } = await writeReport(folder, {
    ...(options.out === undefined ? {} : { file: options.out }),
    ...(options.data === undefined ? {} : { data: options.data }),
  });
  const { headline, sentences } = data.verdict;
  const without = problem === undefined ? [] : [`Without pictures: ${problem}`];
  await print(data, options, [headline, ...sentences, ...without, '', shortPath(file)]);
  return file;
}

async function several(folders: readonly string[], options: ReportArguments): Promise<string> {
  const { writeComparison } = await import('../report/write.js');
  const { file, data } = await writeComparison(folders, options.out);
  await print(data, options, [data.headline, ...data.sentences, '', shortPath(file)]);
  return file;
}
