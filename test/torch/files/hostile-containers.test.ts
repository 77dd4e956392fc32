import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { OP } from '../../../src/torch/files/pickle-opcodes.js';
import { archive, bytes, document, int, legacy, long, safetensors, storage, tensor, zip } from './pickle-builder.js';
import { load, refuses } from './refuses.js';

const none = bytes(OP.NONE);

test('broken zip archives', async (t) => {
  const ok = { name: 'x/data.pkl', data: document(none) };
  const version = { name: 'x/version', data: Buffer.from('3\n') };
  const one = tensor(storage('FloatStorage', '0', int(4)), int(0), [int(4)], [int(1)]);
  const bomb = deflateRawSync(Buffer.alloc(64 * 2 ** 20));
  const cases: [string, Buffer, RegExp][] = [
    ['no directory', zip([ok]).subarray(0, -22), /directory at its end is missing/],
    ['no data.pkl', zip([version]), /no single data\.pkl/],
    ['two data.pkl', zip([ok, { ...ok, name: 'y/data.pkl' }, version]), /no single data\.pkl/],
    ['no version', zip([ok]), /without a PyTorch version/],
    ['a version from the future', zip([ok, { ...version, data: Buffer.from('99') }]), /version 99/],
    ['TorchScript', zip([ok, version, { name: 'x/constants.pkl', data: document(none) }]), /TorchScript/],
    [
      'an unknown byte order',
      zip([ok, version, { name: 'x/byteorder', data: Buffer.from('pdp') }]),
      /byte order "pdp"/,
    ],
    ['the same name twice', zip([ok, version, version]), /two entries "x\/version"/],
    [
      'entries over the same bytes',
      zip([ok, version, { ...version, name: 'x/again', at: 30 + 10 + ok.data.length }]),
      /overlaps/,
    ],
    ['an entry outside the file', zip([{ ...ok, at: 5000 }, version]), /outside the file/],
    ['an entry without header', zip([{ ...ok, at: 3 }, version]), /no header where/],
    [
      'an entry longer than the file',
      zip([{ ...ok, stored: 2 ** 31, size: 2 ** 31 }, version]),
      /longer than the file/,
    ],
    ['an entry of two sizes', zip([{ ...ok, size: 3 }, version]), /two sizes differ/],
    ['a wide entry without wide sizes', zip([{ ...ok, stored: 0xffffffff, size: 0xffffffff }, version]), /zip64 sizes/],
    ['an encrypted entry', zip([{ ...ok, flags: 1 }, version]), /encrypted/],
    ['an unknown compression', zip([{ ...ok, method: 93 }, version]), /compression method 93/],
    ['too many entries announced', zip([ok, version], { count: 60_000 }), /does not fit into the file/],
    ['a directory outside the file', zip([ok, version], { start: 2 ** 31 }), /does not fit into the file/],
    ['a directory elsewhere', zip([ok, version], { start: 0 }), /entry 0 of its directory is broken/],
    [
      'deflate that unfolds to more than it says',
      zip([{ name: 'x/data.pkl', data: bomb, method: 8, size: 100 }, version]),
      /cannot be decompressed|unfolds to/,
    ],
    [
      'deflate that says 4 GB',
      zip([{ name: 'x/data.pkl', data: bomb, method: 8, size: 2 ** 32 - 2 }, version]),
      /more than 268435456/,
    ],
    [
      'deflate of noise',
      zip([{ name: 'x/data.pkl', data: Buffer.from('noise'), method: 8, size: 100 }, version]),
      /cannot be decompressed/,
    ],
    [
      'many bombs',
      archive(
        document(
          OP.EMPTY_LIST,
          OP.MARK,
          ...[0, 1, 2, 3, 4].map((key) => storage('ByteStorage', String(key), int(64 * 2 ** 20))),
          OP.APPENDS,
        ),
        ...[0, 1, 2, 3, 4].map((key) => ({ name: `x/data/${key}`, data: bomb, method: 8, size: 64 * 2 ** 20 })),
      ),
      /unfolded bytes above/,
    ],
  ];
  for (const [name, file, saying] of cases) await t.test(name, () => refuses(file, saying));
  await t.test('an honestly compressed archive is read', async () => {
    const pickle = document(one);
    const value = await load(
      zip([
        { name: 'x/data.pkl', data: deflateRawSync(pickle), method: 8, size: pickle.length },
        { name: 'x/data/0', data: deflateRawSync(new Uint8Array(16).fill(7)), method: 8, size: 16 },
        version,
      ]),
    );
    assert.deepEqual((value as { memory: Uint8Array }).memory, new Uint8Array(16).fill(7));
  });
});

