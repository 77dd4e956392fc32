import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OP } from '../../../src/torch/files/pickle-opcodes.js';
import {
  archive,
  bytes,
  call,
  document,
  global,
  int,
  legacy,
  long,
  storage,
  tensor,
  text,
  tuple,
} from './pickle-builder.js';
import { load, refuses } from './refuses.js';

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
