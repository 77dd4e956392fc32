/** `praxis quiz`: solve the task yourself, in a local page, before a network does. */
import path from 'node:path';
import type { Command } from 'commander';
import type { Quiz, QuizAttempt, QuizPart, QuizScore } from '../look/quiz/types.js';
import { openBrowser } from './open-browser.js';
import { progressLine } from './progress.js';

interface QuizArguments {
  readonly pictures: string;
  readonly size?: string;
  readonly splitFile?: string;
  readonly run?: string;
  readonly seed?: string;
  readonly round: string;
  readonly port: string;
  readonly open: boolean;
  readonly from: string;
  readonly learn?: string;
  readonly idle: string;
  readonly out?: string;
}

/** How many missed pictures the terminal lists. */
const listed = 12;

/** Up to so many classes the terminal shows the whole table. */
const tableClasses = 9;

const grouped = (n: number): string => n.toLocaleString('en-GB');
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const short = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);
const titled = (title: string, text: string): string => `${title.padEnd(13)} ${text}`;

/** A number from the command line. @throws DataError */
async function whole(flag: string, text: string, least: number, most: number): Promise<number> {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  const { DataError } = await import('../data/errors.js');
  throw new DataError(`${flag} takes a whole number from ${least} to ${most}, not '${text}'`);
}

/** Rows are what it is, columns what was said. */
export function confusionLines(score: Pick<QuizScore, 'confusion'>, classes: readonly string[]): string[] {
  const longest = Math.max(...classes.map((name) => name.length));
  const side = Math.min(16, longest);
  // Within the 80 columns that every terminal has.
  const width = Math.max(5, Math.min(longest + 2, Math.floor((79 - side) / classes.length)));
  const head = ''.padEnd(side) + classes.map((name) => short(name, width - 2).padStart(width)).join('');
  return [
    head.trimEnd(),
    ...score.confusion.map((row, label) => {
      const cells = row.map((count) => (count === 0 ? '·' : String(count)).padStart(width));
      return `${short(classes[label] as string, side).padEnd(side)}${cells.join('')}`;
    }),
  ];
}

/** What the terminal says at the end. */
export function resultLines(score: QuizScore, classes: readonly string[]): string[] {
  if (score.of === 0) return ['Nothing was answered.'];
  const share = ({ right, of, interval }: QuizScore | NonNullable<QuizScore['net']>): string =>
    `${right} of ${of} right; 95 % interval ${percent(interval.low)} to ${percent(interval.high)}`;
  const figure = ({ accuracy, interval }: QuizScore | NonNullable<QuizScore['net']>): string =>
    `${percent(accuracy)} ± ${Math.max(1, Math.round(50 * (interval.high - interval.low)))}`;
  const lines = [titled('you', `${figure(score)}   ${share(score)}`)];
  if (score.net) lines.push(titled('net', `${figure(score.net)}   ${share(score.net)}, on the same pictures`));
  lines.push(
    titled(
      'time',
      `${score.secondsPerPicture.toFixed(1)} s per picture (median)${score.skipped > 0 ? `; ${score.skipped} skipped` : ''}`,
    ),
  );
  if (score.missed.length > 0) {
    lines.push('', 'missed');
    for (const { name, label, answer } of score.missed.slice(0, listed))
      lines.push(`  ${name}: ${classes[label]}, you said ${classes[answer as number]}`);
    if (score.missed.length > listed) lines.push(`  … and ${score.missed.length - listed} more`);
  }
  if (classes.length <= tableClasses) lines.push('', ...confusionLines(score, classes));
  return lines;
}

