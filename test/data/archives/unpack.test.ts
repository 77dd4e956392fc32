/** Archives: what is good comes out byte for byte, what is hostile is refused with a sentence and leaves nothing behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type ArchiveLimits, unpack, unpackForUse } from '../../../src/data/archives/index.js';
import { DataError } from '../../../src/data/errors.js';
import { makeTar, makeTarGz, makeZip, tarPart } from './make.js';

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'praxis-archives-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let number = 0;
/** A place of its own for each archive: `archive` in it, to be unpacked into `out/target`. */
function place(bytes: Buffer, name = 'archive'): { archive: string; parent: string; target: string } {
  const own = path.join(folder, String(number++));
  const parent = path.join(own, 'out');
  mkdirSync(parent, { recursive: true });
  const archive = path.join(own, name);
  writeFileSync(archive, bytes);
  return { archive, parent, target: path.join(parent, 'target') };
}

const read = (root: string, name: string) => readFileSync(path.join(root, name), 'utf8');

describe('good archives', () => {
  const parts = [
    { name: 'flowers/rose/a.jpg', content: 'first' },
    { name: './flowers/rose/b c.jpg', content: 'second'.repeat(5000) },
    { name: 'flowers/Gänseblümchen/ü.jpg', content: '' },
  ];
  const kinds: [string, Buffer][] = [
    ['zip', makeZip({ name: 'flowers/', mode: 0o040755 }, ...parts)],
    ['stored zip', makeZip(...parts.map((part) => ({ ...part, store: true })))],
    ['tar', makeTar({ name: 'flowers/', type: '5' }, ...parts)],
    ['tar.gz', makeTarGz(...parts)],
  ];
  for (const [kind, bytes] of kinds) {
    test(`${kind} comes out as it went in`, async () => {
      const { archive, parent, target } = place(bytes);
      const result = await unpack(archive, target);
      assert.equal(result.files, 3);
      assert.equal(result.bytes, 5 + 30000);
      assert.equal(read(target, 'flowers/rose/a.jpg'), 'first');
      assert.equal(read(target, 'flowers/rose/b c.jpg'), 'second'.repeat(5000));
      assert.equal(read(target, 'flowers/Gänseblümchen/ü.jpg'), '');
      assert.deepEqual(readdirSync(parent), ['target']);
      assert.deepEqual(readFileSync(archive), bytes);
    });
  }

  test('long names by extended headers, as GNU and POSIX tar write them', async () => {
    const long = `${'folder-with-a-long-name/'.repeat(6)}picture.jpg`;
    const record = ` path=${long}\n`;
    const pax = `${record.length + 3}${record}`;
    const posix = makeTar({ name: 'x', type: 'x', content: pax }, { name: 'short', content: 'p' });
    const gnu = makeTar({ name: '././@LongLink', type: 'L', content: `${long}\0` }, { name: 'short', content: 'g' });
    for (const [bytes, content] of [
      [posix, 'p'],
      [gnu, 'g'],
    ] as const) {
      const { archive, target } = place(bytes);
      await unpack(archive, target);
      assert.equal(read(target, long), content);
    }
  });

  test('what macOS adds is left out and counted', async () => {
    const { archive, target } = place(
      makeZip(
        { name: 'rose/a.jpg', content: 'a' },
        { name: '__MACOSX/rose/._a.jpg', content: 'x' },
        { name: 'rose/.DS_Store', content: 'y' },
      ),
    );
    const result = await unpack(archive, target);
    assert.equal(result.leftOut, 2);
    assert.deepEqual(readdirSync(target, { recursive: true }).sort(), ['rose', path.join('rose', 'a.jpg')]);
  });

  test('an empty target is fine, one with something in it is not touched', async () => {
    const { archive, target } = place(makeZip({ name: 'a.jpg', content: 'a' }));
    mkdirSync(target);
    await unpack(archive, target);
    writeFileSync(path.join(target, 'mine.txt'), 'mine');
    await assert.rejects(unpack(archive, target), /is not empty/);
    assert.equal(read(target, 'mine.txt'), 'mine');
  });
});

