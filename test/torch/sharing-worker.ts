/** What the workers of sharing.test.ts do: one task, named by `workerData`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type TensorTicket, torch } from '../../src/torch/index.js';

export interface Task {
  readonly kind: 'addOnes' | 'busy' | 'train' | 'leak' | 'print' | 'lend' | 'lendAndWait' | 'handOn' | 'reuse' | 'hold';
  readonly ticket?: TensorTicket;
  readonly row?: number;
  readonly seed?: number;
}

/** Elements of what 'lend' shares: 64 MiB, which go back to the system at once when they are freed. */
const LENT = 2 ** 24;

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
  case 'lend': {
    const x = torch.fromBuffer(new Float32Array(new SharedArrayBuffer(4 * LENT)).fill(1));
    const indices = torch.fromBuffer(new BigInt64Array(new SharedArrayBuffer(16)), { shape: [1, 2] });
    indices.at(0, 1).fill_(1);
    const shared = {
      whole: x,
      part: x.at('1000:'),
      turned: x.view(4, LENT / 4).t(),
      detached: x.detach(),
      inPlace: x.at(':100').mul_(1),
      leaf: x.detach().requiresGrad_(true),
      conjugate: torch.ops.aten.view_as_complex(x.view(LENT / 2, 2)).conj(),
      sparse: torch.ops.aten.sparse_coo_tensor.indices_size(indices, x.at(':2'), [2]),
    };
    const tickets = Object.entries(shared).map(([name, tensor]) => [name, torch.shareTensor(tensor)]);
    port.postMessage(Object.fromEntries(tickets));
    break;
  }
  case 'lendAndWait': {
    const memory = new Float32Array(new SharedArrayBuffer(16));
    port.postMessage(torch.shareTensor(torch.fromBuffer(memory).at('2:')));
    port.once('message', () => {
      memory[3] = (memory[3] as number) * 2;
      port.postMessage([...memory]);
    });
    break;
  }
  case 'handOn':
    port.postMessage(torch.shareTensor(torch.receiveTensor(task.ticket as TensorTicket).at(0)));
    break;
  case 'reuse': {
    // Tensors of the engine's own memory at the addresses of such as lay over an array and are gone.
    let found = 0;
    let right = true;
    for (let i = 0; i < 1000; i++) {
      const lent = torch.fromBuffer(new Uint8Array(new SharedArrayBuffer(4096)));
      const { id } = lent.storage();
      lent.dispose();
      const own = torch.full([4096], 7, { dtype: 'uint8' });
      if (own.storage().id === id) found++;
      const received = torch.receiveTensor(torch.shareTensor(own));
      received.add_(1);
      right &&= own.at(0).item() === 8 && received.storage().id === own.storage().id;
    }
    port.postMessage({ found, right });
    break;
  }
  case 'hold': {
    let array: Uint8Array | null = new Uint8Array(new SharedArrayBuffer(64));
    const watched = new WeakRef(array.buffer);
    const lent = torch.fromBuffer(array);
    array = null;
    const received = torch.scope(() => {
      const whole = torch.receiveTensor(torch.shareTensor(lent));
      return whole.at('8:');
    });
    lent.dispose();
    const settle = async () => {
      for (let round = 0; round < 3; round++) {
        // What is watched lives to the end of the turn in which it was asked for.
        await new Promise((resolve) => setTimeout(resolve));
        torch.memory({ collect: true });
      }
      return watched.deref() !== undefined;
    };
    const held = await settle();
    received.dispose();
    port.postMessage({ held, after: await settle() });
    break;
  }
}
