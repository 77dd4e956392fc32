/** Copies that were mirrored or turned by quarters: candidates by the hash of turned thumbnails, each compared with care. */

import { turn } from '../../torch/turn.js';
import { alignedCorrelation, type Standard, standardise } from './compare.js';
import { hashThumbnails } from './hash.js';
import { defaultLimit } from './index.js';
import { area, type PictureMeasurements, side } from './measure.js';
import { pairsWithin } from './search.js';

export interface TurnedPair {
  readonly a: number;
  readonly b: number;
  /** 1 − correlation where they fit best. */
  readonly distance: number;
  readonly how: string;
}

/** Where the pixel at (x, y) of the turned thumbnail comes from. */
const turns: readonly { readonly how: string; readonly from: (x: number, y: number) => readonly [number, number] }[] = [
  { how: 'mirrored', from: (x, y) => [side - 1 - x, y] },
  { how: 'upside down and mirrored', from: (x, y) => [x, side - 1 - y] },
  { how: 'upside down', from: (x, y) => [side - 1 - x, side - 1 - y] },
  { how: 'turned by a quarter', from: (x, y) => [y, side - 1 - x] },
  { how: 'turned by a quarter', from: (x, y) => [side - 1 - y, x] },
  { how: 'turned by a quarter and mirrored', from: (x, y) => [y, x] },
  { how: 'turned by a quarter and mirrored', from: (x, y) => [side - 1 - y, side - 1 - x] },
];

/** Copies have hashes that differ in at most so many of 64 bits. */
const radius = 11;
/** Candidates that are compared at most; more than that, and all pictures are much alike. */
const mostCandidates = 200_000;

/**
 * Pairs of pictures of which one is the other mirrored, turned by quarters, or both. Copies that lie as the other does are not among them.
 * @param limit largest 1 − correlation
 */
export async function findTurned(
  measured: PictureMeasurements,
  { limit = defaultLimit, signal }: { limit?: number; signal?: AbortSignal | undefined } = {},
): Promise<TurnedPair[]> {
  const shown: number[] = [];
  for (let index = 0; index < measured.length; index++)
    if (measured.width[index] !== 0 && standardise(measured.grey, index)) shown.push(index);
  const grey = new Uint8Array(shown.length * area);
  shown.forEach((index, at) => {
    grey.set(measured.grey.subarray(index * area, (index + 1) * area), at * area);
  });
  const hashes = hashThumbnails(grey);
  const turned = new Uint8Array(grey.length);
  const found = new Map<string, TurnedPair>();
  for (const { how, from } of turns) {
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const [u, v] = from(x, y);
        const source = v * side + u;
        for (let at = y * side + x, own = source; at < grey.length; at += area, own += area)
          turned[at] = grey[own] as number;
      }
    const candidates: [number, number][] = [];
    await pairsWithin(
      hashes,
      hashThumbnails(turned),
      radius,
      (i, j) => {
        // Every pair is met from both sides, by a turn and by its opposite: one is enough.
        if (i < j) candidates.push([i, j]);
        return candidates.length < mostCandidates;
      },
      signal,
    );
    let rest = Date.now();
    for (const [i, j] of candidates) {
      if (Date.now() - rest > 40) {
        await turn();
        signal?.throwIfAborted();
        rest = Date.now();
      }
      const [first, second] = [standardise(turned, i) as Standard, standardise(grey, j) as Standard];
      const distance = Math.max(0, 1 - alignedCorrelation(second, first));
      if (distance > limit) continue;
      // What is symmetric is also a copy as it lies, and told as that.
      if (1 - alignedCorrelation(second, standardise(grey, i) as Standard) <= limit) continue;
      const [a, b] = [shown[i] as number, shown[j] as number];
      const before = found.get(`${a} ${b}`);
      if (!before || before.distance > distance) found.set(`${a} ${b}`, { a, b, distance, how });
    }
  }
  return [...found.values()].sort((x, y) => x.a - y.a || x.b - y.b);
}
