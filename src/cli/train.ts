/** `praxis train` and `praxis resume`: the whole recipe, and going on with it. */
import type { Command } from 'commander';
import { progressLine } from './progress.js';
import { reportAfter } from './report.js';
import { addSettings, givenSettings } from './settings-flags.js';

interface TrainArguments {
  readonly config?: string;
  readonly dryRun?: boolean;
}

export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .summary('train a model on a folder of pictures, with every step of good practice')
    .description(
      [
        'Looks at the data, splits, normalises, chooses and checks a model, tunes the machine, finds the learning rate, trains,',
        'and keeps the weights that validate best. Everything goes into a run folder; the test part stays sealed until praxis test.',
        '',
        'DATA is a folder with a folder of pictures for each class, a manifest (CSV, JSON lines), or an archive of either.',
        'Settings come from praxis.config.ts (or .js, .json) in this folder, then from flags.',
      ].join('\n'),
    )
    .argument('<data>', 'folder of pictures by class, manifest, or archive')
    .option('--config <file>', 'settings from this file instead of praxis.config.*')
    .option('--dry-run', 'print what would be done, what it costs and how long it takes; write nothing');
  addSettings(command);
  command.action((data: string, options: TrainArguments) => trainFrom(command, data, options));
}

/** `praxis finetune`: the same recipe from weights that know something already. */
export function addFinetune(program: Command): void {
  const command = program
    .command('finetune')
    .summary('start from pretrained weights, or from a run of your own, instead of from nothing')
    .description(
      [
        'Trains as praxis train does, but from weights that know something already: first the new head alone, the body frozen,',
        'then all layers, those near the input slowest. Says first what the frozen features are worth: a linear probe and the',
        'nearest neighbours, in seconds.',
        '',
        'WEIGHTS are known by name (praxis models --weights), or are a file (.safetensors, .pth), a folder, an address, a place on',
        'the hub (timm/resnet18.a1_in1k), or the folder of a finished run. DATA is as for praxis train.',
      ].join('\n'),
    )
    .argument('<weights>', 'name, file, folder, address, place on the hub, or run folder')
    .argument('<data>', 'folder of pictures by class, manifest, or archive')
    .option('--config <file>', 'settings from this file instead of praxis.config.*')
    .option('--dry-run', 'print what would be done, what it costs and how long it takes; write nothing');
  addSettings(command, ['pretrained']);
  command.action((weights: string, data: string, options: TrainArguments) =>
    trainFrom(command, data, options, { pretrained: weights }),
  );
}

async function trainFrom(
  command: Command,
  data: string,
  options: TrainArguments,
  more: { readonly pretrained?: string } = {},
): Promise<void> {
  const { gatherSettings } = await import('../train/config/settings.js');
  const { settings, file } = await gatherSettings(
    { ...givenSettings(command), ...more },
    options.config ? { config: options.config } : {},
  );
  if (file !== undefined) console.log(`settings      ${file}`);
  if (options.dryRun === true) {
    const { dryRun } = await import('../train/recipe/dry-run.js');
    const progress = progressLine(process.stderr);
    const [{ findingLine }, plan] = await Promise.all([
      import('./training.js'),
      dryRun(data, settings, (done, all) => progress.show(`looking at picture ${done} of ${all}`, done === all)),
    ]).finally(() => progress.clear());
    const { stdout } = process;
    for (const [title, text] of plan.lines) {
      console.log(`${title.padEnd(13)} ${text}`);
      if (title !== 'look') continue;
      for (const { severity, message } of plan.findings)
        console.log(findingLine({ severity, text: message }, stdout.isTTY ? stdout.columns : undefined));
      if (plan.more > 0)
        console.log(
          findingLine({ severity: 'note', text: `${plan.more} more; praxis look shows all, and what to do.` }),
        );
    }
    for (const { setting, value, reason } of plan.choices) console.log(`  ${setting} = ${String(value)}: ${reason}`);
    console.log('Nothing was written. Leave out --dry-run to train.');
    return;
  }
  const [{ Training }, { runRecipe }, { showTraining }, { commandLine }] = await Promise.all([
    import('../train/train.js'),
    import('../train/recipe/recipe.js'),
    import('./training.js'),
    import('../track/facts.js'),
  ]);
  const training = new Training((stop, emit) => runRecipe({ data, settings, stop, emit, command: commandLine() }));
  process.exitCode = await showTraining(training);
  const { folder, state } = await training;
  if (state === 'finished') {
    await reportAfter(folder);
    console.log(`test          sealed; when all choices are made, once: praxis test ${folder}`);
    const { planOf } = await import('../train/recipe/record.js');
    // Rows are measured and not predicted one by one.
    if (planOf(folder).data.form !== undefined) console.log(`use           praxis predict ${folder} picture.jpg`);
  }
}

export function addResume(program: Command): void {
  program
    .command('resume')
    .summary('go on with a run that was stopped or killed')
    .description(
      'Goes on where the last checkpoint is, within an epoch too; ends with the same weights, bit for bit, as a run that was never stopped.',
    )
    .argument('<run>', 'run folder')
    .option('--data <path>', 'where the data are now, if they have moved')
    .action(async (folder: string, options: { readonly data?: string }) => {
      const { isUnfinishedEnsemble } = await import('../train/ensemble/train.js');
      if (isUnfinishedEnsemble(folder)) return resumeMembers(folder, options.data);
      const { isUnfinishedAblation } = await import('../train/ablate/ablate.js');
      if (isUnfinishedAblation(folder)) return (await import('./ablate.js')).goOn(folder, options.data);
      const { isUnfinishedCurve } = await import('../train/curve/curve.js');
      if (isUnfinishedCurve(folder)) return (await import('./learning-curve.js')).goOn(folder, options.data);
      const [{ resume }, { showTraining }] = await Promise.all([import('../train/train.js'), import('./training.js')]);
      const training = resume(folder, options.data === undefined ? {} : { data: options.data });
      process.exitCode = await showTraining(training);
      if ((await training).state !== 'finished') return;
      const { planOf } = await import('../train/recipe/record.js');
      if (planOf(folder).contrastive === undefined) await reportAfter(folder, options.data);
      else (await import('./pretrain.js')).tellUse(folder);
    });
}

/** Goes on with an ensemble. */
async function resumeMembers(folder: string, data: string | undefined): Promise<void> {
  const [{ resumeEnsemble }, { ensembleLines, shown }, { commandLine }] = await Promise.all([
    import('../train/ensemble/train.js'),
    import('./ensemble.js'),
    import('../track/facts.js'),
  ]);
  const { ensemble: made } = await shown((stop, emit) =>
    resumeEnsemble({ folder, stop, emit, command: commandLine(), ...(data === undefined ? {} : { data }) }),
  );
  if (made === undefined) return;
  for (const text of ensembleLines(made)) console.log(text);
  await reportAfter(made.folder, data);
}
