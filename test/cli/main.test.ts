import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { formatCheck } from '../../src/cli/doctor.js';
import { makeProgram, sentence } from '../../src/cli/main.js';
import { packageRoot } from '../../src/torch/engine.js';

/** Runs the command line from its sources. */
function praxis(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const main = pathToFileURL(path.join(packageRoot, 'src', 'cli', 'main.ts')).href;
  const code = `import(${JSON.stringify(main)}).then(async (m) => { process.exitCode = await m.main(${JSON.stringify(args)}); });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '-e', code], {
    encoding: 'utf8',
    cwd: packageRoot,
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

test('a misspelt command or option gets one sentence with the nearest name, and exit code 2', () => {
  assert.deepEqual(praxis(['doctr']), {
    status: 2,
    stdout: '',
    stderr: "Unknown command 'doctr'. Did you mean doctor?\n",
  });
  const option = { status: 2, stdout: '', stderr: "Unknown option '--jsn'. Did you mean --json?\n" };
  assert.deepEqual(praxis(['doctor', '--jsn']), option);
  const far = { status: 2, stdout: '', stderr: "Unknown command 'frobnicate'. See praxis --help.\n" };
  assert.deepEqual(praxis(['frobnicate']), far);
});

test("commander's messages become sentences", () => {
  assert.equal(
    sentence("error: unknown option '--a'\n(Did you mean --b?)\n"),
    "Unknown option '--a'. Did you mean --b?",
  );
  assert.equal(
    sentence("error: missing required argument 'run'"),
    "Missing required argument 'run'. See praxis --help.",
  );
});

test('help and version work without an engine, and a bare praxis prints the help', () => {
  const env = { PRAXIS_ENGINE_DIR: path.join(tmpdir(), 'praxis-no-such-engine') };
  const bare = praxis([], env);
  assert.equal(bare.status, 0);
  assert.equal(bare.stderr, '');
  for (const command of makeProgram().commands) assert.ok(bare.stdout.includes(`  ${command.name()}`), command.name());
  const version = praxis(['--version'], env);
  assert.equal(version.status, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('doctor explains a missing engine, with the remedy, and exits with 1', () => {
  const folder = path.join(tmpdir(), 'praxis-no-such-engine');
  const { status, stdout, stderr } = praxis(['doctor'], { PRAXIS_ENGINE_DIR: folder });
  assert.equal(status, 1);
  assert.equal(stderr, '');
  assert.match(stdout, /✔ Node/);
  assert.ok(stdout.includes(`✘ Engine      set-up has not run for the engine folder ${folder}`));
  assert.match(stdout, /→ Run: npx praxis setup\n/);
});

test('doctor explains a bridge that does not load', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const addon = path.join(folder, 'praxis.node');
  writeFileSync(addon, 'not a library');
  writeFileSync(
    path.join(folder, 'current.json'),
    JSON.stringify({ addon, torch: '2.13.0', build: '2.13.0', lib: folder, source: 'a test' }),
  );
  const { status, stdout, stderr } = praxis(['doctor', '--json'], { PRAXIS_ENGINE_DIR: folder });
  assert.equal(status, 1, stderr);
  const diagnosis = JSON.parse(stdout) as {
    healthy: boolean;
    checks: { name: string; status: string; value: string; remedy?: string }[];
  };
  assert.equal(diagnosis.healthy, false);
  const engine = diagnosis.checks.find((check) => check.name === 'Engine');
  assert.equal(engine?.status, 'broken');
  assert.match(engine?.value ?? '', /does not load: .*praxis\.node/);
  assert.match(engine?.remedy ?? '', /setup --rebuild/);
});

test('doctor finds the engine of these tests healthy', () => {
  const { status, stdout, stderr } = praxis(['doctor']);
  assert.equal(status, 0, stdout + stderr);
  for (const name of ['Node', 'Engine', 'Arithmetic', 'BLAS', 'oneDNN', 'CPU', 'bf16', 'Threads', 'CUDA', 'Memory'])
    assert.match(stdout, new RegExp(`^[✔!] ${name} `, 'm'));
});

test('a check is printed with its details and its remedy', () => {
  const check = { name: 'BLAS', status: 'advice', value: 'slow', details: ['a detail'], remedy: 'Do this.' } as const;
  assert.deepEqual(formatCheck(check), ['! BLAS        slow', '              a detail', '              → Do this.']);
});
