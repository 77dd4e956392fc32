/**
 * Which unit goes to which part. A unit is what stays together: a sample, or a group of duplicates.
 *
 * Stratified: iterative stratification (Sechidis, Tsoumakas, Vlahavas, "On the stratification of multi-label data", ECML 2011) over units,
 * rarest label first. What a class leaves over after whole units is dealt so that the parts' totals come right too: without that, a
 * hundred classes of ten would all round the same way.
 */
import { type Draws, sampleRandom, streams } from '../random.js';

export interface AssignOptions {
  /** Share of each part; they sum to 1. A part of share 0 stays empty. */
  readonly fractions: readonly number[];
  /** Labels of a sample. */
  readonly labels: (sample: number) => readonly number[];
  readonly classes: number;
  readonly stratify: boolean;
  readonly seed: number;
}

const almost = 1e-9;

/** Random order of a list, in place. */
function shuffle<Item>(list: Item[], draws: Draws): Item[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    const other = list[j] as Item;
    list[j] = list[i] as Item;
    list[i] = other;
  }
  return list;
}

/**
 * How many samples of `count` each part should have: its share, but at least one where there are as many units as parts; what that costs
 * is taken from the largest.
 */
export function quotas(count: number, units: number, fractions: readonly number[]): number[] {
  const result = fractions.map((fraction) => fraction * count);
  const active = fractions.filter((fraction) => fraction > 0).length;
  if (units < active) return result;
  for (let p = 0; p < result.length; p++) {
    if ((fractions[p] as number) === 0 || (result[p] as number) >= 1) continue;
    const largest = result.indexOf(Math.max(...result));
    result[largest] = (result[largest] as number) - (1 - (result[p] as number));
    result[p] = 1;
  }
  return result;
}

/** Whole numbers with the same sum, each within one of its quota: largest remainders first, on ties the earlier part. */
export function wholeQuotas(exact: readonly number[]): number[] {
  const whole = exact.map((value) => Math.floor(value + almost));
  const total = Math.round(exact.reduce((a, b) => a + b, 0));
  const order = exact
    .map((value, p) => ({ p, rest: value - (whole[p] as number) }))
    .sort((a, b) => (Math.abs(a.rest - b.rest) < almost ? a.p - b.p : b.rest - a.rest));
  let left = total - whole.reduce((a, b) => a + b, 0);
  for (const { p } of order) {
    if (left-- <= 0) break;
    whole[p] = (whole[p] as number) + 1;
  }
  return whole;
}

/** The part of each unit. */
export function assignUnits(units: readonly (readonly number[])[], options: AssignOptions): Uint8Array {
  const draws = sampleRandom(options.seed, 0, 0xffffffff, streams.split);
  return options.stratify ? stratified(units, options, draws) : unstratified(units, options, draws);
}

/** Random without replacement: units in random order, each to a part drawn in proportion to the room that is left there. */
function unstratified(units: readonly (readonly number[])[], { fractions }: AssignOptions, draws: Draws): Uint8Array {
  const samples = units.reduce((sum, unit) => sum + unit.length, 0);
  const room = wholeQuotas(quotas(samples, units.length, fractions));
  const part = new Uint8Array(units.length);
  for (const u of shuffle([...units.keys()], draws)) {
    const open = room.map((value, p) => ((fractions[p] as number) > 0 ? Math.max(0, value) : 0));
    const total = open.reduce((a, b) => a + b, 0);
    let at = draws.uniform() * total;
    let chosen = open.findIndex((value) => {
      at -= value;
      return value > 0 && at < 0;
    });
    if (chosen < 0) chosen = open.indexOf(Math.max(...open));
    part[u] = chosen;
    room[chosen] = (room[chosen] as number) - (units[u] as readonly number[]).length;
  }
  return part;
}

/** Labels of a unit with their counts. */
type Counts = readonly (readonly [label: number, count: number])[];

