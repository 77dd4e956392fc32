/** Known data sets, from small files written in their formats. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DataError } from '../../../src/data/errors.js';
import { cifar10, cifar100, fashionMnist, flowers102, knownDatasets, mnist } from '../../../src/data/known/index.js';
import { readRaw } from '../../../src/data/pictures/raw.js';
import type { PictureDataset } from '../../../src/data/types.js';
import { makeTarGz } from '../archives/make.js';

let root: string;
let folder: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-known-'));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'one-'));
});

const write = (name: string, content: Buffer | string) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
};

const refuses = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, message);
    return true;
  });

/** The pixels of a sample, as whoever decodes finds them. */
function pixelsOf(dataset: PictureDataset, index: number): Uint8Array {
  const location = dataset.location(index);
  assert.equal(location.kind, 'raw');
  return readRaw(location as Extract<typeof location, { kind: 'raw' }>).data;
}

/** CIFAR records whose pixel p in plane c of record i is a number one can compute. */
const pixel = (record: number, channel: number, at: number) => (record * 31 + channel * 83 + at * 7) % 256;
function cifarFile(labels: number[][]): Buffer {
  return Buffer.concat(
    labels.map((label, record) =>
      Buffer.concat([
        Buffer.from(label),
        Buffer.from(Array.from({ length: 3072 }, (_, i) => pixel(record, Math.floor(i / 1024), i % 1024))),
      ]),
    ),
  );
}

describe('CIFAR', () => {
  const writeTen = (base = 'cifar-10-batches-bin') => {
    for (let i = 1; i <= 5; i++) write(`${base}/data_batch_${i}.bin`, cifarFile([[i], [9]]));
    write(`${base}/test_batch.bin`, cifarFile([[0], [1], [2]]));
  };

  test('CIFAR-10: labels, pixels, names and parts', async () => {
    writeTen();
    const data = await cifar10(folder);
    assert.equal(data.length, 13);
    assert.deepEqual(
      Array.from({ length: 13 }, (_, i) => data.target(i)),
      [1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 0, 1, 2],
    );
    assert.deepEqual(data.officialParts, { train: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], validation: [], test: [10, 11, 12] });
    assert.equal(data.classes[9], 'truck');
    assert.equal(data.sampleName(3), 'data_batch_2.bin#1');
    const got = pixelsOf(data, 12);
    for (const at of [0, 500, 1023]) for (const c of [0, 1, 2]) assert.equal(got[at * 3 + c], pixel(2, c, at));
  });

  test('CIFAR-10: the folder itself, its own class names, or an archive of it', async () => {
    writeTen('.');
    write('batches.meta.txt', `${'abcdefghij'.split('').join('\n')}\n\n`);
    assert.equal((await cifar10(folder)).classes[2], 'c');
    const files = [
      'test_batch.bin',
      'data_batch_1.bin',
      'data_batch_2.bin',
      'data_batch_3.bin',
      'data_batch_4.bin',
      'data_batch_5.bin',
    ];
    const parts = files.map((name) => ({
      name: `cifar-10-batches-bin/${name}`,
      content: readFileSync(path.join(folder, name)),
    }));
    folder = mkdtempSync(path.join(root, 'archive-'));
    write('cifar-10-binary.tar.gz', makeTarGz(...parts));
    await refuses(cifar10(folder), /cifar-10-binary\.tar\.gz has MD5 .* instead of c32a1d4ab5d03f1284b67883e8d87530/);
    assert.equal((await cifar10(folder, { verify: false })).length, 13);
    assert.equal((await cifar10(folder)).length, 13, 'once unpacked, the archive is not needed');
  });

  test('CIFAR-100: fine and coarse labels', async () => {
    write(
      'cifar-100-binary/train.bin',
      cifarFile([
        [19, 99],
        [3, 0],
      ]),
    );
    write('cifar-100-binary/test.bin', cifarFile([[7, 42]]));
    write('cifar-100-binary/fine_label_names.txt', Array.from({ length: 100 }, (_, i) => `fine${i}`).join('\n'));
    const fine = await cifar100(folder);
    assert.deepEqual(
      [0, 1, 2].map((i) => fine.target(i)),
      [99, 0, 42],
    );
    assert.equal(fine.classes[42], 'fine42');
    const coarse = await cifar100(folder, { labels: 'coarse' });
    assert.deepEqual(
      [0, 1, 2].map((i) => coarse.target(i)),
      [19, 3, 7],
    );
    assert.equal(coarse.classes.length, 20);
    assert.equal(pixelsOf(coarse, 1)[0], pixel(1, 0, 0));
  });

  test('what is wrong is named', async () => {
    await refuses(
      cifar10(folder),
      /cifar10 needs .*cifar-10-batches-bin or .*cifar-10-binary\.tar\.gz.*praxis download cifar10/,
    );
    writeTen();
    const short = cifarFile([[1], [2]]).subarray(0, 6000);
    write('cifar-10-batches-bin/data_batch_3.bin', short);
    await refuses(
      cifar10(folder),
      /data_batch_3\.bin has 6000 bytes, which is not a whole number of cifar10 records of 3073 bytes/,
    );
    write('cifar-10-batches-bin/data_batch_3.bin', cifarFile([[1], [10]]));
    await refuses(cifar10(folder), /data_batch_3\.bin: record 1 has label 10, cifar10 has 10 classes/);
    write('cifar-10-batches-bin/data_batch_3.bin', '');
    await refuses(cifar10(folder), /has 0 bytes/);
    write('cifar-10-batches-bin/data_batch_3.bin', cifarFile([[1]]));
    write('cifar-10-batches-bin/batches.meta.txt', 'a\nb\n');
    await refuses(cifar10(folder), /2 class names instead of 10/);
  });
});

