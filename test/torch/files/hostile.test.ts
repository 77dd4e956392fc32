import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { FileFormatError } from '../../../src/torch/files/errors.js';
import { loadWith } from '../../../src/torch/files/formats.js';
import { OP } from '../../../src/torch/files/pickle-opcodes.js';
import { fakeEngine } from './fake-engine.js';
import {
  archive,
  bytes,
  call,
  document,
  global,
  int,
  legacy,
  long,
  safetensors,
  storage,
  tensor,
  text,
  tuple,
  zip,
} from './pickle-builder.js';

const load = (file: Uint8Array | string) => loadWith(fakeEngine, file, {});

/** Loading is a clear error of ours, quick and small, that says something fitting. */
async function refuses(file: Uint8Array | string, saying: RegExp): Promise<void> {
  const before = process.memoryUsage().rss;
  const start = performance.now();
  await assert.rejects(load(file), (error) => {
    assert.ok(error instanceof FileFormatError, String(error));
    assert.match(error.message, saying);
    assert.ok(error.message.length < 1000, 'the message is short');
    return true;
  });
  assert.ok(performance.now() - start < 2000, 'within two seconds');
  assert.ok(process.memoryUsage().rss - before < 600e6, 'within 600 MB');
}

const none = bytes(OP.NONE);

