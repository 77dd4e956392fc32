import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildBridge, buildKey, compileArguments } from '../../scripts/setup/bridge.mjs';
import { inspect } from '../../scripts/setup/discover.mjs';
import { findNodeHeaders, headerCandidates, usesCxx11Abi } from '../../scripts/setup/toolchain.mjs';
import { libtorchFiles, temporaryFolder, writeTree } from './trees.js';

function makeInput(t: TestContext) {
  const folder = temporaryFolder(t);
  const libtorch = inspect(writeTree(path.join(folder, 'libtorch'), libtorchFiles('2.13.0')));
  assert.ok(typeof libtorch !== 'string');
  const native = writeTree(path.join(folder, 'native'), { 'bridge.cc': 'int a;', 'inner/part.h': 'int b;' });
  // A compiler that copies its source to its output, or fails when the source says so.
  const command = path.join(folder, 'compiler');
  const script = `#!/bin/sh
echo "$*" >> "${folder}/calls"
for word; do case "$word" in */bridge.cc) source="$word";; esac; [ "$before" = -o ] && output="$word"; before="$word"; done
if grep -q WRONG "$source"; then echo "bridge.cc:1:1: error: WRONG is wrong" >&2; exit 1; fi
cp "$source" "$output"
`;
  writeFileSync(command, script);
  chmodSync(command, 0o755);
  const input = {
    libtorch,
    cxx11Abi: true,
    compiler: { command, version: 'g++ 12' },
    nodeHeaders: '/include/node',
    native,
  };
  return { folder, input };
}

