import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PythonInfo } from '../../scripts/setup/discover.mjs';
import { obtain, pipArguments, wantedWheels } from '../../scripts/setup/obtain.mjs';
import { libtorchFiles, temporaryFolder, writeTree } from './trees.js';

/** A "Python" whose pip copies a prepared package for some requirements and fails for the others. */
function fakePython(t: TestContext, served: string): { folder: string; python: PythonInfo; requests: () => string[] } {
  const folder = temporaryFolder(t);
  writeTree(path.join(folder, 'wheel', 'torch'), { ...libtorchFiles('2.13.0'), '__init__.py': '' });
  const executable = path.join(folder, 'python');
  const script = `#!/bin/sh
for word; do [ "$before" = --target ] && target="$word"; before="$word"; done
echo "$before" >> "${folder}/requests"
touch "$target/partial"
[ "$before" = "${served}" ] || { echo "no matching distribution" >&2; exit 1; }
cp -r "${folder}/wheel/torch" "$target/torch"
`;
  writeTree(folder, { python: script, 'engine/keep': '' });
  chmodSync(executable, 0o755);
  const requests = () => readFileSync(path.join(folder, 'requests'), 'utf8').trim().split('\n');
  return { folder, python: { executable, version: [3, 11], torch: null, pip: true }, requests };
}

test('the CPU build is asked for first; a whole download replaces the old one and no partial one stays', async (t) => {
  const { folder, python, requests } = fakePython(t, wantedWheels[1] ?? '');
  const engine = path.join(folder, 'engine');
  writeTree(engine, { 'pip/old': '' });
  const without = { ...python, executable: '/no/pip', pip: false };
  const pythons = async () => [without, python];
  const installed = await obtain({ engine, env: {}, offline: false, rejected: [], note: () => {}, pythons });
  assert.match(installed, /torch 2\.13\.0 with pip/);
  assert.deepEqual(requests(), wantedWheels);
  assert.ok(wantedWheels[0]?.endsWith('+cpu'));
  assert.deepEqual(readdirSync(engine).sort(), ['keep', 'pip']);
  assert.ok(existsSync(path.join(engine, 'pip', 'torch', '__init__.py')));
  assert.ok(!existsSync(path.join(engine, 'pip', 'old')));
});

test('pip fetches one wheel only and does not try again where the index cannot be reached', () => {
  const line = pipArguments('/engine/x', ['torch==2.13.*']).join(' ');
  for (const part of [
    '--no-deps',
    '--target /engine/x',
    '--retries 0',
    '--timeout 15',
    '--only-binary :all:',
    '--no-input',
  ])
    assert.ok(line.includes(part), part);
});

test('where nothing may be fetched, three lines say what to do on Linux, macOS and Windows', async (t) => {
  const engine = temporaryFolder(t);
  const rejected = ['/usr/bin/python3: no headers'];
  const attempt = obtain({ engine, env: {}, offline: true, rejected, note: () => {}, pythons: async () => [] });
  const error = await attempt.then(
    () => assert.fail('something was fetched'),
    (reason: Error & { remedy: string[] }) => reason,
  );
  assert.equal(error.name, 'SetupError');
  assert.match(error.message, /^No libtorch was found/);
  assert.deepEqual(
    error.remedy.map((line) => line.split(/[: ]/)[0]),
    ['Looked', 'Linux', 'macOS', 'Windows'],
  );
  assert.ok(error.remedy[1]?.includes(path.join(engine, 'pip')));
});
