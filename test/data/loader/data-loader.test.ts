import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { DataLoader } from '../../../src/data/loader/index.js';
import { sealedLoader } from '../../../src/data/loader/sealed-loader.js';
import { permutation } from '../../../src/data/random.js';
import { TensorSamples } from '../../../src/data/sources/in-memory.js';
import { sealSamples } from '../../../src/data/sources/sealing.js';
import { subset } from '../../../src/data/sources/subset.js';
import type { Batch, BatchContext } from '../../../src/data/types.js';
import { torch } from '../../../src/torch/index.js';
import {
  datasetOf,
  decoder,
  digest,
  digests,
  makeFiles,
  makePictures,
  smallForm,
  temporaryFolder,
  withLoader,
} from './pictures.js';

const pictures = await makePictures(37, [5, 20]);

test('a batch: channels-last pictures, labels, positions; the decoder’s bytes', async () => {
  const { decodePicture } = await import('../../../src/data/pictures/decode.js');
  await withLoader({ dataset: pictures, batchSize: 4 }, async (loader) => {
    assert.equal(loader.length, 10);
    for await (const { input, target, index } of loader) {
      assert.deepEqual(input.shape, [4, 3, 16, 12]);
      assert.deepEqual(input.stride(), [576, 1, 36, 3]);
      assert.equal(input.dtype, 'uint8');
      assert.equal(target.dtype, 'int64');
      assert.deepEqual([...(target.toTypedArray() as BigInt64Array)], [0n, 1n, 2n, 0n]);
      assert.deepEqual([...(index.toTypedArray() as BigInt64Array)], [0n, 1n, 2n, 3n]);
      const expected = await decodePicture(pictures.location(2), {
        ...smallForm,
        channels: 3,
        fit: 'squash',
        decode: 'fast',
      });
      const got = input.at(2).permute([1, 2, 0]).contiguous().toTypedArray();
      assert.deepEqual(Buffer.from(got as Uint8Array), Buffer.from(expected));
      break;
    }
  });
});

test('the same batches bit for bit whatever the workers, with and without cache', async () => {
  const options = { dataset: pictures, batchSize: 8, shuffle: true, seed: 11 };
  const reference = await withLoader(options, (loader) => digests(loader, 2));
  assert.equal(reference.length, 10);
  assert.notDeepEqual(reference.slice(0, 5), reference.slice(5));
  const cache = { folder: temporaryFolder() };
  // 0 is the reference.
  for (const workers of [1, 4, 16])
    assert.deepEqual(
      await withLoader({ ...options, workers }, (loader) => digests(loader, 2)),
      reference,
      `${workers}`,
    );
  for (const workers of [2, 0])
    assert.deepEqual(
      await withLoader({ ...options, workers, cache }, (loader) => digests(loader, 2)),
      reference,
      `${workers} workers, cached`,
    );
});

test('unreadable pictures are left out by name and counted, in every epoch', async () => {
  for (const workers of [0, 2])
    await withLoader({ dataset: pictures, batchSize: 8, workers }, async (loader) => {
      for (let epoch = 0; epoch < 2; epoch++) {
        const sizes: number[] = [];
        const seen: bigint[] = [];
        for await (const { input, index } of loader) {
          sizes.push(input.size(0));
          seen.push(...(index.toTypedArray() as BigInt64Array));
        }
        assert.deepEqual(sizes, [7, 8, 7, 8, 5]);
        assert.ok(!seen.includes(5n) && !seen.includes(20n));
      }
      assert.equal(loader.samplesSkipped, 2);
      const { skipped } = loader.report();
      assert.deepEqual(
        skipped.map(({ name }) => name),
        ['0005.jpg', '0020.jpg'],
      );
      for (const { reason } of skipped) assert.match(reason, /picture|text/);
    });
});

test('nothing readable at all is an error that names the first', async () => {
  const dataset = makeFiles(['bad1', 'bad2', 'bad3']);
  for (const workers of [0, 1])
    await withLoader({ dataset, decoder, workers }, (loader) =>
      assert.rejects(digests(loader), /none of the 3 pictures of small could be read; the first is bad1: bad by name/),
    );
});

