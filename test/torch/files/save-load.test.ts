import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { callNamed, callTensor } from '../../../src/torch/dispatch.js';
import { dtypeCodes } from '../../../src/torch/dtype.js';
import { asMap, FileFormatError, load, loadMetadata, save } from '../../../src/torch/files/index.js';
import { OP } from '../../../src/torch/files/pickle-opcodes.js';
import { native } from '../../../src/torch/load.js';
import { Tensor } from '../../../src/torch/tensor.js';
import { archive, bytes, call, document, int, tensor as pickled, storage, text, tuple } from './pickle-builder.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-files-'));
after(() => rmSync(scratch, { recursive: true }));
let files = 0;
const place = (extension = '.pt') => path.join(scratch, `${++files}${extension}`);

const floats = (...values: number[]) =>
  new Tensor(
    native.fromBytes(new Uint8Array(Float32Array.from(values).buffer), 0, [values.length], dtypeCodes.float32, false),
  );
const numbers = (given: Tensor) => [...new Float32Array(native.read(given.handle))];

/** Saves and loads again. */
async function again<T>(value: T, options: Parameters<typeof load>[1] = {}): Promise<T> {
  const file = place();
  await save(value, file);
  return load<T>(file, options);
}

test('tensors over one memory stay so: a change through one is seen through the other', async () => {
  const base = floats(0, 1, 2, 3, 4, 5);
  for (const mmap of [false, true]) {
    const loaded = await again(
      { base, part: callTensor('narrow', base, 0, 2, 2), turned: callTensor('t', callTensor('view', base, [2, 3])) },
      { mmap },
    );
    callNamed('mul_', loaded.part, 10);
    assert.deepEqual(numbers(loaded.base), [0, 1, 20, 30, 4, 5]);
    assert.deepEqual(loaded.turned.stride(), [1, 3]);
    assert.deepEqual(numbers(loaded.turned), [0, 30, 1, 4, 20, 5]);
    assert.equal(loaded.part.storage().id, loaded.base.storage().id);
  }
});

test('halves of one memory share it after loading, as in Python', async () => {
  const base = floats(1, 2, 3, 4);
  const [low, high] = await again([callTensor('narrow', base, 0, 0, 2), callTensor('narrow', base, 0, 2, 2)]);
  assert.equal(low!.storage().id, high!.storage().id);
  assert.equal(high!.storageOffset(), 2);
});

test('the same object in two places is one object after loading', async () => {
  const list = [1, 2];
  const one = floats(1);
  const loaded = await again({ a: list, b: list, c: one, d: one });
  assert.equal(loaded.a, loaded.b);
  assert.equal(loaded.c, loaded.d);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const loop = await again(cyclic);
  assert.equal(loop.self, loop);
});

test('loaded tensors change independently for autograd, even when one mapping holds them all', async () => {
  const file = place('.safetensors');
  await save({ weight: floats(2, 3), statistics: floats(0, 0) }, file);
  const { weight, statistics } = await load<Record<string, Tensor>>(file);
  assert.equal(weight!.isView, false);
  callNamed('requires_grad_', weight, true);
  const product = callTensor('mul', weight, weight);
  callNamed('add_', statistics, 1);
  native.backward([callTensor('sum', product).handle], [null], false, false, null);
  assert.deepEqual(numbers(weight!.grad!), [4, 6]);
});

test('what a mapped tensor is changed to stays in this process', async () => {
  const file = place('.safetensors');
  await save({ a: floats(1, 2) }, file);
  const before = readFileSync(file);
  const { a } = await load<Record<string, Tensor>>(file);
  callNamed('fill_', a, 9);
  assert.deepEqual(numbers(a!), [9, 9]);
  assert.deepEqual(readFileSync(file), before);
});

test('a mapped file can be saved over; tensors that map the old one keep it', async () => {
  const file = place('.safetensors');
  await save({ a: floats(1, 2), b: floats(3) }, file);
  const old = await load<Record<string, Tensor>>(file);
  await save({ a: callTensor('add', old.a, 1) }, file);
  assert.deepEqual(numbers((await load<Record<string, Tensor>>(file)).a!), [2, 3]);
  assert.deepEqual(numbers(old.a!), [1, 2]);
  assert.deepEqual(numbers(old.b!), [3]);
});

