/** Putting transforms together, and the two that end every chain: floats and normalisation. */
import { ArgumentError } from '../../torch/index.js';
import type { Batch, BatchTransform, ChannelStatistics } from '../types.js';
import { normalizePictures, softTargets, toFloatPictures } from './functional/mix.js';
import { known, probability } from './options.js';
import {
  type Augmentation,
  augmentation,
  chosenRows,
  isAugmentation,
  joinRows,
  takeRows,
  withInput,
} from './transform.js';

/** uint8 0…255 to float32 0…1; floats stay as they are. */
export function toFloat(): Augmentation {
  return augmentation('toFloat', {}, (batch) => withInput(batch, toFloatPictures(batch.input)));
}

/** (pictures − mean) / deviation per channel, in units of 0…1; uint8 is taken as if divided by 255. */
export function normalize(statistics: ChannelStatistics): Augmentation {
  const { mean, std } = known('normalize()', statistics, ['mean', 'std', ...Object.keys(statistics ?? {})]);
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const)
    if (!Array.isArray(list))
      throw new ArgumentError(
        `normalize(): ${name} must be a list with one number per channel, got ${JSON.stringify(list)}.`,
      );
  return augmentation('normalize', { mean, std }, (batch) =>
    withInput(batch, normalizePictures(batch.input, { mean, std })),
  );
}

/** Leaves out a `toFloat` that a `normalize` follows, which makes floats itself in the same pass. */
function fused(transforms: readonly BatchTransform[]): BatchTransform[] {
  const name = (i: number): string | undefined => {
    const transform = transforms[i];
    return transform !== undefined && isAugmentation(transform) ? transform.augmentation : undefined;
  };
  return transforms.filter((_, i) => !(name(i) === 'toFloat' && name(i + 1) === 'normalize'));
}

/** One transform after the other; functions of your own (batch, context) → batch may be among them. */
export function compose(transforms: readonly BatchTransform[]): Augmentation {
  if (!Array.isArray(transforms)) throw new ArgumentError('compose() needs a list of transforms.');
  return augmentation(
    'compose',
    {},
    (batch, _, context, parts) => {
      let current = batch;
      for (const part of fused(parts)) current = part(current, context);
      return current;
    },
    transforms,
  );
}

/** Whether a transform mixes labels. */
const mixes = (transform: BatchTransform): boolean =>
  isAugmentation(transform) &&
  (transform.augmentation === 'mixup' || transform.augmentation === 'cutmix' || transform.parts.some(mixes));

/** Labels as [N, classes] where other batches' are: what a network is trained with must not change its form with the draw. */
function evenIfUnmixed(batch: Batch, parts: readonly BatchTransform[], classes: number, title: string): Batch {
  if (batch.target.isFloatingPoint() || !parts.some(mixes)) return batch;
  return { input: batch.input, target: softTargets(batch.target, classes, title), index: batch.index };
}

/** The transforms, one after the other, for each picture with chance p (default 0.5). They must keep size and type. */
export function randomApply(transforms: readonly BatchTransform[], options?: { readonly p?: number }): Augmentation {
  const title = 'randomApply()';
  if (!Array.isArray(transforms) || transforms.length === 0)
    throw new ArgumentError(`${title} needs a list of transforms, at least one.`);
  const p = probability(title, known(title, options, ['p']).p ?? 0.5);
  return augmentation(
    'randomApply',
    { p },
    (batch, draws, context, parts) => {
      const count = batch.input.size(0);
      const rows = chosenRows(count, draws, p);
      const apply = (some: typeof batch, of: typeof context): typeof batch =>
        parts.reduce((current, part) => part(current, of), some);
      if (rows.length === 0) return evenIfUnmixed(batch, parts, context.classes, title);
      if (rows.length === count) return apply(batch, context);
      const chosen = new Set(rows);
      const rest = Array.from({ length: count }, (_, row) => row).filter((row) => !chosen.has(row));
      return joinRows(
        count,
        [
          { rows, batch: apply(...takeRows(batch, context, rows)) },
          { rows: rest, batch: takeRows(batch, context, rest)[0] },
        ],
        (target) => softTargets(target, context.classes, title),
        title,
      );
    },
    transforms,
  );
}

/** One of the transforms for each picture. @param options `p`: their chances, in any unit; default equal ones */
export function randomChoice(
  transforms: readonly BatchTransform[],
  options?: { readonly p?: readonly number[] },
): Augmentation {
  const title = 'randomChoice()';
  if (!Array.isArray(transforms) || transforms.length === 0)
    throw new ArgumentError(`${title} needs a list of transforms, at least one.`);
  const p = known(title, options, ['p']).p ?? transforms.map(() => 1);
  const total = p.reduce((sum, x) => sum + x, 0);
  if (p.length !== transforms.length || !p.every((x) => x >= 0) || !(total > 0))
    throw new ArgumentError(
      `${title}: p must have one chance for each of ${transforms.length} transforms, got [${p.join(', ')}].`,
    );
  return augmentation(
    'randomChoice',
    { p },
    (batch, draws, context, parts) => {
      const count = batch.input.size(0);
      const groups: number[][] = parts.map(() => []);
      for (let row = 0; row < count; row++) {
        let left = draws(row).uniform(0, total);
        let choice = p.findIndex((x) => {
          left -= x;
          return left < 0;
        });
        if (choice < 0) choice = p.length - 1;
        groups[choice]?.push(row);
      }
      const done = groups.flatMap((rows, i) => {
        const part = parts[i] as BatchTransform;
        if (rows.length === 0) return [];
        return [
          { rows, batch: rows.length === count ? part(batch, context) : part(...takeRows(batch, context, rows)) },
        ];
      });
      const [only] = done;
      if (only === undefined) return evenIfUnmixed(batch, parts, context.classes, title);
      if (done.length === 1) return evenIfUnmixed(only.batch, parts, context.classes, title);
      return joinRows(count, done, (target) => softTargets(target, context.classes, title), title);
    },
    transforms,
  );
}
