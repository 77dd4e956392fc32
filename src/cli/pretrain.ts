/** `praxis pretrain`: learning from pictures that nobody has named. */
import type { Command } from 'commander';
import { unusedSettings } from '../train/pretrain/settings.js';
import { addSettings, givenSettings } from './settings-flags.js';

interface PretrainArguments {
  readonly config?: string;
  readonly temperature?: string;
}

export function addPretrain(program: Command): void {
  const command = program
    .command('pretrain')
    .summary('learn from pictures without labels; praxis finetune then needs fewer with labels')
    .description(
      [
        'Learns to tell which two views are of the same picture (SimCLR): parts of it, mirrored, in other colours. That needs no labels, and',
        'what the network has to see for it serves other tasks. Its folder is taken as weights: praxis finetune RUN DATA, praxis probe RUN DATA.',
        '',
        'DATA is a folder of pictures in any structure, or whatever praxis train takes. Where there are labels they are not learnt; at the end they',
        'tell what the features are worth: a linear probe and the nearest neighbours, before the pre-training and after it. praxis resume goes on.',
      ].join('\n'),
    )
    .argument('<data>', 'folder of pictures, in any structure')
    .option('--config <file>', 'settings from this file instead of praxis.config.*')
    .option('--temperature <number>', 'the smaller, the more the most alike strangers count (default: 0.5)');
  addSettings(command, unusedSettings);
  command.action(async (data: string, options: PretrainArguments) => {
    const { gatherSettings } = await import('../train/config/settings.js');
    const { settings } = await gatherSettings(
      givenSettings(command),
      options.config === undefined ? {} : { config: options.config },
    );
    const [{ Training }, { runPretraining }, { showTraining }, { commandLine }] = await Promise.all([
      import('../train/train.js'),
      import('../train/pretrain/recipe.js'),
      import('./training.js'),
      import('../track/facts.js'),
    ]);
    const temperature = options.temperature === undefined ? {} : { temperature: Number(options.temperature) };
    const training = new Training((stop, emit) =>
      runPretraining({ data, settings, ...temperature, stop, emit, command: commandLine() }),
    );
    process.exitCode = await showTraining(training);
    const { folder, state } = await training;
    if (state === 'finished') tellUse(folder);
  });
}

/** What can be done with the folder of a pre-training. */
export function tellUse(folder: string): void {
  console.log(`use           praxis finetune ${folder} DATA`);
}
