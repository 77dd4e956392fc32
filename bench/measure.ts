/** Interleaved pairs: one measurement of each side in turn, so that a machine whose speed drifts slows both. */

/** Nanoseconds per repetition of each side, pair by pair. */
export interface Pairs {
  readonly praxis: readonly number[];
  readonly pytorch: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Median of the ratios of the pairs: below 1, Praxis is faster. */
export function ratio(pairs: Pairs): number {
  return median(pairs.praxis.map((x, i) => x / (pairs.pytorch[i] as number)));
}

/** The middle half of the ratios, to see how noisy the machine was. */
export function spread(pairs: Pairs): [number, number] {
  const ratios = pairs.praxis.map((x, i) => x / (pairs.pytorch[i] as number)).sort((a, b) => a - b);
  return [ratios[ratios.length >> 2] as number, ratios[(3 * ratios.length) >> 2] as number];
}

/**
 * @param rounds how many pairs
 * @param praxis, pytorch run once and give nanoseconds per repetition
 */
export async function interleave(
  rounds: number,
  praxis: () => Promise<number>,
  pytorch: () => Promise<number>,
): Promise<Pairs> {
  const result = { praxis: [] as number[], pytorch: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    // Who goes first alternates, so that neither always finds the caches warm.
    if (round % 2 === 0) {
      result.praxis.push(await praxis());
      result.pytorch.push(await pytorch());
    } else {
      result.pytorch.push(await pytorch());
      result.praxis.push(await praxis());
    }
  }
  return result;
}

/** Nanoseconds as a person reads them. */
export function readable(nanoseconds: number): string {
  if (nanoseconds < 1e4) return `${nanoseconds.toFixed(0)} ns`;
  if (nanoseconds < 1e7) return `${(nanoseconds / 1e3).toFixed(1)} µs`;
  return nanoseconds < 1e10 ? `${(nanoseconds / 1e6).toFixed(1)} ms` : `${(nanoseconds / 1e9).toFixed(2)} s`;
}
