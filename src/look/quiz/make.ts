/**
 * Making a quiz: which pictures are asked, and how they look to the network. "Try to solve the task manually and see how you could do it"
 * (the seed text), with the very pixels that the network gets.
 */
import { createHash } from 'node:crypto';
import { BadSampleError, DataError } from '../../data/errors.js';
import { decodePicture } from '../../data/pictures/decode.js';
import sharp from '../../data/pictures/libvips.js';
import { permutation, sampleRandom } from '../../data/random.js';
import { type Split, splitDataset } from '../../data/split/index.js';
import type { Dataset, PictureDataset, PictureForm } from '../../data/types.js';
import { type Quiz, type QuizPart, type QuizPicture, quizParts } from './types.js';

/** Draws of quizzes come from a stream of their own. */
const quizStream = 6;

/** Draws that one round needs. */
const drawsOf = 8;

/** More examples than these nobody looks at. */
const mostExamples = 120;

export interface QuizOptions {
  /** The split of this data set; without, it is split as `train` does with the same seed. */
  readonly split?: Split;
  /** How many pictures are asked; default 30, or all there are. */
  readonly pictures?: number;
  /** Which part they come from; default `validation`. */
  readonly from?: QuizPart;
  /** Of the split, where there is none yet, and of the choice of pictures. Default 0. */
  readonly seed?: number;
  /** Another round, other pictures of the same part. Default 1. */
  readonly round?: number;
  /** What the network gets; default 128 × 128, in colour. */
  readonly form?: Partial<PictureForm>;
  /** Labelled training pictures of each class to learn from first; default 3, or 1 where there are more than 20 classes. */
  readonly examples?: number;
  /** Hears of the pictures looked at while splitting. */
  readonly onProgress?: (done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * A random sample in which each class has its share, rounded up or down, and every sample the same chance: the samples are laid out class
 * by class, at random within, and every n-th is taken from a random start (systematic sampling: Cochran, "Sampling techniques", 1977,
 * chapter 8). Beyond the first `count`, the rest follow as replacements, of the same class each.
 * @param labels class of each sample
 * @returns positions to ask, in random order, and a function that gives another sample of the class of one that cannot be shown
 */
export function drawSample(
  labels: readonly number[],
  count: number,
  seed: number,
  round = 1,
): { readonly chosen: number[]; replace(position: number): number | undefined } {
  const draw = drawsOf * round;
  const order = [...permutation(labels.length, seed, draw, quizStream)];
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  // Classes in random order, too: otherwise neighbours in the alphabet would exclude each other.
  const rank = permutation(classes, seed, draw + 1, quizStream);
  const rows = order.sort((a, b) => (rank[labels[a] as number] as number) - (rank[labels[b] as number] as number));
  const step = labels.length / count;
  const start = sampleRandom(seed, draw + 2, 0, quizStream).uniform(0, step);
  const taken = new Set<number>();
  for (let i = 0; i < count; i++) taken.add(Math.min(labels.length - 1, Math.floor(start + i * step)));
  const picked = [...taken].map((row) => rows[row] as number);
  const chosen = [...permutation(picked.length, seed, draw + 3, quizStream)].map((i) => picked[i] as number);
  const rest = rows.filter((_, row) => !taken.has(row));
  return {
    chosen,
    replace(position) {
      const row = rest.findIndex((other) => labels[other] === labels[position]);
      return row < 0 ? undefined : rest.splice(row, 1)[0];
    },
  };
}

function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new DataError(`makeQuiz: ${name} must be a whole number from ${least} to ${most}, got ${String(value)}`);
  return value;
}

function checkedForm(form: Partial<PictureForm> = {}): PictureForm {
  return { height: 128, width: 128, channels: 3, fit: 'squash', decode: 'fast', ...form };
}

/** A picture as the network gets it. @throws BadSampleError */
async function show(dataset: PictureDataset, index: number, form: PictureForm): Promise<QuizPicture> {
  const pixels = await decodePicture(dataset.location(index), form);
  const { width, height, channels } = form;
  // Nothing but pixels: a PNG of sharp's has neither the file's name nor its EXIF data.
  const png = await sharp(pixels, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png({ compressionLevel: 6 })
    .toBuffer();
  return { name: dataset.sampleName(index), label: dataset.target(index), png };
}

/** Shows the samples chosen; one that cannot be read is replaced by another of its class, and named. */
async function showAll(
  dataset: PictureDataset,
  draw: ReturnType<typeof drawSample>,
  form: PictureForm,
  unreadable: { name: string; reason: string }[],
): Promise<QuizPicture[]> {
  const shown: QuizPicture[] = [];
  for (const position of draw.chosen) {
    let next: number | undefined = position;
    while (next !== undefined) {
      try {
        shown.push(await show(dataset, next, form));
        break;
      } catch (error) {
        if (!(error instanceof BadSampleError)) throw error;
        unreadable.push({ name: dataset.sampleName(next), reason: error.reason });
        next = draw.replace(next);
      }
    }
  }
  return shown;
}

function labelsOf(dataset: Dataset): number[] {
  return Array.from({ length: dataset.length }, (_, index) => dataset.target(index));
}

/** Examples of each class from the training part, class by class, without those that are asked. */
async function drawExamples(
  train: PictureDataset,
  asked: ReadonlySet<string>,
  form: PictureForm,
  each: number,
  seed: number,
  round: number,
): Promise<QuizPicture[]> {
  const wanted = Math.min(each, Math.floor(mostExamples / train.classes.length));
  const byClass: QuizPicture[][] = train.classes.map(() => []);
  let open = wanted === 0 ? 0 : byClass.length;
  for (const index of permutation(train.length, seed, drawsOf * round + 4, quizStream)) {
    if (open === 0) break;
    const own = byClass[train.target(index)] as QuizPicture[];
    if (own.length >= wanted || asked.has(train.sampleName(index))) continue;
    try {
      own.push(await show(train, index, form));
      if (own.length === wanted) open--;
    } catch (error) {
      if (!(error instanceof BadSampleError)) throw error;
    }
  }
  return byClass.flat();
}

/**
 * Chooses random pictures of the validation (or training) part, each class in proportion, and brings them to the network's size. The test
 * part is sealed by then: no picture of it can get in.
 * @param dataset pictures with one label each, as they were opened, or those that `split` was made of
 * @throws DataError for other data, a part without pictures, a number that makes no sense
 */
export async function makeQuiz(dataset: Dataset, options: QuizOptions = {}): Promise<Quiz> {
  const { from = 'validation', seed = 0, signal } = options;
  if (dataset.kind !== 'pictures')
    throw new DataError(`makeQuiz: ${dataset.name} is a ${dataset.kind} data set; a quiz shows pictures`);
  if (dataset.multiLabel)
    throw new DataError(`makeQuiz: the pictures of ${dataset.name} have several labels each; a quiz asks for one`);
  if (!quizParts.includes(from))
    throw new DataError(
      `makeQuiz: from must be ${quizParts.join(' or ')}, got '${String(from)}'; the test part is sealed`,
    );
  if (dataset.classes.length < 2)
    throw new DataError(`makeQuiz: ${dataset.name} has one class only, so there is nothing to tell apart`);
  const wanted = whole('pictures', options.pictures ?? 30, 1, 1000);
  const each = whole('examples', options.examples ?? (dataset.classes.length > 20 ? 1 : 3), 0, mostExamples);
  const round = whole('round', options.round ?? 1, 1, 1_000_000);
  const form = checkedForm(options.form);
  const split =
    options.split ??
    (await splitDataset(dataset, {
      seed,
      check: false,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      ...(signal ? { signal } : {}),
    }));
  const part = split[from] as PictureDataset;
  if (part.length === 0) throw new DataError(`makeQuiz: the ${from} part of ${dataset.name} has no pictures`);
  const draw = drawSample(labelsOf(part), Math.min(wanted, part.length), seed, round);
  const unreadable: { name: string; reason: string }[] = [];
  const pictures = await showAll(part, draw, form, unreadable);
  if (pictures.length === 0)
    throw new DataError(
      `makeQuiz: none of the pictures drawn from the ${from} part of ${dataset.name} can be read (${unreadable[0]?.name}: ${unreadable[0]?.reason})`,
    );
  const asked = new Set(pictures.map(({ name }) => name));
  const examples = await drawExamples(split.train as PictureDataset, asked, form, each, seed, round);
  const names = pictures.map(({ name }) => name);
  return {
    name: dataset.name,
    classes: dataset.classes,
    pictures,
    examples,
    from,
    available: part.length,
    seed,
    round,
    form,
    splitFingerprint: split.fingerprint,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([split.fingerprint, form, names]))
      .digest('hex'),
    unreadable,
  };
}