const link = 0o120777;
const big = Buffer.alloc(70 * 2 ** 20);
const small: Partial<ArchiveLimits> = { bytes: 1000, entries: 5 };

/** Each is refused, for the reason given. */
const hostile: [string, () => Buffer, RegExp, Partial<ArchiveLimits>?][] = [
  ['zip: ..', () => makeZip({ name: '../evil.jpg', content: 'x' }), /"\.\.\/evil\.jpg" leads out of the target/],
  ['zip: .. within', () => makeZip({ name: 'a/../../evil.jpg', content: 'x' }), /leads out of the target/],
  ['zip: backslash ..', () => makeZip({ name: '..\\evil.jpg', content: 'x' }), /leads out of the target/],
  ['zip: absolute', () => makeZip({ name: '/tmp/evil.jpg', content: 'x' }), /has an absolute path/],
  ['zip: drive letter', () => makeZip({ name: 'C:/evil.jpg', content: 'x' }), /absolute path|drive letter/],
  [
    'zip: drive letter without slash',
    () => makeZip({ name: 'c:evil.jpg', content: 'x' }),
    /absolute path|drive letter/,
  ],
  ['zip: symbolic link', () => makeZip({ name: 'a', content: '/etc/passwd', mode: link }), /"a" is a link/],
  ['zip: device', () => makeZip({ name: 'a', mode: 0o020666 }), /"a" is a device/],
  ['zip: zero byte in a name', () => makeZip({ name: 'a.jpg\0.sh', content: 'x' }), /control characters/],
  ['zip: newline in a name', () => makeZip({ name: 'a\nb.jpg', content: 'x' }), /control characters/],
  [
    'zip: one name twice',
    () => makeZip({ name: 'a.jpg', content: 'x' }, { name: 'a.jpg', content: 'y' }),
    /holds "a.jpg" twice/,
  ],
  [
    'zip: upper and lower case',
    () => makeZip({ name: 'A.jpg', content: 'x' }, { name: 'a.jpg', content: 'y' }),
    /"A.jpg" and "a.jpg"/,
  ],
  [
    'zip: a file as a folder',
    () => makeZip({ name: 'a', content: 'x' }, { name: 'a/b', content: 'y' }),
    /both as a file and as a folder/,
  ],
  ['zip: encrypted', () => makeZip({ name: 'a.jpg', content: 'x', flags: 1 }), /is encrypted/],
  ['zip: unknown method', () => makeZip({ name: 'a.jpg', content: 'x', method: 12 }), /method 12/],
  ['zip: wrong checksum', () => makeZip({ name: 'a.jpg', content: 'x', crc: 1 }), /checksum of "a.jpg" is wrong/],
  [
    'zip: damaged deflate data',
    () => {
      const name = 'a/b/c/d.jpg';
      const bytes = makeZip({ name, content: Buffer.from(Array.from({ length: 6000 }, (_, i) => (i * i) % 251)) });
      return bytes.fill(0xff, 30 + name.length, 30 + name.length + 20);
    },
    /is damaged: invalid/,
  ],
  [
    'zip: more comes out than it says',
    () => makeZip({ name: 'a.jpg', content: 'x'.repeat(5000), size: 10 }),
    /damaged: too many bytes/,
  ],
  [
    'zip: less comes out than it says',
    () => makeZip({ name: 'a.jpg', content: 'x', size: 900 }),
    /damaged: not enough bytes/,
  ],
  ['zip: bomb', () => makeZip({ name: 'a.bmp', content: big }), /100 times its size/],
  [
    'zip: bomb that lies about its size',
    () => makeZip({ name: 'a.bmp', content: big, size: 1 }),
    /damaged: too many bytes/,
  ],
  [
    'zip: more than the limit',
    () => makeZip({ name: 'a.bmp', content: Buffer.alloc(1001) }),
    /more than 1000 bytes/,
    small,
  ],
  [
    'zip: too many',
    () => makeZip(...Array.from({ length: 6 }, (_, i) => ({ name: `${i}.jpg`, content: 'x' }))),
    /more than 5 files/,
    small,
  ],
  [
    'zip: overlapping entries',
    () =>
      makeZip(
        { name: 'a', content: 'x'.repeat(2000), store: true },
        ...Array.from({ length: 9 }, (_, i) => ({ name: `b${i}`, content: 'x'.repeat(2000), store: true, sameAs: 0 })),
      ),
    /entries overlap/,
  ],
  ['zip: too deep', () => makeZip({ name: `${'a/'.repeat(40)}b`, content: 'x' }), /more than 32 folders deep/],
  ['zip: very long name', () => makeZip({ name: `${'a'.repeat(300)}.jpg`, content: 'x' }), /longer than 255 bytes/],
  ['zip: cut off', () => makeZip({ name: 'a', content: 'x'.repeat(500) }).subarray(0, 60), /is damaged/],
  ['zip: nothing in it', () => makeZip(), /holds no files/],
  [
    'tar: ..',
    () => makeTar({ name: 'ok.jpg', content: 'x' }, { name: '../evil.jpg', content: 'x' }),
    /leads out of the target/,
  ],
  ['tar: absolute', () => makeTar({ name: '/tmp/evil.jpg', content: 'x' }), /has an absolute path/],
  ['tar: drive letter', () => makeTar({ name: 'c:\\evil.jpg', content: 'x' }), /backslash|drive letter/],
  [
    'tar: symbolic link',
    () => makeTar({ name: 'a', type: '2', link: '/etc' }, { name: 'a/b', content: 'x' }),
    /"a" is a link/,
  ],
  ['tar: hard link', () => makeTar({ name: 'a', type: '1', link: '/etc/passwd' }), /"a" is a link/],
  ['tar: device', () => makeTar({ name: 'a', type: '3' }), /"a" is a device/],
  ['tar: pipe', () => makeTar({ name: 'a', type: '6' }), /"a" is a device, pipe/],
  ['tar: unknown kind', () => makeTar({ name: 'a', type: 'Z', content: 'x' }), /special file|no file/],
  [
    'tar: .. by an extended header',
    () => makeTar({ name: 'x', type: 'x', content: '17 path=../b.jpg\n' }, { name: 'a', content: 'x' }),
    /leads out of the target/,
  ],
  ['tar: one name twice', () => makeTar({ name: 'a', content: 'x' }, { name: './a', content: 'y' }), /holds "a" twice/],
  ['tar: cut off', () => tarPart({ name: 'a', content: 'x'.repeat(5000) }).subarray(0, 2000), /is damaged/],
  ['tar: claims more than there is', () => makeTar({ name: 'a', content: 'x', size: 10 ** 6 }), /is damaged/],
  [
    'tar: claims a terabyte',
    () => makeTar({ name: 'a', content: 'x', size: 8 ** 11 - 1 }),
    /more than 1000 bytes/,
    small,
  ],
  [
    'tar: wrong header sum',
    () => Buffer.concat([tarPart({ name: 'a', content: 'x' }), makeTar({ name: 'b', content: 'y', brokenSum: true })]),
    /is damaged: checksum/,
  ],
  ['tar.gz: bomb', () => gzipSync(makeTar({ name: 'a.bmp', content: big })), /100 times its size/],
  [
    'tar.gz: bomb of endless entries',
    () => gzipSync(makeTar(...Array.from({ length: 2000 }, (_, i) => ({ name: `${i}` })))),
    /more than 1000 files/,
    { entries: 1000 },
  ],
  [
    'tar.gz: zeros behind it',
    () =>
      gzipSync(Buffer.concat([makeTar({ name: 'a.bmp', content: Buffer.alloc(10_000) }), Buffer.alloc(2 * 2 ** 20)])),
    /more than 20000 bytes/,
    { bytes: 20_000 },
  ],
  [
    'tar.gz: cut off',
    () =>
      makeTarGz({ name: 'a', content: Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919) % 251)) }).subarray(
        0,
        200,
      ),
    /is damaged/,
  ],
  [
    'tar.gz: wrong checksum',
    () => {
      const bytes = makeTarGz({ name: 'a', content: 'xyz' });
      bytes.writeUInt32LE(1, bytes.length - 8);
      return bytes;
    },
    /is damaged: incorrect data check/,
  ],
  ['7z', () => Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]), /is a 7z archive/],
  ['a picture', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0]), /is no zip or tar archive/],
  ['empty', () => Buffer.alloc(0), /is empty/],
];

