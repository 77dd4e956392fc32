import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { currentEngine, engineFolder, packageRoot } from '../../src/torch/engine.js';
import { engineSettings, native } from '../../src/torch/load.js';

const folder = mkdtempSync(path.join(tmpdir(), 'praxis-load-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Imports the engine from a folder in a process of its own; gives what it ended with. */
function importFrom(engine: string): { status: number | null; stderr: string } {
  const entry = new URL('../../src/torch/index.ts', import.meta.url).href;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '-e', `import(${JSON.stringify(entry)})`],
    {
      cwd: packageRoot,
      env: { ...process.env, PRAXIS_ENGINE_DIR: engine, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
    },
  );
  return { status, stderr };
}

describe('loading the engine', () => {
  test('without set-up: one sentence with the command', () => {
    const { status, stderr } = importFrom(path.join(folder, 'nothing'));
    assert.equal(status, 1);
    assert.match(stderr, /EngineError.*There is no engine in .*nothing: run `npx praxis setup`/);
  });

  test('with a bridge that is gone or broken: what failed and the command', () => {
    const engine = {
      torch: '2.13.0',
      lib: '/nowhere',
      build: '2.13.0',
      source: 'test',
      kind: 'own',
      nodeModules: '',
      compiler: '',
    };
    const addon = path.join(folder, 'praxis.node');
    writeFileSync(path.join(folder, 'current.json'), JSON.stringify({ ...engine, addon }));
    const gone = importFrom(folder);
    assert.equal(gone.status, 1);
    assert.match(
      gone.stderr,
      /libtorch 2\.13\.0 in \/nowhere\) could not be loaded: .*Run `npx praxis setup --rebuild`/s,
    );
    writeFileSync(addon, 'no library');
    assert.match(importFrom(folder).stderr, /EngineError.*could not be loaded: .*Run `npx praxis setup --rebuild`/s);
  });

  test('with the one of these tests: where it is and what it can do', () => {
    const engine = currentEngine();
    assert.ok(engine !== null);
    assert.ok(engine.addon.startsWith(engineFolder()), engine.addon);
    const info = native.info();
    assert.equal(info.torch, engine.torch);
    assert.match(info.config, /C\+\+/);
    assert.deepEqual([info.promptFinalizers, typeof info.cpuCapability, info.hasLapack], [true, 'string', true]);
    assert.ok(native.numThreads() >= 1);
  });

  test('the settings that differ from the library’s own have a name, a value and a reason', () => {
    for (const { name, value, reason } of engineSettings()) {
      assert.match(name, /^[A-Za-z_]+$/);
      assert.ok(value.length > 0 && reason.split(' ').length > 3);
      if (name !== 'threads' && name !== 'heap') assert.equal(process.env[name], value);
    }
    assert.equal(fileURLToPath(new URL('../../', import.meta.url)), `${packageRoot}${path.sep}`);
  });
});
