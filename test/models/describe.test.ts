import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, type Tensor, torch } from '../../src/index.js';
import { ConvNet, createModel, describeModel, measureModel, trainingBytes } from '../../src/models/index.js';
import { throwsArgument } from '../support/throws.js';

describe('what a model costs', () => {
  // Parameters exactly as published; multiply-adds as torchvision and timm state them, in G to two places.
  const known = [
    ['resnet18', 11_689_512, 1.81],
    ['resnet34', 21_797_672, 3.66],
    ['resnet50', 25_557_032, 4.09],
    ['vit-tiny', 5_717_416, 1.26],
    ['vit-small', 22_050_664, 4.61],
    ['convnext-atto', 3_695_520, 0.55],
    ['convnext-tiny', 28_589_128, 4.46],
  ] as const;
  for (const [name, parameters, giga] of known)
    test(`${name}: the published figures`, () => {
      const found = describeModel(createModel(name, { classes: 1000, size: [224, 224] }), [3, 224, 224]);
      assert.equal(found.parameters, parameters);
      assert.equal(found.trainable, parameters);
      assert.ok(Math.abs(found.multiplyAdds / 1e9 - giga) < 0.02, `${found.multiplyAdds / 1e9} G, published ${giga}`);
      assert.equal(found.flops, 2 * found.multiplyAdds);
      assert.deepEqual(found.uncounted, []);
      assert.equal(
        found.layers.reduce((sum, layer) => sum + layer.parameters, 0),
        parameters,
      );
    });

  test('layers in the order of the forward pass, with shapes and exact counts', () => {
    const net = new ConvNet({ channels: 4, blocks: 1, classes: 3 });
    const before = net.stateDict();
    const found = describeModel(net, [3, 20, 12]);
    assert.deepEqual(
      found.layers.map(({ name, kind, output, multiplyAdds }) => [name, kind, output.join('×'), multiplyAdds]),
      [
        ['network.0', 'Conv2d', '4×10×6', 60 * 4 * 3 * 121],
        ['network.1.c1', 'Conv2d', '8×5×3', 15 * 8 * 4 * 9],
        ['network.1.n1', 'GroupNorm', '8×5×3', 0],
        ['network.1.relu', 'ReLU', '8×5×3', 0],
        ['network.1.c2', 'Conv2d', '8×5×3', 15 * 8 * 8 * 9],
        ['network.1.n2', 'GroupNorm', '8×5×3', 0],
        ['network.1.skip', 'Conv2d', '8×5×3', 15 * 8 * 4],
        ['network.2', 'Conv2d', '3×5×3', 15 * 3 * 8],
      ],
    );
    // Ten tensors of 8 × 5 × 3 and fewer: all that layers gave, the block's sum, and the mean over the picture.
    assert.equal(found.activationBytes, 4 * (4 * 60 + 8 * 8 * 15 + 3 * 15 + 3));
    assert.ok(net.training && net.parameters()[0]?.device === 'cpu', 'the model is as it was');
    assert.deepEqual(Object.keys(net.stateDict()), Object.keys(before));
    assert.equal(trainingBytes(found, 2), found.parameters * 16 + 2 * found.activationBytes);
  });

  test('attention, recurrent, transposed and grouped layers; what is not known is named', () => {
    class Odd extends nn.Module {
      factor = new nn.Parameter(torch.ones(1));
      override forward(x: Tensor): Tensor {
        return x.mul(this.factor);
      }
    }
    class Mixed extends nn.Module {
      up = new nn.ConvTranspose2d(3, 6, 2, { stride: 2, groups: 3 });
      deep = new nn.Conv2d(6, 6, 3, { groups: 6, padding: 1 });
      odd = new Odd();
      attention = new nn.MultiheadAttention(6, 2, { batchFirst: true });
      recurrent = new nn.GRU(6, 5, { batchFirst: true });
      override forward(x: Tensor): Tensor {
        const pixels = this.odd
          .forward(this.deep.forward(this.up.forward(x)))
          .flatten(2)
          .transpose(1, 2);
        const [attended] = this.attention.forward(pixels, pixels, pixels);
        return this.recurrent.forward(attended)[0].mean(1);
      }
    }
    const found = describeModel(new Mixed(), [3, 2, 2]);
    assert.deepEqual(found.counted, {
      ConvTranspose2d: 4 * 3 * 2 * 4,
      Conv2d: 16 * 6 * 9,
      MultiheadAttention: 4 * 16 * 36 + 2 * 16 * 16 * 6,
      GRU: 16 * 3 * 5 * (6 + 5),
    });
    assert.deepEqual(found.uncounted, ['Odd']);
  });

  test('a model that computes with numbers is run after all; a sample that does not fit is named', () => {
    class Peeking extends nn.Module {
      fc = new nn.Linear(4, 2);
      override forward(x: Tensor): Tensor {
        return x.sum().item() > 1e9 ? x : this.fc.forward(x);
      }
    }
    assert.equal(describeModel(new Peeking(), [4]).multiplyAdds, 8);
    throwsArgument(() => describeModel(new Peeking(), [5]), /Peeking cannot take a sample of 5 .*: /);
    throwsArgument(() => describeModel(new Peeking(), []), /sample must be a list/);
    const net = createModel('convnext-atto', { classes: 2 });
    throwsArgument(() => describeModel(net, [3, 16, 16]), /ConvNeXt cannot take a sample of 3 × 16 × 16 /);
  });

  test('speed is measured on a copy: weights, mode and the random state stay', async () => {
    const net = new ConvNet({ channels: 4, blocks: 1, classes: 3 });
    const before = Object.values(net.stateDict()).map((value) => value.clone());
    torch.manualSeed(1);
    const speed = await measureModel(net, [3, 16, 16], { batchSize: 8, seconds: 0.1 });
    const next = torch.rand(1).item();
    torch.manualSeed(1);
    assert.equal(torch.rand(1).item(), next);
    for (const [i, value] of Object.values(net.stateDict()).entries())
      assert.ok(torch.equal(value, before[i] as Tensor));
    for (const part of [speed.inference, speed.training]) {
      assert.ok(part !== null && part.steps > 0 && part.batchSize >= 4 && part.batchSize <= 8);
      assert.ok(part.range[0] <= part.samplesPerSecond && part.samplesPerSecond <= part.range[1]);
    }
    assert.equal((await measureModel(net, [3, 16, 16], { seconds: 0.05, training: false })).training, null);
    await assert.rejects(measureModel(net, [3, 16, 16], { seconds: 0 }), /seconds must be above 0/);
    await assert.rejects(measureModel(net, [3, 16, 16], { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  });
});