test('broken legacy files', async (t) => {
  const four = tensor(storage('FloatStorage', 'a', int(4)), int(0), [int(4)], [int(1)]);
  const data = new Uint8Array(16);
  const cases: [string, Buffer, RegExp][] = [
    ['another magic number', document(int(7)), /not one that torch\.save wrote/],
    [
      'another version',
      bytes(document(long(0x1950a86a20f9469cfc6cn, 10)), document(int(1002))),
      /version other than 1001/,
    ],
    ['data missing', legacy(document(four), []), /lacks the data of storage "a"/],
    ['data cut short', legacy(document(four), [{ key: 'a', elements: 4n, data: data.subarray(0, 15) }]), /cut short/],
    [
      'another count',
      legacy(document(four), [{ key: 'a', elements: 5n, data: new Uint8Array(20) }]),
      /5 elements for storage "a", which needs 4/,
    ],
    ['a negative count', legacy(document(four), [{ key: 'a', elements: -4n, data }]), /-4 elements/],
    [
      'a count that overflows',
      legacy(document(four), [{ key: 'a', elements: 2n ** 62n + 4n, data }]),
      /4611686018427387908 elements/,
    ],
    [
      'a key twice',
      legacy(document(four), [
        { key: 'a', elements: 4n, data },
        { key: 'a', elements: 4n, data },
      ]),
      /lists storage "a" twice/,
    ],
    [
      'a key nobody uses',
      legacy(document(four), [
        { key: 'a', elements: 4n, data },
        { key: 'b', elements: 4n, data },
      ]),
      /no tensor uses/,
    ],
    [
      'a storage larger than the file',
      legacy(document(tensor(storage('FloatStorage', 'a', long(2n ** 40n, 6)), int(0), [int(1)], [int(1)])), [
        { key: 'a', elements: 2n ** 40n, data },
      ]),
      /cut short within its tensor data/,
    ],
  ];
  for (const [name, file, saying] of cases) await t.test(name, () => refuses(file, saying));
});

