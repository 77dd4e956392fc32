/**
 * Counter-based random numbers: a draw is a pure function of (seed, epoch, sample, stream), so it depends neither on the order in which
 * samples are visited nor on the number of workers. Generator: Philox 4×32 with 10 rounds.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 */

/** Draws of one key. */
export interface Draws {
  /** Uniform in [0, 1), 32 bits of it. */
  uniform(low?: number, high?: number): number;
  /** Uniform in 0…n − 1. */
  integer(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** true with probability p. */
  chance(p: number): boolean;
}

/** High word of the 64-bit product of two 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

/** The block of four 32-bit words for a counter and a key, written into `out`. */
export function philox(counter: Uint32Array, key0: number, key1: number, out: Uint32Array): void {
  let [c0, c1, c2, c3] = counter as unknown as [number, number, number, number];
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = highProduct(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

class PhiloxDraws implements Draws {
  private readonly counter: Uint32Array;
  private readonly block = new Uint32Array(4);
  private used = 4;

  constructor(
    private readonly key0: number,
    private readonly key1: number,
    epoch: number,
    sample: number,
    stream: number,
  ) {
    // Word 0 counts the blocks of this key.
    this.counter = Uint32Array.of(0, sample >>> 0, epoch >>> 0, stream >>> 0);
  }

  private word(): number {
    if (this.used === 4) {
      philox(this.counter, this.key0, this.key1, this.block);
      this.counter[0] = (this.counter[0] as number) + 1;
      this.used = 0;
    }
    return this.block[this.used++] as number;
  }

  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.word() / 4294967296);
  }

  integer(n: number): number {
    // Words from the incomplete last stretch would favour small numbers.
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % n;
    }
  }

  normal(): number {
    // Box and Muller; 1 − u keeps the logarithm finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  chance(p: number): boolean {
    return this.uniform() < p;
  }
}

/**
 * The draws of one sample in one epoch.
 * @param seed an integer of up to 53 bits
 * @param stream separates independent uses: every transform draws from a stream of its own
 */
export function sampleRandom(seed: number, epoch: number, sample: number, stream = 0): Draws {
  return new PhiloxDraws(seed >>> 0, Math.floor(seed / 4294967296) >>> 0, epoch, sample, stream);
}

/** Stream numbers below 16 are the library's own; those of transforms begin at 16. */
export const streams = { shuffle: 1, split: 2, preview: 3, drawn: 4 } as const;

/** A random order of 0…n − 1 (Fisher and Yates), the same for the same seed and epoch everywhere. */
export function permutation(n: number, seed: number, epoch: number, stream: number = streams.shuffle): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const draws = sampleRandom(seed, epoch, 0xffffffff, stream);
  for (let i = n - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    const other = order[j] as number;
    order[j] = order[i] as number;
    order[i] = other;
  }
  return order;
}
