/** The Praxis side of the benchmarks: each case makes its data once and then runs any number of repetitions. */
import { type Tensor, torch } from '../src/torch/index.js';

/** Runs a case `n` times. */
export type Run = (n: number) => void;

function add(): Run {
  const a = torch.ones(1);
  const b = torch.ones(1);
  return (n) => {
    for (let i = 0; i < n; i++) a.add(b);
  };
}

function addNumber(): Run {
  const a = torch.ones(1);
  return (n) => {
    for (let i = 0; i < n; i++) a.add(2);
  };
}

function view(): Run {
  const a = torch.ones(1);
  return (n) => {
    for (let i = 0; i < n; i++) a.view(1, 1);
  };
}

function matmul(): Run {
  const a = torch.randn(1024, 1024);
  const b = torch.randn(1024, 1024);
  return (n) => {
    for (let i = 0; i < n; i++) a.matmul(b);
  };
}

function convolution(): Run {
  const x = torch.randn(8, 32, 64, 64, { requiresGrad: true });
  const w = torch.randn(64, 32, 3, 3, { requiresGrad: true });
  const b = torch.randn(64, { requiresGrad: true });
  return (n) => {
    for (let i = 0; i < n; i++) {
      for (const t of [x, w, b]) t.grad = null;
      torch
        .conv2d(x, w, b, { padding: [1, 1] })
        .sum()
        .backward();
    }
  };
}

/** Forward, backward and AdamW of a 64-64-64-10 perceptron at batch 32, written with operators. */
function perceptron(): Run {
  torch.manualSeed(0);
  const layer = (inputs: number, outputs: number) => {
    const bound = 1 / Math.sqrt(inputs);
    const make = (...shape: number[]) =>
      torch
        .empty(...shape)
        .uniform_(-bound, bound)
        .requiresGrad_(true);
    return { w: make(outputs, inputs), b: make(outputs) };
  };
  const layers = [layer(64, 64), layer(64, 64), layer(64, 10)];
  const parameters: Tensor[] = layers.flatMap((l) => [l.w, l.b]);
  const x = torch.randn(32, 64);
  const y = torch.randint(0, 10, [32]);
  const zeros = () => parameters.map((p) => torch.zerosLike(p));
  const first = zeros();
  const second = zeros();
  const steps = parameters.map(() => torch.zeros([]));
  const fused = torch.hasOperator('_fused_adamw_');
  return (n) => {
    for (let i = 0; i < n; i++) {
      for (const p of parameters) p.grad = null;
      let h = x;
      layers.forEach((l, k) => {
        h = torch.ops.aten.linear(h, l.w, l.b) as Tensor;
        if (k < 2) h = h.relu();
      });
      const loss = torch.ops.aten.cross_entropy_loss(h, y) as Tensor;
      loss.backward();
      torch.noGrad(() => {
        const grads = parameters.map((p) => p.grad as Tensor);
        if (fused) {
          (torch.ops.aten as any)._foreach_add_.Scalar(steps, 1);
          (torch.ops.aten as any)._fused_adamw_(parameters, grads, first, second, [], steps, {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            weightDecay: 0.01,
            eps: 1e-8,
            amsgrad: false,
            maximize: false,
          });
        }
      });
    }
  };
}

export const cases: Readonly<Record<string, () => Run>> = { add, addNumber, view, matmul, convolution, perceptron };