test('saving a part of a mapped file does not bring the file along', async () => {
  const file = place('.safetensors');
  await save({ small: floats(1, 2), large: callTensor('full', [100_000], 3, { dtype: 'float32' }) }, file);
  const { small } = await load<Record<string, Tensor>>(file);
  const part = callTensor('narrow', small, 0, 1, 1);
  const copy = place();
  await save({ small, part }, copy);
  assert.ok(statSync(copy).size < 4000, `${statSync(copy).size} bytes`);
  const loaded = await load<Record<string, Tensor>>(copy);
  assert.deepEqual(numbers(loaded.part!), [2]);
  assert.equal(loaded.part!.storage().id, loaded.small!.storage().id);
});

test('what is saved is what tensors hold at the call, whatever happens while the disk is busy', async () => {
  for (const extension of ['.pt', '.safetensors']) {
    const file = place(extension);
    const a = floats(1, 2);
    const saving = save({ a }, file);
    callNamed('fill_', a, 9);
    await saving;
    assert.deepEqual(numbers((await load<Record<string, Tensor>>(file)).a!), [1, 2]);
  }
});

test('tensors larger than one piece of writing arrive whole', async () => {
  const size = 66 * 2 ** 20;
  const memory = new Uint8Array(size);
  for (let index = 0; index < size; index += 4099) memory[index] = index % 251;
  const loaded = await again(new Tensor(native.fromBytes(memory, 0, [size], dtypeCodes.uint8, false)));
  assert.ok(Buffer.from(memory.buffer).equals(Buffer.from(native.read(loaded.handle))));
});

test('safetensors: views are written as what they show, row by row', async () => {
  const file = place('.safetensors');
  const base = floats(0, 1, 2, 3, 4, 5);
  await save(
    new Map([
      ['turned', callTensor('t', callTensor('view', base, [2, 3]))],
      ['every second', callTensor('slice', base, 0, 1, 6, 2)],
    ]),
    file,
    {
      metadata: { made: 'here' },
    },
  );
  const loaded = await load<Record<string, Tensor>>(file);
  assert.deepEqual(loaded.turned!.shape, [3, 2]);
  assert.deepEqual(numbers(loaded.turned!), [0, 3, 1, 4, 2, 5]);
  assert.deepEqual(numbers(loaded['every second']!), [1, 3, 5]);
  assert.deepEqual(await loadMetadata(file), { made: 'here' });
});

