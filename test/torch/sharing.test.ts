import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { type Tensor, type TensorTicket, torch } from '../../src/torch/index.js';
import { runProgram } from '../support/child.js';
import { throwsArgument } from '../support/throws.js';
import { startWorker } from '../support/worker.js';
import type { Task } from './sharing-worker.js';

function start(task: Task): Worker {
  return startWorker(new URL('./sharing-worker.ts', import.meta.url), task);
}

/**
 * The first message of a worker, once it has ended; its errors are this one's. All is listened for from the start: a
 * message that arrives as the worker ends is delivered in the very turn in which its end is, too soon to listen after.
 */
function result<Message>(worker: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    const messages: Message[] = [];
    worker.on('message', (message: Message) => messages.push(message));
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (messages.length > 0) resolve(messages[0] as Message);
      else reject(new Error(`the worker ended with code ${code} and sent nothing`));
    });
  });
}

describe('tickets', () => {
  test('one import each, and only of what was exported', () => {
    const x = torch.ones(3);
    const ticket = torch.shareTensor(x);
    const y = torch.receiveTensor(ticket);
    assert.equal(y.storage().id, x.storage().id);
    y.add_(1);
    assert.deepEqual(x.toArray(), [2, 2, 2]);
    throwsArgument(() => torch.receiveTensor(ticket), /ticket .* unknown or was used already/);
    throwsArgument(() => torch.receiveTensor({ praxisTensor: 1e9 }), /unknown/);
    throwsArgument(() => torch.receiveTensor({} as TensorTicket), /takes what shareTensor\(\) gave/);
    throwsArgument(() => torch.receiveTensor(null as never), /takes what shareTensor\(\) gave/);
    throwsArgument(() => torch.shareTensor(5 as never), /'tensor' must be a Tensor, got number/);
  });

  test('a parked tensor outlives the one it was made of', () => {
    let ticket: TensorTicket;
    {
      const x = torch.full([1000], 5);
      ticket = torch.shareTensor(x);
      x.dispose();
    }
    torch.memory({ collect: true });
    assert.equal(torch.receiveTensor(ticket).sum().item(), 5000);
  });

  test('a gradient history stays in its thread', () => {
    const w = torch.ones(1, { requiresGrad: true });
    throwsArgument(
      () => torch.shareTensor(w.mul(2)),
      /gradient history .* detach\(\) it first; in shareTensor\(Tensor\[1\] float32\)/,
    );
    assert.equal(torch.receiveTensor(torch.shareTensor(w.mul(2).detach())).item(), 2);
  });
});

describe('worker threads', () => {
  test('two of them update one tensor in place, without a copy', async () => {
    const x = torch.zeros(2, 256);
    const workers = [0, 1].map((row) => start({ kind: 'addOnes', row, ticket: torch.shareTensor(x) }));
    const messages = await Promise.all(workers.map((worker) => result<{ storage: string; sum: number }>(worker)));
    assert.deepEqual(messages, [
      { storage: String(x.storage().id), sum: 256_000 },
      { storage: String(x.storage().id), sum: 256_000 },
    ]);
    assert.equal(x.sum().item(), 512_000);
    assert.deepEqual(x.at(':', 0).toArray(), [1000, 1000]);
  });

  test('four train at once, each with its own random state and modes', async () => {
    torch.manualSeed(123);
    const before = torch.getRngState().toTypedArray();
    const workers = [1, 1, 2, 3].map((seed) => start({ kind: 'train', seed }));
    const losses = (
      await Promise.all(workers.map((worker) => result<{ loss: number; gradMode: boolean }>(worker)))
    ).map((x) => {
      assert.equal(x.gradMode, true);
      return x.loss;
    });
    for (const loss of losses) assert.ok(loss > 0 && loss < 4, String(loss));
    assert.equal(before.length, 5056);
  });

  test('a tensor comes out of a worker that has ended', async () => {
    const ticket = await result<TensorTicket>(start({ kind: 'leak' }));
    torch.memory({ collect: true });
    assert.deepEqual(torch.receiveTensor(ticket).toArray(), [7, 7, 7, 7]);
  });

  test('a tensor goes into one after its own thread dropped it', async () => {
    const make = () => torch.shareTensor(torch.tensor([1, 2]));
    const worker = start({ kind: 'print', ticket: make() });
    torch.memory({ collect: true });
    assert.equal(await result<string>(worker), 'tensor([1., 2.])');
  });

  test('terminate() in the middle of work, five times', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = start({ kind: 'busy' });
      await once(worker, 'message');
      await new Promise((resolve) => setTimeout(resolve, 10 * i));
      assert.equal(await worker.terminate(), 1);
    }
    assert.equal(torch.ones(2).sum().item(), 2);
  });
});

