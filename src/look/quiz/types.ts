/** What a quiz is: pictures to name, the answers a person gave, and what comes of them. */
import type { Interval } from '../../data/intervals.js';
import type { PictureForm } from '../../data/types.js';

/** The parts that pictures may come from: never the test part. */
export const quizParts = ['validation', 'train'] as const;
export type QuizPart = (typeof quizParts)[number];

/** A picture of a quiz as it is shown. */
export interface QuizPicture {
  /** Name of the sample, stable across machines. */
  readonly name: string;
  /** Its class, an index into the quiz's classes. */
  readonly label: number;
  /** PNG of exactly what the network gets, before augmentation and normalisation. */
  readonly png: Uint8Array;
}

/** Pictures to name, made by `makeQuiz`. */
export interface Quiz {
  /** Of the data set. */
  readonly name: string;
  readonly classes: readonly string[];
  /** In the order in which they are asked. */
  readonly pictures: readonly QuizPicture[];
  /** Labelled pictures of the training part to learn from first; none of them is asked. */
  readonly examples: readonly QuizPicture[];
  readonly from: QuizPart;
  /** How many pictures that part has. */
  readonly available: number;
  readonly seed: number;
  /** Another round, other pictures of the same part. */
  readonly round: number;
  readonly form: PictureForm;
  /** Of the split: which sample is in which part. */
  readonly splitFingerprint: string;
  /** Of everything asked, in its order: equal for equal quizzes. */
  readonly fingerprint: string;
  /** Pictures that were drawn but cannot be read, with the reason; others took their places. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

/** What a person said to one picture. */
export interface QuizAnswer {
  readonly name: string;
  /** The true class. */
  readonly label: number;
  /** The class named; null for a picture that was skipped. */
  readonly answer: number | null;
  /** How long the picture was looked at until then. */
  readonly seconds: number;
}

/** Right answers among some. */
export interface Share {
  readonly right: number;
  readonly of: number;
  /** right / of; NaN where there are none. */
  readonly accuracy: number;
  /** Wilson's, 95 %. */
  readonly interval: Interval;
}

/** What came of a quiz. Skipped pictures count in no figure but `skipped`. */
export interface QuizScore extends Share {
  readonly skipped: number;
  /** Median over the pictures answered; NaN where there are none. */
  readonly secondsPerPicture: number;
  /** Rows: the true class, columns: the answer, as counts. */
  readonly confusion: readonly (readonly number[])[];
  /** What was named wrong, in the order asked. */
  readonly missed: readonly QuizAnswer[];
  /** A network's share on the same pictures, where its answers are known. */
  readonly net?: Share;
}

/** Once through a quiz, as it is kept. */
export interface QuizAttempt {
  readonly quiz: string;
  readonly splitFingerprint: string;
  readonly from: QuizPart;
  readonly seed: number;
  /** Another round, other pictures of the same part. */
  readonly round: number;
  readonly form: PictureForm;
  readonly classes: readonly string[];
  /** How many pictures were to be named. */
  readonly pictures: number;
  /** ISO 8601. */
  readonly started: string;
  /** When the person said it is done; without, it was broken off and can be gone on with. */
  readonly finished?: string;
  readonly answers: readonly QuizAnswer[];
}
