/** Unfinished folders: those of killed processes go away, those that somebody may be filling stay. */
import assert from 'node:assert/strict';
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { temporaryFor } from '../../../src/data/archives/temporary.js';
import { unpack } from '../../../src/data/archives/unpack.js';
import { makeZip } from './make.js';

let root: string;
let archive: string;
let parent: string;
let target: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-temporary-'));
  archive = path.join(root, 'a.zip');
  writeFileSync(archive, makeZip({ name: 'x/1', content: 'a' }, { name: 'x/2', content: 'b' }, { name: '3' }));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  parent = mkdtempSync(path.join(root, 'out-'));
  target = path.join(parent, 'target');
});

/** A folder of process `pid`, here or at another place. No process has the usual number: it is above every system's limit. */
function left({ pid = 99999999, place }: { pid?: number; place?: string } = {}): string {
  const [start, , here, ...rest] = temporaryFor(target).slice(target.length).split('-') as [string, string, string];
  const folder = `${target}${[start, pid, place ?? here, ...rest].join('-')}`;
  mkdirSync(path.join(folder, 'x'), { recursive: true });
  writeFileSync(path.join(folder, 'x', '1'), 'a');
  return folder;
}

/** Makes a folder look as if nothing in it had changed for so many hours, `except` one of its entries. */
function age(folder: string, hours: number, except?: string): void {
  const at = new Date(Date.now() - hours * 3_600_000);
  for (const name of ['x/1', 'x', '.']) if (name !== except) utimesSync(path.join(folder, name), at, at);
}

const names = (...folders: string[]) => ['target', ...folders.map((folder) => path.basename(folder))].sort();

test('what a killed process left goes away, what one that runs fills stays, and so does what is not ours', async () => {
  left();
  const running = left({ pid: process.pid });
  age(running, 100);
  const mine = `${target}.unpacking-mine`;
  mkdirSync(mine);
  await unpack(archive, target);
  assert.deepEqual(readdirSync(parent).sort(), names(running, mine));
});

test('what a process of another machine or container fills stays until nothing in it has changed for a day', async () => {
  const young = left({ place: '00000000' });
  const working = left({ place: '00000000' });
  age(working, 25, 'x/1');
  const hours = left({ place: '00000000' });
  age(hours, 23);
  age(left({ place: '00000000' }), 25);
  // Earlier versions did not say where.
  const former = `${target}.unpacking-99999999-01234567-89ab-cdef-0123-456789abcdef`;
  mkdirSync(former);
  await unpack(archive, target);
  assert.deepEqual(readdirSync(parent).sort(), names(young, working, hours, former));
});

test('a clean-up that fails is no reason not to unpack', async (t) => {
  const folder = left();
  const remove = fs.promises.rm;
  t.mock.method(fs.promises, 'rm', (...given: Parameters<typeof remove>) =>
    given[0] === folder ? Promise.reject(new Error('ENOTEMPTY: directory not empty')) : remove(...given),
  );
  syncBuiltinESMExports();
  try {
    await unpack(archive, target);
  } finally {
    t.mock.reset();
    syncBuiltinESMExports();
  }
  assert.deepEqual(readdirSync(parent).sort(), names(folder));
});

for (const gone of ['x/1', 'x', '.'])
  test(`files that somebody removes while others are unpacked are missed (${gone})`, async () => {
    const onProgress = () => {
      const [folder = ''] = readdirSync(parent);
      if (existsSync(path.join(parent, folder, 'x/2')))
        rmSync(path.join(parent, folder, gone), { recursive: true, force: true });
    };
    await assert.rejects(unpack(archive, target, { onProgress }), (error: Error) => {
      assert.equal(error.name, 'DataError');
      assert.match(error.message, /target: only [0-2] of its 3 files are still there, .* unpack it again\.$/);
      return true;
    });
    assert.deepEqual(readdirSync(parent), []);
  });
