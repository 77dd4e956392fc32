/** Training on some of the training part: for members of an ensemble that differ in their data, and for learning curves. */
import { permutation, sampleRandom } from '../../data/random.js';
import { subset } from '../../data/sources/index.js';
import type { Dataset } from '../../data/types.js';
import type { ReadyParts } from './rows.js';

/** Which of the training samples; JSON, part of a plan, so that a run that goes on trains on the same. */
export interface TrainPart {
  /** Share of the samples of each class, above 0 and up to 1; at least one of each. A smaller share of the same seed lies within a larger one. */
  readonly share: number;
  readonly seed: number;
  /** Draw with replacement, as a bootstrap does: some come more than once, others not at all. */
  readonly replacement?: boolean;
}

/** Draws of their own, apart from those of splits and orders. */
const partStream = 8;

/** Positions of the samples that are trained on, ascending. */
export function positionsOf(train: Dataset, { share, seed, replacement = false }: TrainPart): number[] {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < train.length; i++) {
    const label = train.multiLabel ? 0 : (train.labels(i)[0] as number);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [i]);
    else group.push(i);
  }
  const chosen: number[] = [];
  for (const [label, members] of groups) {
    const wanted = Math.max(1, Math.round(share * members.length));
    if (replacement) {
      const draws = sampleRandom(seed, 0, label, partStream);
      for (let k = 0; k < wanted; k++) chosen.push(members[draws.integer(members.length)] as number);
    } else {
      const order = permutation(members.length, seed, label, partStream);
      for (const place of order.subarray(0, wanted)) chosen.push(members[place] as number);
    }
  }
  return chosen.sort((a, b) => a - b);
}

/** The parts that a run works with: the training part narrowed, the validation part whole. */
export function narrowed<Parts extends ReadyParts>(
  { train, validation }: Parts,
  part: TrainPart | undefined,
): ReadyParts {
  return { train: part === undefined ? train : subset(train, positionsOf(train, part)), validation };
}
