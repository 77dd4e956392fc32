/** Copies among the samples of a data set: equal ones, and pictures that are nearly equal. */
import { DataError } from '../errors.js';
import { contentsOf } from '../sources/sealing.js';
import { Groups } from './groups.js';
import type { Dataset, PictureDataset } from '../types.js';
import { alignedCorrelation, type Standard, standardise } from './compare.js';
import { hashThumbnails } from './hash.js';
import { area, colourArea, measurePictures, type PictureMeasurements, type Unreadable } from './measure.js';
import { pairsWithin } from './search.js';

/** Two samples that are copies. */
export interface DuplicatePair {
  readonly a: number;
  readonly b: number;
  readonly kind: 'exact' | 'near';
  /** 0 for exact copies; for near ones 1 − correlation where the pictures fit best. */
  readonly distance: number;
}

/** Samples that are copies of each other, each of at least one other. */
export interface DuplicateGroup {
  /** Ascending. */
  readonly members: readonly number[];
  /** `exact` where all members are equal. */
  readonly kind: 'exact' | 'near';
  /** The largest distance of the pairs that made the group. */
  readonly distance: number;
}

export interface Duplicates {
  readonly level: 'exact' | 'near';
  /** Ordered by first member. */
  readonly groups: readonly DuplicateGroup[];
  /** The pairs that made the groups; inside a group not all pairs were compared. */
  readonly pairs: readonly DuplicatePair[];
  readonly unreadable: readonly Unreadable[];
  readonly measurements?: PictureMeasurements | undefined;
}

export interface DuplicateOptions {
  /** Default `near` for pictures, `exact` for everything else. */
  readonly level?: 'exact' | 'near';
  /** Near copies: largest 1 − correlation. Default 0.03. */
  readonly limit?: number;
  /** Pictures measured before. */
  readonly measurements?: PictureMeasurements | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes of copies differ in at most so many bits of 64; tried from left to right until there are not too many candidates. */
const radii = [15, 11, 7, 3];
/** Candidates per picture that are compared at most. */
const patience = 100;
export const defaultLimit = 0.03;
/** Mean difference of colours, in grey levels after brightness is taken out, that copies may have. */
const colourLimit = 14;

const known = new WeakMap<Dataset, Duplicates>();

/** Copies found before in this very data set, at this level. */
export function knownDuplicates(dataset: Dataset, level: 'exact' | 'near'): Duplicates | null {
  const found = known.get(dataset);
  return found?.level === level ? found : null;
}

/** Notes the copies of a data set that is part of another, so that they need not be searched again. */
export function keepDuplicatesWithin(part: Dataset, indices: readonly number[], of: Duplicates): void {
  const position = new Map(indices.map((index, at) => [index, at]));
  const groups = of.groups
    .map((group) => ({
      ...group,
      members: group.members.flatMap((index) => position.get(index) ?? []).sort((a, b) => a - b),
    }))
    .filter(({ members }) => members.length > 1);
  const pairs = of.pairs.flatMap((pair) => {
    const [a, b] = [position.get(pair.a), position.get(pair.b)];
    return a === undefined || b === undefined ? [] : [{ ...pair, a, b }];
  });
  const unreadable = of.unreadable.flatMap(({ index, reason }) => {
    const at = position.get(index);
    return at === undefined ? [] : [{ index: at, reason }];
  });
  known.set(part, { level: of.level, groups, pairs, unreadable });
}

/** What makes two texts or rows the same. */
function contentKey(dataset: Dataset, index: number): string | undefined {
  if (dataset.kind === 'text') return dataset.text(index).trim().replace(/\s+/g, ' ').toLowerCase();
  if (dataset.kind === 'table') return JSON.stringify(dataset.columns.map((_, column) => dataset.cell(index, column)));
  return undefined;
}

/**
 * Finds copies. Pictures: `exact` are equal files (or bare pixels); `near` are also copies that were rescaled, recompressed, brightened or
 * slightly cropped. Candidates come from a perceptual hash, and each is compared with care, so that two different pictures of one
 * thing are rarely taken for copies. Texts: equal but for case and spaces. Tables: equal in all columns.
 */
export async function findDuplicates(dataset: Dataset, options: DuplicateOptions = {}): Promise<Duplicates> {
  const level = options.level ?? (dataset.kind === 'pictures' ? 'near' : 'exact');
  if (level !== 'exact' && level !== 'near')
    throw new DataError(`duplicates can be 'exact', 'near' or false, not ${JSON.stringify(level)}`);
  let found: Duplicates;
  if (dataset.kind === 'pictures') found = await ofPictures(dataset, level, options);
  else {
    const pairs: DuplicatePair[] = [];
    const groups = new Groups(dataset.length);
    const at = new Map<string, number>();
    const contents = contentsOf(dataset);
    for (let i = 0; i < dataset.length; i++) {
      const key = contentKey(dataset, i) ?? contents.name(i);
      const first = at.get(key);
      if (first === undefined) at.set(key, i);
      else {
        groups.join(first, i);
        pairs.push({ a: first, b: i, kind: 'exact', distance: 0 });
      }
    }
    found = { level: 'exact', groups: gather(groups, pairs), pairs, unreadable: [] };
  }
  known.set(dataset, found);
  return found;
}

function gather(groups: Groups, pairs: readonly DuplicatePair[]): DuplicateGroup[] {
  const distance = new Map<number, number>();
  const near = new Set<number>();
  for (const pair of pairs) {
    const root = groups.find(pair.a);
    distance.set(root, Math.max(distance.get(root) ?? 0, pair.distance));
    if (pair.kind === 'near') near.add(root);
  }
  return groups
    .all()
    .filter((members) => members.length > 1)
    .map((members) => {
      const root = groups.find(members[0] as number);
      return {
        members,
        kind: near.has(root) ? ('near' as const) : ('exact' as const),
        distance: distance.get(root) ?? 0,
      };
    });
}

async function ofPictures(
  dataset: PictureDataset,
  level: 'exact' | 'near',
  options: DuplicateOptions,
): Promise<Duplicates> {
  const { onProgress, signal } = options;
  const measured = options.measurements ?? (await measurePictures(dataset, { onProgress, signal }));
  const groups = new Groups(measured.length);
  const pairs: DuplicatePair[] = [];
  const join = (a: number, b: number, kind: 'exact' | 'near', distance: number): void => {
    groups.join(a, b);
    pairs.push({ a, b, kind, distance });
  };
  // Equal files first; one of each stands for the others from then on.
  const first = new Map<string, number>();
  const standing: number[] = [];
  for (let i = 0; i < measured.length; i++) {
    const content = measured.content[i] as string;
    if (content === '') continue;
    const key = `${content} ${measured.width[i]}×${measured.height[i]}`;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, i);
      standing.push(i);
    } else join(before, i, 'exact', 0);
  }
  if (level === 'near') await joinNear(measured, standing, groups, join, options.limit ?? defaultLimit, signal);
  return { level, groups: gather(groups, pairs), pairs, unreadable: measured.unreadable, measurements: measured };
}

