/** `praxis download`: gets a known data set. */
import type { Command } from 'commander';
import { progressLine } from './progress.js';

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** Counts the speed of a download over its last seconds. */
export function makeSpeed(now: () => number = () => performance.now()): (file: string, received: number) => number {
  let marks: { at: number; received: number }[] = [];
  let current = '';
  return (file, received) => {
    if (file !== current) marks = [];
    current = file;
    const at = now();
    marks.push({ at, received });
    while (marks.length > 2 && at - (marks[0]?.at ?? at) > 5000) marks.shift();
    const first = marks[0] as { at: number; received: number };
    return at === first.at ? 0 : ((received - first.received) / (at - first.at)) * 1000;
  };
}

export function addDownload(program: Command): void {
  program
    .command('download')
    .summary('get a known data set')
    .description(
      'Gets flowers102, cifar10, cifar100, mnist or fashion-mnist from where its makers publish it, and checks it.\nA download that was cut goes on where it stopped.',
    )
    .argument('<name>', 'flowers102, cifar10, cifar100, mnist or fashion-mnist')
    .argument('[folder]', 'where to', 'data')
    .action(async (name: string, folder: string) => {
      const { knownDatasets } = await import('../data/known/index.js');
      const get = knownDatasets[name];
      if (get === undefined) {
        const { ConfigError } = await import('../train/errors.js');
        throw new ConfigError(
          `Praxis does not know a data set named '${name}'; it knows ${Object.keys(knownDatasets).join(', ')}.`,
        );
      }
      const progress = progressLine(process.stderr);
      const speed = makeSpeed();
      try {
        const set = await get(folder, {
          download: true,
          onProgress: ({ file, received, total, waitingFor }) => {
            if (waitingFor !== undefined) {
              progress.show(`${file}: waiting for ${waitingFor}, which downloads it`);
              return;
            }
            const of = total === undefined ? '' : ` of ${megabytes(total)}`;
            const text = `${file}: ${megabytes(received)}${of} MB, ${megabytes(speed(file, received))} MB/s`;
            progress.show(text, received === total);
          },
        });
        progress.clear();
        const { train = [], validation = [], test = [] } = set.officialParts ?? {};
        const split = [
          `${train.length} for training`,
          ...(validation.length > 0 ? [`${validation.length} for validation`] : []),
          `${test.length} for the test`,
        ];
        console.log(`${set.root}: ${set.length} pictures in ${set.classes.length} classes (${split.join(', ')}).`);
      } finally {
        progress.clear();
      }
    });
}