test('state and restore at every batch, into another loader with other workers', async () => {
  const options = { dataset: pictures, batchSize: 5, shuffle: true, seed: 4 };
  const whole = await withLoader(options, (loader) => digests(loader, 2));
  const perEpoch = whole.length / 2;
  for (let stop = 1; stop <= whole.length; stop++) {
    const first = new DataLoader({ ...options, form: smallForm, cache: false, workers: 0 });
    let taken = 0;
    let state = first.state();
    while (taken < stop)
      for await (const _ of first) {
        state = JSON.parse(JSON.stringify(first.state()));
        if (++taken === stop) break;
      }
    await first.close();
    assert.equal(state.step, ((stop - 1) % perEpoch) + 1);
    const workers = stop % 5 === 0 ? 2 : 0;
    await withLoader({ ...options, seed: 99, workers }, async (loader) => {
      loader.restore(state);
      const rest = await digests(loader);
      const end = stop <= perEpoch ? perEpoch : 2 * perEpoch;
      assert.deepEqual(rest, whole.slice(stop, end), `after ${stop}`);
      assert.equal(loader.epoch, stop <= perEpoch ? 1 : 2);
    });
  }
});

test('a loop that was left goes on where it was; setEpoch begins one', async () => {
  const options = { dataset: pictures, batchSize: 8, shuffle: true };
  const whole = await withLoader(options, (loader) => digests(loader, 2));
  for (const workers of [0, 2])
    await withLoader({ ...options, workers }, async (loader) => {
      const found: string[] = [];
      for (let i = 0; i < 2; i++)
        for await (const batch of loader) {
          found.push(digest(batch));
          break;
        }
      found.push(...(await digests(loader)));
      assert.deepEqual(found, whole.slice(0, 5));
      assert.equal(loader.epoch, 1);
      loader.setEpoch(0);
      assert.deepEqual(await digests(loader, 2), whole);
    });
});

test('states of other data or batch sizes are refused', async () => {
  await withLoader({ dataset: pictures, batchSize: 8 }, async (loader) => {
    const state = loader.state();
    assert.throws(() => loader.restore({ ...state, batchSize: 4 }), /batches of 4, this loader makes batches of 8/);
    assert.throws(() => loader.restore({ ...state, step: 99 }), /not the state/);
    const other = subset(pictures, [1, 2, 3]);
    await withLoader({ dataset: other, batchSize: 8 }, async (another) => {
      assert.throws(() => another.restore(state), /other data than small/);
    });
  });
});

test('two loops at once, and moving the position under a loop, are refused', async () => {
  await withLoader({ dataset: pictures, batchSize: 8, workers: 1 }, async (loader) => {
    for await (const _ of loader) {
      await assert.rejects(digests(loader), /another loop over this loader is under way/);
      break;
    }
    await assert.rejects(async () => {
      for await (const _ of loader) loader.setEpoch(3);
    }, /its position was set while a loop over it was under way/);
    assert.equal((await digests(loader)).length, 5);
    assert.equal(loader.epoch, 4);
  });
});

test('a transform gets keys of the root data set, and its errors end the loop', async () => {
  const part = subset(pictures, [30, 2, 9, 14]);
  const contexts: BatchContext[] = [];
  const transform = (batch: Batch, context: BatchContext): Batch => {
    contexts.push(context);
    return { ...batch, input: batch.input.float().div(255) };
  };
  await withLoader({ dataset: part, batchSize: 3, transform, seed: 7 }, async (loader) => {
    loader.setEpoch(2);
    for await (const { input, index } of loader) {
      assert.equal(input.dtype, 'float32');
      assert.ok(index.size(0) <= 3);
    }
  });
  assert.deepEqual(contexts, [
    { seed: 7, epoch: 2, samples: [30, 2, 9], classes: 3 },
    { seed: 7, epoch: 2, samples: [14], classes: 3 },
  ]);
  const failing = (batch: Batch): Batch => {
    if (Number(batch.index.at(0).item()) > 0) throw new RangeError('mine');
    return batch;
  };
  await withLoader({ dataset: pictures, batchSize: 8, workers: 2, transform: failing }, async (loader) => {
    await assert.rejects(digests(loader), RangeError);
    // The position stays before the batch that failed.
    assert.equal(loader.state().step, 1);
  });
});