/** An IDX file. */
function idx(shape: number[], values: number[], magic = 0x800 + shape.length): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(magic, 0);
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([head, Buffer.from(values)]);
}

describe('MNIST', () => {
  const pictures = (count: number) =>
    idx(
      [count, 4, 3],
      Array.from({ length: count * 12 }, (_, i) => i % 256),
    );
  const writeAll = (where: string, ending = '', wrap = (bytes: Buffer): Buffer => bytes) => {
    write(`${where}/train-images-idx3-ubyte${ending}`, wrap(pictures(3)));
    write(`${where}/train-labels-idx1-ubyte${ending}`, wrap(idx([3], [7, 0, 9])));
    write(`${where}/t10k-images-idx3-ubyte${ending}`, wrap(pictures(2)));
    write(`${where}/t10k-labels-idx1-ubyte${ending}`, wrap(idx([2], [4, 5])));
  };

  for (const [name, ending, wrap] of [
    ['bare', '', (bytes: Buffer) => bytes],
    ['compressed', '.gz', (bytes: Buffer) => gzipSync(bytes)],
  ] as const) {
    test(`${name}: labels, pixels and parts`, async () => {
      writeAll('MNIST/raw', ending, wrap);
      const data = await mnist(folder);
      assert.deepEqual(
        [0, 1, 2, 3, 4].map((i) => data.target(i)),
        [7, 0, 9, 4, 5],
      );
      assert.deepEqual(data.officialParts, { train: [0, 1, 2], validation: [], test: [3, 4] });
      assert.deepEqual(
        [...pixelsOf(data, 2)],
        Array.from({ length: 12 }, (_, i) => 24 + i),
      );
      assert.deepEqual(
        [...pixelsOf(data, 4)],
        Array.from({ length: 12 }, (_, i) => 12 + i),
      );
      assert.equal(data.sampleName(4), `t10k-images-idx3-ubyte${ending}#1`);
    });
  }

  test('Fashion-MNIST, in the folder itself, with dots in the names', async () => {
    write('train-images.idx3-ubyte', pictures(1));
    write('train-labels.idx1-ubyte', idx([1], [9]));
    write('t10k-images.idx3-ubyte', pictures(1));
    write('t10k-labels.idx1-ubyte', idx([1], [0]));
    const data = await fashionMnist(folder);
    assert.equal(data.classes[data.target(0)], 'Ankle boot');
  });

  test('what is wrong is named', async () => {
    await refuses(mnist(folder), /mnist needs .*train-images-idx3-ubyte or the same with \.gz/);
    writeAll('.');
    const bad: [string, Buffer, RegExp][] = [
      [
        'train-images-idx3-ubyte',
        idx([3], [1, 2, 3]),
        /begins with 00000801 instead of 00000803: it is no IDX file of pictures/,
      ],
      [
        'train-images-idx3-ubyte',
        pictures(3).subarray(0, 30),
        /has 30 bytes; its header says 3 × 4 × 3, which makes 52/,
      ],
      ['train-images-idx3-ubyte', Buffer.alloc(3), /has 3 bytes and is no IDX file/],
      ['train-images-idx3-ubyte', pictures(1).subarray(0, 10), /has 10 bytes, its header alone would have 16/],
      ['train-images-idx3-ubyte', pictures(4), /has 4 pictures and .* has 3 labels/],
      ['train-images-idx3-ubyte', idx([3, 0, 9], []), /pictures are 0 × 9/],
      ['train-labels-idx1-ubyte', idx([3], [7, 10, 9]), /label 1 is 10, mnist has 10 classes/],
      ['t10k-labels-idx1-ubyte', gzipSync(idx([2], [1, 2])), /begins with 1f8b0800/],
    ];
    for (const [name, content, message] of bad) {
      const good = readFileSync(path.join(folder, name));
      write(name, content);
      await refuses(mnist(folder), message);
      write(name, good);
    }
    assert.equal((await mnist(folder)).length, 5);
  });

  test('a compressed file that is cut or unpacks to a wrong length', async () => {
    writeAll('.', '.gz', gzipSync);
    const whole = gzipSync(pictures(3));
    write('train-images-idx3-ubyte.gz', whole.subarray(0, whole.length - 10));
    await refuses(mnist(folder), /train-images-idx3-ubyte\.gz cannot be read: unexpected end of file/);
    write('train-images-idx3-ubyte.gz', gzipSync(Buffer.concat([pictures(3), Buffer.alloc(10_000_000)])));
    await refuses(mnist(folder), /has 10000052 bytes when it is unpacked/);
  });
});

