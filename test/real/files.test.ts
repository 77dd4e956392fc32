import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import type { Tensor } from '../../src/torch/tensor.js';

const { load, save } = torch;

/** `PRAXIS_DATA`, or `shared/data` beside the repository: files too large for it. */
const data = process.env.PRAXIS_DATA ?? fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const resnet = path.join(data, 'resnet20-12fca82f.th');
const skip = !existsSync(resnet) && `there is no ${resnet}`;
const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-real-'));
after(() => rmSync(scratch, { recursive: true }));

interface Checkpoint {
  readonly best_prec1: number;
  readonly state_dict: Record<string, Tensor>;
}

/** Over names, dtypes, shapes, gradient flags and bytes of all tensors, in order. */
function digest(tensors: Record<string, Tensor>): string {
  const hash = createHash('sha256');
  for (const [name, tensor] of Object.entries(tensors)) {
    hash.update(`${name} ${tensor.dtype} [${tensor.shape.join(',')}] ${tensor.requiresGrad}\n`);
    hash.update(new Uint8Array(native.read(tensor.handle)));
  }
  return hash.digest('hex');
}

// Computed in Python from torch.load(…, weights_only=True).
const DIGEST = '5868d43c876a2e9c0c736273fc13a092e80bd5153aa68c81a8e97c1d95ec7d44';

test('a ResNet-20 of 2018, saved in the legacy format, loads bit for bit', { skip }, async () => {
  for (const mmap of [false, true]) {
    const checkpoint = await load<Checkpoint>(resnet, { mmap });
    assert.equal(checkpoint.best_prec1, 91.78000183105469);
    assert.equal(Object.keys(checkpoint.state_dict).length, 97);
    assert.ok(Object.keys(checkpoint.state_dict).every((name) => name.startsWith('module.')));
    assert.equal(digest(checkpoint.state_dict), DIGEST);
  }
});

test('it is the same after a round through either format', { skip }, async () => {
  const { state_dict } = await load<Checkpoint>(resnet);
  const archive = path.join(scratch, 'resnet20.pt');
  await save(state_dict, archive);
  assert.equal(digest(await load<Record<string, Tensor>>(archive)), DIGEST);
  const flat = path.join(scratch, 'resnet20.safetensors');
  await save(state_dict, flat);
  const loaded = await load<Record<string, Tensor>>(flat);
  const inOrder = Object.fromEntries(
    Object.entries(state_dict).map(([name, { requiresGrad }]) => {
      // The format has no place for gradient flags.
      const tensor = loaded[name]!;
      tensor.requiresGrad = requiresGrad;
      return [name, tensor];
    }),
  );
  assert.equal(digest(inOrder), DIGEST);
});
