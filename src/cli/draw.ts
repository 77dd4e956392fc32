/** `praxis draw`: a data set of drawn flowers, to try everything on. */
import type { Command } from 'commander';
import { progressLine } from './progress.js';

interface DrawArguments {
  pictures?: number;
  species?: string;
  size?: number;
  seed?: number;
  difficulty?: number;
  noise?: number;
  wrongLabels?: number;
  duplicates?: number;
  nearDuplicates?: number;
  overwrite?: boolean;
}

export function addDraw(program: Command): void {
  program
    .command('draw')
    .summary('draw a data set of flowers')
    .description(
      'Draws flowers into FOLDER, one folder per species, and writes down the truth about each picture in drawn.json.\nThe same options give the same bytes; what is there already is not drawn again.',
    )
    .argument('[folder]', 'where to', 'drawn-flowers')
    .option('--pictures <n>', 'how many in all (1200)', Number)
    .option('--species <n or names>', 'how many species, or their names separated by commas (6)')
    .option('--size <pixels>', 'height and width (128)', Number)
    .option('--seed <n>', 'for other pictures (0)', Number)
    .option('--difficulty <0…1>', 'from large and typical to small and half hidden (0.5)', Number)
    .option('--noise <0…1>', 'deviation of the noise (0.015)', Number)
    .option('--wrong-labels <share>', 'share of pictures in a wrong folder (0)', Number)
    .option('--duplicates <share>', 'share of exact copies (0)', Number)
    .option('--near-duplicates <share>', 'share of copies that differ a little (0)', Number)
    .option('--overwrite', 'replace a set that was drawn with other options')
    .action(async (folder: string, { species, ...options }: DrawArguments) => {
      const { drawFlowers } = await import('../data/drawn/index.js');
      const progress = progressLine(process.stderr);
      const started = performance.now();
      try {
        const set = await drawFlowers(folder, {
          ...options,
          ...(species === undefined ? {} : { species: /^\d+$/.test(species) ? Number(species) : species.split(',') }),
          onProgress: (done, total) => progress.show(`drawing ${done} of ${total}`, done === total),
        });
        progress.clear();
        const seconds = (performance.now() - started) / 1000;
        const what = `${set.pictures.length} pictures of ${set.settings.species.join(', ')}`;
        console.log(
          set.drawn === 0
            ? `${folder}: ${what}, all there already.`
            : `${folder}: ${what}; ${set.drawn} drawn in ${seconds.toFixed(1)} s.`,
        );
      } finally {
        progress.clear();
      }
    });
}
