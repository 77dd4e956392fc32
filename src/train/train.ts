/** `train()`: the whole recipe from a program. */
import type { Dataset } from '../data/types.js';
import { commandLine } from '../track/index.js';
import type { Classifier } from './compute.js';
import type { TrainOptions as Settings } from './config/schema.js';
import { checkSettings } from './config/settings.js';
import { ConfigError } from './errors.js';
import type { TrainEvent } from './events.js';
import { type RunResult, runRecipe } from './recipe/recipe.js';
import { resumeRun } from './recipe/resume.js';
import { StopSignal } from './stop.js';

/** What to train, and any of the settings that `praxis train --help` lists. */
export interface TrainOptions extends Omit<Settings, 'model'> {
  /** A folder of pictures by class, a manifest, or a data set. */
  readonly data: string | Dataset;
  /** A name (`praxis models`), or a network of your own that takes [N, C, H, W] and gives logits [N, classes]. */
  readonly model?: string | Classifier;
}

export interface ResumeOptions {
  /** Where the data are now, if they have moved; or the data set, where the run was given one. */
  readonly data?: string | Dataset;
  /** The network, where the run was given one. */
  readonly model?: Classifier;
}

/** Most events kept for a reader who is slower than the training; older steps are dropped first. */
const mostWaiting = 10_000;

/**
 * A training under way. `await` it for the result; iterate over it for what happens meanwhile.
 *
 *     const training = train({ data: './flowers', epochs: 20 });
 *     for await (const event of training) if (event.kind === 'epoch') console.log(event.epoch, event.validation.score);
 *     const { folder } = await training;
 */
export class Training implements PromiseLike<RunResult>, AsyncIterable<TrainEvent> {
  readonly #stop = new StopSignal();
  readonly #result: Promise<RunResult>;
  readonly #events: TrainEvent[] = [];
  /** Readers who wait for an event. */
  readonly #waiting = new Set<() => void>();
  #over = false;

  /** @internal */
  constructor(work: (stop: StopSignal, emit: (event: TrainEvent) => void) => Promise<RunResult>) {
    // Not before whoever called has had the chance to listen.
    this.#result = Promise.resolve()
      .then(() => work(this.#stop, (event) => this.#emit(event)))
      .finally(() => {
        this.#over = true;
        this.#wake();
      });
    // Its failure is for those who await it, also if they come later.
    this.#result.catch(() => undefined);
  }

  #emit(event: TrainEvent): void {
    this.#events.push(event);
    if (this.#events.length > mostWaiting) {
      const step = this.#events.findIndex((one) => one.kind === 'step' || one.kind === 'working');
      this.#events.splice(Math.max(0, step), 1);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /**
   * Finishes the step that is being computed, saves, and ends with the state `stopped`; `resume()` goes on from there. Before the training
   * began it ends after the stage that is at work (the range test at once), and there is nothing to go on with.
   */
  stop(reason = 'stop()'): void {
    this.#stop.request(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: a training is awaited for its result
  then<A = RunResult, B = never>(
    onResult?: ((result: RunResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onResult, onError);
  }

  catch<B = never>(onError: (error: unknown) => B | PromiseLike<B>): Promise<RunResult | B> {
    return this.#result.catch(onError);
  }

  /** What happens, each event once: of several readers each gets a part. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent, void, undefined> {
    for (;;) {
      const next = this.#events.shift();
      if (next !== undefined) yield next;
      else if (this.#over) break;
      else
        await new Promise<void>((resolve) => {
          this.#waiting.add(resolve);
        });
    }
    // What went wrong is thrown to the reader, too.
    await this.#result;
  }
}

/**
 * Trains: looks at the data, splits, normalises, chooses and checks a model, tunes the machine, finds the learning rate, trains, selects
 * the best weights after the fact. Everything goes into a run folder; the test part stays sealed for `testRun`.
 * @throws ConfigError at once for settings that cannot be; DataError and RunError from the promise
 */
export function train(options: TrainOptions): Training {
  const { data, model, ...rest } = options;
  const settings = checkSettings({ ...rest, ...(typeof model === 'string' ? { model } : {}) }, 'train()');
  for (const name of ['width', 'depth', 'dropout', 'dropPath'] as const)
    if (typeof model === 'object' && rest[name] !== undefined)
      throw new ConfigError(`train(): ${name} is for models by name; a model given as an object is taken as it is.`);
  return new Training((stop, emit) =>
    runRecipe({
      data,
      settings,
      stop,
      emit,
      command: commandLine(),
      ...(typeof model === 'object' ? { model } : {}),
    }),
  );
}

/** Goes on with a run that was stopped or killed; it ends with the same weights, bit for bit, as if nothing had happened. */
export function resume(folder: string, options: ResumeOptions = {}): Training {
  return new Training((stop, emit) => resumeRun({ ...options, folder, stop, emit, command: commandLine() }));
}
