/** The packed cache: damage, full disks, changed files, no room. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { listCaches } from '../../../src/data/cache/folder.js';
import type { DataLoader } from '../../../src/data/loader/index.js';
import { subset } from '../../../src/data/sources/subset.js';
import { digests, makePictures, temporaryFolder, withLoader } from '../loader/pictures.js';

const pictures = await makePictures(40, [7]);
const options = { dataset: pictures, batchSize: 8, shuffle: true, seed: 2 };
const truth = await withLoader(options, (loader) => digests(loader));

const cached = <Result>(folder: string, work: (loader: DataLoader) => Promise<Result>, more: object = {}) =>
  withLoader({ ...options, cache: { folder }, ...more }, work);

const counts = (loader: DataLoader) => {
  const { decoded, fromCache } = loader.report();
  return { decoded, fromCache };
};

/** The files of the only cache in a folder. */
function filesOf(folder: string): { data: string; journal: string } {
  const [only] = listCaches(folder);
  assert.ok(only);
  return { data: path.join(only.folder, 'pictures.bin'), journal: path.join(only.folder, 'journal.txt') };
}

async function filled(): Promise<string> {
  const folder = temporaryFolder();
  assert.deepEqual(await cached(folder, (loader) => digests(loader)), truth);
  return folder;
}

test('after the first epoch nothing is decoded, in this process and in the next', async () => {
  const folder = temporaryFolder();
  await cached(folder, async (loader) => {
    assert.deepEqual(await digests(loader), truth);
    assert.deepEqual(counts(loader), { decoded: 39, fromCache: 0 });
    await digests(loader);
    assert.deepEqual(counts(loader), { decoded: 0, fromCache: 39 });
  });
  await cached(folder, async (loader) => {
    assert.deepEqual(await digests(loader), truth);
    assert.deepEqual(counts(loader), { decoded: 0, fromCache: 39 });
    assert.match(loader.report().skipped[0]?.reason ?? '', /picture|text/);
    assert.equal(loader.samplesSkipped, 1);
  });
});

test('parts of one data set share its cache; another form has one of its own', async () => {
  const folder = temporaryFolder();
  for (const part of [subset(pictures, [1, 3, 5]), subset(pictures, [0, 2, 7])])
    await withLoader({ dataset: part, cache: { folder } }, (loader) => digests(loader));
  assert.equal(listCaches(folder).length, 1);
  await cached(folder, async (loader) => {
    assert.deepEqual(await digests(loader), truth);
    assert.equal(counts(loader).decoded, 34);
  });
  const odd = { height: 5, width: 5 };
  const wanted = await withLoader({ ...options, form: odd }, (loader) => digests(loader));
  for (let i = 0; i < 2; i++)
    assert.deepEqual(await cached(folder, (loader) => digests(loader, 1), { form: odd }), wanted);
  assert.equal(listCaches(folder).length, 2);
});

test('a flipped byte is found and the picture decoded anew', async () => {
  const folder = await filled();
  const { data } = filesOf(folder);
  for (const at of [0, 576 * 20 + 100, 576 * 40 - 1]) {
    const bytes = readFileSync(data);
    const descriptor = openSync(data, 'r+');
    writeSync(descriptor, Uint8Array.of((bytes[at] as number) ^ 64), 0, 1, at);
    closeSync(descriptor);
    for (const decoded of [1, 0])
      await cached(folder, async (loader) => {
        assert.deepEqual(await digests(loader), truth);
        assert.deepEqual(counts(loader), { decoded, fromCache: 39 - decoded });
      });
    assert.deepEqual(readFileSync(data), bytes);
  }
});

test('a damaged journal costs decoding, never a wrong picture', async () => {
  const folder = await filled();
  const { journal } = filesOf(folder);
  const text = readFileSync(journal, 'latin1');
  const lines = text.split('\n').filter((line) => line !== '');
  const damaged: [string, string][] = [
    ['empty', ''],
    ['cut', text.slice(0, text.length / 2)],
    ['noise', `${'\xff\x00\x80'.repeat(50)}${text}`],
    ['digits', text.replaceAll('7', '8')],
    ['reversed', lines.reverse().join('\n')],
    ['foreign', `${text}\n{"json": true}\n00000000 + 1 2 3 4\n\n\n`],
  ];
  for (const [name, content] of damaged) {
    writeFileSync(journal, content, 'latin1');
    assert.deepEqual(await cached(folder, (loader) => digests(loader, 1)), truth, name);
  }
  // A line cut off in the middle does not take the next one with it.
  writeFileSync(journal, `${text.trimEnd().slice(0, -9)}`);
  await cached(folder, (loader) => digests(loader));
  await cached(folder, async (loader) => {
    await digests(loader);
    assert.equal(counts(loader).decoded, 0);
  });
});

test('a picture that changed, or was repaired, is decoded anew', async () => {
  const own = await makePictures(6, [2]);
  const folder = temporaryFolder();
  const loaded = async (): Promise<[string[], number, number]> =>
    withLoader({ dataset: own, batchSize: 1, cache: { folder } }, async (loader) => {
      const found = await digests(loader);
      return [found, counts(loader).decoded, loader.samplesSkipped];
    });
  const [before] = await loaded();
  assert.equal(before.length, 5);
  const file = (index: number): string => path.join(own.root, own.sampleName(index));
  copyFileSync(file(1), file(4));
  copyFileSync(file(1), file(2));
  utimesSync(file(0), new Date(), new Date(1e12));
  const [after, decoded, skipped] = await loaded();
  assert.equal(decoded, 3);
  assert.equal(skipped, 0);
  assert.deepEqual([after[0], after[1], after[3], after[5]], [before[0], before[1], before[2], before[4]]);
  const direct = await withLoader({ dataset: own, batchSize: 1 }, (loader) => digests(loader));
  assert.deepEqual(after, direct);
});