test('the key of a build depends on everything that goes into it', (t) => {
  const { input } = makeInput(t);
  const { libtorch, native } = input;
  const key = buildKey(input);
  assert.equal(buildKey(input), key);
  const others = [
    buildKey({ ...input, libtorch: { ...libtorch, version: '2.13.1' } }),
    buildKey({ ...input, libtorch: { ...libtorch, lib: '/elsewhere' } }),
    buildKey({ ...input, cxx11Abi: false }),
    buildKey({ ...input, compiler: { ...input.compiler, version: 'g++ 13' } }),
    buildKey(input, '999'),
  ];
  writeFileSync(path.join(native, 'inner', 'part.h'), 'int c;');
  others.push(buildKey(input));
  writeFileSync(path.join(native, 'more.h'), '');
  others.push(buildKey(input));
  writeFileSync(
    path.join(libtorch.lib, process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so'),
    'rebuilt in place',
  );
  others.push(buildKey(input));
  assert.equal(new Set([key, ...others]).size, others.length + 1);
});

test('the C++ standard follows the engine, and the system include folder is never named', (t) => {
  const { input } = makeInput(t);
  const argumentsFor = (version: string) =>
    compileArguments({ ...input, libtorch: { ...input.libtorch, version } }, [], 'out');
  assert.ok(argumentsFor('1.13.0').includes('-std=c++17'));
  assert.ok(argumentsFor('2.13.0').includes('-std=c++17'));
  assert.ok(argumentsFor('2.14.0').includes('-std=c++20'));
  assert.ok(argumentsFor('3.0.0').includes('-std=c++20'));
  const system = { ...input.libtorch, include: ['/usr/include', '/usr/include/torch/csrc/api/include'] };
  const args = compileArguments({ ...input, libtorch: system }, [], 'out');
  assert.ok(!args.includes('/usr/include'));
  assert.ok(args.includes('/usr/include/torch/csrc/api/include'));
});

test('a build is made once, kept, and made anew when a source changes', async (t) => {
  const { folder, input } = makeInput(t);
  const build = (rebuild = false) =>
    buildBridge({ ...input, folder: path.join(folder, 'build'), rebuild, env: process.env, note: () => {} });
  const calls = () => readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n').length;
  const first = await build();
  assert.equal(first.changed, true);
  assert.equal(readFileSync(first.addon, 'utf8'), 'int a;');
  const second = await build();
  assert.deepEqual([second.changed, second.addon, calls()], [false, first.addon, 1]);
  assert.deepEqual([(await build(true)).changed, calls()], [true, 2]);
  writeFileSync(path.join(input.native, 'bridge.cc'), 'int changed;');
  const third = await build();
  assert.equal(third.changed, true);
  assert.notEqual(third.addon, first.addon);
  assert.ok(existsSync(first.addon), 'switching back needs no build');
});

test('a failed build shows the errors and the compiler line, and leaves nothing behind', async (t) => {
  const { folder, input } = makeInput(t);
  writeFileSync(path.join(input.native, 'bridge.cc'), 'WRONG');
  const attempt = buildBridge({
    ...input,
    folder: path.join(folder, 'build'),
    rebuild: false,
    env: process.env,
    note: () => {},
  });
  const error = await attempt.then(
    () => assert.fail('it built'),
    (reason: Error & { remedy: string[] }) => reason,
  );
  assert.equal(error.name, 'SetupError');
  assert.ok(error.remedy.includes('bridge.cc:1:1: error: WRONG is wrong'));
  assert.ok(error.remedy.at(-1)?.startsWith(input.compiler.command));
  const left = readdirSync(path.join(folder, 'build'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.deepEqual(left, []);
});

test('the optional CUDA source joins only where it compiles', async (t) => {
  const { folder, input } = makeInput(t);
  writeTree(input.native, { 'cuda_extra.cc': 'int cuda;' });
  const build = () =>
    buildBridge({ ...input, folder: path.join(folder, 'build'), rebuild: true, env: process.env, note: () => {} });
  const linkLine = () => readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n').at(-1) ?? '';
  const script = readFileSync(input.compiler.command, 'utf8');
  writeFileSync(
    input.compiler.command,
    script.replace('for word', 'case "$1" in -fsyntax-only) exit 0;; esac\nfor word'),
  );
  await build();
  assert.match(linkLine(), /-DPRAXIS_CUDA_EXTRA=1 .*cuda_extra\.cc/);
  writeFileSync(
    input.compiler.command,
    script.replace('for word', 'case "$1" in -fsyntax-only) exit 1;; esac\nfor word'),
  );
  await build();
  assert.doesNotMatch(linkLine(), /CUDA_EXTRA|cuda_extra/);
});

test('the string ABI is read from the library', (t) => {
  const folder = temporaryFolder(t);
  writeTree(folder, { 'libc10.so': 'x\0_ZN3c105ErrorC1ENSt7__cxx1112basic_stringIcEE\0y' });
  assert.equal(usesCxx11Abi(folder, 'linux'), true);
  writeTree(folder, { 'libc10.so': 'x\0_ZN3c105ErrorC2ENS_14SourceLocationESs\0__cxx11 elsewhere' });
  assert.equal(usesCxx11Abi(folder, 'linux'), false);
  writeTree(folder, { 'libc10.so': 'nothing of the kind' });
  assert.throws(() => usesCxx11Abi(folder, 'linux'), { name: 'SetupError', message: /does not export c10::Error/ });
});

test("Node's headers are those of this major version, beside Node or in a cache", async (t) => {
  const folder = temporaryFolder(t);
  const major = Number(process.versions.node.split('.')[0]);
  const headers = (place: string, version: number) =>
    path.dirname(
      path.join(
        writeTree(folder, {
          [`${place}/node_api.h`]: '',
          [`${place}/node_version.h`]: `#define NODE_MAJOR_VERSION ${version}\n`,
        }),
        `${place}/node_api.h`,
      ),
    );
  const other = headers('other/include/node', major + 1);
  const mine = headers('mine/include/node', major);
  assert.equal(await findNodeHeaders({}, [path.join(folder, 'none'), other, mine]), mine);
  await assert.rejects(findNodeHeaders({ PATH: '' }, [other]), {
    name: 'SetupError',
    message: new RegExp(`were not found; .* is for Node ${major + 1}\\.$`),
  });
  const cached = headerCandidates({}, { execPath: '/nowhere/bin/node', version: '20.19.0', home: '/home/someone' });
  assert.equal(cached[0], '/nowhere/include/node');
  assert.ok(cached.includes('/home/someone/.cache/node-gyp/20.19.0/include/node'));
});
