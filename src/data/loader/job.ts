/**
 * The memory in which threads agree on who decodes what: one job is the rest of one epoch. A picture costs no message: workers draw
 * tickets with one atomic addition each, in the order of the epoch, and wait where they would run too far ahead.
 */

/** Plain data over shared memory. */
export interface JobMemory {
  readonly number: number;
  readonly batchSize: number;
  /** Batches that may be in preparation or ready at a time. */
  readonly ring: number;
  readonly control: SharedArrayBuffer;
  /** Position in the loader's data set for each ticket. */
  readonly positions: SharedArrayBuffer;
  /** What became of each ticket: one of `Row`. */
  readonly rows: SharedArrayBuffer;
}

export const Row = { pending: 0, good: 1, bad: 2 } as const;

const Word = { next: 0, consumed: 1, cancelled: 2, decoded: 3, fromCache: 4, changes: 5, ring: 8 } as const;

export class Job {
  readonly control: Int32Array;
  readonly positions: Uint32Array;
  readonly rows: Uint8Array;
  readonly batches: number;

  constructor(readonly memory: JobMemory) {
    this.control = new Int32Array(memory.control);
    this.positions = new Uint32Array(memory.positions);
    this.rows = new Uint8Array(memory.rows, 0, this.positions.length);
    this.batches = Math.ceil(this.positions.length / memory.batchSize);
  }

  /** @param positions in the order of the epoch; all batches but the last are full */
  static make(number: number, positions: Uint32Array, batchSize: number, ring: number): Job {
    const shared = new SharedArrayBuffer(positions.byteLength);
    new Uint32Array(shared).set(positions);
    return new Job({
      number,
      batchSize,
      ring,
      control: new SharedArrayBuffer(4 * (Word.ring + ring)),
      positions: shared,
      rows: new SharedArrayBuffer(Math.max(1, positions.length)),
    });
  }

  get length(): number {
    return this.positions.length;
  }

  rowsOf(batch: number): number {
    return Math.min(this.memory.batchSize, this.length - batch * this.memory.batchSize);
  }

  /** The next ticket of this job, or null when all are drawn. */
  draw(): number | null {
    const ticket = Atomics.add(this.control, Word.next, 1);
    return ticket < this.length ? ticket : null;
  }

  /** The next ticket below `end`, or null: for drawing one batch in one thread. */
  drawBelow(end: number): number | null {
    return Atomics.load(this.control, Word.next) < end ? this.draw() : null;
  }

  batchOf(ticket: number): number {
    return Math.floor(ticket / this.memory.batchSize);
  }

  /** Whether the batch may be put together now. */
  hasRoom(batch: number): boolean {
    return batch < Atomics.load(this.control, Word.consumed) + this.memory.ring;
  }

  /** Blocks the thread while the batch is too far ahead of what was consumed. @returns false when the job was cancelled */
  waitForRoom(batch: number): boolean {
    for (;;) {
      // Read first: whatever is changed after this look keeps the thread from falling asleep.
      const changes = Atomics.load(this.control, Word.changes);
      if (this.cancelled) return false;
      if (this.hasRoom(batch)) return true;
      Atomics.wait(this.control, Word.changes, changes);
    }
  }

  /** Whoever waits for room looks again. */
  #wake(): void {
    Atomics.add(this.control, Word.changes, 1);
    Atomics.notify(this.control, Word.changes);
  }

  get cancelled(): boolean {
    return Atomics.load(this.control, Word.cancelled) === 1;
  }

  cancel(): void {
    Atomics.store(this.control, Word.cancelled, 1);
    this.#wake();
  }

  #bufferAt(batch: number): number {
    return Word.ring + (batch % this.memory.ring);
  }

  /** Number of the buffer that the batch is put together in. */
  bufferOf(batch: number): number {
    return Atomics.load(this.control, this.#bufferAt(batch));
  }

  setBuffer(batch: number, buffer: number): void {
    Atomics.store(this.control, this.#bufferAt(batch), buffer);
  }

  /** Notes the end of a ticket. @returns true when its batch is complete */
  finish(ticket: number, row: number): boolean {
    Atomics.store(this.rows, ticket, row);
    return this.isComplete(this.batchOf(ticket));
  }

  /** Looks at every row: a counter could be left wrong by a thread that dies. */
  isComplete(batch: number): boolean {
    const first = batch * this.memory.batchSize;
    for (let ticket = first + this.rowsOf(batch) - 1; ticket >= first; ticket--)
      if (Atomics.load(this.rows, ticket) === Row.pending) return false;
    return true;
  }

  /** Frees the place of a complete batch for the one that is `ring` later, which will use `buffer`. */
  consume(batch: number, buffer: number): void {
    this.setBuffer(batch, buffer);
    Atomics.store(this.control, Word.consumed, batch + 1);
    this.#wake();
  }

  count(what: 'decoded' | 'fromCache'): void {
    Atomics.add(this.control, Word[what], 1);
  }

  counted(what: 'decoded' | 'fromCache'): number {
    return Atomics.load(this.control, Word[what]);
  }
}