const workerFile = JSON.stringify(new URL('./sharing-worker.ts', import.meta.url).href);

describe("tensors over a worker's SharedArrayBuffer", () => {
  /** Runs where a crash does not end the tests; what `received` the tensors hold at the end. */
  const program = (code: string): unknown => {
    const ended = runProgram(
      `import { once } from 'node:events';
       import type { TensorTicket } from '../../src/torch/index.js';
       import { startWorker } from '../support/worker.js';
       import type { Task } from './sharing-worker.js';
       type Tickets = Record<string, TensorTicket>;
       const start = (task: Task) => startWorker(new URL(${workerFile}), task);
       let tickets: Tickets = {};
       let received: (readonly [string, Tensor])[] = [];
       const receive = () => { received = Object.entries(tickets).map(([name, x]) => [name, torch.receiveTensor(x)]); };
       ${code}
       torch.memory({ collect: true });
       const kept = received.map(([name, x]) => [name, [x.isSparse ? 'sparse' : x.stride(), x.requiresGrad, String(x.detach().sum())]]);
       console.log(JSON.stringify(Object.fromEntries(kept)));`,
    );
    assert.deepEqual({ ...ended, stdout: '' }, { status: 0, signal: null, stdout: '', stderr: '' });
    return JSON.parse(ended.stdout);
  };
  const wanted = {
    whole: [[1], false, 'tensor(16777216.)'],
    part: [[1], false, 'tensor(16776216.)'],
    turned: [[1, 4194304], false, 'tensor(16777216.)'],
    detached: [[1], false, 'tensor(16777216.)'],
    inPlace: [[1], false, 'tensor(100.)'],
    leaf: [[1], true, 'tensor(16777216.)'],
    conjugate: [[1], false, 'tensor(8388608.-8388608.j)'],
    sparse: ['sparse', false, 'tensor(2.)'],
  };

  test('outlive it, received before it ended', () => {
    const held = program(
      `const worker = start({ kind: 'lend' });
       worker.once('message', (given: Tickets) => { tickets = given; receive(); tickets = {}; });
       await once(worker, 'exit');`,
    );
    assert.deepEqual(held, wanted);
  });

  test('outlive it, received after it ended', () => {
    const held = program(
      `const worker = start({ kind: 'lend' });
       worker.once('message', (given: Tickets) => { tickets = given; });
       await once(worker, 'exit');
       receive();
       tickets = {};`,
    );
    assert.deepEqual(held, wanted);
  });

  test('outlive a second worker that handed them on', () => {
    const held = program(
      `const first = start({ kind: 'lend' });
       first.once('message', (given: Tickets) => { tickets = given; });
       await once(first, 'exit');
       const second = start({ kind: 'handOn', ticket: tickets.turned });
       second.once('message', (ticket: TensorTicket) => { tickets = { column: ticket }; receive(); tickets = {}; });
       await once(second, 'exit');`,
    );
    assert.deepEqual(held, { column: [[4194304], false, 'tensor(4.)'] });
  });

  test('are seen to change by both threads', async () => {
    const worker = start({ kind: 'lendAndWait' });
    const [ticket] = (await once(worker, 'message')) as [TensorTicket];
    const x = torch.receiveTensor(ticket);
    x.add_(5);
    const memory = result<number[]>(worker);
    worker.postMessage('changed');
    assert.deepEqual(await memory, [0, 0, 5, 10]);
    assert.deepEqual(x.toArray(), [5, 10]);
  });

  test('keep the memory from its owner, which may use it again when they are gone', async () => {
    assert.deepEqual(await result(start({ kind: 'hold' })), { held: true, after: false });
  });

  test('are not confused with later ones at the same address', async (t) => {
    const { found, right } = await result<{ found: number; right: boolean }>(start({ kind: 'reuse' }));
    t.diagnostic(`${found} of 1000 were at the same address`);
    assert.ok(right);
  });

  test('need a whole ticket', () => {
    const { praxisTensor } = torch.shareTensor(torch.ones(1));
    const memory = new Uint8Array(4);
    throwsArgument(() => torch.receiveTensor({ praxisTensor, memory }), /takes what shareTensor\(\) gave/);
  });
});

