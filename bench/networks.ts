/** Steps of the benchmarks over networks: the seed text's ConvNet, and the parameters of a ResNet-18. */
import { ConvNet, F, optim, torch } from '../src/index.js';
import type { Run } from './cases.js';

/** Shapes of the 62 parameters (11,689,512 numbers) of torchvision's ResNet-18. */
function resnet18Shapes(): number[][] {
  const shapes: number[][] = [[64, 3, 7, 7], [64], [64]];
  let inputs = 64;
  for (const outputs of [64, 128, 256, 512])
    for (const block of [0, 1]) {
      shapes.push([outputs, inputs, 3, 3], [outputs], [outputs], [outputs, outputs, 3, 3], [outputs], [outputs]);
      if (block === 0 && inputs !== outputs) shapes.push([outputs, inputs, 1, 1], [outputs], [outputs]);
      inputs = outputs;
    }
  return [...shapes, [1000, 512], [1000]];
}

/** One step of AdamW over the parameters of a ResNet-18. */
export function adamw(): Run {
  torch.manualSeed(0);
  const parameters = resnet18Shapes().map((shape) => torch.randn(shape, { requiresGrad: true }));
  for (const parameter of parameters) parameter.grad = torch.randnLike(parameter);
  const optimizer = new optim.AdamW(parameters, { lr: 1e-3 });
  return (n) => {
    for (let i = 0; i < n; i++) optimizer.step();
  };
}

/** Forward, backward and AdamW of the seed's ConvNet at batch 32, 128 × 128, float32. */
export function convnet(): Run {
  torch.manualSeed(0);
  const net = new ConvNet({ channels: 32, blocks: 4, classes: 102 });
  const optimizer = new optim.AdamW(net.parameters(), { lr: 0.005 });
  const x = torch.randn(32, 3, 128, 128);
  const y = torch.randint(0, 102, [32]);
  return (n) => {
    for (let i = 0; i < n; i++) {
      const loss = F.crossEntropy(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
  };
}
