import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as checks from '../../src/torch/checks.js';
import { loadedLibraries, processorFeatures } from '../../src/torch/diagnosis.js';

const none: ReadonlySet<string> = new Set();

test('Node: the oldest that works is 20.19', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0'])
    assert.equal(checks.checkNode(version).status, 'ok', version);
  for (const version of ['20.18.3', '18.20.0']) assert.equal(checks.checkNode(version).status, 'broken', version);
});

test('BLAS: named from the libraries that are loaded, else from the build settings', () => {
  const name = (file: string) => checks.blasName(['/lib/libm.so.6', file], '');
  assert.equal(name('/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3'), 'OpenBLAS (own threads)');
  assert.equal(name('/usr/lib/x86_64-linux-gnu/openblas-openmp/libopenblas.so.0'), 'OpenBLAS (OpenMP)');
  assert.equal(name('/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0'), 'reference BLAS');
  assert.equal(name('/usr/lib/x86_64-linux-gnu/atlas/libblas.so.3'), 'ATLAS');
  assert.equal(name('/venv/lib/libmkl_core.so.2'), 'MKL');
  assert.equal(checks.blasName([], 'Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release'), 'MKL');
  assert.equal(checks.blasName([], 'BLAS_INFO=accelerate,'), 'Accelerate');
  assert.equal(checks.blasName([], ''), null);
});

test('BLAS: a slow one is pointed out', () => {
  for (const name of ['MKL', 'OpenBLAS (own threads)', 'Accelerate']) assert.equal(checks.checkBlas(name).status, 'ok');
  for (const name of ['reference BLAS', 'ATLAS', null]) assert.equal(checks.checkBlas(name).status, 'advice');
});

test('CPU: kernels below what the processor can do are pointed out', () => {
  const avx2 = new Set(['avx2']);
  assert.equal(checks.checkCapability('AVX2', avx2, undefined).status, 'ok');
  assert.equal(checks.checkCapability('DEFAULT', none, undefined).status, 'ok');
  assert.equal(checks.checkCapability('DEFAULT', avx2, undefined).status, 'advice');
  assert.match(checks.checkCapability('DEFAULT', avx2, 'default').remedy ?? '', /Unset ATEN_CPU_CAPABILITY/);
});

test('bf16: in hardware or not, on x86, Arm and Apple', () => {
  assert.match(checks.checkBf16(new Set(['avx512_bf16', 'amx_bf16'])).value, /in hardware \(amx_bf16, avx512_bf16\)/);
  assert.match(checks.checkBf16(new Set(['FEAT_BF16'])).value, /in hardware/);
  assert.match(checks.checkBf16(new Set(['avx2'])).value, /not in this processor/);
});

test('threads: what was set and why, what the user chose, and too many', () => {
  const facts = {
    threads: 2,
    cores: 2,
    hasOpenMp: true,
    settings: [{ name: 'A', value: '1', reason: 'because' }],
    chosen: ['B=2'],
  };
  assert.deepEqual(checks.checkThreads(facts).details, ['A=1: because', 'B=2: chosen in the environment']);
  assert.equal(checks.checkThreads({ ...facts, threads: 8 }).status, 'advice');
  assert.equal(checks.checkThreads({ ...facts, hasOpenMp: false }).status, 'advice');
});

test('CUDA: silence without hardware, a remedy where hardware lies idle', () => {
  const facts = { available: false, devices: 0, error: '', hardware: false };
  assert.equal(checks.checkCuda(facts).status, 'ok');
  assert.equal(checks.checkCuda({ ...facts, available: true, devices: 2 }).value, '2 devices');
  const idle = checks.checkCuda({ ...facts, hardware: true });
  assert.match(idle.value, /built without CUDA/);
  assert.match(
    checks.checkCuda({ ...facts, hardware: true, error: 'libcusparse.so.12: cannot open' }).value,
    /libcusparse/,
  );
  assert.match(checks.checkCuda({ ...facts, hardware: true, available: true }).remedy ?? '', /nvidia-smi/);
});

test('MPS: mentioned on a Mac only', () => {
  assert.equal(checks.checkMps(false, 'linux', 'x64'), null);
  assert.equal(checks.checkMps(true, 'darwin', 'arm64')?.status, 'ok');
  assert.equal(checks.checkMps(false, 'darwin', 'x64')?.status, 'ok');
  assert.equal(checks.checkMps(false, 'darwin', 'arm64')?.status, 'advice');
});

test('arithmetic: only the right answer passes', () => {
  assert.equal(checks.checkArithmetic(6).status, 'ok');
  assert.match(checks.checkArithmetic(5).value, /2 × 3 = 5/);
  assert.match(checks.checkArithmetic(new Error('no kernel')).value, /no kernel/);
});

test('whatever is not ok comes with a remedy', () => {
  const engine = { build: '2.13.0+cpu', source: 'a test', lib: '/lib' };
  const all = [
    checks.checkNode('18.0.0'),
    checks.checkEngine(null, '/engine', null),
    checks.checkEngine(engine, '/engine', 'no such file'),
    checks.checkJpeg({ jpeg: null }),
    checks.checkBlas(null),
    checks.checkOneDnn({ hasOneDnn: false, config: '' }),
    checks.checkFinalizers(false),
    checks.checkArithmetic(0),
  ];
  for (const check of all) {
    assert.notEqual(check.status, 'ok', check.name);
    assert.ok(check.remedy, check.name);
  }
});

test('the facts of this machine can be read', { skip: process.platform !== 'linux' }, () => {
  assert.ok(processorFeatures().size > 5);
  assert.ok(loadedLibraries().some((file) => /libc[.-]/.test(file)));
});
