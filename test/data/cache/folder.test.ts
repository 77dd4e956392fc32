/** Which caches count as used: marks of threads, of older versions, of other containers, and caches that vanish under the look. */
import assert from 'node:assert/strict';
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { listCaches, markUsed } from '../../../src/data/cache/folder.js';
import { temporaryFolder } from '../loader/pictures.js';

/** More than a system ever gives. */
const nobody = 2 ** 30;

/** An empty cache that nobody uses, alone in its folder. */
function makeCache(): { base: string; cache: string } {
  const base = temporaryFolder();
  const cache = path.join(base, 'cache');
  mkdirSync(cache);
  writeFileSync(path.join(cache, 'about.json'), '{"praxisCache":1}');
  return { base, cache };
}

const inUse = (base: string): boolean | undefined => listCaches(base)[0]?.inUse;

test('one that ends its use leaves the marks of others in the same process alone', async () => {
  const { base, cache } = makeCache();
  // What a thread of the user's own has, or a second copy of the library: the module once more.
  const again = new URL('../../../src/data/cache/folder.ts?again', import.meta.url).href;
  const other: typeof import('../../../src/data/cache/folder.js') = await import(again);
  assert.notEqual(other.markUsed, markUsed);
  const end = markUsed(cache);
  other.markUsed(cache)();
  assert.equal(inUse(base), true);
  end();
  assert.equal(inUse(base), false);
  assert.deepEqual(readdirSync(cache), ['about.json']);
});

test('marks of older versions count', () => {
  const { base, cache } = makeCache();
  const mark = path.join(cache, `user-${hostname()}-${process.pid}-0`);
  writeFileSync(mark, '');
  assert.equal(inUse(base), true);
  rmSync(mark);
  const dead = path.join(cache, `user-${hostname()}-${nobody}-0`);
  writeFileSync(dead, '');
  assert.equal(inUse(base), false);
  assert.ok(!existsSync(dead));
});

test('a mark of another container that shares the host’s name counts for a day', {
  skip: !existsSync('/proc/self/ns/pid') && 'the system does not tell containers apart',
}, () => {
  const { base, cache } = makeCache();
  const end = markUsed(cache);
  const own = readdirSync(cache).find((name) => name.startsWith('user-')) as string;
  assert.match(readFileSync(path.join(cache, own), 'utf8'), /^pid:\[\d+\]$/);
  end();
  const mark = path.join(cache, `user-${hostname()}-${nobody}-7`);
  writeFileSync(mark, 'pid:[1]');
  assert.equal(inUse(base), true);
  utimesSync(mark, new Date(), new Date(Date.now() - 2 * 24 * 3600 * 1000));
  assert.equal(inUse(base), false);
  assert.ok(!existsSync(mark));
});

test('a cache that another process removes under the look is no error', (t) => {
  const { base, cache } = makeCache();
  const stat = fs.statSync;
  // Just after its about.json was read.
  const mock = t.mock.method(fs, 'statSync', (file: string) => {
    rmSync(cache, { recursive: true, force: true });
    return stat(file);
  });
  syncBuiltinESMExports();
  try {
    assert.notEqual(inUse(base), true);
  } finally {
    mock.mock.restore();
    syncBuiltinESMExports();
  }
  assert.ok(mock.mock.callCount() > 0);
  assert.ok(!existsSync(cache));
  assert.deepEqual(listCaches(base), []);
});
