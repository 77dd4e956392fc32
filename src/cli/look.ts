/** `praxis look`: what is in the data, and what is wrong with it. */
import { type Command, InvalidArgumentError } from 'commander';
import { progressLine } from './progress.js';

interface LookArguments {
  json?: boolean;
  html?: string;
  fixList?: string;
  exclude?: string | false;
  quick?: boolean;
  turned?: boolean;
  pictures: boolean;
  samples: number;
  seed: number;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('a whole number was expected.');
  return value;
}

const stages = {
  pictures: 'looking at picture',
  copies: 'comparing pictures',
  outliers: 'looking for outliers',
} as const;

export function addLook(program: Command): void {
  program
    .command('look')
    .summary('show what is in the data, and what is wrong with it')
    .description(
      'Looks at every sample of DATA (a folder of pictures by class, a manifest, an archive, a table, labelled texts): labels,\nsizes, damaged files, copies, dark, blurred and odd pictures, leaks. The data is read and never changed.',
    )
    .argument('<data>', 'the data set')
    .option('--html <file>', 'also write a page with pictures, which needs no network')
    .option('--json', 'print everything as JSON')
    .option(
      '--fix-list <file>',
      'write a list of what to leave out; praxis-exclude.jsonl in DATA is honoured by all commands',
    )
    .option('--exclude <file>', 'leave out the samples of this list')
    .option('--no-exclude', 'look at everything, whatever lists lie with the data')
    .option('--quick', 'without near copies, outliers and separability')
    .option('--turned', 'look for mirrored and turned copies, too')
    .option('--no-pictures', 'no small pictures in the terminal, which are shown where it can')
    .option('--samples <n>', 'pictures per class on the page', wholeNumber, 12)
    .option('--seed <n>', 'which pictures are drawn for the page', wholeNumber, 0)
    .action(async (source: string, options: LookArguments) => {
      const progress = progressLine(process.stderr);
      try {
        await run(source, options, progress);
      } finally {
        progress.clear();
      }
    });
}

async function run(source: string, options: LookArguments, progress: ReturnType<typeof progressLine>): Promise<void> {
  const [{ openSource }, { look }, { terminalSummary }] = await Promise.all([
    import('../data/open-source.js'),
    import('../look/look.js'),
    import('../look/terminal.js'),
  ]);
  const excludeFile = options.exclude;
  const dataset = await openSource(source, excludeFile === undefined ? {} : { excludeFile });
  const { seed } = options;
  const report = await look(dataset, {
    seed,
    quick: options.quick === true,
    turned: options.turned === true,
    onEvent: (event) => {
      if (event.kind === 'counts')
        progress.show(
          `${event.name}: ${event.samples.toLocaleString('en-GB')} samples in ${event.classes.length} classes`,
          true,
        );
      else if (event.stage === 'pictures')
        progress.show(`${stages.pictures} ${event.done} of ${event.total}`, event.done === event.total);
      else progress.show(stages[event.stage], true);
    },
  });
  const written: string[] = [];
  if (options.html !== undefined) {
    progress.show('drawing the page', true);
    const { writeLookPage } = await import('../look/page/page.js');
    await writeLookPage(report, dataset, options.html, { seed, samples: options.samples });
    written.push(`${options.html} shows all this with pictures.`);
  }
  if (options.fixList !== undefined) {
    const { writeFixList } = await import('../look/fix-list.js');
    const { all, added } = await writeFixList(report, options.fixList);
    written.push(
      `${options.fixList} names ${all} ${all === 1 ? 'sample' : 'samples'} to leave out (${added} new): use it with --exclude, or keep it in the folder of the data as praxis-exclude.jsonl.`,
    );
  }
  progress.clear();
  if (options.json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  const { stdout } = process;
  const colour = stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const { pictureProtocol, pictureRow } = await import('../look/terminal-pictures.js');
  const protocol = options.pictures && dataset.kind === 'pictures' ? pictureProtocol(process.env, stdout) : null;
  if (protocol !== null && dataset.kind === 'pictures') {
    const row = await pictureRow(dataset, { protocol, seed, columns: stdout.columns ?? 100 });
    for (const line of row) console.log(line);
    if (row.length > 0) console.log('');
  }
  for (const line of terminalSummary(report, { columns: stdout.columns ?? 100, colour })) console.log(line);
  console.log('');
  for (const line of written) console.log(line);
  console.log(`Looked at in ${report.seconds.toFixed(1)} s; nothing in ${source} was changed.`);
}
