/** `praxis learning-curve`: what more data would bring. */
import type { Command } from 'commander';
import type { CurveResult, LearningCurve } from '../train/curve/curve.js';
import { addSettings, givenSettings } from './settings-flags.js';

/** The table and what it says. */
export function curveLines(curve: LearningCurve): string[] {
  const { law, trainings } = curve;
  const shares = [...new Set(trainings.map(({ share }) => share))];
  const rows = shares.map((share) => {
    const own = trainings.filter((one) => one.share === share);
    const mean = own.reduce((sum, { score }) => sum + score, 0) / own.length;
    const samples = Math.round(own.reduce((sum, one) => sum + one.samples, 0) / own.length);
    const said = 1 - law.floor - law.factor * samples ** -law.exponent;
    return `${`${Math.round(1000 * share) / 10} %`.padStart(7)}  ${samples.toLocaleString('en-GB').padStart(9)}  ${(100 * mean).toFixed(1).padStart(8)} %  ${(100 * said).toFixed(1).padStart(9)} %`;
  });
  return [
    `  share    samples  ${curve.scoreName === 'accuracy' ? '  accuracy' : ' precision'}   power law`,
    ...rows,
    '',
    `error = ${law.floor.toFixed(3)} + ${law.factor.toPrecision(3)} · samples^−${law.exponent.toFixed(2)}`,
    curve.text,
    `Everything is in ${curve.folder}: learning-curve.json, learning-curve.svg.`,
  ];
}

type Work = (
  stop: import('../train/stop.js').StopSignal,
  emit: (event: import('../train/events.js').TrainEvent) => void,
) => Promise<CurveResult>;

async function show(work: Work, json: boolean): Promise<void> {
  const [{ Training }, { showTraining }] = await Promise.all([import('../train/train.js'), import('./training.js')]);
  let result: CurveResult | undefined;
  const training = new Training(async (stop, emit) => {
    // Lines of progress would spoil the JSON.
    result = await work(stop, json ? () => undefined : emit);
    return result;
  });
  process.exitCode = await showTraining(training);
  if (result?.curve === undefined) return;
  if (json) console.log(JSON.stringify(result.curve, null, 2));
  else for (const text of curveLines(result.curve)) console.log(text);
}

/** For `praxis resume`. */
export async function goOn(folder: string, data: string | undefined): Promise<void> {
  const [{ resumeCurve }, { commandLine }] = await Promise.all([
    import('../train/curve/curve.js'),
    import('../track/facts.js'),
  ]);
  const where = data === undefined ? {} : { data };
  await show((stop, emit) => resumeCurve({ folder, stop, emit, command: commandLine(), ...where }), false);
}

interface CurveArguments {
  readonly config?: string;
  readonly shares: string;
  readonly seeds: string;
  readonly json?: boolean;
}

export function addLearningCurve(program: Command): void {
  const command = program
    .command('learning-curve')
    .summary('train on growing shares of the data, and see what twice as much would bring')
    .description(
      [
        'Trains on growing shares of the training part, all validated on the same samples, fits a power law to the error, and extrapolates to',
        'twice the data with an interval. The first training is of the whole; its epochs and rate hold for the others, which get more epochs the',
        'smaller they are. Takes all settings of praxis train. Stopped or killed, praxis resume goes on.',
      ].join('\n'),
    )
    .argument('<data>', 'folder of pictures by class, manifest, table, or archive')
    .option('--config <file>', 'settings from this file instead of praxis.config.*')
    .option('--shares <percents>', 'of the training part, joined by commas', '10,20,40,70,100')
    .option('--seeds <count>', 'trainings of each share', '2')
    .option('--json', 'print all figures as JSON');
  addSettings(command);
  command.action(async (data: string, options: CurveArguments) => {
    const [{ gatherSettings }, { learningCurve }, { commandLine }] = await Promise.all([
      import('../train/config/settings.js'),
      import('../train/curve/curve.js'),
      import('../track/facts.js'),
    ]);
    const shares = options.shares.split(',').map((text) => Number(text.replace('%', '')) / 100);
    if (shares.some((share) => !(share > 0 && share <= 1)))
      throw new Error(`--shares takes percents above 0 and up to 100, such as 10,30,100, got '${options.shares}'.`);
    const { settings } = await gatherSettings(
      givenSettings(command),
      options.config === undefined ? {} : { config: options.config },
    );
    await show(
      (stop, emit) =>
        learningCurve({ data, settings, shares, seeds: Number(options.seeds), stop, emit, command: commandLine() }),
      options.json === true,
    );
  });
}
