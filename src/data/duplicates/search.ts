/**
 * All pairs of hashes that differ in few bits, without comparing all pairs: two hashes within r bits agree in one of their four 16-bit
 * quarters up to r / 4 bits, so it is enough to look up the neighbours of each quarter.
 * Source: Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index hashing" (CVPR 2012).
 */

import { turn } from '../../torch/turn.js';
import { bits, type Hashes } from './hash.js';

/** 16-bit numbers with at most so many bits set. */
function masks(most: number): Uint16Array {
  const found: number[] = [];
  for (let mask = 0; mask < 65536; mask++) if (bits(mask) <= most) found.push(mask);
  return Uint16Array.from(found);
}

const quarter = (hashes: Hashes, index: number, which: number): number => {
  const word = (which < 2 ? hashes.low[index] : hashes.high[index]) as number;
  return which % 2 === 0 ? word & 0xffff : word >>> 16;
};

/** Hashes by one quarter: those with value v are `order[start[v]]` to `order[start[v + 1] − 1]`. */
interface Index {
  readonly start: Uint32Array;
  readonly order: Uint32Array;
}

function indexBy(hashes: Hashes, which: number): Index {
  const count = hashes.low.length;
  const start = new Uint32Array(65537);
  for (let i = 0; i < count; i++) {
    const value = quarter(hashes, i, which) + 1;
    start[value] = (start[value] as number) + 1;
  }
  for (let v = 0; v < 65536; v++) start[v + 1] = (start[v + 1] as number) + (start[v] as number);
  const filled = start.slice();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const value = quarter(hashes, i, which);
    order[filled[value] as number] = i;
    filled[value] = (filled[value] as number) + 1;
  }
  return { start, order };
}

/**
 * Calls back for every pair of a query i and a hash j ≠ i that differ in at most `radius` bits, once, in no particular order; where the
 * queries are the hashes themselves, for i < j only. Gives way to other work now and then.
 * @param visit returns false to end the search
 * @returns whether the search came to its end
 */
export async function pairsWithin(
  hashes: Hashes,
  queries: Hashes,
  radius: number,
  visit: (i: number, j: number, distance: number) => boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const { low, high } = hashes;
  const count = low.length;
  const quarters = [0, 1, 2, 3].map((which) => indexBy(hashes, which));
  const reach = Math.floor(radius / 4);
  const neighbours = masks(reach);
  const themselves = queries === hashes;
  let rest = Date.now();
  for (let i = 0; i < count; i++) {
    if ((i & 63) === 0 && Date.now() - rest > 40) {
      await turn();
      signal?.throwIfAborted();
      rest = Date.now();
    }
    const ownLow = queries.low[i] as number;
    const ownHigh = queries.high[i] as number;
    for (let which = 0; which < 4; which++) {
      const { start, order } = quarters[which] as Index;
      const own = quarter(queries, i, which);
      for (let m = 0; m < neighbours.length; m++) {
        const value = own ^ (neighbours[m] as number);
        const end = start[value + 1] as number;
        for (let at = start[value] as number; at < end; at++) {
          const j = order[at] as number;
          if (j === i || (themselves && j < i)) continue;
          const first = (low[j] as number) ^ ownLow;
          const second = (high[j] as number) ^ ownHigh;
          const distance = bits(first) + bits(second);
          if (distance > radius) continue;
          // A pair is met at the first quarter in which it is close enough.
          if (which > 0 && bits(first & 0xffff) <= reach) continue;
          if (which > 1 && bits(first >>> 16) <= reach) continue;
          if (which > 2 && bits(second & 0xffff) <= reach) continue;
          if (!visit(i, j, distance)) return false;
        }
      }
    }
  }
  return true;
}