function stratified(
  units: readonly (readonly number[])[],
  { fractions, labels, classes }: AssignOptions,
  draws: Draws,
): Uint8Array {
  const active = [...fractions.keys()].filter((p) => (fractions[p] as number) > 0);
  const main = active.reduce((best, p) => ((fractions[p] as number) > (fractions[best] as number) ? p : best));
  // Samples without a label are a class of their own.
  const counts: Counts[] = units.map((unit) => {
    const own = new Map<number, number>();
    for (const sample of unit) {
      const list = labels(sample);
      for (const label of list.length > 0 ? list : [classes]) own.set(label, (own.get(label) ?? 0) + 1);
    }
    return [...own];
  });
  const members: number[][] = Array.from({ length: classes + 1 }, () => []);
  const remaining = new Float64Array(classes + 1);
  counts.forEach((own, u) => {
    for (const [label, count] of own) {
      (members[label] as number[]).push(u);
      remaining[label] = (remaining[label] as number) + count;
    }
  });
  // What each part still wants of each class, and how many units of it each part has.
  const wanted = members.map((list, label) => quotas(remaining[label] as number, list.length, fractions));
  const present = members.map(() => new Uint32Array(fractions.length));
  // What each part still wants in all, counted over the units that have had their turn.
  const total = fractions.map(() => 0);
  const part = new Uint8Array(units.length).fill(255);

  const choose = (u: number, label: number, left: number): number => {
    const want = wanted[label] as number[];
    const have = present[label] as Uint32Array;
    const empty = active.filter((p) => have[p] === 0);
    let candidates = active;
    if ((members[label] as number[]).length < active.length) candidates = empty.includes(main) ? [main] : empty;
    else if (left <= empty.length) candidates = empty;
    const own = counts[u] as Counts;
    const size = own.find(([l]) => l === label)?.[1] ?? 1;
    const others = (p: number): number =>
      own.reduce((sum, [l, count]) => (l === label ? sum : sum + count * ((wanted[l] as number[])[p] as number)), 0);
    const roomy = candidates.filter((p) => (want[p] as number) >= size - almost);
    const some = candidates.filter((p) => (want[p] as number) > almost);
    if (roomy.length > 0)
      return best(
        roomy,
        draws,
        (p) => want[p] as number,
        others,
        (p) => total[p] as number,
      );
    if (some.length > 0) return best(some, draws, (p) => (want[p] as number) + (total[p] as number), others);
    return best(
      candidates,
      draws,
      (p) => want[p] as number,
      (p) => total[p] as number,
    );
  };

  const open = new Set([...members.keys()].filter((label) => (members[label] as number[]).length > 0));
  while (open.size > 0) {
    let label = -1;
    for (const other of open)
      if (label < 0 || (remaining[other] as number) < (remaining[label] as number)) label = other;
    open.delete(label);
    const turn = shuffle(
      (members[label] as number[]).filter((u) => part[u] === 255),
      draws,
    );
    const sizeOf = new Map(turn.map((u) => [u, (counts[u] as Counts).find(([l]) => l === label)?.[1] ?? 0]));
    // Large units first: the small ones even out what those leave. The sort is stable, so equals stay in random order.
    turn.sort((a, b) => (sizeOf.get(b) as number) - (sizeOf.get(a) as number));
    for (const u of turn)
      for (const p of active)
        total[p] = (total[p] as number) + (fractions[p] as number) * (units[u] as readonly number[]).length;
    turn.forEach((u, done) => {
      const p = choose(u, label, turn.length - done);
      part[u] = p;
      total[p] = (total[p] as number) - (units[u] as readonly number[]).length;
      for (const [l, count] of counts[u] as Counts) {
        const want = wanted[l] as number[];
        want[p] = (want[p] as number) - count;
        const have = present[l] as Uint32Array;
        have[p] = (have[p] as number) + 1;
        remaining[l] = (remaining[l] as number) - count;
      }
    });
  }
  return part;
}

/** The candidate with the highest first score, on ties the highest second one, …, at last one drawn at random. */
function best(candidates: readonly number[], draws: Draws, ...scores: ((candidate: number) => number)[]): number {
  let left = [...candidates];
  for (const score of scores) {
    if (left.length === 1) break;
    const values = left.map(score);
    const highest = Math.max(...values);
    left = left.filter((_, i) => (values[i] as number) > highest - almost);
  }
  return left.length === 1 ? (left[0] as number) : (left[draws.integer(left.length)] as number);
}
