/** Threads that outlive their loader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { borrowThread, type ThreadEvents } from '../../../src/data/loader/thread-pool.js';
import { digests, makePictures, withLoader } from './pictures.js';

const deaf: ThreadEvents = { message: () => undefined, exit: () => undefined };

test('threads go back to the pool and serve the next loader; those of a decoder of one’s own do not', async () => {
  const dataset = await makePictures(12);
  const run = (options: object) =>
    withLoader({ dataset, batchSize: 5, workers: 1, ...options }, (loader) => digests(loader));
  const wanted = await run({});
  const first = borrowThread(deaf);
  assert.ok(first.started, 'it has worked before');
  first.keep();
  // Another form and other buffers: nothing of the loader before is left in it.
  await run({ form: { height: 7, width: 9 }, batchSize: 3 });
  assert.deepEqual(await run({}), wanted);
  const again = borrowThread(deaf);
  assert.equal(again, first);
  await again.end();

  await run({ decoder: new URL('./decoder-plain.ts', import.meta.url) });
  const fresh = borrowThread(deaf);
  assert.ok(!fresh.started);
  await fresh.end();
});

test('a thread that ends in the pool is not lent any more', async () => {
  const ended = new Promise((resolve) => {
    const thread = borrowThread({ ...deaf, message: () => thread.abort(new Error('on purpose')), exit: resolve });
    // Nothing else keeps the process alive meanwhile.
    thread.hold(true);
  });
  await ended;
  const next = borrowThread(deaf);
  assert.ok(!next.started);
  await next.end();
});