describe('hostile archives', () => {
  for (const [name, bytes, reason, limits] of hostile) {
    test(name, { timeout: 60_000 }, async () => {
      const { archive, parent, target } = place(bytes());
      await assert.rejects(unpack(archive, target, limits === undefined ? {} : { limits }), (error: unknown) => {
        assert.ok(error instanceof DataError, String(error));
        assert.match(error.message, reason);
        assert.ok(!error.message.includes('\n') && error.message.endsWith('.'), error.message);
        return true;
      });
      assert.deepEqual(readdirSync(parent), [], 'something was left behind');
      assert.deepEqual(readdirSync(path.dirname(parent)).sort(), ['archive', 'out']);
    });
  }

  test('every cut of a tar.gz and of a zip is refused or gives all files', async () => {
    const content = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i) % 251));
    for (const whole of [
      makeZip({ name: 'a', content }, { name: 'b', content }),
      makeTarGz({ name: 'a', content }, { name: 'b', content }),
    ]) {
      for (let tenth = 0; tenth < 10; tenth++) {
        const { archive, parent, target } = place(whole.subarray(0, Math.floor((whole.length * tenth) / 10)));
        await assert.rejects(unpack(archive, target), DataError);
        assert.deepEqual(readdirSync(parent), []);
      }
    }
  });
});

