/** The Praxis side of the benchmarks: each case makes its data once and then runs any number of repetitions. */

import { F, nn, optim, torch } from '../src/index.js';
import { adamw, convnet } from './networks.js';

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

/** Forward, backward and AdamW of a 64-64-64-10 perceptron at batch 32, as a user writes it. */
function perceptron(): Run {
  torch.manualSeed(0);
  const net = new nn.Sequential(
    new nn.Linear(64, 64),
    new nn.ReLU(),
    new nn.Linear(64, 64),
    new nn.ReLU(),
    new nn.Linear(64, 10),
  );
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 });
  const x = torch.randn(32, 64);
  const y = torch.randint(0, 10, [32]);
  return (n) => {
    for (let i = 0; i < n; i++) {
      optimizer.zeroGrad();
      F.crossEntropy(net.forward(x), y).backward();
      optimizer.step();
    }
  };
}

export const cases: Readonly<Record<string, () => Run>> = {
  add,
  addNumber,
  view,
  matmul,
  convolution,
  perceptron,
  adamw,
  convnet,
};
