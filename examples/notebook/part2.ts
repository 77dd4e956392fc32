/**
 * The notebook, part two: what the text says about initialisation and optimisers, continued until the numbers show it.
 * Everything is seeded: it prints the same each time on the same engine.
 */
import { F, nn, optim, type Tensor, torch } from 'praxis';
import { heading, row, type Trains } from './print.js';

/** Standard deviation of all elements. */
const spread = (x: Tensor): number => x.detach().std(false).item();
/** Length of several tensors taken as one vector. */
const length = (tensors: readonly Tensor[]): number =>
  Math.sqrt(tensors.reduce((sum, x) => sum + x.detach().square().sum().item(), 0));

// ── Units that are the same stay the same ───────────────────────────────────────────────────────────────────────────────
/** Learns y = |x| with `units` ReLU units, for which two are enough: relu(x) + relu(−x). */
function learnAbsolute(first: Tensor, second: Tensor, steps: number): { loss: number; weights: Tensor } {
  const weights = [first, second].map((x) => x.clone().requiresGrad_(true)) as [Tensor, Tensor];
  const input = torch.linspace(-1, 1, 64).unsqueeze(1);
  const target = input.abs();
  const optimiser = new optim.SGD(weights, { lr: 0.1 });
  let loss = Number.NaN;
  for (let step = 0; step < steps; step++) {
    const value = F.mseLoss(F.relu(input.matmul(weights[0])).matmul(weights[1]), target);
    optimiser.zeroGrad();
    value.backward();
    optimiser.step();
    loss = value.item();
  }
  return { loss, weights: weights[0].detach() };
}

heading('Symmetric units, continued for 500 steps');
torch.manualSeed(0);
{
  const constant = learnAbsolute(torch.full([1, 8], 0.5), torch.full([8, 1], 0.5), 500);
  const one = learnAbsolute(torch.full([1, 1], 0.5), torch.full([1, 1], 0.5), 500);
  const random = learnAbsolute(torch.randn(1, 8), torch.randn(8, 1), 500);
  console.log('8 units, all starting at 0.5:', constant.weights);
  console.log('8 units, starting at random: ', random.weights);
  row('', 'loss');
  row('8 units that started the same', constant.loss);
  row('1 unit', one.loss);
  row('8 units that started at random', random.loss);
}

// ── Spread through depth ────────────────────────────────────────────────────────────────────────────────────────────────
type Fill = (weight: Tensor) => unknown;

/** Linear layers of these sizes with ReLU between them; weights by `fill`, or PyTorch's own; no bias with `fill`. */
function makeMlp(sizes: readonly number[], fill?: Fill): nn.Sequential {
  const layers: nn.Module[] = [];
  for (const [i, size] of sizes.slice(1).entries()) {
    const layer = new nn.Linear(sizes[i] as number, size);
    if (fill !== undefined) {
      fill(layer.weight);
      nn.init.zeros_(layer.bias as Tensor);
    }
    if (i > 0) layers.push(new nn.ReLU());
    layers.push(layer);
  }
  return new nn.Sequential(...layers);
}

heading('30 layers of 128 units: standard deviation of the outputs');
torch.manualSeed(1);
{
  const sizes = Array<number>(31).fill(128);
  const batch = torch.randn(256, 128);
  const ways: Readonly<Record<string, Fill | undefined>> = {
    'normal, deviation 0.01': (w) => nn.init.normal_(w as Tensor, { std: 0.01 }),
    'normal, deviation 1': (w) => nn.init.normal_(w),
    Xavier: (w) => nn.init.xavierUniform_(w),
    'Kaiming, for ReLU': (w) => nn.init.kaimingUniform_(w, { nonlinearity: 'relu' }),
    "PyTorch's default for Linear": undefined,
  };
  row('layer', '1', '10', '20', '30');
  for (const [name, fill] of Object.entries(ways)) {
    const { layers } = nn.init.check(makeMlp(sizes, fill), batch);
    row(name, ...[0, 9, 19, 29].map((i) => layers[i]?.activation ?? Number.NaN));
  }
  // The text's description: pass sample data through and tune the weights until the deviation is about equal
  const report = nn.init.initFromData(makeMlp(sizes), batch);
  row('from data (initFromData)', ...[0, 9, 19, 29].map((i) => report.layers[i]?.after ?? Number.NaN));
  console.log(
    `initFromData took ${report.forwardPasses} forward passes for 30 layers; farthest from 1: ${(100 * report.worst).toFixed(3)} %`,
  );
}

heading('Activations or gradients: one or the other, where layers narrow from 512 to 16 units');
torch.manualSeed(2);
{
  const sizes = [512, 256, 128, 64, 32, 16];
  const batch = torch.randn(512, 512);
  row('', 'activations', 'gradients');
  row('Kaiming with', 'last / first', 'first / last');
  for (const mode of ['fanIn', 'fanOut'] as const) {
    const net = makeMlp(sizes, (w) => nn.init.kaimingNormal_(w, { mode, nonlinearity: 'relu' }));
    const outputs: Tensor[] = [];
    for (const layer of net.modules())
      if (layer instanceof nn.Linear) layer.registerForwardHook((_, __, output) => void outputs.push(output));
    const result = net.forward(batch);
    const gradients = torch.autograd.grad([result], outputs, { gradOutputs: [torch.randn(result.shape)] }) as Tensor[];
    row(
      mode,
      spread(outputs.at(-1) as Tensor) / spread(outputs[0] as Tensor),
      spread(gradients[0] as Tensor) / spread(gradients.at(-1) as Tensor),
    );
  }
}

