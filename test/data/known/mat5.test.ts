/** MATLAB 5 files: SciPy's files read as SciPy reads them, and damaged ones refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { DataError } from '../../../src/data/errors.js';
import { readMat } from '../../../src/data/known/mat5.js';
import { sampleRandom } from '../../../src/data/random.js';

interface Case {
  file: string;
  arrays: Record<string, { shape: number[]; values: string[] }>;
}
const golden = JSON.parse(readFileSync(new URL('../../golden/mat5.json', import.meta.url), 'utf8')) as Record<
  string,
  Case
>;
const bytesOf = (name: string) => Buffer.from((golden[name] as Case).file, 'base64');
const numberOf = (text: string) => (text === 'inf' ? Number.POSITIVE_INFINITY : Number(text));

for (const [name, { arrays }] of Object.entries(golden)) {
  test(`SciPy's ${name} file reads as SciPy reads it`, () => {
    const read = readMat(bytesOf(name), 'golden.mat');
    assert.deepEqual([...read.keys()].sort(), Object.keys(arrays).sort());
    for (const [key, { shape, values }] of Object.entries(arrays)) {
      assert.deepEqual(read.get(key)?.shape, shape, key);
      assert.deepEqual([...(read.get(key)?.values ?? [])], values.map(numberOf), key);
    }
  });
}

/** A matrix element in either byte order. */
function makeMat(
  little: boolean,
  parts: { dims?: number[]; flags?: number; data?: number[]; claimed?: number } = {},
): Buffer {
  const { dims = [1, 3], flags = 9, data = [258, 2, 3], claimed } = parts;
  const u32 = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries())
      little ? bytes.writeUInt32LE(value, 4 * i) : bytes.writeUInt32BE(value, 4 * i);
    return bytes;
  };
  const element = (type: number, content: Buffer, length = content.length) =>
    Buffer.concat([u32(type, length), content, Buffer.alloc((8 - (content.length % 8)) % 8)]);
  const body = Buffer.concat([
    element(6, u32(flags, 0)),
    element(5, u32(...dims)),
    element(1, Buffer.from('labels')),
    element(6, u32(...data), claimed ?? 4 * data.length),
  ]);
  const header = Buffer.alloc(128, ' ');
  header.write(little ? '\x00\x01IM' : '\x01\x00MI', 124, 'latin1');
  return Buffer.concat([header, element(14, body)]);
}

test('both byte orders', () => {
  for (const little of [true, false])
    assert.deepEqual([...(readMat(makeMat(little), 'a').get('labels')?.values ?? [])], [258, 2, 3]);
});

const compressed = (content: Buffer) => {
  const packed = deflateSync(content);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(15, 0);
  head.writeUInt32LE(packed.length, 4);
  return Buffer.concat([makeMat(true).subarray(0, 128), head, packed]);
};

const hostile: [string, Buffer, RegExp][] = [
  ['empty', Buffer.alloc(0), /it has 0 bytes/],
  ['short', Buffer.alloc(100), /it has 100 bytes/],
  ['not a MATLAB file', Buffer.alloc(500), /does not say its byte order/],
  ['HDF5', Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.alloc(300)]), /HDF5/],
  ['more than it has', makeMat(true, { dims: [1, 1000] }), /claims 1 × 1000 numbers and holds 3/],
  ['negative size', makeMat(true, { dims: [0xffffffff, 0xfffffffd] }), /claims -1 × -3/],
  ['enormous size', makeMat(true, { dims: [0x7fffffff, 0x7fffffff, 0x7fffffff] }), /claims 2147483647/],
  ['data longer than the array', makeMat(true, { claimed: 4000 }), /ends within an element/],
  ['complex', makeMat(true, { flags: 9 | 0x800 }), /complex/],
  ['cut', makeMat(true).subarray(0, 150), /ends within an element/],
  ['bomb', compressed(Buffer.alloc(40 * 2 ** 20)), /cannot be unpacked/],
  [
    'not compressed at all',
    Buffer.concat([compressed(Buffer.alloc(4)).subarray(0, 136), Buffer.alloc(12)]),
    /cannot be unpacked/,
  ],
];
for (const [name, bytes, reason] of hostile) {
  test(`hostile: ${name}`, () => {
    assert.throws(
      () => readMat(bytes, 'x.mat'),
      (error) => error instanceof DataError && reason.test(error.message),
    );
  });
}

test('5,000 files with changed bytes: read or refused, never anything else', () => {
  let refused = 0;
  for (let i = 0; i < 5000; i++) {
    const draws = sampleRandom(1, 0, i);
    const bytes = bytesOf(i % 2 === 0 ? 'plain' : 'compressed');
    for (let k = 0; k < 3; k++) bytes[128 + draws.integer(bytes.length - 128)] = draws.integer(256);
    try {
      readMat(bytes.subarray(0, draws.chance(0.2) ? draws.integer(bytes.length) : bytes.length), 'x.mat');
    } catch (error) {
      assert.ok(error instanceof DataError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 500, `only ${refused} refused`);
});
