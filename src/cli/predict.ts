/** `praxis predict`: what a finished run says of pictures, rows or texts. */
import type { Command } from 'commander';
import { ConfigError } from '../train/errors.js';
import type { LoadedRun, PredictInput, Prediction, PredictOptions } from '../train/predict.js';
import { progressLine } from './progress.js';
import { wholeNumber } from './values.js';

interface PredictArguments {
  readonly top: string;
  readonly tta?: boolean;
  readonly json?: boolean;
  readonly probabilities?: boolean;
  readonly batchSize: string;
}

export function addPredict(program: Command): void {
  program
    .command('predict')
    .summary('ask a finished run what is in pictures')
    .description(
      'Answers for each picture with the most probable classes. Folders are searched through; - reads names from standard input, one a line.\nA run on a table takes tables, one on texts takes text files, and - then reads one text a line.\nWhat cannot be read is named, the others are answered, and the exit code is 1.\nThe time it took is told on standard error; of one picture alone, the time that one takes again and again.',
    )
    .argument('<run>', 'run folder')
    .argument('<files...>', 'pictures, folders of pictures, or - for standard input')
    .option('--top <count>', 'how many classes to name', '3')
    .option('--tta', 'look at each picture several times, a little moved and mirrored, and average the answers')
    .option('--json', 'print a JSON object for each picture, one per line')
    .option('--probabilities', 'with --json: also the probabilities of all classes')
    .option('--batch-size <count>', 'how many go through the network at once', '64')
    .action(async (folder: string, places: string[], options: PredictArguments) => {
      const settings = {
        top: wholeNumber('--top', options.top),
        batchSize: wholeNumber('--batch-size', options.batchSize),
        probabilities: options.probabilities === true,
        tta: options.tta === true,
      };
      if (settings.probabilities && options.json !== true)
        throw new ConfigError('--probabilities goes with --json; --top names more classes.');
      const { loadRun } = await import('../train/predict.js');
      const begin = performance.now();
      const run = await loadRun(folder);
      const loading = performance.now() - begin;
      const answers = await asked(run, places, settings);
      const spent = await tell(answers, run, options.json === true);
      if (spent === undefined) return;
      console.error(
        answers.count === 1
          ? await latency(run, answers.inputs[0] as PredictInput, settings, { loading, first: spent })
          : `${answers.count} ${run.kind}s in ${(spent / 1000).toFixed(1)} s: ${((1000 * answers.count) / spent).toFixed(0)} a second.`,
      );
    });
}

interface Asked {
  readonly count: number;
  /** What the answers are about. */
  readonly inputs: readonly PredictInput[];
  readonly answers: AsyncIterable<Prediction>;
}

/** What is to be predicted, whatever the run was trained on. */
async function asked(run: LoadedRun, places: readonly string[], settings: PredictOptions): Promise<Asked> {
  const { filesAmong } = await import('../train/use/files.js');
  const named = places.filter((place) => place !== '-');
  const lines = places.includes('-') ? await linesOfInput() : [];
  if (run.kind === 'picture') {
    const files = filesAmong([...named, ...lines], 'picture');
    if (files.length === 0) throw new Error('Standard input named no picture.');
    return { count: files.length, inputs: files, answers: run.predictEach(files, settings) };
  }
  const { rowsOf } = await import('../train/use/rows.js');
  const { rowNormaliser } = run;
  if (rowNormaliser === undefined)
    throw new Error(`${run.folder}: this run was trained on tensors; predict with them from a program (loadRun).`);
  const texts = run.kind === 'text' ? lines : [];
  const files = filesAmong(run.kind === 'text' ? named : [...named, ...lines], run.kind === 'text' ? 'text' : 'table');
  const rows = [
    ...files.flatMap((file) => rowsOf(file, rowNormaliser)),
    ...texts.map((row, i) => ({ name: `line ${i + 1}`, row })),
  ];
  if (rows.length === 0) throw new Error(`There is no ${run.kind} in ${places.join(', ')}.`);
  async function* answers(): AsyncGenerator<Prediction> {
    let i = 0;
    for await (const answer of run.predictEach(
      rows.map(({ row }) => row),
      settings,
    ))
      yield { file: (rows[i++] as { name: string }).name, ...answer };
  }
  return { count: rows.length, inputs: rows.map(({ row }) => row), answers: answers() };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `a.jpg  tulip 93.1 %  rose 4.0 %`; of a multi-label run what is more probable than not stands before a bar. */
function line({ file, guesses }: Prediction, multiLabel: boolean): string {
  const words = guesses.map(({ label, probability }) => `${label} ${percent(probability)}`);
  if (!multiLabel) return `${file}  ${words.join('  ')}`;
  const sure = guesses.filter(({ probability }) => probability > 0.5).length;
  const [yes, no] = [words.slice(0, sure), words.slice(sure)];
  return `${file}  ${yes.length === 0 ? 'none' : yes.join('  ')}${no.length === 0 ? '' : `  | ${no.join('  ')}`}`;
}

const milliseconds = (time: number): string =>
  time >= 1000 ? `${(time / 1000).toFixed(1)} s` : `${time.toFixed(time < 10 ? 1 : 0)} ms`;

/**
 * How long one takes, from the file to the answer, as a program that stays loaded would see it: asked again, since the first time pays for
 * what happens once (code that is compiled, memory that is got, a file that is not in memory yet). At most half a second.
 */
async function latency(
  run: LoadedRun,
  input: PredictInput,
  settings: PredictOptions,
  { loading, first }: { readonly loading: number; readonly first: number },
): Promise<string> {
  const times: number[] = [];
  const end = performance.now() + 500;
  while (times.length < 20 && performance.now() + first / 2 < end) {
    const begin = performance.now();
    for await (const _ of run.predictEach([input], settings));
    times.push(performance.now() - begin);
  }
  const once = `the first took ${milliseconds(first)}, loading the run ${milliseconds(loading)}`;
  if (times.length === 0) return `One ${run.kind} by itself: ${once}.`;
  const median = times.sort((a, b) => a - b)[times.length >> 1] as number;
  return `${milliseconds(median)} for one ${run.kind} by itself (median of ${times.length} more, decoding included; CPU, float32, threads: ${run.machine.threads}); ${once}.`;
}

/** @returns milliseconds that all took together; undefined where some could not be read */
async function tell({ count, answers }: Asked, run: LoadedRun, json: boolean): Promise<number | undefined> {
  // Where answers go to the terminal too, they are the progress.
  const progress = progressLine(process.stdout.isTTY ? { write: () => true } : process.stderr);
  const begin = performance.now();
  let [done, bad] = [0, 0];
  for await (const answer of answers) {
    done += 1;
    if (answer.error !== undefined) {
      bad += 1;
      process.exitCode = 1;
      progress.clear();
    }
    if (json) console.log(JSON.stringify(answer));
    if (answer.error !== undefined) console.error(`✘ ${answer.error}`);
    else if (!json) console.log(line(answer, run.multiLabel));
    const perSecond = (1000 * done) / (performance.now() - begin);
    progress.show(`${done}/${count} ${run.kind}s, ${perSecond.toFixed(0)}/s`);
  }
  const spent = performance.now() - begin;
  progress.clear();
  if (bad > 0 && count > 1) console.error(`${bad} of ${count} ${run.kind}s could not be read.`);
  return bad > 0 ? undefined : spent;
}

async function linesOfInput(): Promise<string[]> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text.split(/\r?\n/).filter((name) => name !== '');
}