test('broken safetensors files', async (t) => {
  const entry = (dtype: string, shape: string, offsets: string) =>
    `{"a":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
  const two = (a: string, b: string) =>
    `{"a":{"dtype":"U8","shape":[4],"data_offsets":${a}},"b":{"dtype":"U8","shape":[4],"data_offsets":${b}}}`;
  const header = (length: bigint) => {
    const encoded = Buffer.alloc(9, '{');
    encoded.writeBigUInt64LE(length);
    return encoded;
  };
  const cases: [string, Buffer, RegExp][] = [
    ['a header of 2^63 bytes', header(2n ** 63n), /claims a header of/],
    ['a header over the limit', header(100_000_001n), /format allows 100,000,000/],
    ['a header longer than the file', header(5n), /cut short/],
    ['a header that is not JSON', safetensors('{"a"'), /broken safetensors header/],
    ['text after the header', safetensors('{}x'), /text after the end/],
    ['a header that is not UTF-8', safetensors('{"a":1}').fill(0xff, 10, 11), /not UTF-8/],
    [
      'a key twice',
      safetensors(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /"a" occurs twice/,
    ],
    [
      'a key twice, once escaped',
      safetensors(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /"a" occurs twice/,
    ],
    ['a deep header', safetensors(`{"a":${'['.repeat(100_000)}`), /nested too deep/],
    ['an unknown dtype', safetensors(entry('F128', '[0]', '[0,0]')), /dtype "F128"/],
    ['a dtype of the prototype', safetensors(entry('constructor', '[0]', '[0,0]')), /dtype "constructor"/],
    ['a fractional size', safetensors(entry('U8', '[0.5]', '[0,0]')), /not a list of sizes/],
    ['a negative size', safetensors(entry('U8', '[-1]', '[0,0]')), /not a list of sizes/],
    ['a size of 2^64', safetensors(entry('U8', '[18446744073709551616]', '[0,0]')), /not a list of sizes/],
    [
      'sizes that overflow',
      safetensors(entry('U8', '[4294967296,4294967296,4294967296]', '[0,0]')),
      /does not fit its 0 bytes/,
    ],
    [
      'sizes that overflow to what is there',
      safetensors(entry('F32', '[4611686018427387904]', '[0,0]')),
      /not a list of sizes/,
    ],
    ['turned offsets', safetensors(entry('U8', '[4]', '[4,0]'), new Uint8Array(4)), /does not fit/],
    [
      'offsets of another size',
      safetensors(entry('F32', '[4]', '[0,4]'), new Uint8Array(4)),
      /shape \[4\] and dtype F32 does not fit its 4 bytes/,
    ],
    ['three offsets', safetensors(entry('U8', '[4]', '[0,4,4]'), new Uint8Array(4)), /not two positions/],
    ['data cut short', safetensors(entry('U8', '[4]', '[0,4]'), new Uint8Array(3)), /cut short/],
    ['data left over', safetensors(entry('U8', '[4]', '[0,4]'), new Uint8Array(5)), /bytes after its last tensor/],
    ['overlap', safetensors(two('[0,4]', '[2,6]'), new Uint8Array(6)), /"b" overlaps/],
    ['the same place', safetensors(two('[0,4]', '[0,4]'), new Uint8Array(4)), /overlaps/],
    ['a hole', safetensors(two('[0,4]', '[8,12]'), new Uint8Array(12)), /"b" leaves unused bytes/],
    ['metadata that is not text', safetensors('{"__metadata__":{"a":1}}'), /"a", which is no string/],
    [
      '100 dimensions',
      safetensors(entry('U8', `[${Array(100).fill(1)}]`, '[0,1]'), new Uint8Array(1)),
      /100 dimensions/,
    ],
    ['half a byte', safetensors(entry('F4', '[3]', '[0,2]'), new Uint8Array(2)), /odd last size/],
    ['not an object', safetensors('[]', Buffer.from('{')), /neither a \.safetensors/],
  ];
  for (const [name, file, saying] of cases) await t.test(name, () => refuses(file, saying));
});

test('things that are not such files at all', async (t) => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-hostile-'));
  after(() => rmSync(scratch, { recursive: true }));
  const write = (name: string, content: Uint8Array | string) => {
    writeFileSync(path.join(scratch, name), content);
    return path.join(scratch, name);
  };
  await t.test('an empty file', () => refuses(write('empty.pt', ''), /empty\.pt: is empty/));
  await t.test('an empty safetensors file', () => refuses(write('empty.safetensors', ''), /fewer than 8 bytes/));
  await t.test('text', () => refuses(write('text.pt', 'hello'), /neither/));
  await t.test('a folder', () => refuses(scratch, /is a folder/));
  await t.test('a device', { skip: process.platform === 'win32' }, () => refuses('/dev/zero', /not an ordinary file/));
  await t.test('a tar archive', () =>
    refuses(write('old.pt', Buffer.alloc(600).fill('ustar', 257, 262)), /before 0\.1\.10/),
  );
  await t.test('no file', () => assert.rejects(load(path.join(scratch, 'missing.pt')), /ENOENT.*missing\.pt/));
  await t.test('a huge file with nothing in it', async () => {
    const file = write('sparse.pt', archive(document(none)).subarray(0, 4));
    truncateSync(file, 2 ** 40);
    await refuses(file, /directory at its end is missing/);
    const header = write('sparse.safetensors', '');
    truncateSync(header, 2 ** 40);
    await refuses(header, /broken safetensors header/);
  });
});
