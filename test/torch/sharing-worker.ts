/** What the workers of sharing.test.ts do: one task, named by `workerData`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type TensorTicket, torch } from '../../src/torch/index.js';

export interface Task {
  readonly kind: 'addOnes' | 'busy' | 'train' | 'leak' | 'print';
  readonly ticket?: TensorTicket;
  readonly row?: number;
  readonly seed?: number;
}

const task = (workerData as { readonly data: Task }).data;
const port = parentPort as NonNullable<typeof parentPort>;

switch (task.kind) {
  case 'addOnes': {
    const x = torch.receiveTensor(task.ticket as TensorTicket);
    const row = x.at(task.row ?? 0);
    for (let i = 0; i < 1000; i++) row.add_(1);
    port.postMessage({ storage: String(x.storage().id), sum: row.sum().item() });
    break;
  }
  case 'busy': {
    torch.setNumThreads(1);
    const a = torch.rand(128, 128);
    port.postMessage('started');
    for (;;) a.mm(a);
  }
  case 'train': {
    torch.setNumThreads(1);
    torch.manualSeed(task.seed ?? 0);
    const w = torch.randn(8, 4, { requiresGrad: true });
    const x = torch.randn(16, 8);
    let loss = 0;
    for (let step = 0; step < 50; step++) {
      w.grad = null;
      const y = x.mm(w).pow(2).mean();
      y.backward();
      torch.noGrad(() => w.sub_(w.grad?.mul(0.05) ?? 0));
      loss = y.item();
    }
    port.postMessage({ loss, gradMode: torch.isGradEnabled() });
    break;
  }
  case 'leak':
    port.postMessage(torch.shareTensor(torch.full([4], 7)));
    break;
  case 'print':
    port.postMessage(String(torch.receiveTensor(task.ticket as TensorTicket)));
    break;
}