test('a full disk is named, and nothing is left', {
  skip: process.platform === 'win32' ? 'needs ulimit' : false,
}, () => {
  // A limit on the size of files stands for the disk: writing beyond it fails as on a full one.
  const { archive, parent, target } = place(
    makeZip({ name: 'a', content: 'a' }, { name: 'b', content: Buffer.alloc(300_000, 1) }),
  );
  const child = fileURLToPath(new URL('./full-disk-child.ts', import.meta.url));
  const script = 'ulimit -f 64; exec "$0" --import tsx "$1" "$2" "$3"';
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, child, archive, target], { encoding: 'utf8' });
  assert.match(stdout, /^DataError: .*archive was not unpacked: no space left for .*target\.$/m);
  assert.deepEqual(readdirSync(parent), []);
});

describe('archives in place of folders', () => {
  test('are unpacked once, and known again by their content', async () => {
    const { archive, parent } = place(
      makeTar({ name: 'flowers/rose/a.jpg', content: 'a' }, { name: 'flowers/tulip/b.jpg', content: 'b' }),
      'my flowers.tar',
    );
    const first = await unpackForUse(archive, { cacheFolder: parent });
    assert.equal(path.basename(first), 'flowers');
    assert.equal(read(first, 'rose/a.jpg'), 'a');
    writeFileSync(path.join(first, 'mark'), '');
    assert.equal(await unpackForUse(archive, { cacheFolder: parent }), first);
    assert.ok(existsSync(path.join(first, 'mark')), 'it was unpacked again');
    writeFileSync(archive, makeTar({ name: 'rose/a.jpg', content: 'c' }, { name: 'tulip/b.jpg', content: 'b' }));
    const second = await unpackForUse(archive, { cacheFolder: parent });
    assert.notEqual(second, first);
    assert.equal(path.basename(second), 'my_flowers');
    assert.equal(read(second, 'rose/a.jpg'), 'c');
  });

  test('two at once end with one folder', async () => {
    const { archive, parent } = place(
      makeZip({ name: 'rose/a.jpg', content: 'a' }, { name: 'tulip/a.jpg', content: 'b' }),
      'f.zip',
    );
    const both = await Promise.all([
      unpackForUse(archive, { cacheFolder: parent }),
      unpackForUse(archive, { cacheFolder: parent }),
    ]);
    assert.equal(both[0], both[1]);
    assert.deepEqual(readdirSync(path.dirname(both[0])), ['f']);
  });
});
