/** What threads agree on in shared memory, in the moments in which a wake-up could be missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Job } from '../../../src/data/loader/job.js';

/** A job that is changed by another thread just after this one has looked whether it is cancelled. */
class Changing extends Job {
  #change: (() => void) | null = null;

  static of(change: (job: Job) => void): Changing {
    const job = new Changing(
      Job.make(
        0,
        Uint32Array.from({ length: 12 }, (_, i) => i),
        2,
        2,
      ).memory,
    );
    job.#change = () => change(job);
    return job;
  }

  override get cancelled(): boolean {
    const now = super.cancelled;
    const change = this.#change;
    this.#change = null;
    change?.();
    return now;
  }
}

test('a thread does not fall asleep over what was changed while it looked', (context) => {
  const wait = context.mock.method(Atomics, 'wait', (words: Int32Array, word: number, value: number) => {
    assert.notEqual(Atomics.load(words, word), value, 'it would sleep for ever');
    return 'not-equal';
  });
  assert.equal(Changing.of((job) => job.cancel()).waitForRoom(2), false, 'cancelled');
  assert.equal(Changing.of((job) => job.consume(0, 1)).waitForRoom(2), true, 'room was made');
  assert.equal(wait.mock.callCount(), 1);
});

test('it sleeps while there is no room and nothing changes', (context) => {
  const asleep = new Error('asleep');
  context.mock.method(Atomics, 'wait', (words: Int32Array, word: number, value: number) => {
    if (Atomics.load(words, word) === value) throw asleep;
    return 'not-equal';
  });
  const job = Changing.of((changed) => changed.consume(0, 1));
  assert.equal(job.waitForRoom(1), true);
  assert.throws(() => job.waitForRoom(3), asleep);
  assert.equal(job.hasRoom(2), true);
});
