/** One person going through a quiz: where they are, what they said, undoing it. Knows nothing of servers and files. */
import type { Quiz, QuizAnswer, QuizAttempt } from './types.js';

/** Longer than this nobody looks at one picture: whoever left the room does not count as thinking. */
const longest = 600;

/** What the page is told; no label and no name of a picture that is asked. */
export interface SessionState {
  readonly phase: 'learn' | 'ask' | 'check' | 'done';
  /** Which picture is asked; as many as there are when all are answered. */
  readonly position: number;
  readonly total: number;
}

export class QuizSession {
  readonly #quiz: Quiz;
  readonly #answers: QuizAnswer[];
  /** Seconds that pictures were looked at before their answers were undone. */
  readonly #spent = new Map<number, number>();
  readonly #started: string;
  #finished: string | undefined;
  #learnt: boolean;

  /** @param before an attempt at the same quiz that was broken off, to go on with */
  constructor(quiz: Quiz, before?: QuizAttempt) {
    this.#quiz = quiz;
    this.#answers = before === undefined ? [] : before.answers.slice(0, quiz.pictures.length);
    this.#started = before?.started ?? new Date().toISOString();
    this.#learnt = this.#answers.length > 0 || quiz.examples.length === 0;
  }

  get state(): SessionState {
    const position = this.#answers.length;
    const total = this.#quiz.pictures.length;
    const phase = this.#finished !== undefined ? 'done' : !this.#learnt ? 'learn' : position < total ? 'ask' : 'check';
    return { phase, position, total };
  }

  get answers(): readonly QuizAnswer[] {
    return this.#answers;
  }

  /** Ends the phase of learning. */
  begin(): boolean {
    if (this.state.phase !== 'learn') return false;
    this.#learnt = true;
    return true;
  }

  /**
   * Notes an answer to the picture at `position`.
   * @param answer a class, or null to skip
   * @returns false when another picture is asked: of a key pressed twice, or a second window
   */
  answer(position: number, answer: number | null, seconds: number): boolean {
    const picture = this.#quiz.pictures[position];
    if (this.state.phase !== 'ask' || position !== this.#answers.length || picture === undefined) return false;
    const before = this.#spent.get(position) ?? 0;
    this.#spent.delete(position);
    const all = Math.min(longest, before + Math.max(0, seconds));
    this.#answers.push({
      name: picture.name,
      label: picture.label,
      answer,
      seconds: Math.round(all * 1000) / 1000,
    });
    return true;
  }

  /** Takes the last answer back: its picture is asked again, and its time counts on. */
  undo(position: number): boolean {
    const { phase } = this.state;
    if (phase === 'done' || position !== this.#answers.length) return false;
    const last = this.#answers.pop();
    if (last === undefined) return false;
    this.#spent.set(this.#answers.length, last.seconds);
    return true;
  }

  /** The person is done, with all pictures or before. @returns false when nothing was answered, or it is done already */
  finish(): boolean {
    if (this.#finished !== undefined || this.#answers.length === 0) return false;
    this.#finished = new Date().toISOString();
    return true;
  }

  /** As it is kept. */
  get attempt(): QuizAttempt {
    const { fingerprint, splitFingerprint, from, seed, round, form, classes, pictures } = this.#quiz;
    return {
      quiz: fingerprint,
      splitFingerprint,
      from,
      seed,
      round,
      form,
      classes,
      pictures: pictures.length,
      started: this.#started,
      ...(this.#finished === undefined ? {} : { finished: this.#finished }),
      answers: [...this.#answers],
    };
  }
}
