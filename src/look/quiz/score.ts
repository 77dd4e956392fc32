/** What came of a quiz: accuracy with its interval, confusions, time. */
import { DataError } from '../../data/errors.js';
import { type Interval, wilson } from '../../data/intervals.js';
import type { QuizAnswer, QuizScore, Share } from './types.js';

export interface ScoreOptions {
  /** Number of classes. */
  readonly classes: number;
  /** What a network says to a picture, by name; undefined where that is not known. */
  readonly net?: (name: string) => number | undefined;
}

function shareOf(right: number, of: number): Share {
  return { right, of, accuracy: of === 0 ? Number.NaN : right / of, interval: wilson(right, of) };
}

/** Middle value; the mean of the two middle ones of an even number. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * Scores answers. Skipped pictures count neither as right nor as wrong.
 * @throws DataError for a class that does not exist
 */
export function scoreQuiz(answers: readonly QuizAnswer[], options: ScoreOptions): QuizScore {
  const { classes, net } = options;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const given = answers.filter((answer) => answer.answer !== null);
  let right = 0;
  let netRight = 0;
  let netKnown = 0;
  for (const { name, label, answer } of given) {
    const row = confusion[label];
    const column = answer as number;
    if (row?.[column] === undefined)
      throw new DataError(
        `scoreQuiz: ${name} has class ${label} and answer ${column}, but there are classes 0 to ${classes - 1} only`,
      );
    row[column] = row[column] + 1;
    if (label === column) right++;
    const said = net?.(name);
    if (said === undefined) continue;
    netKnown++;
    if (said === label) netRight++;
  }
  return {
    ...shareOf(right, given.length),
    skipped: answers.length - given.length,
    secondsPerPicture: median(given.map(({ seconds }) => seconds)),
    confusion,
    missed: given.filter(({ label, answer }) => label !== answer),
    // A share of other pictures would be no comparison.
    ...(net !== undefined && netKnown === given.length && netKnown > 0 ? { net: shareOf(netRight, netKnown) } : {}),
  };
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Half the width of an interval in points of percent: what stands behind `±`. */
export const halfWidth = ({ low, high }: Interval): number => Math.max(1, Math.round(50 * (high - low)));

/** `you: 90 % ± 11, net: 84 % ± 13`; for lists, and for reports. */
export function shortScore(score: QuizScore): string {
  const text = (share: Share): string =>
    share.of === 0 ? 'nothing answered' : `${percent(share.accuracy)} ± ${halfWidth(share.interval)}`;
  return `you: ${text(score)}${score.net === undefined ? '' : `, net: ${text(score.net)}`}`;
}
