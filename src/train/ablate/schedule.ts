/** Successive halving: all changes with few seeds, the better half with more, the better quarter with more still. */

/** One round: how many changes are in it, and up to which number of seeds they are trained. */
export interface Round {
  readonly changes: number;
  readonly seeds: number;
}

/** Rounds for so many changes; the last one ends with `seeds` seeds. */
export function roundsFor(changes: number, seeds: number): Round[] {
  const count = Math.min(3, seeds, 1 + Math.floor(Math.log2(Math.max(1, changes))));
  return Array.from({ length: count }, (_, i) => ({
    changes: Math.max(1, Math.ceil(changes / 2 ** i)),
    seeds: Math.round((seeds * (i + 1)) / count),
  }));
}

/** Trainings in all, counted in trainings as long as the baseline. @param factors cost of each change; the dearer half is thought to stay */
export function costOfRounds(rounds: readonly Round[], factors: readonly number[]): number {
  const dear = [...factors].sort((a, b) => b - a);
  let [sum, before] = [rounds.at(-1)?.seeds ?? 0, 0];
  for (const { changes, seeds } of rounds) {
    sum += (seeds - before) * dear.slice(0, changes).reduce((a, b) => a + b, 0);
    before = seeds;
  }
  return sum;
}

/** The most seeds, up to `most`, whose rounds fit so many trainings; at least 2, since one tells nothing of noise. */
export function seedsFor(factors: readonly number[], trainings: number, most = 8): number {
  let seeds = 2;
  while (seeds < most && costOfRounds(roundsFor(factors.length, seeds + 1), factors) <= trainings) seeds++;
  return seeds;
}
