/** `praxis probe`: what pretrained features are worth here, in seconds. */
import type { Command } from 'commander';
import { settingNames } from '../train/config/schema.js';
import { addSettings, givenSettings } from './settings-flags.js';
import { StatusLine } from './status-line.js';

/** What a probe minds of the settings of a training. */
const taken = new Set([
  ...['seed', 'split', 'splitFile', 'nearDuplicates', 'exclude', 'size', 'fit', 'channels', 'workers', 'cache'],
  ...['normalisation', 'device', 'precision', 'memoryFormat', 'threads'],
]);

export function addProbe(program: Command): void {
  const command = program
    .command('probe')
    .summary('see in seconds what pretrained weights know of your pictures')
    .description(
      [
        'Computes what the frozen network says of every picture, once, and learns from that: a linear classifier, and the nearest',
        'neighbours. The instant baseline that praxis finetune begins with, alone. Nothing but the cache is written; the test part stays',
        'sealed.',
        '',
        'WEIGHTS and DATA are as for praxis finetune.',
      ].join('\n'),
    )
    .argument('<weights>', 'name, file, folder, address, place on the hub, or run folder')
    .argument('<data>', 'folder of pictures by class, manifest, or archive')
    .option('--json', 'print all figures as JSON');
  addSettings(
    command,
    settingNames.filter((name) => !taken.has(name)),
  );
  command.action(async (weights: string, data: string, options: { json?: boolean }) => {
    const [{ gatherSettings }, { probeWith }] = await Promise.all([
      import('../train/config/settings.js'),
      import('../train/transfer/probe-data.js'),
    ]);
    const { settings } = await gatherSettings({ ...givenSettings(command), pretrained: weights });
    const line = new StatusLine(options.json === true ? process.stderr : process.stdout);
    try {
      const result = await probeWith(data, settings, ({ stage, text, share }) => {
        if (share !== undefined) line.update([`${stage}: ${text} ${Math.round(100 * share)} %`]);
        else if (options.json !== true) line.print(`${stage.padEnd(13)} ${text}`);
      });
      if (options.json === true) console.log(JSON.stringify(result, null, 2));
      else line.print(`use           praxis finetune ${weights} ${data}`);
    } finally {
      line.close();
    }
  });
}
