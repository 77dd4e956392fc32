/** `praxis predict`: what a finished run says of pictures. */
import type { Command } from 'commander';

export function addPredict(program: Command): void {
  program
    .command('predict')
    .summary('ask a finished run what is in pictures')
    .description(
      'Answers for each picture with the most probable classes. Folders are searched through; - reads names from standard input.',
    )
    .argument('<run>', 'run folder')
    .argument('<files...>', 'pictures, folders of pictures, or - for names on standard input')
    .option('--top <count>', 'how many classes to name', '3')
    .option('--tta', 'look at each picture several times, a little moved and mirrored, and average the answers')
    .option('--json', 'print a JSON object for each picture, one per line')
    .action(async (folder: string, places: string[], options: { top: string; tta?: boolean; json?: boolean }) => {
      const { loadRun, picturesAmong } = await import('../train/predict.js');
      const top = Number(options.top);
      if (!Number.isInteger(top) || top < 1)
        throw new Error(`--top takes a whole number from 1, got '${options.top}'.`);
      const run = await loadRun(folder);
      const named = places.includes('-') ? await namesFromInput() : [];
      const files = picturesAmong([...places.filter((place) => place !== '-'), ...named]);
      if (files.length === 0) throw new Error(`${places.join(', ')}: there is no picture in it.`);
      for await (const prediction of run.predictEach(files, { top, tta: options.tta === true })) {
        if (prediction.error !== undefined) process.exitCode = 1;
        if (options.json === true) console.log(JSON.stringify(prediction));
        else if (prediction.error !== undefined) console.error(`✘ ${prediction.error}`);
        else
          console.log(
            `${prediction.file}  ${prediction.guesses.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`).join('  ')}`,
          );
      }
    });
}

async function namesFromInput(): Promise<string[]> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text.split(/\r?\n/).filter((name) => name !== '');
}