/** A MATLAB 5 file of one-row arrays of 16-bit numbers. */
function makeMat(arrays: Record<string, number[]>): Buffer {
  const element = (type: number, content: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(content.length, 4);
    return Buffer.concat([head, content, Buffer.alloc((8 - (content.length % 8)) % 8)]);
  };
  const words = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
  const header = Buffer.alloc(128, ' ');
  header.write('\x00\x01IM', 124, 'latin1');
  const bodies = Object.entries(arrays).map(([name, values]) =>
    element(
      14,
      Buffer.concat([
        element(6, words(11, 0)),
        element(5, words(1, values.length)),
        element(1, Buffer.from(name)),
        element(4, Buffer.from(Uint16Array.from(values).buffer)),
      ]),
    ),
  );
  return Buffer.concat([header, ...bodies]);
}

describe('Flowers-102', () => {
  const own = { verify: false };
  const split = { trnid: [4, 1], valid: [2], tstid: [3, 5, 6] };
  const writeAll = (base: string, labels = [77, 1, 102, 5, 5, 9]) => {
    write(`${base}/imagelabels.mat`, makeMat({ labels }));
    write(`${base}/setid.mat`, makeMat(split));
    for (let i = 1; i <= 6; i++) write(`${base}/jpg/image_0000${i}.jpg`, `picture ${i}`);
  };

  test('labels, split and places', async () => {
    writeAll('flowers-102');
    const data = await flowers102(folder, own);
    assert.equal(data.length, 6);
    assert.deepEqual(data.officialParts, { train: [3, 0], validation: [1], test: [2, 4, 5] });
    assert.equal(data.classes[data.target(0)], 'passion flower');
    assert.equal(data.classes[data.target(1)], 'pink primrose');
    assert.equal(data.classes.length, 102);
    assert.equal(data.sampleName(5), 'jpg/image_00006.jpg');
    const location = data.location(5);
    assert.equal(readFileSync(location.path, 'utf8'), 'picture 6');
    const train = await flowers102(folder, { ...own, part: 'train' });
    assert.deepEqual(
      [0, 1].map((i) => [train.sampleName(i), train.target(i)]),
      [
        ['jpg/image_00004.jpg', 4],
        ['jpg/image_00001.jpg', 76],
      ],
    );
  });

  test('missing pictures are counted and left out of the parts', async () => {
    writeAll('.');
    rmSync(path.join(folder, 'jpg/image_00003.jpg'));
    const data = await flowers102(folder, own);
    assert.equal(data.length, 5);
    assert.deepEqual(data.skipped, [{ path: 'jpg/image_00003.jpg', reason: 'missing' }]);
    assert.deepEqual(data.officialParts, { train: [2, 0], validation: [1], test: [3, 4] });
    assert.equal(data.sampleName(2), 'jpg/image_00004.jpg');
    assert.equal(data.target(2), 4);
  });

  test('the archive is unpacked', async () => {
    writeAll('.');
    rmSync(path.join(folder, 'jpg'), { recursive: true });
    write(
      '102flowers.tgz',
      makeTarGz({ name: 'jpg/image_00001.jpg', content: 'one' }, { name: 'jpg/image_00002.jpg', content: 'two' }),
    );
    const data = await flowers102(folder, own);
    assert.equal(data.length, 2);
    assert.equal(data.skipped.length, 4);
  });

  test('what is wrong is named', async () => {
    await refuses(flowers102(folder), /flowers102 needs .*imagelabels\.mat, which is not there/);
    writeAll('.');
    await refuses(flowers102(folder), /imagelabels\.mat has MD5 .* instead of e0620be6f572b9609742df49c70aed4d/);
    writeAll('.', [77, 1, 103, 5, 5, 9]);
    await refuses(flowers102(folder, own), /label of picture 3 is 103, not a number from 1 to 102/);
    writeAll('.');
    write('setid.mat', makeMat({ ...split, valid: [7] }));
    await refuses(flowers102(folder, own), /valid names picture 7, there are 6/);
    write('setid.mat', makeMat({ ...split, valid: [3] }));
    await refuses(flowers102(folder, own), /names picture 3 twice/);
    write('setid.mat', makeMat({ trnid: [1], valid: [2] }));
    await refuses(flowers102(folder, own), /holds no array named tstid/);
    rmSync(path.join(folder, 'jpg'), { recursive: true });
    await refuses(flowers102(folder, own), /setid|jpg or .*102flowers\.tgz/);
  });
});

test('the command line knows them by name', () => {
  assert.deepEqual(Object.keys(knownDatasets), ['flowers102', 'cifar10', 'cifar100', 'mnist', 'fashion-mnist']);
});