test('names that are not on the list are refused by name, before anything else happens', async (t) => {
  const calls: [string, string][] = [
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['builtins', 'getattr'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['torch.storage', '_load_from_bytes'],
    ['torch', 'FloatTensor.apply'],
    ['torch._utils', 'import_dotted_name'],
    ['collections', 'defaultdict'],
    ['functools', 'partial'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['__main__', 'Net'],
    ['collections', 'OrderedDict.fromkeys'],
    ['constructor', 'constructor'],
    ['__proto__', 'x'],
    ['', ''],
    ['Object', 'prototype'],
  ];
  for (const [module, name] of calls) {
    const wanted = new RegExp(
      JSON.stringify(`${module.replace('__builtin__', 'builtins')}.${name}`).replaceAll('.', '\\.'),
    );
    const pickle = document(global(module, name), tuple(text('echo hacked')), OP.REDUCE);
    await t.test(`${module}.${name}`, async () => {
      await refuses(archive(pickle), wanted);
      await refuses(legacy(pickle, []), wanted);
      await refuses(archive(document(text(module), text(name), OP.STACK_GLOBAL)), wanted);
      await refuses(archive(document(OP.MARK, OP.INST, `${module}\n${name}\n`)), wanted);
    });
  }
  await t.test('in the small streams of a legacy file', () =>
    refuses(document(global('os', 'system'), tuple(), OP.REDUCE), /os\.system/),
  );
  await t.test('a name with line ends and colours is shown escaped', () =>
    refuses(archive(document(text('os\n\u001b[31m'), text('x'), OP.STACK_GLOBAL)), /"os\\n\\u001b\[31m\.x"/),
  );
});

test('what is on the list cannot be bent', async (t) => {
  const cases: [string, Buffer, RegExp][] = [
    ['a dtype is not a function', document(global('torch', 'float32'), tuple(), OP.REDUCE), /call a dtype/],
    ['a string is not a function', document(text('x'), tuple(), OP.REDUCE), /call a string/],
    ['torch.Tensor is only an argument', document(global('torch', 'Tensor'), tuple(), OP.REDUCE), /call torch\.Tensor/],
    [
      'a function itself is no value',
      document(global('torch.nn.parameter', 'Parameter')),
      /holds torch\.nn\.parameter\.Parameter itself/,
    ],
    [
      'arguments must be a tuple',
      document(global('torch', 'Size'), OP.EMPTY_LIST, OP.REDUCE),
      /without a tuple of arguments/,
    ],
    ['keyword arguments', document(global('torch', 'Size'), tuple(), OP.EMPTY_DICT, OP.NEWOBJ_EX), /keyword arguments/],
    ['attributes of a list', document(OP.EMPTY_LIST, OP.EMPTY_DICT, OP.BUILD), /gives attributes to a list/],
    ['items of a list', document(OP.EMPTY_LIST, none, none, OP.SETITEM), /sets items of a list/],
    ['appending to a dict', document(OP.EMPTY_DICT, none, OP.APPEND), /appends to a dict/],
    [
      'other outside objects',
      document(tuple(text('module'), none, none, none, none), OP.BINPERSID),
      /the kind "module"/,
    ],
    ['an outside object by number', document(int(1), OP.BINPERSID), /the kind a number/],
    ['extension codes', document(0x82, 1), /0x82/],
    ['encodings other than latin-1', document(call('_codecs', 'encode', text('x'), text('rot13'))), /malformed bytes/],
    [
      'a rebuild function through a type',
      document(
        call(
          'torch._tensor',
          '_rebuild_from_type_v2',
          global('collections', 'OrderedDict'),
          global('torch', 'Tensor'),
          tuple(),
          none,
        ),
      ),
      /subclass/,
    ],
    [
      'numpy objects',
      document(call('numpy', 'dtype', text('O8'), bytes(OP.NEWFALSE), bytes(OP.NEWTRUE))),
      /numpy scalar/,
    ],
    ['quantised tensors', document(global('torch._utils', '_rebuild_qtensor')), /quantised/],
  ];
  for (const [name, pickle, saying] of cases) await t.test(name, () => refuses(archive(pickle), saying));
});

test('broken streams', async (t) => {
  const cases: [string, Buffer, RegExp][] = [
    ['nothing on the stack', document(), /leaves values over/],
    ['two values left', document(none, none), /leaves values over/],
    ['a mark left open', document(none, OP.MARK), /leaves values over/],
    ['a group never opened', document(OP.TUPLE), /never opened/],
    ['a tuple of too few', document(none, OP.TUPLE2), /not there/],
    ['a tuple across a mark', document(none, OP.MARK, none, OP.TUPLE2, OP.TUPLE), /not there/],
    ['a memo entry that does not exist', document(OP.BINGET, 7), /memo entry 7/],
    ['a memo entry of nothing', document(OP.BINPUT, 0), /not there/],
    ['half a pair', document(OP.EMPTY_DICT, OP.MARK, none, OP.SETITEMS), /lacks its value/],
    ['no end', bytes(OP.PROTO, 2, OP.NONE), /cut short/],
    ['an unknown protocol', bytes(OP.PROTO, 9, OP.NONE, OP.STOP), /protocol 9/],
    ['text that is not UTF-8', document(OP.SHORT_BINUNICODE, 2, 0xc3, 0x28), /not UTF-8/],
    ['a text longer than the file', document(OP.BINUNICODE, bytes(0xff, 0xff, 0xff, 0xff)), /cut short/],
    ['a text of 2^63 bytes', document(OP.BINUNICODE8, Buffer.from('ffffffffffffffff', 'hex')), /cut short/],
    ['bytes of 2^62', document(OP.BINBYTES8, Buffer.from('0000000000000040', 'hex')), /cut short/],
    ['a frame of 2^64 bytes', document(OP.FRAME, Buffer.from('ffffffffffffffff', 'hex')), /cut short/],
    ['an integer of 2 GB', document(OP.LONG4, Buffer.from('ffffff7f', 'hex')), /integer of 2147483647 bytes/],
    ['an integer of -1 bytes', document(OP.LONG4, Buffer.from('ffffffff', 'hex')), /integer of -1 bytes/],
    ['an endless line', document(OP.INT, '1'.repeat(10_000)), /without an end/],
    ['a malformed integer', document(OP.INT, '1e9\n'), /malformed integer "1e9"/],
  ];
  for (const [name, pickle, saying] of cases) await t.test(name, () => refuses(archive(pickle), saying));
});

test('memory traps', async (t) => {
  const repeat = (count: number, ...parts: (number | Uint8Array)[]) =>
    Buffer.alloc(count * bytes(...parts).length, bytes(...parts));
  const large = bytes(OP.EMPTY_LIST, OP.BINPUT, 0, OP.MARK, repeat(100_000, OP.NONE), OP.APPENDS, OP.POP);
  const cases: [string, Buffer, RegExp][] = [
    [
      'millions of containers',
      document(OP.EMPTY_LIST, OP.MARK, repeat(5_000_000, OP.EMPTY_DICT), OP.APPENDS),
      /more than 3000000 containers/,
    ],
    [
      'a deep nest',
      document(repeat(100_000, OP.EMPTY_LIST), repeat(99_999, OP.APPEND)),
      /nests containers deeper than 1000/,
    ],
    ['nested tuples', document(none, repeat(100_000, OP.TUPLE1)), /nests containers deeper/],
    [
      'a list copied again and again',
      document(
        large,
        OP.EMPTY_LIST,
        OP.MARK,
        repeat(2000, global('builtins', 'set'), OP.BINGET, 0, OP.TUPLE1, OP.REDUCE),
        OP.APPENDS,
      ),
      /memory trap/,
    ],
    [
      'a text encoded again and again',
      document(
        text('x'.repeat(1_000_000)),
        OP.BINPUT,
        0,
        OP.POP,
        OP.EMPTY_LIST,
        OP.MARK,
        repeat(2000, global('_codecs', 'encode'), OP.BINGET, 0, text('latin1'), OP.TUPLE2, OP.REDUCE),
        OP.APPENDS,
      ),
      /memory trap/,
    ],
    [
      'a tensor expanded to a tera-element',
      document(tensor(storage('FloatStorage', '0', int(1)), int(0), [long(2n ** 40n, 6)], [int(0)])),
      /expanded/,
    ],
  ];
  const data = { name: 'x/data/0', data: new Uint8Array(4) };
  for (const [name, pickle, saying] of cases) await t.test(name, () => refuses(archive(pickle, data), saying));
  await t.test('doubling tuples stay as small as they are', async () => {
    // 60 levels of (x, x): 2^60 leaves if shared parts were copied.
    const doubled = (await load(archive(document(none, repeat(60, OP.DUP, OP.TUPLE2))))) as unknown[];
    assert.equal(doubled[0], doubled[1]);
  });
  await t.test('a list that contains itself is such a list here too', async () => {
    const list = (await load(archive(document(OP.EMPTY_LIST, OP.BINPUT, 0, OP.BINGET, 0, OP.APPEND)))) as unknown[];
    assert.equal(list[0], list);
  });
  await t.test('a dict may not take the place of an object’s prototype', async () => {
    const value = (await load(
      archive(
        document(
          OP.EMPTY_DICT,
          text('__proto__'),
          bytes(OP.EMPTY_DICT, text('polluted'), OP.NEWTRUE, OP.SETITEM),
          OP.SETITEM,
        ),
      ),
    )) as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal((value as { polluted?: boolean }).polluted, undefined);
  });
});

test('tensors that do not fit their storage', async (t) => {
  const data = { name: 'x/data/0', data: new Uint8Array(16) };
  const four = storage('FloatStorage', '0', int(4));
  const cases: [string, Buffer, RegExp][] = [
    ['too long', tensor(four, int(0), [int(5)], [int(1)]), /beyond its storage of 4/],
    ['too far', tensor(four, int(4), [int(1)], [int(1)]), /beyond its storage/],
    ['an offset beyond the end of nothing', tensor(four, int(5), [int(0)], [int(1)]), /beyond its storage/],
    ['a stride too wide', tensor(four, int(0), [int(2)], [int(4)]), /beyond its storage/],
    ['a stride of 2^53', tensor(four, int(0), [int(2)], [long(2n ** 53n, 8)]), /bigint as size/],
    [
      'products that overflow',
      tensor(four, int(0), [long(2n ** 40n, 6), long(2n ** 40n, 6)], [int(0), int(0)]),
      /impossible shape/,
    ],
    ['a negative size', tensor(four, int(0), [int(-1)], [int(1)]), /has -1 as size/],
    ['a negative stride', tensor(four, int(3), [int(4)], [int(-1)]), /has -1 as size/],
    ['a negative offset', tensor(four, int(-1), [int(1)], [int(1)]), /has -1 as storage offset/],
    ['more strides than sizes', tensor(four, int(0), [int(1)], [int(1), int(1)]), /1 sizes and 2 strides/],
    ['100 dimensions', tensor(four, int(0), Array(100).fill(int(1)), Array(100).fill(int(1))), /100 dimensions/],
    ['a size that is text', tensor(four, int(0), [text('1')], [int(1)]), /a string as size/],
    ['no storage', tensor(none, int(0), [], []), /None instead of a storage/],
    [
      'a storage of another size than its data',
      tensor(storage('FloatStorage', '0', int(5)), int(0), [], []),
      /16 bytes for storage "0", which needs 20/,
    ],
    [
      'a storage of 2^60 elements',
      tensor(storage('DoubleStorage', '0', long(2n ** 50n, 8)), int(0), [], []),
      /storage of 1125899906842624 elements/,
    ],
    [
      'a storage that is not there',
      tensor(storage('FloatStorage', '../../0', int(4)), int(0), [], []),
      /lacks the data of storage/,
    ],
    [
      'one storage as two types',
      bytes(OP.EMPTY_LIST, OP.MARK, four, storage('IntStorage', '0', int(4)), OP.APPENDS),
      /two different ways/,
    ],
    [
      'gradients of integers',
      call(
        'torch._utils',
        '_rebuild_parameter',
        tensor(storage('IntStorage', '0', int(4)), int(0), [int(4)], [int(1)]),
        bytes(OP.NEWTRUE),
        none,
      ),
      /int32 tensor that requires a gradient/,
    ],
  ];
  for (const [name, object, saying] of cases) {
    await t.test(name, async () => {
      await refuses(archive(document(object), data), saying);
    });
  }
});

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
