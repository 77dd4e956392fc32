/** What an augmentation is: a batch transform with a name, options that can be written down, and random numbers of its own. */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { type Draws, sampleRandom } from '../random.js';
import type { Batch, BatchContext, BatchTransform } from '../types.js';
import { positions } from './functional/blocks.js';

/**
 * Every random transform has a number, and draws from stream 16 + 128 · position + number: two transforms of one kind in a `compose`
 * draw different numbers, and so do two of different kinds anywhere. New ones are added at the end, or runs would not repeat.
 */
const kinds = [
  ...['compose', 'randomApply', 'randomChoice', 'toFloat', 'normalize', 'randomResizedCrop', 'randomCrop'],
  ...[
    'randomHorizontalFlip',
    'alternatingFlip',
    'randomVerticalFlip',
    'randomRotation',
    'randomAffine',
    'randomPerspective',
  ],
  ...[
    'colorJitter',
    'randomGrayscale',
    'gaussianBlur',
    'randomPosterize',
    'randomSolarize',
    'randomEqualize',
    'randomAutocontrast',
  ],
  ...['randomAdjustSharpness', 'randomInvert', 'randAugment', 'trivialAugmentWide', 'randomErasing', 'mixup', 'cutmix'],
] as const;
export type AugmentationName = (typeof kinds)[number];

/** A batch transform that knows its name and options. Inside `compose` it is moved to a position, which sets its random numbers apart. */
export interface Augmentation extends BatchTransform {
  readonly augmentation: AugmentationName;
  /** As given, with defaults filled in; for composites, their parts are in `parts`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly parts: readonly BatchTransform[];
  /** How many positions it and its parts take. @internal */
  readonly positions: number;
  /** The same at another position. @internal */
  readonly at: (position: number) => Augmentation;
}

export const isAugmentation = (transform: BatchTransform): transform is Augmentation => 'augmentation' in transform;

/** The random numbers of each picture of a batch for one transform. */
export type RowDraws = (row: number) => Draws;

/** What a transform does. Tensors made on the way are freed when it returns. */
export type Work = (batch: Batch, draws: RowDraws, context: BatchContext, parts: readonly BatchTransform[]) => Batch;

/** Makes an augmentation. @param parts for composites: what they are made of */
export function augmentation(
  name: AugmentationName,
  options: Readonly<Record<string, unknown>>,
  work: Work,
  parts: readonly BatchTransform[] = [],
): Augmentation {
  for (const [i, part] of parts.entries())
    if (typeof part !== 'function')
      throw new ArgumentError(
        `${name}(): transform ${i} is not a batch transform but ${part === null ? 'null' : typeof part}.`,
      );
  const taken = parts.map((part) => (isAugmentation(part) ? part.positions : 1));
  const all = 1 + taken.reduce((sum, x) => sum + x, 0);
  const at = (position: number): Augmentation => {
    let next = position + 1;
    const placed = parts.map((part, i) => {
      const here = next;
      next += taken[i] as number;
      return isAugmentation(part) ? part.at(here) : part;
    });
    const stream = 16 + 128 * position + kinds.indexOf(name);
    const run = (batch: Batch, context: BatchContext): Batch => {
      checkBatch(batch, context, name);
      const draws: RowDraws = (row) =>
        sampleRandom(context.seed, context.epoch, context.samples[row] as number, stream);
      return torch.scope(() => work(batch, draws, context, placed));
    };
    return Object.assign(run, { augmentation: name, options, parts: placed, positions: all, at });
  };
  return at(0);
}

function checkBatch(batch: Batch, context: BatchContext, name: string): void {
  const rows = batch.input.shape[0];
  if (rows !== context.samples.length)
    throw new ArgumentError(
      `${name}(): a batch of ${rows} came with ${context.samples.length} sample keys; give one for each.`,
    );
}

/** A batch with another input. */
export const withInput = (batch: Batch, input: Tensor): Batch =>
  input === batch.input ? batch : { input, target: batch.target, index: batch.index };

/** The rows for which the draw says yes, with chance p each. */
export function chosenRows(count: number, draws: RowDraws, p: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < count; row++) if (draws(row).chance(p)) rows.push(row);
  return rows;
}

/** `images` with an operator applied to some rows; the operator keeps shape and type. */
export function onRows(
  images: Tensor,
  rows: readonly number[],
  operator: (some: Tensor, rows: readonly number[]) => Tensor,
): Tensor {
  if (rows.length === 0) return images;
  if (rows.length === images.size(0)) return operator(images, rows);
  const index = positions(rows, images.device);
  return images.clone().indexCopy_(0, index, operator(images.indexSelect(0, index), rows));
}

/** Some rows of a batch, with their context. */
export function takeRows(batch: Batch, context: BatchContext, rows: readonly number[]): [Batch, BatchContext] {
  const on = (x: Tensor): Tensor => x.indexSelect(0, positions(rows, x.device));
  return [
    { input: on(batch.input), target: on(batch.target), index: on(batch.index) },
    { ...context, samples: rows.map((row) => context.samples[row] as number) },
  ];
}

/** Puts parts of a batch together again. Labels become one-hot where another part's were mixed. */
export function joinRows(
  count: number,
  parts: readonly { readonly rows: readonly number[]; readonly batch: Batch }[],
  soft: (target: Tensor) => Tensor,
  title: string,
): Batch {
  const mixed = parts.some((part) => part.batch.target.isFloatingPoint());
  const first = parts[0]?.batch as Batch;
  const order = new Array<number>(count);
  let at = 0;
  for (const { rows, batch } of parts) {
    const [a, b] = [batch.input, first.input];
    if (a.dtype !== b.dtype || a.shape.slice(1).join() !== b.shape.slice(1).join())
      throw new ArgumentError(
        `${title}: its transforms must give pictures of one type and size, but gave ${b.dtype} [${b.shape.slice(1).join(', ')}] and ${a.dtype} [${a.shape.slice(1).join(', ')}].`,
      );
    for (const row of rows) order[row] = at++;
  }
  const join = (pick: (batch: Batch) => Tensor): Tensor =>
    torch.cat(parts.map((part) => pick(part.batch))).indexSelect(0, positions(order, first.input.device));
  return {
    input: join((batch) => batch.input),
    target: join((batch) => (mixed && !batch.target.isFloatingPoint() ? soft(batch.target) : batch.target)),
    index: join((batch) => batch.index),
  };
}