async function joinNear(
  measured: PictureMeasurements,
  standing: readonly number[],
  groups: Groups,
  join: (a: number, b: number, kind: 'exact' | 'near', distance: number) => void,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const standard = new Map<number, Standard | null>();
  const standardOf = (index: number): Standard | null => {
    let own = standard.get(index);
    if (own === undefined) {
      own = standardise(measured.grey, index);
      standard.set(index, own);
      // Thumbnails as numbers take four times the room; the oldest are made again when they are needed.
      if (standard.size > 20000) standard.delete(standard.keys().next().value as number);
    }
    return own;
  };
  const shown = standing.filter((index) => standardOf(index) !== null);
  const grey = new Uint8Array(shown.length * area);
  shown.forEach((index, at) => {
    grey.set(measured.grey.subarray(index * area, (index + 1) * area), at * area);
  });
  const hashes = hashThumbnails(grey);
  for (const radius of radii) {
    const candidates: number[] = [];
    const complete = await pairsWithin(hashes, radius, (i, j, distance) => {
      signal?.throwIfAborted();
      candidates.push(distance, shown[i] as number, shown[j] as number);
      return candidates.length < 3 * patience * Math.max(1000, shown.length);
    });
    if (!complete) continue;
    // The most alike first: what they join need not be compared again.
    const order = Array.from({ length: candidates.length / 3 }, (_, i) => 3 * i).sort(
      (x, y) => (candidates[x] as number) - (candidates[y] as number),
    );
    let rest = Date.now();
    for (const at of order) {
      if (Date.now() - rest > 40) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        rest = Date.now();
      }
      const [a, b] = [candidates[at + 1] as number, candidates[at + 2] as number];
      if (groups.find(a) === groups.find(b) || colourDifference(measured.colour, a, b) > colourLimit) continue;
      const distance = 1 - alignedCorrelation(standardOf(a) as Standard, standardOf(b) as Standard);
      if (distance <= limit) join(Math.min(a, b), Math.max(a, b), 'near', Math.max(0, distance));
    }
    return;
  }
}

/** Mean difference of the coloured thumbnails when their mean brightness is made equal, in grey levels. */
export function colourDifference(colour: Uint8Array, a: number, b: number): number {
  let sumA = 0;
  let sumB = 0;
  for (let c = 0; c < colourArea; c++) {
    sumA += colour[a * colourArea + c] as number;
    sumB += colour[b * colourArea + c] as number;
  }
  const gain = (sumA + 1) / (sumB + 1);
  let difference = 0;
  for (let c = 0; c < colourArea; c++)
    difference += Math.abs((colour[a * colourArea + c] as number) - gain * (colour[b * colourArea + c] as number));
  return difference / colourArea;
}