export function addQuiz(program: Command): void {
  program
    .command('quiz')
    .summary('solve the task yourself: name random pictures, get your own accuracy')
    .description(
      [
        'Shows random pictures of DATA in a local page, as the network gets them, and asks what they are: by keys, or by search where',
        'there are many classes. Gives your accuracy with its interval, what you took for what, and your time. The pictures come from',
        'the validation part of the split that praxis train makes with the same seed; none comes from the sealed test part.',
      ].join('\n'),
    )
    .argument('[data]', 'folder of pictures by class, manifest, or archive; those of the run with --run')
    .option('--pictures <n>', 'how many pictures are asked', '30')
    .option('--size <pixels>', 'side of the pictures, or height x width; what the network would get by default')
    .option('--split-file <file>', 'a split made before (praxis split)')
    .option('--run <folder>', "data, split, size and answers of a run's network, to compare with")
    .option('--seed <n>', 'of the split, as of praxis train: with another one, pictures of its test part may be asked')
    .option('--round <n>', 'another round, other pictures of the same part', '1')
    .option('--from <part>', "'validation' or 'train'", 'validation')
    .option('--learn <n>', 'labelled training pictures of each class to look at first (3; 1 with many classes)')
    .option('--out <file>', 'where answers are kept (quiz.json in the run folder, else quiz-NAME.json here)')
    .option('--port <n>', 'port of the page on 127.0.0.1; 0: any that is free', '0')
    .option('--idle <minutes>', 'end after so long without an answer', '30')
    .option('--no-open', 'only print the address')
    .action(async (data: string | undefined, options: QuizArguments) => {
      const progress = progressLine(process.stderr);
      try {
        await run(data, options, progress);
      } finally {
        progress.clear();
      }
    });
}

/** The quiz as asked for, and what the network of a run says to its pictures. */
async function prepare(
  data: string | undefined,
  options: QuizArguments,
  progress: ReturnType<typeof progressLine>,
): Promise<{ quiz: Quiz; root: string; net?: (name: string) => number | undefined }> {
  const [{ DataError }, { makeQuiz }, { loadSplit }, recipe, { resolve }, { gatherSettings }] = await Promise.all([
    import('../data/errors.js'),
    import('../look/quiz/make.js'),
    import('../data/split/index.js'),
    import('../train/recipe/data.js'),
    import('../train/recipe/resolve.js'),
    import('../train/config/settings.js'),
  ]);
  const given = {
    pictures: await whole('--pictures', options.pictures, 1, 1000),
    round: await whole('--round', options.round, 1, 1_000_000),
    from: options.from as QuizPart,
    ...(options.learn === undefined ? {} : { examples: await whole('--learn', options.learn, 0, 120) }),
  };
  if (options.run !== undefined && options.splitFile !== undefined)
    throw new DataError('--run and --split-file both name a split; leave one of them out');
  const { settings } = await gatherSettings({
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.size === undefined ? {} : { size: options.size }),
    ...(options.splitFile === undefined ? {} : { splitFile: options.splitFile }),
  });
  if (options.run !== undefined) {
    const { openOptionsOf, planOf } = await import('../train/recipe/record.js');
    const plan = planOf(options.run);
    const source = data ?? plan.data.path;
    if (source === '')
      throw new DataError(
        `${options.run}: this run was given its data as an object; name them: praxis quiz DATA --run …`,
      );
    const dataset = await recipe.openData(source, openOptionsOf(options.run));
    const split = await loadSplit(path.join(options.run, 'split.json'), dataset);
    const [height, width] = (options.size === undefined ? undefined : sizeOf(settings.size)) ?? [
      plan.data.form?.height ?? 128,
      plan.data.form?.width ?? 128,
    ];
    const form = { ...plan.data.form, height, width };
    const quiz = await makeQuiz(dataset, { ...given, split, form, seed: settings.seed });
    const net = given.from === 'validation' ? await answersOf(options.run) : undefined;
    return { quiz, root: dataset.root, ...(net ? { net } : {}) };
  }
  if (data === undefined) throw new DataError('praxis quiz needs DATA, or a run with --run');
  const dataset = await recipe.openData(data);
  if (dataset.kind !== 'pictures')
    throw new DataError(`${data} holds no pictures but a ${dataset.kind} data set; a quiz shows pictures`);
  const side = await recipe.sampledSide(dataset);
  const split = await recipe.makeSplit(dataset, settings, (done, all) =>
    progress.show(`looking at picture ${grouped(done)} of ${grouped(all)}`, done === all),
  );
  const facts = { samples: split.train.length, classes: dataset.classes.length };
  const { form } = resolve(settings, { ...facts, ...(side === undefined ? {} : { side }) });
  const quiz = await makeQuiz(dataset, { ...given, split, seed: settings.seed, ...(form ? { form } : {}) });
  return { quiz, root: dataset.root };
}

function sizeOf(size: 'auto' | number | readonly [number, number]): readonly [number, number] | undefined {
  if (size === 'auto') return undefined;
  return typeof size === 'number' ? [size, size] : size;
}

