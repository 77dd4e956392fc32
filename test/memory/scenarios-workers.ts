/** Worker threads that come and go. */
import { Worker } from 'node:worker_threads';
import { currentEngine } from '../../src/torch/engine.js';
import { torch } from '../../src/torch/index.js';
import { live, settle, status } from './measure.js';
import type { Figures } from './scenarios.js';

/** Makes 64 MiB of tensors, gradients and a hook with the bare bridge, and ends without freeing anything. */
const program = `
  const { workerData, parentPort } = require('node:worker_threads');
  const bridge = require(workerData.addon);
  const full = bridge.resolve('aten::full', '');
  const mul = bridge.resolve('aten::mul', 'Tensor');
  const sum = bridge.resolve('aten::sum', '');
  const requires = bridge.resolve('aten::requires_grad_', '');
  const owners = [];
  const own = (handle) => {
    owners.push({});
    bridge.adopt(owners.at(-1), handle);
    return handle;
  };
  for (let i = 0; i < 16; i++) {
    const x = own(bridge.call(full, null, [2 ** 20], 1.5, 6));
    bridge.call(requires, null, x, true);
    const y = own(bridge.call(mul, null, x, x));
    bridge.addHook(y, (gradients) => (own(gradients[0]), [null]));
    bridge.backward([own(bridge.call(sum, null, y))], [null], false, false, null);
  }
  const x = own(bridge.importHandle(workerData.ticket));
  parentPort.postMessage(bridge.numel(x));
`;

/** Runs one worker to its end; gives what it said. */
function once(terminate: boolean): Promise<number> {
  const addon = currentEngine()?.addon;
  const ticket = torch.shareTensor(torch.ones([QUARTER])).praxisTensor;
  const worker = new Worker(program, { eval: true, workerData: { addon, ticket }, execArgv: [] });
  return new Promise((resolve, reject) => {
    let said = 0;
    worker.on('message', (value: number) => {
      said = value;
      if (terminate) void worker.terminate();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(said));
  });
}
const QUARTER = 2 ** 18;

/** 24 workers one after the other; the first half warms the allocator up. */
export async function workers(): Promise<Figures> {
  const before = await live();
  const said: number[] = [];
  const resident: number[] = [];
  for (let i = 0; i < 24; i++) {
    said.push(await once(i % 2 === 1));
    await settle();
    resident.push(status('VmRSS'));
  }
  const after = await live();
  return {
    said: said.filter((x) => x === QUARTER).length,
    growth: (resident.at(-1) as number) - (resident[11] as number),
    handles: after.handles - before.handles,
    peak: status('VmHWM'),
  };
}
