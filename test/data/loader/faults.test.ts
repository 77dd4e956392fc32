/** Threads that die, hang or run too far ahead; tensors that outlive their batch. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BatchBuffers } from '../../../src/data/loader/batch-buffers.js';
import type { Batch } from '../../../src/data/types.js';
import { collectGarbage } from '../../../src/torch/garbage.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { decoder, digest, digests, makeFiles, withLoader } from './pictures.js';

const good = Array.from({ length: 20 }, (_, i) => `good${i}`);

/** `names` with the others left out as a loader leaves out bad ones. */
async function expected(names: readonly string[], batchSize: number): Promise<string[]> {
  const renamed = names.map((name) => (/^(good|once)/.test(name) ? name : `bad-${name}`));
  return withLoader({ dataset: makeFiles(renamed), decoder: plain, batchSize }, (loader) => digests(loader));
}
const plain = new URL('./decoder-plain.ts', import.meta.url);

const sizes = async (batches: AsyncIterable<Batch>): Promise<number[]> => {
  const found: number[] = [];
  for await (const { input } of batches) found.push(input.size(0));
  return found;
};

test('a thread that dies once is replaced, and the batches are the same', async () => {
  const names = [...good.slice(0, 7), 'once-a', ...good.slice(7, 12), 'once-b', ...good.slice(12)];
  const wanted = await expected(names, 4);
  const dataset = makeFiles(names);
  await withLoader({ dataset, decoder, workers: 2, batchSize: 4 }, async (loader) => {
    assert.deepEqual(await digests(loader), wanted);
    assert.equal(loader.samplesSkipped, 0);
  });
});

