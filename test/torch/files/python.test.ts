import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callTensor } from '../../../src/torch/dispatch.js';
import { load, loadMetadata, save } from '../../../src/torch/files/index.js';
import { native } from '../../../src/torch/load.js';
import type { Tensor } from '../../../src/torch/tensor.js';
import { describe, sortedKeys } from './describe.js';
import { modernPython, runPython, skip, skipSafetensors } from './python.js';

const golden = fileURLToPath(new URL('../../golden/files/', import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-python-'));
after(() => rmSync(scratch, { recursive: true }));

const modernEngine = !native.info().torch.startsWith('1.');
const dtypes = modernEngine && modernPython ? ['dtypes'] : [];

test('Praxis reads what Python writes, zip and legacy', { skip }, async (t) => {
  const cases = ['state', 'optimizer', 'shared', 'values', 'floats', ...(modernPython ? ['objects'] : [])];
  const names = [
    ...cases.flatMap((name) => [`${name}.pt`, `${name}-legacy.pt`]),
    ...dtypes.map((name) => `${name}.pt`),
  ];
  for (const [name, wanted] of Object.entries(runPython('make', scratch, ...names))) {
    await t.test(name, async () => assert.deepEqual(describe(await load(path.join(scratch, name))), wanted));
  }
});

test('Python reads with weights_only what Praxis writes', { skip }, async (t) => {
  // The restricted reader of PyTorch 1.13 knows no floats, sets, bytes or complex numbers, not even Python's own.
  const cases = ['state', 'shared', 'values', ...(modernPython ? ['optimizer', 'floats', 'objects', ...dtypes] : [])];
  const written = new Map<string, unknown>();
  for (const name of cases) {
    const value = await load(path.join(golden, `${name}.pt`));
    await save(value, path.join(scratch, `${name}-written.pt`));
    written.set(`${name}-written.pt`, value);
  }
  const described = runPython('describe', ...[...written.keys()].map((name) => path.join(scratch, name)));
  assert.equal(Object.keys(described).length, cases.length);
  for (const [name, value] of written) await t.test(name, () => assert.deepEqual(described[name], describe(value)));
});

const noSafetensors = skipSafetensors || (!modernEngine && 'the engine lacks dtypes');

test('safetensors: Praxis reads what Python writes, with its metadata', { skip: noSafetensors }, async () => {
  const wanted = runPython('make', scratch, 'dense.safetensors')['dense.safetensors'];
  const file = path.join(scratch, 'dense.safetensors');
  assert.deepEqual(describe(sortedKeys(await load(file, { mmap: false }), file)), wanted);
  assert.deepEqual(await loadMetadata(file), { 'made by': 'Python', ü: 'ö' });
});

test('safetensors: Python reads what Praxis writes', { skip: noSafetensors }, async () => {
  const value = sortedKeys(await load(path.join(golden, 'dense.safetensors')), 'dense.safetensors');
  const file = path.join(scratch, 'praxis.safetensors');
  await save(value, file, { metadata: { 'made by': 'Praxis', ü: 'ö' } });
  // Both map the file: storages are numbered differently, the tensors are the same.
  const shown = (description: unknown) =>
    JSON.parse(JSON.stringify(description, (key, item) => (key === 'storage' || key === 'offset' ? undefined : item)));
  assert.deepEqual(shown(runPython('describe', file)['praxis.safetensors']), shown(describe(value)));
  assert.deepEqual(await loadMetadata(file), { 'made by': 'Praxis', ü: 'ö' });
});

test('Python reads an archive of 66,000 storages, more than a plain zip directory can count', { skip }, async () => {
  const one = (await load<Record<string, Tensor>>(path.join(golden, 'state.pt')))['0.bias']!;
  const many = Array.from({ length: 66_000 }, () => callTensor('add', one, one));
  const file = path.join(scratch, 'many.pt');
  await save(many, file);
  assert.equal((await load<Tensor[]>(file)).length, 66_000);
  assert.deepEqual(runPython('count', file), { tensors: 66_000, storages: 66_000 });
});