/** What the chosen weights of a run said to the validation pictures, by name; undefined where that was not kept. */
async function answersOf(folder: string): Promise<((name: string) => number | undefined) | undefined> {
  const { readFile } = await import('node:fs/promises');
  let text: string;
  try {
    text = await readFile(path.join(folder, 'validation.jsonl'), 'utf8');
  } catch {
    return undefined;
  }
  const answers = new Map<string, number>();
  for (const line of text.split('\n').filter((row) => row !== '')) {
    const { name, probabilities } = JSON.parse(line) as { name: string; probabilities: number[] };
    answers.set(name, probabilities.indexOf(Math.max(...probabilities)));
  }
  return (name) => answers.get(name);
}

/** Where answers are kept. @throws DataError for a place among the data that nobody asked for */
async function placeFor(quiz: Quiz, root: string, options: QuizArguments): Promise<string> {
  if (options.out !== undefined) return path.resolve(options.out);
  if (options.run !== undefined) return path.resolve(options.run, 'quiz.json');
  const file = path.resolve(`quiz-${quiz.name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.json`);
  const inside = path.relative(root, file);
  if (inside.startsWith('..') || path.isAbsolute(inside)) return file;
  const { DataError } = await import('../data/errors.js');
  throw new DataError(
    `your answers would be kept among the data (${file}); name another place with --out, or call praxis from another folder`,
  );
}

async function run(
  data: string | undefined,
  options: QuizArguments,
  progress: ReturnType<typeof progressLine>,
): Promise<void> {
  const [{ readQuizAttempts, writeQuizAttempts }, { startQuizServer }, { FolderLock }] = await Promise.all([
    import('../look/quiz/file.js'),
    import('../look/quiz/server.js'),
    import('../track/lock.js'),
  ]);
  const port = await whole('--port', options.port, 0, 65535);
  const idleMinutes = await whole('--idle', options.idle, 1, 1440);
  const { quiz, root, net } = await prepare(data, options, progress);
  progress.clear();
  const file = await placeFor(quiz, root, options);
  // Taken before the first question: a folder that cannot be written to is found out now, not after thirty answers.
  const lock = FolderLock.acquire(`${file}.lock`, `The file ${file}`);
  try {
    const attempts = await readQuizAttempts(file);
    const last = attempts.at(-1);
    const before = last?.finished === undefined && last?.quiz === quiz.fingerprint ? last : undefined;
    const kept = before === undefined ? attempts : attempts.slice(0, -1);
    const shown = path.relative(process.cwd(), file).startsWith('..') ? file : path.relative(process.cwd(), file);
    const server = await startQuizServer(quiz, {
      port,
      idleMinutes,
      keptIn: shown,
      ...(before ? { before } : {}),
      ...(net ? { net } : {}),
      onChange: (attempt: QuizAttempt) => writeQuizAttempts(file, quiz.name, [...kept, attempt]),
    });
    const part = quiz.from === 'train' ? 'training' : 'validation';
    const { width, height } = quiz.form;
    console.log(
      titled(
        'quiz',
        `${quiz.pictures.length} of ${grouped(quiz.available)} ${part} pictures of ${quiz.name}, ${width}×${height}, ${quiz.classes.length} classes; none of the test part`,
      ),
    );
    for (const { name, reason } of quiz.unreadable)
      console.log(`! ${name} cannot be read (${reason}); another took its place`);
    if (before)
      console.log(titled('', `goes on after ${before.answers.length} answers of ${before.started.slice(0, 10)}`));
    else if (kept.some((attempt) => attempt.quiz === quiz.fingerprint))
      console.log(titled('', `the same pictures as before; --round ${quiz.round + 1} gives others`));
    console.log(titled('open', server.url));
    console.log(titled('', 'Ctrl-C ends it; every answer is kept at once'));
    if (options.open) openBrowser(server.url);
    const stop = (signal?: NodeJS.Signals): void => {
      // As shells have it for what a signal ended.
      process.exitCode = signal === 'SIGTERM' ? 143 : 130;
      void server.close();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const { reason, score, attempt } = await server.ended.finally(() => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    });
    console.log('');
    if (attempt.finished === undefined)
      console.log(
        `! broken off ${reason === 'idle' ? `after ${idleMinutes} minutes without an answer` : ''}`.trimEnd() +
          (attempt.answers.length > 0 ? '; the same command goes on from here' : ''),
      );
    for (const line of resultLines(score, quiz.classes)) console.log(line);
    if (attempt.answers.length > 0) console.log(`\n${titled('kept in', shown)}`);
  } finally {
    lock.release();
  }
}
