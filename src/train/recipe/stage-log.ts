/** `stages.jsonl`: what the recipe said, as it was printed, with the seconds since it began. */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { TrainEvent } from '../events.js';

/** Listens in on the events of a run. What was said before there was a folder is written when there is one. Never ends a run. */
export class StageLog {
  readonly #began = performance.now();
  readonly #pass: (event: TrainEvent) => void;
  #waiting = '';
  #file: string | undefined;

  constructor(pass: (event: TrainEvent) => void) {
    this.#pass = pass;
  }

  readonly emit = (event: TrainEvent): void => {
    const { kind } = event;
    if (kind === 'stage' || kind === 'warning' || kind === 'rollback') {
      const stage = kind === 'stage' ? { stage: event.stage } : {};
      const seconds = Math.round(performance.now() - this.#began) / 1000;
      this.#waiting += `${JSON.stringify({ kind, ...stage, text: event.text, seconds })}\n`;
      this.#write();
    }
    this.#pass(event);
  };

  /** From now on everything goes into this run's folder. */
  into(folder: string): void {
    this.#file = path.join(folder, 'stages.jsonl');
    this.#write();
  }

  #write(): void {
    if (this.#file === undefined || this.#waiting === '') return;
    try {
      appendFileSync(this.#file, this.#waiting);
      this.#waiting = '';
    } catch {
      // A full disk is told by whatever else cannot be written; these lines wait.
    }
  }
}
