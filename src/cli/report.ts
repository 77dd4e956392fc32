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
    if (!quiet) console.log(`${'report'.padEnd(13)} ${shortPath(file)}: open it in a browser; it needs nothing else.`);
  } catch (error) {
    console.error(
      `! The report could not be written: ${(error as Error).message} Try again with: praxis report ${folder}`,
    );
  }
}

export function addReport(program: Command): void {
  program
    .command('report')
    .summary('write the page of a run: how good it is, where it fails, what to try next')
    .description(
      'Writes report.html into the run folder: verdict, curves, confusions, mistakes with pictures, calibration, class by class,\nsettings, and how to use the model. The page needs no network. praxis train writes it by itself at the end.',
    )
    .argument('<run>', 'run folder')
    .option('--out <file>', 'write the page there')
    .option('--data <path>', 'where the data are now, if they have moved')
    .option('--open', 'open it in the browser')
    .option('--json', 'print all figures as JSON')
    .action(async (folder: string, options: ReportArguments) => {
      const { writeReport } = await import('../report/write.js');
      const { stringifyPlain } = await import('../track/json.js');
      const { file, data, problem } = await writeReport(folder, {
        ...(options.out === undefined ? {} : { file: options.out }),
        ...(options.data === undefined ? {} : { data: options.data }),
      });
      if (options.json === true) console.log(stringifyPlain(data, 2));
      else {
        console.log(data.verdict.headline);
        for (const sentence of data.verdict.sentences) console.log(sentence);
        if (problem !== undefined) console.log(`Without pictures: ${problem}`);
        console.log(`\n${shortPath(file)}`);
      }
      if (options.open === true) {
        const { openBrowser } = await import('./open-browser.js');
        openBrowser(file);
      }
    });
}
