/** Processes that build a cache at once, and processes that are killed while they do; a disk that really is full. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { digests, makePictures, temporaryFolder, withLoader } from '../loader/pictures.js';

const pictures = await makePictures(80, [7]);
const options = { dataset: pictures, batchSize: 8, shuffle: true, seed: 2 };
const truth = await withLoader(options, (loader) => digests(loader));

/** Lines in the journal of the only cache in a folder. */
function linesIn(folder: string): number {
  try {
    const [name] = readdirSync(folder);
    return readFileSync(path.join(folder, name as string, 'journal.txt'), 'latin1')
      .split('\n')
      .filter(Boolean).length;
  } catch {
    return 0;
  }
}

/** A process that reads an epoch through the cache; gives its batches, or null when it was killed. */
function build(folder: string, workers: number, killAfterLines: number | null = null): Promise<string[] | null> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      path.join(import.meta.dirname, 'builder.ts'),
      pictures.root,
      String(pictures.length),
      folder,
      String(workers),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const watch = setInterval(() => {
    if (killAfterLines !== null && linesIn(folder) >= killAfterLines) child.kill('SIGKILL');
  }, 1);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(watch);
      resolve(code === 0 ? JSON.parse(output.slice(output.indexOf('['))) : null);
    });
  });
}

test('two processes that build it at once, and a third that finds it', async () => {
  const folder = temporaryFolder();
  const found = await Promise.all([build(folder, 2), build(folder, 0)]);
  for (const batches of found) assert.deepEqual(batches, truth);
  await withLoader({ ...options, cache: { folder } }, async (loader) => {
    assert.deepEqual(await digests(loader), truth);
    assert.equal(loader.report().decoded, 0);
  });
});

test('SIGKILL while it is built, 20 times: what is left is used, and true', async () => {
  let killed = 0;
  let saved = 0;
  const rounds = Array.from({ length: 20 }, (_, round) => ({ after: 3 * round, folder: temporaryFolder() }));
  for (let first = 0; first < rounds.length; first += 4) {
    const some = rounds.slice(first, first + 4);
    const ends = await Promise.all(some.map(({ folder, after }, i) => build(folder, i % 2, after)));
    killed += ends.filter((end) => end === null).length;
    for (const { folder, after } of some)
      await withLoader({ ...options, cache: { folder } }, async (loader) => {
        assert.deepEqual(await digests(loader), truth, `killed after ${after} pictures`);
        saved += loader.report().fromCache;
      });
  }
  assert.ok(killed >= 15, `only ${killed} were killed before they were done`);
  assert.ok(saved > 100, `${saved} pictures were saved`);
});

/** A file system of 200 kB, or why there is none. */
function tinyDisk(): { folder: string; unmount(): void } | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount one';
  const folder = path.join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', folder]);
  if (mounted.status !== 0) return 'no file system can be mounted here';
  return { folder, unmount: () => void spawnSync('umount', ['-l', folder]) };
}

const disk = tinyDisk();

test('a disk that fills up while the cache is built', { skip: typeof disk === 'string' && disk }, async () => {
  if (typeof disk === 'string') return;
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', listen);
  // 80 pictures of 12 kB each do not fit into 200 kB.
  const form = { height: 64, width: 64 };
  const wanted = await withLoader({ ...options, form }, (loader) => digests(loader, 2));
  try {
    for (const workers of [2, 0])
      await withLoader({ ...options, form, workers, cache: { folder: disk.folder, maxBytes: 1e9 } }, async (loader) => {
        assert.deepEqual(await digests(loader, 2), wanted);
        const { decoded, fromCache } = loader.report();
        assert.ok(fromCache >= 5 && decoded >= 40, `${fromCache} from the cache, ${decoded} decoded`);
      });
    await new Promise(setImmediate);
    assert.match(warnings.join(), /not kept any more: ENOSPC/);
  } finally {
    disk.unmount();
    process.off('warning', listen);
  }
});
