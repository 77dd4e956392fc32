/** `praxis split`: deals a data set into training, validation and a sealed test part, checks it and saves it. */
import type { Command } from 'commander';
import type { Split, SplitFinding, SplitOptions } from '../data/split/index.js';
import type { Dataset, Part } from '../data/types.js';
import { progressLine } from './progress.js';

interface SplitArguments {
  train?: string;
  validation?: string;
  test?: string;
  seed?: string;
  stratify: boolean;
  groupBy?: string;
  duplicates: boolean;
  nearDuplicates: boolean;
  official: boolean;
  folds?: string;
  out: string;
  json?: boolean;
  dryRun?: boolean;
}

const marks: Record<SplitFinding['severity'], string> = { good: '✔', note: '·', warning: '!' };
const parts = ['train', 'validation', 'test'] as const satisfies readonly Part[];
const number = (value: number): string => value.toLocaleString('en-GB');

/** How many classes are listed one by one before the middle ones are left out. */
const listed = 24;

/** Columns of text, the first to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => [...(row[c] ?? '')].length)));
  const pad = (cell: string, c: number): string => {
    const space = ' '.repeat(Math.max(0, (widths[c] as number) - [...cell].length));
    return c === 0 ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

/** The table of parts and classes, the largest class first. */
export function formatCounts(split: Pick<Split, 'classes' | 'counts'>, names: readonly Part[] = parts): string[] {
  const total = (label: number): number => names.reduce((sum, part) => sum + (split.counts[part][label] as number), 0);
  const order = split.classes.map((_, label) => label).sort((a, b) => total(b) - total(a) || a - b);
  const row = (label: number): string[] => [
    split.classes[label] as string,
    ...names.map((part) => number(split.counts[part][label] as number)),
    number(total(label)),
  ];
  const hidden = order.length > listed ? order.length - (listed - 4) : 0;
  const shown =
    hidden === 0
      ? order.map(row)
      : [
          ...order.slice(0, listed - 10).map(row),
          [`… ${hidden} more classes`, ...names.map(() => ''), ''],
          ...order.slice(-6).map(row),
        ];
  const sum = (part: Part): number => split.counts[part].reduce((a, b) => a + b, 0);
  const all = ['all', ...names.map((part) => number(sum(part))), number(names.reduce((a, part) => a + sum(part), 0))];
  return columns([['class', ...names, 'all'], ...shown, all]);
}

/** The line (and the remedy) of a finding. */
export function formatFinding(finding: SplitFinding): string[] {
  return [
    `${marks[finding.severity]} ${finding.message}`,
    ...(finding.remedy === undefined ? [] : [`  → ${finding.remedy}`]),
  ];
}

/** A number from the command line. @throws DataError */
async function parsed(flag: string, text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  const { DataError } = await import('../data/errors.js');
  throw new DataError(`${flag} takes a number, not '${text}'`);
}

/** What `--group-by` means: a column of a table, `folder`, or a pattern in the names. @throws DataError */
async function groupsBy(how: string, dataset: Dataset): Promise<(index: number) => string | undefined> {
  const { DataError } = await import('../data/errors.js');
  if (dataset.kind === 'table') {
    const column = dataset.columns.findIndex(({ name }) => name === how);
    if (column < 0)
      throw new DataError(
        `--group-by ${how}: there is no such column; there are ${dataset.columns.map(({ name }) => name).join(', ')}`,
      );
    return (index) => dataset.cell(index, column)?.toString();
  }
  if (how === 'folder') return (index) => dataset.sampleName(index).split('/').slice(0, -1).join('/');
  let pattern: RegExp;
  try {
    pattern = new RegExp(how, 'u');
  } catch {
    throw new DataError(`--group-by takes 'folder' or a regular expression, and '${how}' is none`);
  }
  const groups = Array.from({ length: dataset.length }, (_, index) => {
    const match = pattern.exec(dataset.sampleName(index));
    return match ? (match[1] ?? match[0]) : undefined;
  });
  if (groups.every((group) => group === undefined))
    throw new DataError(`--group-by '${how}' matches none of the names; they look like ${dataset.sampleName(0)}`);
  return (index) => groups[index];
}