test('multi-label targets are floats of every class', async () => {
  const files = Array.from({ length: 4 }, (_, i) => `x${i}`);
  const { root } = makeFiles(files);
  await withLoader({ dataset: datasetOf(root, files, true), decoder }, async (loader) => {
    for await (const { target } of loader) {
      assert.equal(target.dtype, 'float32');
      assert.deepEqual(target.shape, [4, 3]);
      assert.deepEqual([...(target.toTypedArray() as Float32Array)], [0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0]);
    }
  });
});

test('tensors: rows in the same order as pictures would have, the last batch dropped where asked', async () => {
  const input = torch.arange(22).view([11, 2]);
  const dataset = new TensorSamples(
    { name: 'rows', root: '/', length: 11, classes: ['no', 'yes'] },
    { name: (i) => `#${i}`, labels: (i) => [i % 2] },
    () => input,
  );
  const loader = new DataLoader({ dataset, batchSize: 4, shuffle: true, seed: 3, dropLast: true });
  assert.equal(loader.length, 2);
  const order = [...permutation(11, 3, 0)];
  const rows: number[] = [];
  const indices: number[] = [];
  for await (const batch of loader) {
    rows.push(
      ...Array.from(batch.input.toTypedArray() as ArrayLike<number | bigint>, Number).filter((_, i) => i % 2 === 0),
    );
    indices.push(...Array.from(batch.index.toTypedArray() as BigInt64Array, Number));
    assert.equal(Number(batch.target.at(0).item()), (indices.at(-4) as number) % 2);
  }
  assert.deepEqual(indices, order.slice(0, 8));
  assert.deepEqual(
    rows,
    order.slice(0, 8).map((i) => 2 * i),
  );
});

test('labels of a sealed part are refused', async () => {
  const dataset = subset(pictures, [8, 6, 4, 2]);
  sealSamples(dataset, [3]);
  await withLoader({ dataset, batchSize: 8 }, async (loader) => {
    await assert.rejects(digests(loader), /sealed test part/);
  });
  // A decoder of one's own would see paths: it is not called.
  await withLoader({ dataset, decoder: new URL('./none.ts', import.meta.url) }, async (loader) => {
    await assert.rejects(digests(loader), /sealed test part/);
  });
  const opened = sealedLoader({ dataset, form: smallForm, cache: false, workers: 0 });
  const open = subset(pictures, [8, 6, 4, 2]);
  assert.deepEqual(await digests(opened), await withLoader({ dataset: open }, (loader) => digests(loader)));
  await opened.close();
});

test('options that cannot be are refused in one sentence', () => {
  const refuse = (options: object, message: RegExp) =>
    assert.throws(() => new DataLoader({ dataset: pictures, ...options }), message);
  refuse({ batchSize: 0 }, /batchSize must be an integer from 1 on, got 0/);
  refuse({ batchsize: 3 }, /no option 'batchsize'/);
  refuse({ workers: -1 }, /workers must be an integer from 0 to 256/);
  refuse({ form: { size: 3 } }, /form has no 'size'/);
  refuse({ form: { channels: 2 } }, /form.channels must be one of 1, 3/);
  refuse({ transform: 3 }, /transform must be a function/);
  refuse({ dataset: undefined }, /dataset must be a data set/);
  refuse({ dataset: subset(pictures, []) }, /has no samples/);
});

test('a loader that is neither closed nor read to its end does not keep the process alive', () => {
  const program = path.join(import.meta.dirname, 'left-alone.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), '3 batches');
});
