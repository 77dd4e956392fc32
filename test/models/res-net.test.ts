/** The stem of a residual network: pooled before the ReLU, with the bits of the usual order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResNet } from '../../src/models/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';

describe('the stem of a residual network', () => {
  for (const precision of ['float32', 'bfloat16'] as const)
    it(`gives the bits of torchvision's order, and its gradients (${precision})`, () => {
      torch.manualSeed(0);
      const model = new ResNet({ classes: 3, blocks: [1], widths: [8] });
      // Some channels are hardly ever let through, so that whole windows are below zero.
      torch.noGrad(() => (model.bn1.bias as Tensor).copy_(torch.linspace(-2, 1, 8)));
      const input = torch.randn([2, 3, 32, 32]);
      const usual = (x: Tensor): Tensor => {
        const entered = model.maxpool.call(model.relu.call(model.bn1.call(model.conv1.call(x)))) as Tensor;
        return model.fc.call((model.avgpool.call(model.layer1.call(entered)) as Tensor).flatten(1)) as Tensor;
      };
      const bits = (forward: (x: Tensor) => Tensor) => {
        model.zeroGrad();
        const output = precision === 'float32' ? forward(input) : torch.autocast(() => forward(input));
        output.float().pow(2).sum().backward();
        return [output.float(), ...model.parameters().map((one) => one.grad as Tensor)].map((x) => x.toArray());
      };
      assert.deepEqual(
        bits((x) => model.call(x)),
        bits(usual),
      );
    });
});
