/** The notebook, part two, continued: what the text says about SGD, RMSProp, Adam, learning rates and batches, measured. */
import { F, nn, optim, type Tensor, torch } from 'praxis';
import { heading, row, type Trains } from './print.js';

// ── Revisiting SGD ──────────────────────────────────────────────────────────────────────────────────────────────────────
/** Mean of w² over the last quarter of 400 noisy steps down the valley w²/2; the gradient is w plus noise of deviation 1. */
function floorOf(rate: (step: number) => number): { after50: number; end: number } {
  torch.manualSeed(4);
  // 256 walkers at once, for a mean that is not itself noise
  const weight = torch.full([256], 10, { requiresGrad: true });
  const optimiser = new optim.SGD([weight], { lr: 1 });
  const [group] = optimiser.paramGroups as [(typeof optimiser.paramGroups)[number]];
  let after50 = 0;
  let end = 0;
  for (let step = 0; step < 400; step++) {
    group.lr = rate(step);
    weight.grad = weight.detach().add(torch.randn(256));
    optimiser.step();
    const square = weight.detach().square().mean().item();
    if (step === 49) after50 = square;
    if (step >= 300) end += square / 100;
  }
  return { after50, end };
}

heading('SGD: a rate that is right for the start overshoots at the end (mean square distance from the minimum)');
{
  const decay = optim.step({ every: 100, gamma: 0.1 });
  row('rate', '50 steps', '400 steps');
  const ways: Readonly<Record<string, (step: number) => number>> = {
    'large, 0.5': () => 0.5,
    'small, 0.005': () => 0.005,
    'large, cut by 10 every 100 steps': (step) => decay(step, 0.5),
    'large, cosine to 0': (step) => optim.cosine({ steps: 400 })(step, 0.5),
  };
  for (const [name, rate] of Object.entries(ways)) {
    const { after50, end } = floorOf(rate);
    row(name, after50, end);
  }
}

// ── RMSProp and Adam ────────────────────────────────────────────────────────────────────────────────────────────────────
heading('RMSProp: rare weights and weights of small gradients move as far as the others (distance after 200 steps)');
{
  const makers: Readonly<Record<string, (w: Tensor) => Trains>> = {
    SGD: (w) => new optim.SGD([w], { lr: 0.01 }),
    RMSprop: (w) => new optim.RMSprop([w], { lr: 0.01 }),
    Adam: (w) => new optim.Adam([w], { lr: 0.01 }),
  };
  row('', 'gradient 1', '0.01', '1, in 1 of 10');
  for (const [name, make] of Object.entries(makers)) {
    const weight = torch.zeros(3, { requiresGrad: true });
    const optimiser = make(weight);
    for (let step = 0; step < 200; step++) {
      weight.grad = torch.tensor([1, 0.01, step % 10 === 0 ? 1 : 0]);
      optimiser.step();
    }
    row(name, ...(weight.detach().abs().toTypedArray() as unknown as number[]));
  }
}

heading('Adam: what it costs. Bytes are known before the first step');
{
  torch.manualSeed(5);
  const net = new nn.Sequential(new nn.Linear(1024, 1024), new nn.ReLU(), new nn.Linear(1024, 100));
  const p = net.parameters();
  row('bytes per parameter', 'weights', 'gradients', 'state', 'all');
  const all: Readonly<Record<string, { memoryPerParameter(): optim.MemoryPerParameter }>> = {
    SGD: new optim.SGD(p, { lr: 0.1 }),
    'SGD with momentum': new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
    RMSprop: new optim.RMSprop(p),
    Lion: new optim.Lion(p),
    AdamW: new optim.AdamW(p),
    'AdamW with amsgrad': new optim.AdamW(p, { amsgrad: true }),
  };
  for (const [name, optimiser] of Object.entries(all)) {
    const { weight, gradient, state, total } = optimiser.memoryPerParameter();
    row(name, weight, gradient, state, total);
  }
  console.log(new optim.AdamW(p).describeMemory());
}

heading('The same net and data, 300 steps each: loss (mean of 3 seeds)');
{
  const makers: Readonly<Record<string, (p: nn.Parameter[]) => Trains>> = {
    'SGD, rate 0.1': (p) => new optim.SGD(p, { lr: 0.1 }),
    'SGD with momentum 0.9, rate 0.1': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
    'RMSprop, rate 0.003': (p) => new optim.RMSprop(p, { lr: 0.003 }),
    'Adam, rate 0.003': (p) => new optim.Adam(p, { lr: 0.003 }),
    'AdamW, rate 0.003': (p) => new optim.AdamW(p, { lr: 0.003 }),
  };
  row('', 'step 30', 'step 100', 'step 300');
  for (const [name, make] of Object.entries(makers)) {
    const losses = [0, 0, 0];
    for (let seed = 0; seed < 3; seed++) {
      torch.manualSeed(seed);
      const teacher = new nn.Sequential(new nn.Linear(20, 32), new nn.Tanh(), new nn.Linear(32, 10));
      for (const parameter of teacher.parameters()) nn.init.normal_(parameter, { std: 0.5 });
      const input = torch.randn(512, 20);
      const target = torch.noGrad(() => teacher.forward(input).argmax(1));
      const net = new nn.Sequential(
        new nn.Linear(20, 64),
        new nn.ReLU(),
        new nn.Linear(64, 64),
        new nn.ReLU(),
        new nn.Linear(64, 10),
      );
      const optimiser = make(net.parameters());
      for (let step = 1; step <= 300; step++) {
        const chosen = torch.randint(512, [64]);
        const loss = F.crossEntropy(net.forward(input.indexSelect(0, chosen)), target.indexSelect(0, chosen));
        optimiser.zeroGrad();
        loss.backward();
        optimiser.step();
        const at = [30, 100, 300].indexOf(step);
        if (at >= 0)
          losses[at] =
            (losses[at] as number) + torch.noGrad(() => F.crossEntropy(net.forward(input), target).item()) / 3;
      }
    }
    row(name, ...losses);
  }
}

// ── Learning rates ──────────────────────────────────────────────────────────────────────────────────────────────────────
heading('Twice the batch, half the variance of the gradient; the rate scaled from 0.1 at 32, at most 0.5');
{
  torch.manualSeed(6);
  const input = torch.randn(4096, 10);
  const target = input.matmul(torch.randn(10, 1)).add(torch.randn(4096, 1));
  const weight = torch.zeros(10, 1, { requiresGrad: true });
  row('batch', 'variance', 'rate');
  for (const batch of [32, 64, 128, 256]) {
    const gradients: Tensor[] = [];
    for (let i = 0; i < 400; i++) {
      const chosen = torch.randint(4096, [batch]);
      const loss = F.mseLoss(input.indexSelect(0, chosen).matmul(weight), target.indexSelect(0, chosen));
      gradients.push(torch.autograd.grad([loss], [weight])[0] as Tensor);
    }
    const variance = torch.stack(gradients).var([0]).mean().item();
    row(String(batch), variance, optim.scaleForBatchSize(0.1, { from: 32, to: batch, rule: 'linear', cap: 0.5 }));
  }
}

heading('Schedules are functions of the step, and draw themselves');
console.log(optim.warmup(optim.cosine({ steps: 90 }), { steps: 10 }).draw({ base: 0.005, height: 8, width: 60 }));
