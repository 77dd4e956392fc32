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
  /** Two thirds into the longest fall. */
  readonly valley: number;
  /** A tenth of the rate with the least loss. */
  readonly minimum: number;
  /** The rate with the least loss, after which it only rises: just below the spike, as far as a sweep can tell. */
  readonly edge: number;
}

const indexOfLeast = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value < (values[best] as number) ? i : best), 0);

/** Start and end of the longest run of ever smaller values, gaps allowed. */
function longestFall(values: readonly number[]): [number, number] {
  const lengths = values.map(() => 1);
  const starts = values.map((_, i) => i);
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    for (let j = 0; j < i; j++)
      if ((values[j] as number) > (values[i] as number) && (lengths[j] as number) + 1 > (lengths[i] as number)) {
        lengths[i] = (lengths[j] as number) + 1;
        starts[i] = starts[j] as number;
      }
    if ((lengths[i] as number) > (lengths[best] as number)) best = i;
  }
  return [starts[best] as number, best];
}

/**
 * What a sweep suggests. `valley` is fastai's: the point at two thirds of the longest fall, robust against noise at both ends.
 * Source: https://github.com/fastai/fastai/blob/main/fastai/callback/schedule.py
 */
export function suggest(sweep: Sweep): CurveSuggestions {
  const smoothed = smooth(sweep.losses);
  const { rates } = sweep;
  const at = (i: number) => rates[i] as number;
  const least = indexOfLeast(smoothed);
  let steepest = 0;
  let slope = 0;
  for (let i = 1; i < least; i++) {
    const difference = ((smoothed[i + 1] as number) - (smoothed[i - 1] as number)) / 2;
    if (difference < slope) {
      slope = difference;
      steepest = i;
    }
  }
  const [start, end] = longestFall(smoothed.slice(0, least + 1));
  const section = Math.floor((end - start) / 3);
  return {
    steepest: at(steepest),
    valley: at(start + section + Math.floor(section / 2)),
    minimum: at(least) / 10,
    // Smoothing blurs the turn: take the least of the losses themselves nearby.
    edge: at(turnNear(sweep.losses, least)),
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

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : Math.sqrt((sorted[middle - 1] as number) * (sorted[middle] as number));
};
