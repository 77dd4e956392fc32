/** Networks of the benchmarks: the seed text's ConvNet, and the parameters of a ResNet-18. */
import { F, nn, optim, type Tensor, torch } from '../src/index.js';
import type { Run } from './cases.js';

class CNNBlock extends nn.Module {
  c1: nn.Conv2d;
  n1: nn.GroupNorm;
  c2: nn.Conv2d;
  n2: nn.GroupNorm;
  relu1 = new nn.ReLU();
  relu2 = new nn.ReLU();
  skip: nn.Module;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1 });
    this.n1 = new nn.GroupNorm(1, outputs);
    this.c2 = new nn.Conv2d(outputs, outputs, 3, { stride: 1, padding: 1 });
    this.n2 = new nn.GroupNorm(1, outputs);
    this.skip = inputs === outputs ? new nn.Identity() : new nn.Conv2d(inputs, outputs, 1, { stride });
  }

  override forward(x0: Tensor): Tensor {
    const x = this.relu1.forward(this.n1.forward(this.c1.forward(x0)));
    return this.relu2.forward(this.n2.forward(this.c2.forward(x))).add(this.skip.forward(x0) as Tensor);
  }
}

/** The ConvNet of the seed text, with the class count free. */
class ConvNet extends nn.Module {
  network: nn.Sequential;

  constructor(channels = 32, blocks = 4, classes = 102) {
    super();
    const layers: nn.Module[] = [new nn.Conv2d(3, channels, 11, { stride: 2, padding: 5 })];
    let width = channels;
    for (let i = 0; i < blocks; i++) {
      layers.push(new CNNBlock(width, 2 * width, 2));
      width *= 2;
    }
    layers.push(new nn.Conv2d(width, classes, 1));
    this.network = new nn.Sequential(...layers);
  }

  override forward(x: Tensor): Tensor {
    return (this.network.forward(x) as Tensor).mean(-1).mean(-1);
  }
}

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
  const net = new ConvNet();
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