test('a file that ends its thread twice is left out and named; so is one that takes all memory', async () => {
  const names = [...good.slice(0, 5), 'exit', ...good.slice(5, 9), 'memory', ...good.slice(9)];
  const dataset = makeFiles(names);
  await withLoader({ dataset, decoder, workers: 2, batchSize: 11 }, async (loader) => {
    assert.deepEqual(await digests(loader), await expected(names, 11));
    const { skipped } = loader.report();
    assert.deepEqual(
      skipped.map(({ name }) => name),
      ['exit', 'memory'],
    );
    assert.match(skipped[0]?.reason ?? '', /ended the thread twice \(it ended with code 3\)/);
    assert.match(skipped[1]?.reason ?? '', /ended the thread twice \(.*memory/);
    assert.deepEqual(await sizes(loader), [9, 11]);
  });
});

test('of pictures under way together, only the one that ends the thread is blamed, wherever it stands', async () => {
  for (const at of [0, 1, 2, 7]) {
    const names = [...good.slice(0, at), 'exit', ...good.slice(at, 8)];
    const dataset = makeFiles(names);
    await withLoader({ dataset, decoder, workers: 1, batchSize: 3, prefetch: 1 }, async (loader) => {
      assert.deepEqual(await digests(loader), await expected(names, 3));
      assert.deepEqual(
        loader.report().skipped.map(({ name }) => name),
        ['exit'],
      );
    });
  }
});

test('a decoding that never ends is given up, in a thread or not', async () => {
  const names = [...good.slice(0, 3), 'hang', ...good.slice(3, 6)];
  const dataset = makeFiles(names);
  for (const workers of [0, 2])
    await withLoader({ dataset, decoder, workers, batchSize: 7, timeout: 0.5 }, async (loader) => {
      assert.deepEqual(await sizes(loader), [6]);
      assert.deepEqual(loader.report().skipped, [{ name: 'hang', reason: 'not decoded after 0.5 seconds' }]);
    });
});

test('a timeout longer than a timer can wait, or none at all, skips nothing', async () => {
  const dataset = makeFiles(['slow1', 'slow2', 'slow3']);
  const warnings: string[] = [];
  const listen = ({ name, message }: Error): void => void (/Timeout/.test(name) && warnings.push(message));
  process.on('warning', listen);
  for (const timeout of [3e6, Number.MAX_VALUE, Number.POSITIVE_INFINITY])
    for (const workers of [0, 1])
      await withLoader({ dataset, decoder, workers, timeout }, async (loader) => {
        assert.deepEqual(await sizes(loader), [3], `${timeout}, ${workers} workers`);
        assert.equal(loader.samplesSkipped, 0);
      });
  await new Promise(setImmediate);
  process.off('warning', listen);
  assert.deepEqual(warnings, []);
});

test('time in which nothing could run is not the picture’s', async () => {
  const dataset = makeFiles([...good.slice(0, 3), 'block']);
  for (const workers of [0, 1])
    await withLoader({ dataset, decoder, workers, batchSize: 4, timeout: 0.5 }, async (loader) => {
      assert.deepEqual(await sizes(loader), [4]);
      assert.deepEqual(loader.report().skipped, []);
    });
});

test('a clock that has gone far when a stopped process goes on ends no thread', { timeout: 120_000 }, async (t) => {
  const dataset = makeFiles([...good.slice(0, 3), 'held']);
  const file = path.join(dataset.root, 'held');
  const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  await withLoader({ dataset, decoder, workers: 1, batchSize: 4, timeout: 100 }, async (loader) => {
    const next = loader[Symbol.asyncIterator]().next();
    while (!existsSync(`${file}.begun`)) await after(10);
    const clock = process.hrtime.bigint;
    t.mock.method(process.hrtime, 'bigint', () => clock() + 1_000_000_000_000n);
    // It looks after its threads every second: timers that were set earlier and for less time come first.
    await after(1500);
    writeFileSync(`${file}.open`, '');
    assert.deepEqual((await next).value?.input.size(0), 4);
    assert.equal(readFileSync(`${file}.begun`, 'utf8'), '.', 'decoded once, by the first thread');
    assert.equal(loader.samplesSkipped, 0);
  });
});

test('what is not the picture’s fault ends the loop with the reason', async () => {
  const dataset = makeFiles([...good, 'bug']);
  for (const workers of [0, 2])
    await withLoader({ dataset, decoder, workers, batchSize: 4 }, (loader) =>
      assert.rejects(digests(loader), /bug could not be decoded: a bug in the decoder/),
    );
});

test('so it does when another picture ends in the same turn, last or with more to come', {
  timeout: 240_000,
}, async () => {
  for (const pair of [
    ['wait', 'openbug'],
    ['waitbug', 'open'],
    ['waitbug', 'openbug'],
  ])
    for (const more of [[], good]) {
      const dataset = makeFiles([...pair, ...more]);
      for (const workers of [0, 1])
        await withLoader({ dataset, decoder, workers, batchSize: 2 }, (loader) =>
          assert.rejects(digests(loader), /bug could not be decoded: a bug in the decoder/),
        );
    }
});

test('a decoder that cannot be loaded is named', async () => {
  const dataset = makeFiles(good);
  for (const workers of [0, 1])
    await withLoader({ dataset, decoder: new URL('./none.ts', import.meta.url), workers }, (loader) =>
      assert.rejects(digests(loader), /none\.ts/),
    );
});

test('a folder that vanishes is an error, not a thousand bad pictures', async () => {
  const { rmSync } = await import('node:fs');
  const dataset = makeFiles(good);
  await withLoader({ dataset, batchSize: 4 }, async (loader) => {
    rmSync(dataset.root, { recursive: true });
    await assert.rejects(digests(loader), /is not there any more/);
  });
});

test('threads run ahead while the program does not ask, but not farther than prefetch', async () => {
  const names = Array.from({ length: 60 }, (_, i) => `once${i}`);
  const dataset = makeFiles(names);
  const begun = (): number => readdirSync(dataset.root).filter((name) => name.endsWith('.begun')).length;
  const noting = new URL('./decoder-noting.ts', import.meta.url);
  await withLoader({ dataset, decoder: noting, workers: 3, batchSize: 4, prefetch: 2 }, async (loader) => {
    let taken = 0;
    for await (const _ of loader) {
      taken++;
      if (taken > 3) break;
      // A step that blocks the thread, so that no message can be answered: as long as a busy machine takes, and then some.
      const late = performance.now() + 240_000;
      while (begun() < 4 * (taken + 2) && performance.now() < late);
      const end = performance.now() + 100;
      while (performance.now() < end);
      assert.equal(begun(), 4 * (taken + 2));
    }
    // Leaving the loop stops the threads: nothing begins any more, once they have come to it that had drawn a picture.
    let after = -1;
    for (let looks = 0; looks < 25 && after !== begun(); looks++) {
      after = begun();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.equal(begun(), after);
    assert.ok(after < 40, `${after}`);
  });
});

test('a batch that is held, or any view of it, is never written over', async () => {
  const names = Array.from({ length: 120 }, (_, i) => `good${i}`);
  const dataset = makeFiles(names);
  for (const workers of [0, 2])
    await withLoader({ dataset, decoder, workers, batchSize: 2, prefetch: 1 }, async (loader) => {
      const wanted: string[] = [];
      const held: { view: Tensor; copy: Tensor }[] = [];
      for await (const batch of loader) {
        wanted.push(digest(batch));
        // The batch itself is dropped: only a view of a view keeps its memory.
        const view = batch.input.at(1, 0, '2:5').transpose(0, 1);
        held.push({ view, copy: view.clone() });
        if (held.length % 10 === 0) {
          collectGarbage();
          torch.memory();
          collectGarbage();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      for (const { view, copy } of held) assert.ok(torch.equal(view, copy));
      assert.equal(held.length, 60);
      assert.deepEqual(await digests(loader), wanted);
    });
});

test('the memory of a batch comes back when no tensor is left that sees it, and not before', async () => {
  const buffers = new BatchBuffers(1, 1, 64);
  const collect = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      collectGarbage();
      torch.memory();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  let view: Tensor | null = buffers.lend(0, 64).at('8:16');
  const second = buffers.filling[0] as number;
  assert.notEqual(second, 0);
  await collect();
  // All are lent: copied, and the place keeps its buffer.
  buffers.lend(0, 64);
  assert.equal(buffers.filling[0], second);
  new Uint8Array(buffers.buffers[0] as SharedArrayBuffer).fill(3);
  assert.equal(Number(view.at(0).item()), 3, 'lent without a copy');
  view = null;
  await collect();
  buffers.lend(0, 64);
  assert.equal(buffers.filling[0], 0);
});
