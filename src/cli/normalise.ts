/** `praxis normalise`: mean and deviation of the training part, before a training asks for them. */
import { type Command, Option } from 'commander';
import type { ChannelMeasurement, ColumnPlan, RowNormaliser } from '../data/normalise/index.js';
import type { PictureDataset, PictureForm, TableDataset, TextDataset } from '../data/types.js';
import { type ProgressLine, progressLine } from './progress.js';

interface NormaliseArguments {
  readonly splitFile?: string;
  readonly size: number;
  readonly channels: '1' | '3';
  readonly fit: PictureForm['fit'];
  readonly seed: number;
  readonly nearDuplicates: boolean;
  readonly out?: string;
  readonly picture?: string;
  readonly json?: boolean;
}

export function addNormalise(program: Command): void {
  program
    .command('normalise')
    .summary('measure mean and deviation of the training part')
    .description(
      'Splits DATA as praxis train does with the same seed (or takes the split that is given) and measures the training part alone:\npictures by channel, tables column by column, texts by their words. Nothing is written unless asked for.',
    )
    .argument('<data>', 'the data set')
    .option('--split-file <file>', 'take the split that praxis split saved')
    .option('--size <pixels>', 'height and width that pictures are brought to', Number, 128)
    .addOption(new Option('--channels <n>', 'colour or grey').choices(['3', '1']).default('3'))
    .addOption(
      new Option('--fit <how>', 'what becomes of pictures that are not square')
        .choices(['squash', 'crop', 'pad'])
        .default('squash'),
    )
    .option('--seed <n>', 'seed of the split', Number, 0)
    .option('--no-near-duplicates', 'keep only exact copies on one side')
    .option('--out <file>', 'write the numbers as JSON')
    .option('--picture <file>', 'write the histograms before and after as SVG')
    .option('--json', 'print the numbers as JSON')
    .action(async (source: string, options: NormaliseArguments) => {
      const progress = progressLine(process.stderr);
      try {
        await run(source, options, progress);
      } finally {
        progress.clear();
      }
    });
}

async function run(source: string, options: NormaliseArguments, progress: ProgressLine): Promise<void> {
  const [{ openData, makeSplit }, { checkSettings }, { DataError }] = await Promise.all([
    import('../train/recipe/data.js'),
    import('../train/config/settings.js'),
    import('../data/errors.js'),
  ]);
  if (!Number.isInteger(options.size) || options.size < 1)
    throw new DataError('--size takes a whole number of pixels from 1 on.');
  const { seed, nearDuplicates, splitFile } = options;
  const settings = checkSettings(
    { seed, nearDuplicates, ...(splitFile === undefined ? {} : { splitFile }) },
    'praxis normalise',
  );
  const dataset = await openData(source);
  const { train } = await makeSplit(dataset, settings, (done, all) =>
    progress.show(`comparing ${done} of ${all}`, done === all),
  );
  progress.clear();
  if (train.kind === 'pictures') return await pictures(train, options, progress);
  if (options.picture !== undefined)
    throw new DataError('--picture draws the channels of pictures, and these are rows; leave it out.');
  if (train.kind === 'tensors') throw new DataError(`${source}: tensors are taken as they are.`);
  await rows(train, options);
}

async function pictures(train: PictureDataset, options: NormaliseArguments, progress: ProgressLine): Promise<void> {
  const { channelsJson, drawHistograms, measureChannels } = await import('../data/normalise/index.js');
  const form: PictureForm = {
    height: options.size,
    width: options.size,
    channels: options.channels === '1' ? 1 : 3,
    fit: options.fit,
    decode: 'fast',
  };
  const measured = await measureChannels(train, {
    form,
    cache: false,
    onProgress: (done, all) => progress.show(`batch ${done} of ${all}`, done === all),
  });
  progress.clear();
  const json = channelsJson(measured, { form, classes: train.classes });
  if (options.json === true) console.log(JSON.stringify(json));
  else await printPictures(measured, form, train);
  await write(options.out, `${JSON.stringify(json)}\n`, options);
  if (options.picture !== undefined) {
    const title = `${train.name}: ${measured.pictures.toLocaleString('en-GB')} pictures`;
    await write(options.picture, await drawHistograms(measured, { title }), options);
  }
}

async function printPictures(measured: ChannelMeasurement, form: PictureForm, train: PictureDataset): Promise<void> {
  const { histogramLines } = await import('../data/normalise/index.js');
  const count = measured.pictures.toLocaleString('en-GB');
  console.log(`${train.name}: ${count} pictures at ${form.width}×${form.height}`);
  for (const line of histogramLines(measured)) console.log(`  ${line}`);
  for (const { name, reason } of measured.skipped.slice(0, 5)) console.log(`! ${name} cannot be read: ${reason}`);
  if (measured.skipped.length > 5) console.log(`! ${measured.skipped.length - 5} more cannot be read`);
}

async function rows(train: TableDataset | TextDataset, options: NormaliseArguments): Promise<void> {
  const { fitRows } = await import('../data/normalise/index.js');
  const normaliser = fitRows(train);
  const json = { ...normaliser.toJSON(), features: normaliser.features, classes: train.classes };
  if (options.json === true) console.log(JSON.stringify(json));
  else {
    console.log(`${train.name}: ${normaliser.describe()}`);
    for (const line of linesOf(normaliser)) console.log(`  ${line}`);
  }
  await write(options.out, `${JSON.stringify(json)}\n`, options);
}

const short = (x: number): string => Number(x.toPrecision(4)).toString();

function columnCells(plan: ColumnPlan): string[] {
  switch (plan.kind) {
    case 'dropped':
      return [plan.name, 'dropped', '', plan.why];
    case 'categorical':
      return [plan.name, 'categories', '', plan.why];
    case 'numeric': {
      const how = { none: 'as it is', log: 'log(1 + x)', 'signed-log': '±log(1 + |x|)', rank: 'rank' }[plan.straighten];
      return [plan.name, how, `mean ${short(plan.mean)} deviation ${short(plan.std)}`, plan.why];
    }
  }
}

/** A line for each column of a table; of texts the most frequent words. */
function linesOf(normaliser: RowNormaliser): string[] {
  if (!('columns' in normaliser)) return [`most frequent: ${normaliser.features.slice(0, 12).join(' ')}`];
  const cells = normaliser.columns.map(columnCells);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => [...(row[column] as string)].length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd(),
  );
}

/** @throws FileWriteError */
async function write(file: string | undefined, text: string, options: NormaliseArguments): Promise<void> {
  if (file === undefined) return;
  const { writeFileAtomic } = await import('../track/index.js');
  await writeFileAtomic(file, text);
  if (options.json !== true) console.log(`Written: ${file}`);
}
