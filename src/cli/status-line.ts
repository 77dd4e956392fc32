/**
 * One line that says how far the training is: rewritten in place on a terminal, a plain line now and then in a pipe, a file or a CI log.
 * Knows nothing of the engine. A reader that goes away (`praxis train … | head`) does not end the run.
 */
import type { StepEvent } from '../train/events.js';
import { duration } from './runs.js';

/** Where lines go: `process.stdout`, as far as it is needed here. */
export interface LineStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  off?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface StatusLineOptions {
  /** Shortest time between two rewrites on a terminal, milliseconds. Default 100. */
  readonly interval?: number;
  /** Shortest time between two lines elsewhere, milliseconds. Default 15,000. */
  readonly plainInterval?: number;
  /** The clock, milliseconds. */
  readonly now?: () => number;
}

/** Width of a text on a terminal: combining marks take no column, wide characters two. */
export function columnsOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}|\p{Default_Ignorable_Code_Point}/u.test(character)) continue;
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/** As many of the parts as fit, the first ones first; a single one that is too long is cut. */
export function fitParts(parts: readonly string[], columns: number, separator = '  '): string {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}${separator}${part}`;
    if (columnsOf(longer) > columns) {
      if (line !== '') return line;
      let cut = '';
      for (const character of part) {
        if (columnsOf(cut + character) > columns - 1) return `${cut}…`;
        cut += character;
      }
      return cut;
    }
    line = longer;
  }
  return line;
}

/** What is said of a step, the most wanted first. */
export function stepParts(step: StepEvent): string[] {
  const percent = (share: number, digits = 0) => `${(share * 100).toFixed(digits)} %`;
  const three = (x: number) => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : String(x));
  return [
    `epoch ${step.epoch + 1}/${step.epochs}`,
    `step ${step.step}/${step.steps}`,
    `loss ${three(step.loss)}${step.spike ? ' ▲' : ''}`,
    `accuracy ${percent(step.accuracy, 1)}`,
    `${duration(step.secondsLeft)} left`,
    `${three(step.perSecond)}/s`,
    `rate ${three(step.learningRate)}`,
    `waiting ${percent(step.waiting)}`,
    `${(step.memory / 2 ** 30).toFixed(1)} GiB`,
  ];
}

const eraseLine = '\r\u001b[K';

export class StatusLine {
  readonly #stream: LineStream;
  readonly #interval: number;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #drawn = false;
  #gone = false;
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    // The reader has left: nobody is there to be told, and the run goes on.
    this.#gone = true;
    void error;
  };

  constructor(stream: LineStream, options: StatusLineOptions = {}) {
    this.#stream = stream;
    this.#interval = this.live ? (options.interval ?? 100) : (options.plainInterval ?? 15_000);
    this.#now = options.now ?? (() => performance.now());
    stream.on?.('error', this.#onError);
  }

  /** Whether the line is rewritten in place. */
  get live(): boolean {
    return this.#stream.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI;
  }

  /** Whether the reader has gone. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Shows how far it is, unless something was shown just now. @param now show it in any case */
  update(parts: readonly string[], now = false): void {
    const time = this.#now();
    if (!now && time - this.#shownAt < this.#interval) return;
    this.#shownAt = time;
    if (this.live) {
      // The last column is left free: some terminals break the line there.
      this.#write(`${eraseLine}${fitParts(parts, Math.max(10, (this.#stream.columns ?? 80) - 1))}`);
      this.#drawn = true;
    } else this.#write(`${parts.join('  ')}\n`);
  }

  /** Prints a line that stays, above the one that changes. */
  print(text: string): void {
    this.clear();
    this.#write(`${text}\n`);
  }

  /** Takes the changing line away. */
  clear(): void {
    if (this.#drawn) this.#write(eraseLine);
    this.#drawn = false;
    // What comes next is shown at once on a terminal.
    if (this.live) this.#shownAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes the line away, and hands the stream back. */
  close(): void {
    this.clear();
    // An error of the last write may still be on its way: the listener stays where the stream had failed.
    if (!this.#gone) setImmediate(() => this.#stream.off?.('error', this.#onError)).unref();
  }

  #write(text: string): void {
    if (this.#gone) return;
    try {
      this.#stream.write(text);
    } catch (error) {
      this.#onError(error as NodeJS.ErrnoException);
    }
  }
}
