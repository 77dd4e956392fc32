import assert from 'node:assert/strict';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { discover, environmentKey, inspect, pythonCandidates } from '../../scripts/setup/discover.mjs';
import { fingerprint, readCurrent, writeJson } from '../../scripts/setup/state.mjs';
import { remembered } from '../../scripts/setup.mjs';
import { libtorchFiles, temporaryFolder, writeTree } from './trees.js';

const library = process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so';

test('a libtorch archive, a package folder and a folder that holds one are all accepted', (t) => {
  const folder = temporaryFolder(t);
  const root = writeTree(path.join(folder, 'libtorch'), {
    ...libtorchFiles('2.13.0'),
    'build-version': '2.13.0+cpu\n',
  });
  const archive = inspect(root);
  assert.ok(typeof archive !== 'string', String(archive));
  assert.equal(archive.version, '2.13.0');
  assert.equal(archive.build, '2.13.0+cpu');
  assert.equal(archive.lib, path.join(realpathSync(root), 'lib'));
  assert.equal(archive.packageFolder, null);

  const target = path.join(folder, 'target');
  const files = { ...libtorchFiles('2.14.1'), '__init__.py': '', 'version.py': "__version__ = '2.14.1+cu130'\n" };
  writeTree(path.join(target, 'torch'), files);
  for (const place of [path.join(target, 'torch'), target]) {
    const wheel = inspect(place);
    assert.ok(typeof wheel !== 'string', String(wheel));
    assert.equal(wheel.build, '2.14.1+cu130');
    assert.equal(wheel.packageFolder, path.join(realpathSync(target), 'torch'));
  }
});

test('the version is found where newer engines keep it', (t) => {
  const root = writeTree(temporaryFolder(t), {
    ...libtorchFiles('2.14.1'),
    'include/torch/headeronly/version.h':
      '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 14\n#define TORCH_VERSION_PATCH 1\n',
    'include/torch/csrc/api/include/torch/version.h': '#include <torch/headeronly/version.h>\n',
  });
  const found = inspect(root);
  assert.ok(typeof found !== 'string', String(found));
  assert.equal(found.version, '2.14.1');
});

test('a system prefix keeps libraries in a folder for the machine type', (t) => {
  const prefix = writeTree(temporaryFolder(t), libtorchFiles('1.13.0', 'lib/x86_64-linux-gnu'));
  const found = inspect(prefix);
  assert.ok(typeof found !== 'string', String(found));
  assert.equal(found.lib, path.join(realpathSync(prefix), 'lib', 'x86_64-linux-gnu'));
});

test('what is missing is named: the folder, the library, the headers, the version; too old is refused', (t) => {
  const folder = temporaryFolder(t);
  assert.match(String(inspect(path.join(folder, 'nowhere'))), /does not exist/);
  assert.match(String(inspect(folder)), /has no lib/);
  const noHeaders = writeTree(path.join(folder, 'runtime'), { [`lib/${library}`]: '' });
  assert.match(String(inspect(noHeaders)), /not its headers/);
  const noVersion = writeTree(path.join(folder, 'odd'), libtorchFiles('2.0.0'));
  rmSync(path.join(noVersion, 'include/torch'), { recursive: true });
  assert.match(String(inspect(noVersion)), /without .*version\.h/);
  const old = writeTree(path.join(folder, 'old'), libtorchFiles('1.12.1'));
  assert.match(String(inspect(old)), /version 1\.12\.1; the oldest that works is 1\.13/);
});

test('places are taken in order: variable, Python, system, own', async (t) => {
  const folder = temporaryFolder(t);
  const place = (name: string, version: string) => writeTree(path.join(folder, name), libtorchFiles(version));
  const chosen = place('chosen', '2.11.0');
  const python = {
    executable: '/some/python3',
    version: [3, 11] as [number, number],
    torch: place('python', '2.12.0'),
    pip: true,
  };
  const system = place('system', '1.13.0');
  const engine = path.join(folder, 'engine');
  place('engine/pip/torch', '2.13.0');
  const find = (env: NodeJS.ProcessEnv, pythons: (typeof python)[], prefixes: string[]) =>
    discover({ engine, env, pythons: async () => pythons, prefixes });

  const byVariable = (await find({ TORCH_DIR: chosen }, [python], [system])).found;
  assert.deepEqual([byVariable?.kind, byVariable?.version], ['environment', '2.11.0']);
  const both = (await find({ LIBTORCH: system, TORCH_DIR: chosen }, [python], [])).found;
  assert.equal(both?.version, '1.13.0');
  const byPython = (await find({}, [python], [system])).found;
  assert.deepEqual([byPython?.kind, byPython?.python, byPython?.version], ['python', '/some/python3', '2.12.0']);
  const bySystem = (await find({}, [], [system])).found;
  assert.deepEqual([bySystem?.kind, bySystem?.version], ['system', '1.13.0']);
  const own = (await find({}, [], [])).found;
  assert.deepEqual([own?.kind, own?.version], ['own', '2.13.0']);
});

