/** Learns strided 1 × 1 convolutions with the channels last, over and over; says how far each gradient is from that with the channels first. */
import { nn, type Tensor, torch } from '../../src/index.js';
import { functional as F } from '../../src/nn/index.js';

const layouts = { memoryFormat: 'channelsLast' } as const;
// With one thread the damage is next to what others use.
torch.setNumThreads(1);
for (const [channels, outputs, side, batch] of [
  [4, 8, 8, 16],
  [6, 8, 32, 4],
  [8, 16, 128, 32],
] as const) {
  torch.manualSeed(1);
  const layer = new nn.Conv2d(channels, outputs, 1, { stride: 2 });
  const picture = torch.randn([batch, channels, side, side]);
  const gradients = (input: Tensor, functional: boolean): Tensor[] => {
    const x = input.detach().requiresGrad_();
    layer.zeroGrad();
    const y = functional ? F.conv2d(x, layer.weight, layer.bias, { stride: 2 }) : layer.call(x);
    y.square().sum().backward();
    return [layer.weight.grad as Tensor, x.grad as Tensor].map((one) => one.clone());
  };
  const expected = gradients(picture, true);
  layer.to(layouts);
  let apart = 0;
  for (let i = 0; i < 20; i++)
    for (const [place, found] of gradients(picture.contiguous(layouts), i % 2 === 0).entries()) {
      const right = expected[place] as Tensor;
      apart = Math.max(apart, found.sub(right).abs().max().item() / right.abs().max().item());
    }
  console.log(JSON.stringify({ channels, apart }));
}
