/** Batches for a trial run, without moving the position of where they come from. */
import { ArgumentError } from '../torch/errors.js';

/** A source that can say where it is and go back there, as the stages of the loader can. */
export interface PositionedSource {
  state(): unknown;
  restore(state: never): void;
}

/** Where batches come from: an array, anything that can be iterated anew, or a function that gives batch `i`. */
export type BatchSource<Batch> = Iterable<Batch> | AsyncIterable<Batch> | ((index: number) => Batch | Promise<Batch>);

type Start<Batch> = () => Iterator<Batch> | AsyncIterator<Batch>;

function starterOf<Batch>(source: Iterable<Batch> | AsyncIterable<Batch>): Start<Batch> | undefined {
  const many = source as Partial<Iterable<Batch> & AsyncIterable<Batch>>;
  if (typeof many[Symbol.asyncIterator] === 'function')
    return () => (source as AsyncIterable<Batch>)[Symbol.asyncIterator]();
  if (typeof many[Symbol.iterator] === 'function') return () => (source as Iterable<Batch>)[Symbol.iterator]();
  return undefined;
}

const isPositioned = (source: unknown): source is PositionedSource =>
  typeof (source as PositionedSource | null)?.state === 'function' &&
  typeof (source as PositionedSource).restore === 'function';

/** Gives batches without end, starting over when the source does; `close` puts the source back where it was. */
export class Batches<Batch> {
  readonly #source: BatchSource<Batch>;
  readonly #start: Start<Batch> | undefined;
  readonly #position: unknown;
  #iterator: Iterator<Batch> | AsyncIterator<Batch> | undefined;
  #index = 0;

  /** @throws ArgumentError for a source that can be read only once and cannot go back */
  constructor(source: BatchSource<Batch>, owner: string) {
    this.#source = source;
    if (typeof source === 'function') return;
    this.#start = typeof source === 'object' && source !== null ? starterOf(source) : undefined;
    if (this.#start === undefined)
      throw new ArgumentError(
        `${owner}: batches must be an array, a loader or a function of the index; got ${typeof source}.`,
      );
    if (isPositioned(source)) this.#position = source.state();
    // Asking a generator for its iterator starts nothing: it gives itself.
    else if ((this.#start() as unknown) === source)
      throw new ArgumentError(
        `${owner}: batches is a generator, whose batches would be used up. Give something that can be iterated again (an array, a loader), or a function of the index.`,
      );
  }

  async next(): Promise<Batch> {
    if (typeof this.#source === 'function') return this.#source(this.#index++);
    const start = this.#start as Start<Batch>;
    for (let attempt = 0; attempt < 2; attempt++) {
      this.#iterator ??= start();
      const { value, done } = await this.#iterator.next();
      if (done !== true) return value;
      this.#iterator = undefined;
    }
    throw new ArgumentError('lrFind(): batches is empty; at least one batch is needed.');
  }

  /** Lets go of the iterator, and puts the source back. */
  async close(): Promise<void> {
    await this.#iterator?.return?.();
    this.#iterator = undefined;
    if (isPositioned(this.#source)) this.#source.restore(this.#position as never);
  }
}
