/** Reading a learning-rate sweep: smoothing, and the rates that it suggests. Plain numbers only. */

/** One sweep: the loss of a step at each rate. A loss that overflowed is Infinity, and the last. */
export interface Sweep {
  readonly seed: number;
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  /** Whether the loss went off before the last rate. */
  readonly diverged: boolean;
}

/** Width of the smoothing, in steps of the sweep. */
const smoothingWidth = 1.5;

/**
 * A weighted mean of each loss and its neighbours on both sides. Unlike a running average it does not lag behind, which would move
 * every suggestion to higher rates. Losses that span decades are averaged as logarithms.
 */
export function smooth(losses: readonly number[], width = smoothingWidth): number[] {
  const finite = losses.filter(Number.isFinite);
  const logarithmic = finite.length > 0 && finite.every((loss) => loss > 0);
  const to = logarithmic ? Math.log : (x: number) => x;
  const from = logarithmic ? Math.exp : (x: number) => x;
  const reach = Math.ceil(3 * width);
  return losses.map((loss, i) => {
    if (!Number.isFinite(loss)) return loss;
    let sum = 0;
    let weights = 0;
    // At the ends the window is cut on both sides alike: a slope must not pull the mean to one side.
    const side = Math.min(reach, i, losses.length - 1 - i);
    for (let k = -side; k <= side; k++) {
      const neighbour = losses[i + k] as number;
      if (!Number.isFinite(neighbour)) continue;
      const weight = Math.exp(-0.5 * (k / width) ** 2);
      sum += weight * to(neighbour);
      weights += weight;
    }
    return from(sum / weights);
  });
}

/** Rates that one sweep suggests. */
export interface CurveSuggestions {
  /** Where the loss falls fastest. */
  readonly steepest: number;
  /** In the middle of the fall, on the logarithmic axis. */
  readonly valley: number;
  /** A tenth of the rate with the least loss. */
  readonly minimum: number;
  /** The rate with the least loss, after which it only rises: just below the spike, as far as a sweep can tell. */
  readonly edge: number;
}

const indexOfLeast = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value < (values[best] as number) ? i : best), 0);

/** Share of the whole fall that must be done before it counts as begun: less is noise of the batches. */
const onset = 0.1;
/** Slopes are read from a smoother curve: differences magnify noise. */
const slopeWidth = 3;

/**
 * Where the loss falls: from the last step at which it is still about as high as in the beginning, down to the least. On the flat part
 * before it the losses of different batches go up and down, and the longest run of falling ones there means nothing.
 */
function fallOf(smoothed: readonly number[], least: number): [number, number] {
  const beginning = smoothed.slice(0, Math.max(1, Math.floor(smoothed.length / 10)));
  const level = beginning.reduce((a, b) => a + b, 0) / beginning.length;
  const high = level - onset * (level - (smoothed[least] as number));
  let start = least;
  while (start > 0 && (smoothed[start] as number) < high) start--;
  return [start, least];
}

/** What a sweep suggests. */
export function suggest(sweep: Sweep): CurveSuggestions {
  const { rates, losses } = sweep;
  const at = (i: number) => rates[i] as number;
  const smoothed = smooth(losses);
  const least = indexOfLeast(smoothed);
  const [start, end] = fallOf(smoothed, least);
  const gentle = smooth(losses, slopeWidth);
  let steepest = start;
  let slope = 0;
  for (let i = Math.max(1, start); i < end; i++) {
    const difference = (gentle[i + 1] as number) - (gentle[i - 1] as number);
    if (difference < slope) {
      slope = difference;
      steepest = i;
    }
  }
  return {
    steepest: at(steepest),
    valley: at(Math.floor((start + end) / 2)),
    minimum: at(least) / 10,
    // Smoothing blurs the turn: take the least of the losses themselves nearby.
    edge: at(turnNear(losses, least)),
  };
}

function turnNear(losses: readonly number[], middle: number): number {
  let best = middle;
  for (let i = Math.max(0, middle - 3); i <= Math.min(losses.length - 1, middle + 3); i++)
    if ((losses[i] as number) < (losses[best] as number)) best = i;
  return best;
}

/** Watches a sweep as it runs, and says when to stop. */
export class Divergence {
  #average = 0;
  #weight = 0;
  #best = Infinity;
  #first: number | undefined;

  /** @param factor how many times the best (smoothed) loss is a spike */
  constructor(readonly factor: number) {}

  /** Takes the next loss; true when the sweep has gone off. */
  add(loss: number): boolean {
    if (!Number.isFinite(loss)) return true;
    this.#average = 0.7 * this.#average + 0.3 * loss;
    this.#weight = 0.7 * this.#weight + 0.3;
    const smoothed = this.#average / this.#weight;
    this.#first ??= smoothed;
    // Where the loss came near zero, many times nothing is no spike.
    if (smoothed > this.factor * this.#best && smoothed > 0.1 * Math.abs(this.#first)) return true;
    this.#best = Math.min(this.#best, smoothed);
    return false;
  }
}

/** The middle value; of an even number the geometric mean of the two, for rates are compared by their ratios. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : Math.sqrt((sorted[middle - 1] as number) * (sorted[middle] as number));
};
