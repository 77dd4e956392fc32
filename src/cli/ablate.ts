/** `praxis ablate`: which remedy helps here, and by how much. */
import type { Command } from 'commander';
import type { Ablated } from '../train/ablate/ablate.js';
import type { AblationResult } from '../train/ablate/result.js';
import { addSettings, givenSettings } from './settings-flags.js';

const points = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(1)}`;

/** The table. */
export function ablationLines(result: AblationResult): string[] {
  const { rows, baseline, folder } = result;
  const mean = baseline.reduce((a, b) => a + b, 0) / baseline.length;
  const width = Math.max(8, ...rows.map(({ name }) => name.length));
  const range = ({ low, high }: { low: number; high: number }): string =>
    Number.isFinite(low) ? `${points(low)} to ${points(high)}` : 'unknown';
  return [
    `${'change'.padEnd(width)}  ${'points'.padStart(6)}  ${'95 %'.padEnd(14)}  seeds`,
    ...rows.map(
      (row) =>
        `${row.name.padEnd(width)}  ${points(row.value).padStart(6)}  ${range(row.interval).padEnd(14)}  ${String(row.seeds).padStart(5)}  ${row.verdict}`,
    ),
    '',
    `The baseline has ${(100 * mean).toFixed(1)} % ${result.scoreName} on the validation part (${baseline.length} seeds, ${(100 * Math.min(...baseline)).toFixed(1)} to ${(100 * Math.max(...baseline)).toFixed(1)} %).`,
    result.text,
    `Everything is in ${folder}; ${result.best === undefined ? 'the baseline' : 'the best'} again: praxis train DATA --config ${folder}/best.config.json`,
  ];
}

type Work = (
  stop: import('../train/stop.js').StopSignal,
  emit: (event: import('../train/events.js').TrainEvent) => void,
) => Promise<Ablated>;

/** Shows an ablation until it ends. */
async function show(work: Work, json: boolean): Promise<void> {
  const [{ Training }, { showTraining }] = await Promise.all([import('../train/train.js'), import('./training.js')]);
  let result: Ablated | undefined;
  const training = new Training(async (stop, emit) => {
    // Lines of progress would spoil the JSON.
    result = await work(stop, json ? () => undefined : emit);
    return result;
  });
  process.exitCode = await showTraining(training);
  if (result?.ablation === undefined) return;
  if (json) console.log(JSON.stringify(result.ablation, null, 2));
  else for (const text of ablationLines(result.ablation)) console.log(text);
}

/** For `praxis resume`. */
export async function goOn(folder: string, data: string | undefined): Promise<void> {
  const [{ resumeAblation }, { commandLine }] = await Promise.all([
    import('../train/ablate/ablate.js'),
    import('../track/facts.js'),
  ]);
  const where = data === undefined ? {} : { data };
  await show((stop, emit) => resumeAblation({ folder, stop, emit, command: commandLine(), ...where }), false);
}

interface AblateArguments {
  readonly config?: string;
  readonly budget: string;
  readonly seeds?: string;
  readonly only?: string;
  readonly json?: boolean;
}

export function addAblate(program: Command): void {
  const command = program
    .command('ablate')
    .summary('try the remedies against overfitting one at a time, and see which helps here')
    .description(
      [
        'Trains a baseline, then the same with one change each: augmentation, mixup, dropout, decay, label smoothing, half and twice the width,',
        'half and twice the epochs, averaged weights; from scratch, with --pretrained, else from weights that are on this machine. All on one split, each change from the same seeds as the baseline; the better half goes',
        'on with more seeds. Shows the gain of each with its interval, and writes the best as a file for praxis train --config.',
        '',
        'The baseline takes all settings of praxis train. Stopped or killed, praxis resume goes on; finished trainings are kept.',
      ].join('\n'),
    )
    .argument('<data>', 'folder of pictures by class, manifest, table, or archive')
    .option('--config <file>', 'settings of the baseline from this file instead of praxis.config.*')
    .option('--budget <minutes>', 'for everything together, e.g. 60m; decides epochs, where left open, and seeds', '60')
    .option('--seeds <count>', 'of the changes that stay to the end, whatever the budget')
    .option(
      '--only <kinds>',
      'of pretrained, augmentation, mixing, dropout, decay, smoothing, smaller, larger, epochs, average; joined by commas',
    )
    .option('--json', 'print all figures as JSON');
  addSettings(command, ['budget']);
  command.action(async (data: string, options: AblateArguments) => {
    const [{ gatherSettings, parseFlag }, { ablate }, { changeKinds }, { commandLine }] = await Promise.all([
      import('../train/config/settings.js'),
      import('../train/ablate/ablate.js'),
      import('../train/ablate/changes.js'),
      import('../track/facts.js'),
    ]);
    const budget = parseFlag('budget', options.budget);
    if (typeof budget !== 'number' || !(budget > 0))
      throw new Error(`--budget takes minutes such as 60m, got '${options.budget}'.`);
    const only = options.only?.split(',').map((kind) => kind.trim());
    const unknown = only?.find((kind) => !(changeKinds as readonly string[]).includes(kind));
    if (unknown !== undefined)
      throw new Error(`--only: there is no kind of change '${unknown}'; there are ${changeKinds.join(', ')}.`);
    const { budget: _, ...given } = givenSettings(command);
    const { settings } = await gatherSettings(given, options.config === undefined ? {} : { config: options.config });
    await show(
      (stop, emit) =>
        ablate({
          data,
          settings: { ...settings, budget: Math.max(0.05, budget / 30) },
          budget,
          ...(only === undefined ? {} : { only }),
          ...(options.seeds === undefined ? {} : { seeds: Number(options.seeds) }),
          stop,
          emit,
          command: commandLine(),
        }),
      options.json === true,
    );
  });
}
