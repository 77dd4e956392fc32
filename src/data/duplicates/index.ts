/** Copies among the samples of a data set: equal ones, and pictures that are nearly equal. */

import { turn } from '../../torch/turn.js';
import { DataError } from '../errors.js';
import { contentsOf } from '../sources/sealing.js';
import type { Dataset, PictureDataset } from '../types.js';
import { alignedCorrelation, type Standard, standardise } from './compare.js';
import { Groups } from './groups.js';
import { type Box, hashThumbnails } from './hash.js';
import { area, measurePictures, type PictureMeasurements, type Unreadable } from './measure.js';
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
  /** Largest distance of near copies that was accepted. Smaller than asked for where all pictures are much alike (digits, scans). */
  readonly limit: number;
  readonly measurements?: PictureMeasurements | undefined;
}

export interface DuplicateOptions {
  /** Default `near` for pictures, `exact` for everything else. */
  readonly level?: 'exact' | 'near';
  /** Near copies: largest 1 − correlation. Default 0.0345. */
  readonly limit?: number;
  /** Pictures measured before. */
  readonly measurements?: PictureMeasurements | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes of copies differ in at most so many bits of 64; tried from left to right until there are not too many candidates. */
const radii = [15, 11, 7, 3];
/** The same for what is left after a cut: the cuts lie close enough for fewer. */
const cutRadius = 11;
/** Cuts that are tried as copies of whole pictures, as shares of the width and height: all round, and from one side. */
const cuts: readonly Box[] = [
  [0.05, 0.05, 0.95, 0.95],
  [0.09, 0.09, 0.91, 0.91],
  [0.09, 0, 1, 1],
  [0, 0, 0.91, 1],
  [0, 0.09, 1, 1],
  [0, 0, 1, 0.91],
];
/** Candidates that are compared at most: per picture, and in all. */
const patience = 30;
const mostCandidates = 300_000;
/**
 * Measured on 4,317 photographs: up to 0.034 all pairs show the same scene; the first two pictures of different things, heads of dandelions
 * before a dark ground, come to 0.035. Copies that were rescaled, recompressed, brightened or cropped by up to 8 % on each side mostly
 * stay below 0.015.
 */
export const defaultLimit = 0.0345;

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
  known.set(part, { level: of.level, groups, pairs, unreadable, limit: of.limit });
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
    found = { level: 'exact', groups: gather(groups, pairs), pairs, unreadable: [], limit: 0 };
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
  let limit = 0;
  if (level === 'near') {
    const near = await nearPairs(measured, standing, options.limit ?? defaultLimit, signal);
    limit = near.limit;
    for (const { a, b, distance } of near.pairs) join(a, b, 'near', distance);
  }
  return {
    level,
    groups: gather(groups, pairs),
    pairs,
    unreadable: measured.unreadable,
    limit,
    measurements: measured,
  };
}

interface NearPair {
  readonly a: number;
  readonly b: number;
  readonly distance: number;
}

/** Near copies among the pictures that stand for equal files. */
async function nearPairs(
  measured: PictureMeasurements,
  standing: readonly number[],
  limit: number,
  signal: AbortSignal | undefined,
): Promise<{ pairs: NearPair[]; limit: number }> {
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
    const visit = (i: number, j: number, distance: number): boolean => {
      candidates.push(distance, shown[i] as number, shown[j] as number);
      return candidates.length < 3 * Math.min(mostCandidates, patience * Math.max(1000, shown.length));
    };
    let complete = await pairsWithin(hashes, hashes, radius, visit, signal);
    for (const cut of cuts)
      complete &&= await pairsWithin(hashes, hashThumbnails(grey, cut), Math.min(radius, cutRadius), visit, signal);
    if (!complete) continue;
    // The most alike first: what they join need not be compared again.
    const order = Array.from({ length: candidates.length / 3 }, (_, i) => 3 * i).sort(
      (x, y) => (candidates[x] as number) - (candidates[y] as number),
    );
    const distances = new Map<number, number>();
    const distanceOf = (a: number, b: number): number => {
      const pair = a * measured.length + b;
      let distance = distances.get(pair);
      if (distance === undefined) {
        distance = Math.max(0, 1 - alignedCorrelation(standardOf(a) as Standard, standardOf(b) as Standard));
        distances.set(pair, distance);
      }
      return distance;
    };
    for (const accepted of [limit, limit / 3, limit / 10]) {
      const groups = new Groups(measured.length);
      const pairs: NearPair[] = [];
      let rest = Date.now();
      for (const at of order) {
        if (Date.now() - rest > 40) {
          await turn();
          signal?.throwIfAborted();
          rest = Date.now();
        }
        const a = Math.min(candidates[at + 1] as number, candidates[at + 2] as number);
        const b = Math.max(candidates[at + 1] as number, candidates[at + 2] as number);
        if (groups.find(a) === groups.find(b)) continue;
        const distance = distanceOf(a, b);
        if (distance > accepted) continue;
        groups.join(a, b);
        pairs.push({ a, b, distance });
      }
      if (!inChains(groups, distanceOf, accepted)) return { pairs, limit: accepted };
    }
    return { pairs: [], limit: 0 };
  }
  return { pairs: [], limit: 0 };
}

/** Groups smaller than this are not asked whether they are chains. */
const shortChain = 8;

/**
 * Whether pictures were joined that are not alike: a is like b, b like c, and so on, as with digits or scans of letters. Copies of one
 * picture are all alike. Asked of pairs far apart in the large groups; a hundredth of all pictures in chains is too much.
 */
function inChains(groups: Groups, distanceOf: (a: number, b: number) => number, limit: number): boolean {
  let chained = 0;
  for (const members of groups.all()) {
    const { length } = members;
    if (length < shortChain) continue;
    const half = Math.floor(length / 2);
    const asked = Array.from({ length: Math.min(half, 25) }, (_, i) => Math.floor((i * half) / Math.min(half, 25)));
    const apart = asked.filter((i) => distanceOf(members[i] as number, members[i + half] as number) > 2 * limit);
    if (apart.length > asked.length / 2) chained += length;
  }
  return chained > groups.length / 100;
}