test('a file whose tensors are not aligned is read by copying', async () => {
  const file = place('.safetensors');
  // The header is one byte longer than a multiple of four, which the format allows.
  const header = Buffer.from('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.padEnd(61));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(file, Buffer.concat([length, header, new Uint8Array(Float32Array.of(1.5, 2.5).buffer)]));
  assert.deepEqual(numbers((await load<Record<string, Tensor>>(file)).a!), [1.5, 2.5]);
});

test('values and their counterparts', async () => {
  const value = {
    map: new Map<unknown, unknown>([
      [0, 'zero'],
      ['a', 1],
      [[1, 2], 'tuple'],
      [true, null],
    ]),
    set: new Set([1, 'two']),
    bytes: new Uint8Array([0, 255, 128]),
    complex: { re: 1.5, im: -2 },
    numbers: [0, -0, 255, 256, 65_535, 65_536, -1, 2 ** 31, 2 ** 53 - 1, 0.1, Number.NaN, Infinity],
    integers: [0n, 2n ** 64n, -(2n ** 63n), 127n, 128n, -128n, -129n, 10n ** 300n],
    text: ['', 'grün', '🌱', 'x'.repeat(100), '\u0000'],
  };
  const loaded = await again(value);
  // Integers that a number can hold exactly come back as numbers.
  assert.deepEqual(loaded, { ...value, integers: [0, 2n ** 64n, -(2n ** 63n), 127, 128, -128, -129, 10n ** 300n] });
  assert.deepEqual(asMap({ a: 1 }), new Map([['a', 1]]));
  assert.deepEqual(asMap(loaded.map), value.map);
});

test('a parameter is a leaf that requires a gradient', async () => {
  const parameter = floats(1, 2);
  callNamed('requires_grad_', parameter, true);
  const { a } = await again({ a: parameter });
  assert.equal(a.requiresGrad, true);
  assert.equal(a.isLeaf, true);
});

test('paths may be file: URLs, and device says where tensors go', async () => {
  const url = pathToFileURL(place());
  await save([floats(1)], url);
  const [one] = await load<Tensor[]>(url, { device: 'meta' });
  assert.equal(one!.device, 'meta');
});

test('a file appears whole or not at all', async (t) => {
  const folder = path.join(scratch, 'atomic');
  mkdirSync(folder);
  const file = path.join(folder, 'a.pt');
  await save([1], file);
  await t.test('a failed save leaves the old file and nothing else', async () => {
    await assert.rejects(save([floats(1), () => 1], file), FileFormatError);
    await assert.rejects(save({ a: floats(1), b: 2 }, path.join(folder, 'b.safetensors')), FileFormatError);
    assert.deepEqual(readdirSync(folder), ['a.pt']);
    assert.deepEqual(await load(file), [1]);
  });
  await t.test('a target that cannot be replaced leaves nothing either', async () => {
    mkdirSync(path.join(folder, 'taken.pt'));
    await assert.rejects(save([1], path.join(folder, 'taken.pt')));
    assert.deepEqual(readdirSync(folder).sort(), ['a.pt', 'taken.pt']);
  });
  await t.test('a link is followed', async () => {
    symlinkSync(file, path.join(folder, 'link.pt'));
    await save([2], path.join(folder, 'link.pt'));
    assert.ok(lstatSync(path.join(folder, 'link.pt')).isSymbolicLink());
    assert.deepEqual(await load(file), [2]);
  });
  await t.test('equal contents give equal files', async () => {
    const twice = async () => {
      await save({ a: floats(1, 2) }, file);
      return readFileSync(file);
    };
    assert.deepEqual(await twice(), await twice());
  });
});

test('what cannot be written is said, with where it is', async (t) => {
  const one = floats(1, 2);
  class Net {}
  const deep: unknown[] = [];
  let inner = deep;
  for (let depth = 0; depth < 2000; depth++) {
    const next: unknown[] = [];
    inner.push(next);
    inner = next;
  }
  const keyLoop: unknown[] = [];
  keyLoop.push(keyLoop);
  const cases: [string, unknown, string, RegExp, object?][] = [
    ['undefined', { a: [1, { b: undefined }] }, '.pt', /value\.a\[1\]\.b is undefined; use null/],
    ['a function', [() => 1], '.pt', /value\[0\] is a function/],
    ['a class', { net: new Net() }, '.pt', /value\.net is an object of the class Net/],
    ['a date', [new Date(0)], '.pt', /class Date/],
    ['a typed array that is no tensor', [new Float32Array(2)], '.pt', /class Float32Array/],
    ['an object as key', new Map([[{}, 1]]), '.pt', /a key that is an object/],
    ['a key that holds itself', new Map([[keyLoop, 1]]), '.pt', /deeper than 1000/],
    ['a deep nest', deep, '.pt', /deeper than 1000/],
    ['half a surrogate pair', ['\ud800'], '.pt', /half a surrogate pair/],
    ['a very long integer', [2n ** 3000n], '.pt', /integer of 376 bytes/],
    [
      'two dtypes over one memory',
      [one, callTensor('view', one, 'int32')],
      '.pt',
      /float32 and a int32 tensor show the same memory/,
    ],
    ['no tensors', [one], '.safetensors', /an object of named tensors/],
    ['a number among tensors', { one, two: 2 }, '.safetensors', /"two" is not a tensor/],
    ['a nested object', { one: { two: one } }, '.safetensors', /"one" is not a tensor/],
    [
      'a dtype safetensors lacks',
      { z: callTensor('to', one, 'complex128') },
      '.safetensors',
      /complex128, which \.safetensors lacks/,
    ],
    ['the reserved name', { __metadata__: one }, '.safetensors', /cannot be the name/],
    ['a sparse tensor', { s: callTensor('to_sparse', one) }, '.safetensors', /sparse_coo; make it dense/],
    ['metadata that is no text', { one }, '.safetensors', /metadata "a" is not a string/, { metadata: { a: 1 } }],
    ['metadata in a .pt file', { one }, '.pt', /only into \.safetensors/, { metadata: { a: 'b' } }],
    ['an unknown extension', { one }, '.safetensor', /the extension \.safetensor does not tell/],
    ['no extension', { one }, '', /without extension/],
  ];
  for (const [name, value, extension, saying, options] of cases) {
    await t.test(name, () =>
      assert.rejects(save(value, place(extension), options), (error) => {
        assert.ok(error instanceof FileFormatError, String(error));
        assert.match(error.message, saying);
        return true;
      }),
    );
  }
  await t.test('a folder that does not exist', () =>
    assert.rejects(save(one, path.join(scratch, 'no', 'a.pt')), /there is no folder .*no/),
  );
  await t.test('a path that is none', () => assert.rejects(save(one, 3 as never), /path must be a string/));
  await t.test('a format given by hand', async () => {
    const file = place('.weights');
    await save({ one }, file, { format: 'safetensors' });
    assert.deepEqual(numbers((await load<Record<string, Tensor>>(file)).one!), [1, 2]);
  });
});

test('two dtypes over parts of one memory that do not touch are kept', async () => {
  const base = floats(1, 2);
  const whole = callTensor('view', base, 'int32');
  const [a, b] = await again([callTensor('narrow', base, 0, 0, 1), callTensor('narrow', whole, 0, 1, 1)]);
  assert.deepEqual(numbers(a!), [1]);
  assert.equal(b!.dtype, 'int32');
  assert.deepEqual(numbers(b!), [2]);
});

test('sparse tensors with indices out of place are refused', async (t) => {
  const data = (key: string, values: bigint[]) => ({
    name: `x/data/${key}`,
    data: new Uint8Array(BigInt64Array.from(values).buffer),
  });
  const vector = (key: string, length: number) =>
    pickled(storage('LongStorage', key, int(length)), int(0), [int(length)], [int(1)]);
  const layout = (name: string) => call('torch.serialization', '_get_layout', text(`torch.${name}`));
  const sparse = (name: string, ...parts: Uint8Array[]) =>
    document(call('torch._utils', '_rebuild_sparse_tensor', layout(name), tuple(...parts)));
  const size = (...sizes: number[]) => call('torch', 'Size', tuple(...sizes.map(int)));
  const indices = pickled(storage('LongStorage', '0', int(2)), int(0), [int(1), int(2)], [int(2), int(1)]);
  for (const coalesced of [[], [bytes(OP.NEWTRUE)], [bytes(OP.NEWFALSE)]]) {
    for (const wrong of [5n, -1n, 2n ** 62n]) {
      await t.test(`COO index ${wrong} of 5, ${coalesced.length} flags`, () =>
        assert.rejects(
          load(
            archive(
              sparse('sparse_coo', indices, vector('1', 2), size(5), ...coalesced),
              data('0', [0n, wrong]),
              data('1', [1n, 2n]),
            ),
          ),
          Error,
        ),
      );
    }
  }
  for (const [rows, columns] of [
    [
      [0n, 1n, 9n],
      [0n, 0n],
    ],
    [
      [0n, 2n, 1n],
      [0n, 0n],
    ],
    [
      [0n, 1n, 2n],
      [0n, 7n],
    ],
    [
      [0n, 1n, 2n],
      [-1n, 0n],
    ],
  ] as const) {
    await t.test(`CSR rows ${rows}, columns ${columns}`, () =>
      assert.rejects(
        load(
          archive(
            sparse('sparse_csr', vector('0', 3), vector('1', 2), vector('2', 2), size(2, 2)),
            data('0', [...rows]),
            data('1', [...columns]),
            data('2', [1n, 2n]),
          ),
        ),
        Error,
      ),
    );
  }
});

test('a mapped file leaves nothing behind when its tensors are gone', {
  skip: !globalThis.gc && 'needs --expose-gc',
}, async () => {
  const file = place('.safetensors');
  await save({ a: floats(1, 2), b: floats(3) }, file);
  const settle = async () => {
    for (let round = 0; round < 3; round++) {
      globalThis.gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return native.memory().handles;
  };
  const before = await settle();
  for (let round = 0; round < 200; round++) await load(file, { mmap: round % 2 === 0 });
  assert.ok((await settle()) <= before + 5, 'no handles are kept');
});
