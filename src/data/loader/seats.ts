/** Where worker threads note what they are doing, a seat for each picture under way, so that it is known if one dies. */

const words = 3;

/** Of each seat: its ticket, whether it is being decoded, and the look before it. Behind them all: the number of looks. */
export class Seats {
  readonly #words: Int32Array;
  readonly #looks: number;

  constructor(readonly memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#looks = this.#words.length - 1;
  }

  static make(count: number): Seats {
    return new Seats(new SharedArrayBuffer((count * words + 1) * 4));
  }

  /** The worker has drawn a ticket, or (null) is done with it. */
  take(seat: number, ticket: number | null): void {
    Atomics.store(this.#words, seat * words + 1, 0);
    Atomics.store(this.#words, seat * words, ticket === null ? 0 : ticket + 1);
  }

  /** The worker begins to decode the picture of its ticket. */
  begin(seat: number): void {
    Atomics.store(this.#words, seat * words + 2, Atomics.load(this.#words, this.#looks));
    Atomics.store(this.#words, seat * words + 1, 1);
  }

  ticket(seat: number): number | null {
    const value = Atomics.load(this.#words, seat * words);
    return value === 0 ? null : value - 1;
  }

  /** Whoever watches the workers does so at this moment. Looks are counted, not time: it passes for a process that stands still, too. */
  look(): void {
    Atomics.add(this.#words, this.#looks, 1);
  }

  /** At how many looks in a row the worker has been decoding this picture; null when it is decoding none. */
  looksAt(seat: number): number | null {
    if (Atomics.load(this.#words, seat * words + 1) === 0) return null;
    return Atomics.load(this.#words, this.#looks) - Atomics.load(this.#words, seat * words + 2);
  }
}