test('a Python whose torch has no headers is passed over, and the reason is kept', async (t) => {
  const folder = temporaryFolder(t);
  const bare = writeTree(path.join(folder, 'bare'), { [`lib/${library}`]: '' });
  const python = { executable: '/some/python3', version: [3, 11] as [number, number], torch: bare, pip: false };
  const { found, rejected } = await discover({ engine: folder, env: {}, pythons: async () => [python], prefixes: [] });
  assert.equal(found, null);
  assert.equal(rejected.length, 1);
  assert.match(rejected[0] ?? '', /\/some\/python3: .*not its headers/);
});

test('a variable that names no libtorch is an error, not a reason to take another', async (t) => {
  const folder = temporaryFolder(t);
  const env = { LIBTORCH: path.join(folder, 'typo') };
  const attempt = discover({ engine: folder, env, pythons: async () => [], prefixes: [] });
  await assert.rejects(attempt, {
    name: 'SetupError',
    message: /^LIBTORCH=.*typo is no usable libtorch: .* does not exist\.$/,
  });
});

test("an active virtual environment's Python is asked before the one on the PATH, each only once", (t) => {
  const folder = realpathSync(temporaryFolder(t));
  writeTree(folder, { 'venv/bin/python': '', 'path/python3': '' });
  const [venv, onPath] = [path.join(folder, 'venv'), path.join(folder, 'path')];
  const candidates = pythonCandidates({ VIRTUAL_ENV: venv, PATH: [onPath, onPath, 'relative'].join(path.delimiter) });
  assert.deepEqual(candidates.slice(0, 2), [path.join(venv, 'bin', 'python'), path.join(onPath, 'python3')]);
  assert.equal(new Set(candidates).size, candidates.length);
});

test('the engine of last time is kept until the library or the environment changes', async (t) => {
  const folder = temporaryFolder(t);
  const root = writeTree(path.join(folder, 'libtorch'), libtorchFiles('2.13.0'));
  const { found } = await discover({ engine: folder, env: { LIBTORCH: root }, pythons: async () => [], prefixes: [] });
  assert.ok(found);
  const file = path.join(found.lib, library);
  const { version: torch, ...rest } = found;
  const environment = environmentKey({ LIBTORCH: root });
  const built = { addon: '', cxx11Abi: true, key: '', compiler: '', nodeModules: '' };
  writeJson(path.join(folder, 'current.json'), {
    ...rest,
    ...built,
    torch,
    environment,
    fingerprint: fingerprint(file),
  });
  const current = readCurrent(folder);
  assert.deepEqual(remembered(current, { LIBTORCH: root }), found);
  assert.deepEqual(remembered(current, { VIRTUAL_ENV: '/venv' }), found, 'a choice made with LIBTORCH stays');
  assert.equal(remembered(current, { LIBTORCH: '/another' }), null);
  assert.ok(current);
  assert.equal(remembered({ ...current, kind: 'python' }, { VIRTUAL_ENV: '/venv' }), null);
  writeFileSync(file, 'an upgraded library');
  assert.equal(remembered(current, { LIBTORCH: root }), null);
  rmSync(file);
  assert.equal(remembered(current, { LIBTORCH: root }), null);
});

test('a damaged current.json counts as none', (t) => {
  const folder = writeTree(temporaryFolder(t), { 'current.json': '{"addon": "half' });
  assert.equal(readCurrent(folder), null);
  writeFileSync(path.join(folder, 'current.json'), 'null');
  assert.equal(readCurrent(folder), null);
});
