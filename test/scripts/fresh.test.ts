/** What counts as fresh: packages, the TypeScript build, the lock between two set-ups. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stalePackages } from '../../scripts/setup/packages.mjs';
import { hashOf, packageRoot, withLock } from '../../scripts/setup/state.mjs';
import { buildTypeScript, sourcesHash } from '../../scripts/setup/typescript.mjs';
import { temporaryFolder, writeTree } from './trees.js';

const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } });

test('packages are stale when one is missing, of another version or removed from disk', (t) => {
  const root = temporaryFolder(t);
  const wanted = {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/@s/b': { version: '2.0.0', integrity: 'sha512-b' },
    'node_modules/for-another-system': { version: '3.0.0', integrity: 'sha512-c', optional: true },
  };
  const { 'node_modules/for-another-system': _, ...installed } = wanted;
  writeTree(root, { 'package-lock.json': lock(wanted) });
  assert.equal(stalePackages(root), 'node_modules is missing');
  const files = { 'node_modules/a/package.json': '{}', 'node_modules/@s/b/package.json': '{}' };
  writeTree(root, { ...files, 'node_modules/.package-lock.json': lock(installed) });
  assert.equal(stalePackages(root), null);
  const newer = { ...wanted, 'node_modules/@s/b': { version: '2.1.0', integrity: 'sha512-d' } };
  writeTree(root, { 'package-lock.json': lock(newer) });
  assert.equal(stalePackages(root), '@s/b is 2.0.0, not 2.1.0');
  writeTree(root, { 'package-lock.json': lock({ ...wanted, 'node_modules/new': { version: '1.0.0' } }) });
  assert.equal(stalePackages(root), 'new is missing');
  writeTree(root, { 'package-lock.json': lock(wanted) });
  rmSync(path.join(root, 'node_modules', 'a'), { recursive: true });
  assert.equal(stalePackages(root), 'a is missing');
});

test('the packages of this repository are recognised as installed', () => {
  assert.equal(stalePackages(packageRoot), null);
});

test('the hash keeps boundaries between its parts', () => {
  assert.notEqual(hashOf('ab', 'c'), hashOf('a', 'bc'));
  assert.notEqual(hashOf('ab'), hashOf('ab', ''));
});

test('TypeScript is built when a source changed, not when only a date did; a broken source leaves the old build', async (t) => {
  const config = {
    compilerOptions: { module: 'NodeNext', target: 'ES2022', strict: true, rootDir: 'src', outDir: 'dist', types: [] },
  };
  const root = writeTree(temporaryFolder(t), {
    'package.json': '{"type":"module"}',
    'tsconfig.json': JSON.stringify({ ...config, include: ['src'] }),
    'src/a.ts': 'export const a: number = 1;\n',
    'src/b.ts': 'export const b = 2;\n',
  });
  symlinkSync(path.join(packageRoot, 'node_modules'), path.join(root, 'node_modules'));
  const built = (name: string) => path.join(root, 'dist', name);
  assert.equal((await buildTypeScript(root)).changed, true);
  assert.match(readFileSync(built('a.js'), 'utf8'), /a = 1/);
  assert.equal((await buildTypeScript(root)).changed, false);
  utimesSync(path.join(root, 'src', 'a.ts'), new Date(), new Date());
  assert.equal((await buildTypeScript(root)).changed, false);

  const before = sourcesHash(root);
  rmSync(path.join(root, 'src', 'b.ts'));
  assert.notEqual(sourcesHash(root), before);
  assert.equal((await buildTypeScript(root)).changed, true);
  assert.ok(!existsSync(built('b.js')), 'files of removed sources do not linger');

  writeTree(root, { 'src/a.ts': "export const a: number = 'one';\n" });
  await assert.rejects(buildTypeScript(root), { name: 'SetupError', message: 'TypeScript did not compile.' });
  assert.match(readFileSync(built('a.js'), 'utf8'), /a = 1/);
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith('dist')),
    ['dist'],
  );
});

test('two set-ups of one engine folder run one after the other', async (t) => {
  const folder = temporaryFolder(t);
  let inside = 0;
  let most = 0;
  const notes: string[] = [];
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(250);
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(folder, (text) => notes.push(text), work)));
  assert.equal(most, 1);
  assert.deepEqual(notes, Array(2).fill('waiting for another set-up to finish'));
  assert.deepEqual(readdirSync(folder), []);
});

test('the lock of a set-up that died is taken over, and a failure releases it', async (t) => {
  const folder = temporaryFolder(t);
  // No process has this id: Linux and macOS stop far below it.
  writeTree(folder, { 'setup.lock/owner.json': JSON.stringify({ pid: 2 ** 30, host: hostname() }) });
  const fail = withLock(
    folder,
    () => {},
    () => Promise.reject(new Error('within')),
    { waitSeconds: 5 },
  );
  await assert.rejects(fail, /within/);
  assert.deepEqual(readdirSync(folder), []);
});

test('the lock of a live set-up is waited for, and given up on with a sentence', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(path.join(folder, 'setup.lock'));
  writeTree(folder, { 'setup.lock/owner.json': JSON.stringify({ pid: process.pid, host: hostname() }) });
  const wait = withLock(
    folder,
    () => {},
    async () => assert.fail('it ran'),
    { waitSeconds: 0.3 },
  );
  await assert.rejects(wait, { name: 'SetupError', message: /has held .*setup\.lock for too long/ });
});
