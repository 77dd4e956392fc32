/** Every model that has a name, exported, gives onnxruntime's logits as ours, for any number of pictures. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createModel, type ModelOptions, modelNames, modelSpec } from '../../src/models/index.js';
import { toOnnx } from '../../src/onnx/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runOnnx, skipRuntime } from '../support/onnxruntime.js';

/** The model with all its kinds of layers, but little of each. */
function small(name: string): { options: ModelOptions; size: [number, number] } {
  const { takes } = modelSpec(name);
  const size: [number, number] = takes.includes('patch') ? [32, 64] : [32, 40];
  return {
    size,
    options: {
      classes: 7,
      size,
      ...(takes.includes('widths')
        ? { widths: [8, 8, 16, 16] }
        : takes.includes('width')
          ? { width: name.startsWith('resnet') ? 4 : 24 }
          : {}),
      ...(name.startsWith('vit') ? { depth: 2 } : name === 'convnet' ? { depth: 3 } : {}),
    },
  };
}

describe('every built-in model in onnxruntime', { skip: skipRuntime }, () => {
  for (const name of modelNames())
    test(name, async () => {
      torch.manualSeed(3);
      const { options, size } = small(name);
      const model = createModel(name, options);
      // Running statistics as after training: those of a fresh network would let the numbers of forty layers explode.
      torch.noGrad(() => {
        for (let i = 0; i < 15; i++) model.call(torch.randn([8, 3, ...size]));
      });
      model.eval();
      const bytes = toOnnx(model, torch.randn([1, 3, ...size]));
      const batches = [1, 2, 5].map((count) => torch.randn([count, 3, ...size]));
      const answers = await runOnnx(
        bytes,
        batches.map((batch) => [batch]),
      );
      for (const [i, batch] of batches.entries()) {
        const logits = torch.noGrad(() => model.call(batch));
        const [answer] = answers[i] as [Tensor];
        assert.deepEqual(answer.shape, logits.shape);
        const error = answer.sub(logits).abs().max().item();
        assert.ok(error < 1e-4, `${name}, ${batch.shape[0]} pictures: logits differ by ${error}`);
        assert.ok(logits.abs().max().item() < 100, 'the numbers are of a usual size');
      }
    });
});
