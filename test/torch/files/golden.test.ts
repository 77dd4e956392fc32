import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load, save, stateDictMetadata } from '../../../src/torch/files/index.js';
import { native } from '../../../src/torch/load.js';
import { type Description, describe, sortedKeys } from './describe.js';

const folder = fileURLToPath(new URL('../../golden/files/', import.meta.url));
const expected = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Record<string, Description>;
const modern = Number(native.info().torch.split('.')[0]) >= 2;
const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-golden-'));
after(() => rmSync(scratch, { recursive: true }));

/** Cases with dtypes that engines before 2.7 lack are read only where they can be. */
const needsModern = new Set(['dtypes', 'dense']);

const names = Object.keys(expected).flatMap((name) => {
  if (name === 'dense') return ['dense.safetensors'];
  return name === 'dtypes' || name === 'big-endian' ? [`${name}.pt`] : [`${name}.pt`, `${name}-legacy.pt`];
});

/** Storage numbers depend on sharing within one file only; Python and Praxis number them alike. */
for (const name of names) {
  const wanted = expected[name.split('.')[0]!.replace('-legacy', '')]!;
  for (const mmap of [false, true]) {
    test(`${name} loads as Python wrote it, ${mmap ? 'mapped' : 'copied'}`, {
      skip: !modern && needsModern.has(name.split('.')[0]!),
    }, async () => {
      const value = sortedKeys(await load(path.join(folder, name), { mmap }), name);
      // Mapped storages all lie in one mapping: only what tensors show can be compared.
      if (mmap) assert.deepEqual(withoutPlaces(describe(value)), withoutPlaces(wanted));
      else assert.deepEqual(describe(value), wanted);
    });
  }
  test(`${name} loads from memory, and again after Praxis wrote it`, {
    skip: !modern && needsModern.has(name.split('.')[0]!),
  }, async () => {
    const value = sortedKeys(await load(readFileSync(path.join(folder, name))), name);
    assert.deepEqual(describe(value), wanted);
    const copy = path.join(scratch, name);
    await save(value, copy);
    assert.deepEqual(describe(sortedKeys(await load(copy, { mmap: false }), name)), wanted);
  });
}

/** Leaves out storage numbers and offsets, which differ when a whole file is one storage. */
function withoutPlaces(description: unknown): unknown {
  if (Array.isArray(description)) return description.map(withoutPlaces);
  if (typeof description !== 'object' || description === null) return description;
  const entries = Object.entries(description).filter(([key]) => key !== 'storage' && key !== 'offset');
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutPlaces(value)]));
}

test('a state dict keeps the module versions that Python hides in an attribute', async () => {
  const value = await load<{ [stateDictMetadata]?: Record<string, unknown> }>(path.join(folder, 'state.pt'));
  assert.deepEqual(value[stateDictMetadata], {
    '': { version: 1 },
    '0': { version: 1 },
    '1': { version: 2 },
    '2': { version: 1 },
  });
  const copy = path.join(scratch, 'metadata.pt');
  await save(value, copy);
  assert.deepEqual((await load<typeof value>(copy))[stateDictMetadata], value[stateDictMetadata]);
});