export function addSplit(program: Command): void {
  program
    .command('split')
    .summary('deal a data set into training, validation and test part')
    .description(
      'Deals DATA (a folder of pictures by class, a manifest, a table, labelled texts) into three parts: at random, each class in\nproportion, copies and groups on one side. Checks the parts, saves them, and seals the test part.',
    )
    .argument('<data>', 'the data set')
    .option('--train <share>', 'share of the training part (0.7)')
    .option('--validation <share>', 'share of the validation part (0.15)')
    .option('--test <share>', 'share of the test part (0.15)')
    .option('--seed <n>', 'another seed, another split (0)')
    .option('--no-stratify', 'without regard to classes')
    .option('--group-by <how>', "keep groups on one side: 'folder', a pattern in the names, or a table's column")
    .option('--near-duplicates', 'keep copies and near-copies on one side (the default for pictures)', true)
    .option('--no-near-duplicates', 'keep only exact copies on one side')
    .option('--no-duplicates', 'don’t look for copies')
    .option('--no-official', 'ignore the parts that come with the data')
    .option('--folds <k>', 'also show k folds of everything but the test part')
    .option('--out <file>', 'where to save it', 'split.json')
    .option('--json', 'print everything as JSON')
    .option('--dry-run', 'save nothing')
    .action(async (source: string, options: SplitArguments) => {
      const progress = progressLine(process.stderr);
      try {
        await run(source, options, progress);
      } finally {
        progress.clear();
      }
    });
}

async function run(source: string, options: SplitArguments, progress: ReturnType<typeof progressLine>): Promise<void> {
  const [{ openSource }, { kFold, saveSplit, splitDataset }, { countLabels }] = await Promise.all([
    import('../data/open-source.js'),
    import('../data/split/index.js'),
    import('../data/split/split.js'),
  ]);
  const folds = await parsed('--folds', options.folds);
  const settings: SplitOptions = {
    train: await parsed('--train', options.train),
    validation: await parsed('--validation', options.validation),
    test: await parsed('--test', options.test),
    seed: await parsed('--seed', options.seed),
    stratify: options.stratify,
    official: options.official,
    onProgress: (done, total) =>
      progress.show(`looking at picture ${number(done)} of ${number(total)}`, done === total),
  };
  const dataset = await openSource(source);
  const pictures = dataset.kind === 'pictures';
  const split = await splitDataset(dataset, {
    ...settings,
    ...(options.groupBy === undefined ? {} : { groups: await groupsBy(options.groupBy, dataset) }),
    duplicates: !options.duplicates ? false : options.nearDuplicates && pictures ? 'near' : 'exact',
  });
  const dealt = folds === undefined ? [] : await kFold(split.development, { folds, seed: settings.seed });
  progress.clear();
  if (!options.dryRun) await saveSplit(split, options.out);
  const foldCounts = dealt.map(({ number: fold, validation }) => {
    const all = Array.from({ length: validation.length }, (_, index) => index);
    const counts = countLabels(
      { train: [], validation: all, test: [] },
      (index) => validation.labels(index),
      split.classes.length,
    );
    return { fold, samples: validation.length, counts: counts.validation };
  });
  if (options.json) {
    const saved = options.dryRun ? null : options.out;
    console.log(JSON.stringify({ ...split.toJSON(), ...(folds ? { folds: foldCounts } : {}), saved }, null, 2));
    return;
  }
  console.log(`${split}`);
  console.log('');
  for (const line of formatCounts(split)) console.log(line);
  if (foldCounts.length > 0) {
    console.log('');
    const rows = foldCounts.map(({ fold, samples, counts }) => [
      `fold ${fold}`,
      number(samples),
      `${Math.min(...counts)} to ${Math.max(...counts)}`,
    ]);
    for (const line of columns([['of train and validation', 'samples', 'per class'], ...rows])) console.log(line);
  }
  console.log('');
  for (const finding of split.findings) for (const line of formatFinding(finding)) console.log(line);
  console.log('');
  console.log(
    options.dryRun
      ? 'Nothing was saved (--dry-run).'
      : `Saved in ${options.out}; the labels of the test part are sealed until praxis test.`,
  );
}