const warnings: string[] = [];
process.on('warning', (warning) => {
  if (warning.name === 'PraxisWarning') warnings.push(warning.message);
});

test('a disk that is full: one warning, and training goes on', { skip: !tinyDisk() && 'needs /dev/full' }, async () => {
  const folder = await filled();
  const { journal } = filesOf(folder);
  rmSync(journal);
  // Every write to it fails with ENOSPC.
  symlinkSync('/dev/full', journal);
  warnings.length = 0;
  await cached(
    folder,
    async (loader) => {
      assert.deepEqual(await digests(loader), truth);
      assert.deepEqual(counts(loader), { decoded: 39, fromCache: 0 });
      assert.deepEqual(await digests(loader), await withLoader(options, (other) => secondEpoch(other)));
    },
    { workers: 2 },
  );
  await new Promise(setImmediate);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, /not kept any more: ENOSPC/);
});

async function secondEpoch(loader: DataLoader): Promise<string[]> {
  loader.setEpoch(1);
  return digests(loader);
}

function tinyDisk(): boolean {
  try {
    return statSync('/dev/full').isCharacterDevice();
  } catch {
    return false;
  }
}

test('a cache that cannot be made, or has no room, is done without', async () => {
  const file = path.join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  for (const [cache, reason] of [
    [{ folder: path.join(file, 'below') }, /ENOTDIR/],
    [{ folder: temporaryFolder(), maxBytes: 1000 }, /needs 1 MB of cache, more than there may be/],
  ] as const) {
    warnings.length = 0;
    await withLoader({ ...options, cache }, async (loader) => assert.deepEqual(await digests(loader), truth));
    await new Promise(setImmediate);
    assert.match(warnings.join(), reason);
  }
});

test('a cache that may only be read is read', {
  skip: process.getuid?.() === 0 && 'root may write anything',
}, async () => {
  const folder = await filled();
  const { data, journal } = filesOf(folder);
  for (const name of [data, journal]) chmodSync(name, 0o444);
  chmodSync(path.dirname(data), 0o555);
  await cached(folder, async (loader) => {
    assert.deepEqual(await digests(loader), truth);
    assert.equal(counts(loader).decoded, 0);
  });
  chmodSync(path.dirname(data), 0o755);
});

test('the least recently used cache makes room for a new one; one in use stays', async () => {
  const folder = temporaryFolder();
  // A picture takes 576 bytes; on disk a cache of 40 takes whole blocks.
  const others = await Promise.all([makePictures(8), makePictures(8), makePictures(8)]);
  for (const [i, dataset] of others.entries()) {
    await withLoader({ dataset, cache: { folder } }, (loader) => digests(loader));
    const entry = listCaches(folder).find(({ root }) => root === dataset.root);
    utimesSync(path.join(entry?.folder as string, 'about.json'), new Date(), new Date(Date.now() - (3 - i) * 1e6));
  }
  const [oldest, middle, newest] = listCaches(folder);
  assert.deepEqual(
    [oldest?.root, middle?.root, newest?.root],
    others.map(({ root }) => root),
  );
  const used = others[0] as (typeof others)[0];
  await withLoader({ dataset: used, cache: { folder }, batchSize: 2 }, async (loader) => {
    for await (const _ of loader) break;
    utimesSync(path.join(oldest?.folder as string, 'about.json'), new Date(), new Date(1e12));
    const room = listCaches(folder).reduce((sum, { bytes }) => sum + bytes, 0) + 576 * 40 - 1;
    await withLoader({ ...options, cache: { folder, maxBytes: room } }, (other) => digests(other));
    assert.deepEqual(
      new Set(listCaches(folder).map(({ root }) => root)),
      new Set([used.root, others[2]?.root, pictures.root]),
    );
    // What was deleted leaves nothing behind.
    assert.equal(readdirSync(folder).length, 3);
  });
});

test('a cache that is deleted under a loader: the loader goes on', async () => {
  const folder = temporaryFolder();
  await cached(folder, async (loader) => {
    for await (const _ of loader) {
      rmSync(folder, { recursive: true });
      break;
    }
    await digests(loader);
    loader.setEpoch(0);
    assert.deepEqual(await digests(loader), truth);
  });
});

test('a cache that is deleted and made anew under a loader: nothing is taken from the one for the other', async () => {
  for (const workers of [0, 2]) {
    const folder = temporaryFolder();
    const remake = async (): Promise<void> => {
      rmSync(folder, { recursive: true });
      assert.deepEqual(await cached(folder, (other) => digests(other)), truth);
    };
    // When it has hardly anything, and when its journal tells of all pictures but none was looked at.
    await cached(
      folder,
      async (loader) => {
        for await (const _ of loader) break;
        await remake();
        loader.setEpoch(0);
        assert.deepEqual(await digests(loader), truth, `begun, ${workers} workers`);
      },
      { workers, prefetch: 1 },
    );
    await cached(
      folder,
      async (loader) => {
        for await (const _ of loader) break;
        await remake();
        assert.deepEqual(await digests(loader), truth.slice(1), `full, ${workers} workers`);
        loader.setEpoch(0);
        assert.deepEqual(await digests(loader), truth, `full, once more, ${workers} workers`);
        await remake();
        loader.setEpoch(0);
        assert.deepEqual(await digests(loader), truth);
        assert.equal(counts(loader).decoded + counts(loader).fromCache, 39);
      },
      { workers, prefetch: 1 },
    );
  }
});
