/** Where worker threads note what they are doing, a seat for each picture under way, so that it is known if one dies. */

const words = 3;

export class Seats {
  readonly #words: Int32Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  static make(count: number): Seats {
    return new Seats(new SharedArrayBuffer(Math.max(1, count) * words * 4));
  }

  /** The worker has drawn a ticket, or (null) is done with it. */
  take(seat: number, ticket: number | null): void {
    Atomics.store(this.#words, seat * words + 1, 0);
    Atomics.store(this.#words, seat * words, ticket === null ? 0 : ticket + 1);
  }

  /** The worker begins to decode the picture of its ticket. */
  begin(seat: number): void {
    Atomics.store(this.#words, seat * words + 2, seconds());
    Atomics.store(this.#words, seat * words + 1, 1);
  }

  ticket(seat: number): number | null {
    const value = Atomics.load(this.#words, seat * words);
    return value === 0 ? null : value - 1;
  }

  /** For how many seconds the worker has been decoding a picture; null when it is not. */
  decodingFor(seat: number): number | null {
    if (Atomics.load(this.#words, seat * words + 1) === 0) return null;
    return seconds() - Atomics.load(this.#words, seat * words + 2);
  }
}

/** Whole seconds on a clock that all threads share. */
function seconds(): number {
  return Math.floor(Number(process.hrtime.bigint() / 1_000_000_000n)) | 0;
}