describe('the end of a process', () => {
  const endings: readonly [name: string, code: string][] = [
    [
      'at once, with tensors and generators alive',
      `globalThis.kept = [torch.ones(9), new torch.Generator()]; process.exit(0);`,
    ],
    [
      'while workers compute',
      `const { startWorker } = await import('../support/worker.js');
       const { once } = await import('node:events');
       const workers = [1, 2].map(() => startWorker(new URL(${workerFile}), { kind: 'busy' }));
       await Promise.all(workers.map((worker) => once(worker, 'message')));
       process.exit(0);`,
    ],
    [
      'in a hook',
      `const x = torch.ones(1, { requiresGrad: true }); x.registerHook(() => process.exit(0)); x.mul(2).backward();`,
    ],
    [
      'in the backward of a function, through the helper thread',
      `native.setPumpAlways(true);
       class Leaves extends torch.autograd.Function {
         static forward(_: FunctionContext, x: Tensor) { return x.mul(2); }
         static backward(): Tensor { process.exit(0); }
       }
       Leaves.apply(torch.ones(1, { requiresGrad: true })).backward();`,
    ],
    [
      'by itself, with a graph of functions and memory shared both ways',
      `class Twice extends torch.autograd.Function {
         static forward(context: FunctionContext, x: Tensor) { context.saveForBackward(x); return x.mul(2); }
         static backward(_: FunctionContext, g: Tensor) { return g.mul(2); }
       }
       globalThis.y = Twice.apply(torch.ones(1, { requiresGrad: true }));
       globalThis.z = [torch.fromBuffer(new SharedArrayBuffer(8)), torch.ones(4).asTypedArray()];
       torch.shareTensor(torch.ones(3));`,
    ],
  ];
  for (const [name, code] of endings)
    test(name, () => {
      const ended = runProgram(code);
      assert.deepEqual({ ...ended, stdout: '' }, { status: 0, signal: null, stdout: '', stderr: '' });
    });
});

describe('files in memory', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-map-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const map = (file: string, shared: boolean): Tensor =>
    torch.ops.aten.from_file(file, shared, 4, { dtype: 'float32' });

  test('a private mapping keeps its changes to itself, a shared one writes them', () => {
    const file = path.join(folder, 'numbers.bin');
    writeFileSync(file, Float32Array.of(1, 2, 3, 4));
    const read = () => [...new Float32Array(new Uint8Array(readFileSync(file)).buffer)];
    const apart = map(file, false);
    assert.deepEqual(apart.toArray(), [1, 2, 3, 4]);
    apart.fill_(0);
    assert.deepEqual(read(), [1, 2, 3, 4]);
    const shared = map(file, true);
    shared.at('1:3').mul_(10);
    assert.deepEqual(read(), [1, 20, 30, 4]);
    assert.deepEqual(map(file, true).toArray(), [1, 20, 30, 4]);
  });

  test('a file that is not there is one error', () => {
    assert.throws(() => map(path.join(folder, 'none'), false), /none/);
  });
});
