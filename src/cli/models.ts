/** `praxis models`: what there is to choose from, what each costs, and how fast it is on this machine. */
import path from 'node:path';
import type { Command } from 'commander';
import type { ModelDescription, ModelSpec, ModelSpeed } from '../models/index.js';
import { namesFile, ownModel } from './own-model.js';
import { progressLine } from './progress.js';

interface ModelsArguments {
  readonly size: string;
  readonly classes: number;
  readonly channels: number;
  readonly batch: number;
  readonly seconds: number;
  readonly device: string;
  readonly measure: boolean;
  readonly layers?: boolean;
  readonly weights?: boolean;
  readonly advise?: boolean;
  readonly json?: boolean;
}

/** One line of the table. */
export interface ModelRow {
  readonly spec: ModelSpec;
  /** Null where such pictures do not fit. */
  readonly description: ModelDescription | null;
  /** Bytes that training takes. */
  readonly memory: number;
  /** Null when not measured. */
  readonly speed: ModelSpeed | null;
  /** Why there is nothing to show. */
  readonly problem?: string;
}

/** Three significant digits with a unit: `11.7 M`. */
export function short(value: number, units: readonly string[] = ['', ' k', ' M', ' G', ' T']): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = scaled >= 99.95 || (unit === 0 && Number.isInteger(value)) ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${units[unit]}`;
}

const bytes = (value: number): string => short(value, [' B', ' kB', ' MB', ' GB', ' TB']);
const rate = (speed: { readonly samplesPerSecond: number } | null | undefined): string =>
  speed === null || speed === undefined ? '–' : short(speed.samplesPerSecond);

/** Columns lined up; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
}

/** What the command prints for rows. */
export function formatModels(rows: readonly ModelRow[], options: { readonly batch: number }): string[] {
  const lines = table([
    ['model', 'parameters', 'multiply-adds', 'memory', 'training', 'inference'],
    ['', '', 'per picture', `batch ${options.batch}`, 'pictures/s', 'pictures/s'],
    ...rows
      .filter(({ description }) => description !== null)
      .map(({ spec, description, memory, speed }) => [
        spec.name,
        short(description?.parameters ?? 0),
        short(description?.multiplyAdds ?? 0),
        bytes(memory),
        rate(speed?.training),
        rate(speed?.inference),
      ]),
  ]);
  for (const { spec, problem } of rows) if (problem !== undefined) lines.push(`${spec.name}: ${problem}`);
  return lines;
}

/** What to do with the table, in a sentence or two. */
export function advise(rows: readonly ModelRow[]): string {
  if (rows.length === 1) return `${rows[0]?.spec.when} Layers: praxis models ${rows[0]?.spec.name} --layers.`;
  const first = rows.find(({ spec }) => spec.name === 'resnet-small') ?? rows.find(({ speed }) => speed !== null);
  if (first === undefined) return 'More about one: praxis models NAME.';
  const speed = first.speed?.training?.samplesPerSecond;
  const epoch = speed === undefined ? '' : ` Here an epoch of 1,000 pictures takes it about ${duration(1000 / speed)}.`;
  return `${first.spec.name}: ${first.spec.when.charAt(0).toLowerCase()}${first.spec.when.slice(1)}${epoch}`;
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

/** The layer table of one model. */
export function formatLayers(spec: ModelSpec, description: ModelDescription): string[] {
  const { layers, parameters, trainable, multiplyAdds, activationBytes, uncounted } = description;
  const lines = table([
    ['layer', 'kind', 'output', 'parameters', 'multiply-adds'],
    ...layers.map((layer) => [
      layer.name === '' ? '(itself)' : layer.name,
      layer.kind,
      layer.output.join(' × '),
      layer.parameters === 0 ? '' : layer.parameters.toLocaleString('en'),
      layer.multiplyAdds === 0 ? '' : short(layer.multiplyAdds),
    ]),
  ]);
  const learnt = trainable === parameters ? '' : ` (${trainable.toLocaleString('en')} learnt)`;
  return [
    `${spec.name}: ${spec.summary}. ${spec.source}`,
    '',
    ...lines,
    '',
    `${parameters.toLocaleString('en')} parameters${learnt}, ${short(multiplyAdds)} multiply-adds and ${bytes(activationBytes)} of activations per picture.`,
    ...(uncounted.length === 0 ? [] : [`Not counted: the work of ${uncounted.join(', ')}.`]),
  ];
}

/** `128` or `128x96` as height and width. */
function readSize(text: string): readonly [number, number] | null {
  const found = /^(\d+)(?:[x×](\d+))?$/.exec(text.trim());
  if (found === null || Number(found[1]) === 0 || found[2] === '0') return null;
  return [Number(found[1]), Number(found[2] ?? found[1])];
}

/** Where dropout belongs in models, by name or in files of the user's own. */
async function adviseDropout(
  names: readonly string[],
  size: readonly [number, number],
  options: ModelsArguments,
): Promise<void> {
  const [{ createModel, modelSpec }, { dropoutAdvice }] = await Promise.all([
    import('../models/index.js'),
    import('../nn/index.js'),
  ]);
  const { classes, channels } = options;
  const all: Record<string, unknown> = {};
  for (const name of names) {
    const own = namesFile(name);
    const model = own ? await ownModel(name) : createModel(modelSpec(name).name, { classes, channels, size });
    const findings = dropoutAdvice(model, { input: [channels, ...size] });
    all[name] = findings;
    if (options.json === true) continue;
    console.log(`${own ? path.basename(name) : modelSpec(name).name}:`);
    if (findings.length === 0)
      console.log(
        '  nothing to add and nothing to take out: no large fully connected layer without dropout, and no dropout where it harms.',
      );
    for (const { kind, message, remedy } of findings)
      console.log(`  ${kind.padEnd(8)} ${message}${remedy === '' ? '' : ` ${remedy}`}`);
  }
  if (options.json === true) console.log(JSON.stringify(all, null, 2));
}

/** The known pretrained weights, of the named models or of all, and where the downloaded ones are. */
async function listWeights(names: readonly string[], json: boolean): Promise<void> {
  const { knownWeights, modelSpec, weightsFolder } = await import('../models/index.js');
  const models = new Set(names.map((name) => modelSpec(name).name));
  const found = knownWeights.filter(({ model }) => models.size === 0 || models.has(model));
  if (json) return console.log(JSON.stringify(found, null, 2));
  const rows = found.map(({ name, model, side, trainedOn, also }) => [
    `${name}${also === undefined ? '' : ` (${also.join(', ')})`}`,
    model,
    String(side),
    trainedOn,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(7, ...rows.map((row) => (row[column] as string).length)));
  for (const row of [['weights', 'model', 'pixels', 'trained on'], ...rows])
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  console.log(
    `\nUse: praxis finetune NAME DATA. Downloaded weights are kept in ${weightsFolder()}; a file, a folder, an address or a place on the hub (timm/…) do as well as a name.`,
  );
}

async function rowsOf(
  names: readonly string[],
  size: readonly [number, number],
  options: ModelsArguments,
): Promise<ModelRow[]> {
  const { createModel, describeModel, measureModel, modelSpec, trainingBytes } = await import('../models/index.js');
  const { torch } = await import('../torch/index.js');
  const { classes, channels, batch } = options;
  const device = options.device === 'auto' ? torch.bestDevice() : options.device;
  const progress = progressLine(process.stderr);
  const rows: ModelRow[] = [];
  try {
    for (const [i, name] of names.entries()) {
      const spec = modelSpec(name);
      progress.show(`${options.measure ? 'measuring' : 'counting'} ${spec.name} (${i + 1} of ${names.length})`, true);
      try {
        const model = createModel(spec.name, { classes, channels, size });
        const sample = [channels, ...size];
        const description = describeModel(model, sample);
        const measured = { batchSize: batch, seconds: options.seconds / 2, device };
        const speed = options.measure ? await measureModel(model, sample, measured) : null;
        rows.push({ spec, description, memory: trainingBytes(description, batch), speed });
      } catch (error) {
        // One that cannot take such pictures does not keep the others from the table.
        if (names.length === 1 || !(error instanceof Error)) throw error;
        rows.push({ spec, description: null, memory: 0, speed: null, problem: error.message.split('\n')[0] as string });
      }
    }
  } finally {
    progress.clear();
  }
  return rows;
}

/** Complaints of the person's own making: shown as a sentence, without a stack. */
const isComplaint = (error: unknown): error is Error =>
  error instanceof Error && /^(Argument|Torch)Error$/.test(error.name);

async function run(given: readonly string[], options: ModelsArguments): Promise<string | null> {
  const size = readSize(options.size);
  if (size === null) return `--size must be a number of pixels, or height x width as in 128x96; got '${options.size}'.`;
  for (const name of ['classes', 'channels', 'batch'] as const)
    if (!(Number.isInteger(options[name]) && options[name] > 0))
      return `--${name} must be a whole number above 0; see praxis models --help.`;
  if (!(options.seconds > 0)) return '--seconds must be a number above 0.';
  if (options.advise === true) {
    if (given.length === 0) return '--advise needs a model, or a file that makes one: praxis models mlp --advise.';
    await adviseDropout(given, size, options);
    return null;
  }
  const { modelNames, modelSpec } = await import('../models/index.js');
  const names = given.length > 0 ? given.map((name) => modelSpec(name).name) : modelNames();
  if (options.weights === true) {
    await listWeights(given, options.json === true);
    return null;
  }
  if (options.layers === true && given.length === 0)
    return `--layers needs a model: praxis models resnet18 --layers. There are ${names.join(', ')}.`;
  const rows = await rowsOf(names, size, options.layers === true ? { ...options, measure: false } : options);
  if (options.json === true) {
    console.log(JSON.stringify(rows, null, 2));
    return null;
  }
  if (options.layers === true)
    for (const { spec, description } of rows)
      for (const line of description === null ? [] : formatLayers(spec, description)) console.log(line);
  else for (const line of [...formatModels(rows, options), '', advise(rows)]) console.log(line);
  return null;
}

export function addModels(program: Command): void {
  program
    .command('models')
    .summary('list models: what they cost and how fast they are here')
    .description(
      'Lists models with parameters, multiply-adds, memory and the pictures per second that this machine trains and answers,\nso that complexity and speed can be chosen by looking. With names: only those.',
    )
    .argument('[names...]', 'models, e.g. resnet18 convnet')
    .option('--size <pixels>', 'pictures: height and width, or 128x96', '128')
    .option('--classes <n>', 'number of classes', Number, 5)
    .option('--channels <n>', 'channels of the pictures', Number, 3)
    .option('--batch <n>', 'pictures at a time', Number, 32)
    .option('--seconds <s>', 'time to measure each model; a slow step may take longer', Number, 4)
    .option('--device <name>', 'cpu, cuda or mps; auto takes the best there is', 'auto')
    .option('--no-measure', 'count only, do not measure speed')
    .option('--layers', 'show the layers of the named model')
    .option(
      '--advise',
      'say where dropout belongs in the named models, or in a file (.ts, .js) that makes one of your own',
    )
    .option('--weights', 'list the pretrained weights that are known by name')
    .option('--json', 'print everything as JSON')
    .action(async (names: readonly string[], options: ModelsArguments) => {
      // What the person mistyped is a mistake in the command line.
      let complaint: string | null;
      try {
        complaint = await run(names, options);
      } catch (error) {
        if (!isComplaint(error)) throw error;
        complaint = error.message;
      }
      if (complaint === null) return;
      const { ConfigError } = await import('../train/errors.js');
      throw new ConfigError(complaint);
    });
}