// ── The final layer ─────────────────────────────────────────────────────────────────────────────────────────────────────
heading('A final layer of zeros: SGD against Adam, means of 3 seeds');
/** Points in 20 dimensions with 10 classes that another network made up. */
function makeTask(): { input: Tensor; target: Tensor } {
  const teacher = makeMlp([20, 32, 10], (w) => nn.init.normal_(w, { std: 0.5 }));
  const input = torch.randn(512, 20);
  return { input, target: torch.noGrad(() => teacher.forward(input).argmax(1)) };
}

interface FinalLayerRun {
  /** Length of the hidden layers' gradient in step 2. */
  gradient: number;
  /** How far the hidden layers are from their start after step 3. */
  moved: number;
  losses: number[];
}

function trainWithFinal(zero: boolean, make: (parameters: nn.Parameter[]) => Trains, seed: number): FinalLayerRun {
  torch.manualSeed(seed);
  const { input, target } = makeTask();
  const net = makeMlp([20, 64, 64, 64, 64, 64, 10], (w) => nn.init.kaimingNormal_(w, { nonlinearity: 'relu' }));
  const final = net.modules().at(-1) as nn.Linear;
  if (zero) nn.init.zeros_(final.weight);
  else nn.init.normal_(final.weight, { std: 0.125 });
  const hidden = net.parameters().slice(0, -2);
  const start = hidden.map((x) => x.detach().clone());
  const optimiser = make(net.parameters());
  const run: FinalLayerRun = { gradient: 0, moved: 0, losses: [] };
  for (let step = 1; step <= 200; step++) {
    const chosen = torch.randint(512, [32]);
    const loss = F.crossEntropy(net.forward(input.indexSelect(0, chosen)), target.indexSelect(0, chosen));
    optimiser.zeroGrad();
    loss.backward();
    if (step === 2) run.gradient = length(hidden.map((x) => x.grad as Tensor));
    optimiser.step();
    if (step === 3) run.moved = length(hidden.map((x, i) => x.detach().sub(start[i] as Tensor)));
    if (step === 20 || step === 200)
      run.losses.push(torch.noGrad(() => F.crossEntropy(net.forward(input), target).item()));
  }
  return run;
}
{
  const optimisers: Readonly<Record<string, (parameters: nn.Parameter[]) => Trains>> = {
    'SGD, rate 0.1': (p) => new optim.SGD(p, { lr: 0.1 }),
    'Adam, rate 0.001': (p) => new optim.Adam(p, { lr: 0.001 }),
    'RMSprop, rate 0.001': (p) => new optim.RMSprop(p, { lr: 0.001 }),
  };
  const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
  row('', 'gradient', 'moved', 'moved per', 'loss at', 'loss at');
  row('final layer', 'in step 2', 'by step 3', 'gradient', 'step 20', 'step 200');
  for (const [name, make] of Object.entries(optimisers))
    for (const zero of [false, true]) {
      const runs = [0, 1, 2].map((seed) => trainWithFinal(zero, make, seed));
      const gradient = mean(runs.map((x) => x.gradient));
      const moved = mean(runs.map((x) => x.moved));
      const losses = [0, 1].map((i) => mean(runs.map((x) => x.losses[i] as number)));
      row(`${name}, ${zero ? 'zeros' : 'random'}`, gradient, moved, moved / gradient, ...losses);
    }
  console.log(`
SGD moves the hidden layers as far as their gradient says: a small one, a small move. Adam and RMSprop divide by its size: next
to nothing, from a final layer that was zero a step ago, moves them about as far as a real gradient would. In a small net like
this they recover; the zeros cost time, SGD's too.`);
}

heading('The check names it');
torch.manualSeed(3);
{
  const { input, target } = makeTask();
  const net = makeMlp([20, 64, 64, 10]);
  nn.init.zeros_((net.modules().at(-1) as nn.Linear).weight);
  console.log(nn.init.check(net, { input, target }, { optimiser: 'Adam' }));
  console.log('\nand with SGD:');
  console.log(
    String(nn.init.check(net, { input, target }, { optimiser: 'SGD' }))
      .split('\n')
      .at(-1),
  );
  const constant = makeMlp([20, 64, 64, 10], (w) => nn.init.constant_(w, 0.01));
  const { findings } = nn.init.check(constant, { input, target }, { optimiser: 'SGD' });
  console.log('\nand with weights that are all 0.01:');
  for (const { message, evidence, remedy } of findings) console.log(`✘ ${message}\n    ${evidence}\n    → ${remedy}`);
}
