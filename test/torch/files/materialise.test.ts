import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { FileEngine } from '../../../src/torch/files/engine.js';
import { loadWith } from '../../../src/torch/files/formats.js';
import { save } from '../../../src/torch/files/index.js';
import { torchEngine } from '../../../src/torch/files/torch-engine.js';
import { type Tensor, torch } from '../../../src/torch/index.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-mapping-'));
after(() => rmSync(scratch, { recursive: true }));

/** An engine before whose mappings something happens to the file. */
const engineAfter = (change: () => void): FileEngine<Tensor> => ({
  ...torchEngine,
  map(file, bytes) {
    change();
    return torchEngine.map(file, bytes);
  },
});

const values = (loaded: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(loaded as Record<string, Tensor>).map(([name, x]) => [
      name,
      [...new Set(x.flatten().toArray() as number[])],
    ]),
  );

for (const extension of ['.safetensors', '.pt'])
  describe(`a mapped ${extension} file`, () => {
    const file = path.join(scratch, `weights${extension}`);
    const next = path.join(scratch, `next${extension}`);
    const weights = (factor: number) => ({ a: torch.full([64, 64], factor), b: torch.full([64, 64], 2 * factor) });
    const first = { a: [1], b: [2] };

    test('is used where it lies', async () => {
      await save(weights(1), file);
      let mapped = 0;
      const loaded = await loadWith(
        engineAfter(() => mapped++),
        file,
        { mmap: true },
      );
      assert.deepEqual(values(loaded), first);
      assert.equal(mapped, 1);
    });

    const changes: readonly [name: string, change: () => void][] = [
      ['replaced by another save', () => renameSync(next, file)],
      [
        'replaced by a shorter file',
        () => {
          writeFileSync(next, 'short');
          renameSync(next, file);
        },
      ],
      ['removed', () => unlinkSync(file)],
    ];
    for (const [name, change] of changes)
      test(`loads as it was opened when it is ${name} before it is mapped`, async () => {
        await save(weights(1), file);
        // Longer before its tensors, so that these lie elsewhere.
        const longer = { note: torch.full([100_000], 3), ...weights(10) };
        await save(longer, next, extension === '.pt' ? {} : { metadata: { note: 'the best so far'.repeat(20) } });
        assert.ok(statSync(next).size > statSync(file).size);
        assert.deepEqual(values(await loadWith(engineAfter(change), file, { mmap: true })), first);
      });

    test('that cannot be mapped is an error as before', async () => {
      await save(weights(1), file);
      const engine = engineAfter(() => {
        throw new Error('no mappings here');
      });
      await assert.rejects(loadWith(engine, file, { mmap: true }), /no mappings here/);
    });
  });
