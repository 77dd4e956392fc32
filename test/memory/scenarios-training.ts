/** Training loops, long enough that the smallest leak shows. */
import { type Tensor, torch } from '../../src/torch/index.js';
import { live, slope, status } from './measure.js';
import type { Figures } from './scenarios.js';

const STEPS = 20_000;
const SAMPLE_EVERY = 500;
const WARM = 5_000;

/** A 64-64-10 network with its gradient step; `foreach` updates all parameters in one call. */
function makeStep(foreach: boolean): () => Tensor {
  torch.manualSeed(1);
  const parameters = [torch.randn([64, 64]), torch.zeros([64]), torch.randn([64, 10]), torch.zeros([10])];
  for (const parameter of parameters) parameter.mul_(0.1).requiresGrad_(true);
  const [w1, b1, w2, b2] = parameters as [Tensor, Tensor, Tensor, Tensor];
  const input = torch.randn([32, 64]);
  const target = torch.randint(0, 10, [32]);
  return () => {
    const scores = input.matmul(w1).add(b1).relu().matmul(w2).add(b2);
    const loss = torch.ops.aten.nll_loss(scores.logSoftmax(1), target) as Tensor;
    loss.backward();
    torch.noGrad(() => {
      const gradients = parameters.map((x) => x.grad as Tensor);
      if (foreach) torch.ops.aten._foreach_add_(parameters, gradients, { alpha: -0.05 });
      else for (const [i, parameter] of parameters.entries()) parameter.sub_(gradients[i] as Tensor, { alpha: 0.05 });
    });
    for (const parameter of parameters) parameter.grad = null;
    return loss;
  };
}

/** Live tensors and resident bytes while a network trains for 20,000 steps in a synchronous loop. */
async function train(foreach: boolean): Promise<Figures> {
  const step = makeStep(foreach);
  const run = (steps: number): number => {
    for (let i = 1; i < steps; i++) step();
    return step().item();
  };
  const first = run(1);
  run(WARM - 1);
  const before = await live();
  let mostHandles = 0;
  const resident = [status('VmRSS')];
  let last = first;
  for (let i = WARM; i < STEPS; i += SAMPLE_EVERY) {
    last = run(SAMPLE_EVERY);
    mostHandles = Math.max(mostHandles, torch.memory().handles);
    resident.push(status('VmRSS'));
  }
  const after = await live();
  return {
    first,
    last,
    mostHandles,
    handles: after.handles - before.handles,
    bytes: after.bytes - before.bytes,
    bytesPerStep: slope(resident) / SAMPLE_EVERY,
    growth: (resident.at(-1) as number) - (resident[0] as number),
    peak: status('VmHWM'),
  };
}

export const trainSingly = (): Promise<Figures> => train(false);
export const trainForeach = (): Promise<Figures> => train(true);
