/** Tensors dropped, viewed, recorded, failed with. */
import { DifferentiableOperation, type FunctionContext, type Tensor, torch } from '../../src/torch/index.js';
import { live, settle, status } from './measure.js';
import type { Figures } from './scenarios.js';

const QUARTER = 2 ** 18;

/** 3,000 results of 1 MiB, dropped in a loop that never yields. */
export function droppedResults(): Figures {
  const x = torch.ones([QUARTER]);
  const before = status('VmHWM');
  let y = x;
  for (let i = 0; i < 3000; i++) y = x.add(1);
  return { before, peak: status('VmHWM'), last: y.at(0).item() };
}

/** The same through views and in-place changes, whose bytes must not be counted again. */
export function droppedViews(): Figures {
  const x = torch.ones([1024, 256]);
  for (let i = 0; i < 3000; i++) {
    const y = x.clone();
    y.view([256, 1024]).t().mul_(2).select(0, 3);
  }
  return { peak: status('VmHWM') };
}

/** Everything a function made is gone when it has returned. */
export async function baseline(): Promise<Figures> {
  const kept = torch.randn([64, 64]);
  const before = await live();
  const work = () => {
    let x = kept;
    const many: Tensor[] = [];
    for (let i = 0; i < 200; i++) {
      x = x.matmul(kept).relu();
      many.push(...x.split(16), x.t(), x.sum({ dim: 1 }));
    }
    return [many.length, torch.memory().handles];
  };
  const [made, most] = work() as [number, number];
  const after = await live();
  return {
    made,
    most: most - before.handles,
    handles: after.handles - before.handles,
    bytes: after.bytes - before.bytes,
  };
}

/** Bytes of a tensor, of the tensor with a hundred views, and after the tensor itself is gone but for a view. */
export async function views(): Promise<Figures> {
  const before = await live();
  let x: Tensor | null = torch.ones([QUARTER]);
  const alone = (await live()).bytes - before.bytes;
  const list = Array.from({ length: 100 }, (_, i) => (x as Tensor).narrow(0, i, 8));
  const together = await live();
  x = null;
  const first = list[0] as Tensor;
  list.length = 0;
  const rest = await live();
  return {
    alone,
    together: together.bytes - before.bytes,
    handles: together.handles - before.handles,
    rest: rest.bytes - before.bytes,
    restHandles: rest.handles - before.handles,
    sum: first.sum().item(),
  };
}

/** Graphs of 4 MiB that no backward pass ever frees. */
export async function droppedGraphs(): Promise<Figures> {
  const weight = torch.randn([1024, 256], { requiresGrad: true });
  const before = await live();
  for (let i = 0; i < 400; i++) weight.exp().sin().mul(2).pow(2).sum();
  const peak = status('VmHWM');
  const after = await live();
  return {
    peak,
    handles: after.handles - before.handles,
    bytes: after.bytes - before.bytes,
    gradient: weight.grad !== null,
  };
}

class Square extends DifferentiableOperation {
  static forward(context: FunctionContext, x: Tensor): Tensor {
    const y = x.mul(x);
    context.saveForBackward(x, y);
    return y;
  }
  static backward(context: FunctionContext, gradient: Tensor): Tensor {
    const [x] = context.savedTensors;
    return gradient.mul((x as Tensor).mul(2));
  }
}

/** Functions that save their own outputs, and hooks; half of the graphs are never walked. */
export async function customFunctions(): Promise<Figures> {
  const weight = torch.ones([4096], { requiresGrad: true });
  const round = (i: number) => {
    const y = Square.apply(weight.mul(1)) as Tensor;
    const handle = y.registerHook((gradient) => gradient.mul(0.5));
    const z = Square.apply(y) as Tensor;
    if (i % 2 === 0) z.sum().backward();
    if (i % 4 === 0) handle.remove();
    weight.grad = null;
  };
  for (let i = 0; i < 1000; i++) round(i);
  const before = await live();
  const rss = status('VmRSS');
  for (let i = 0; i < 8000; i++) round(i);
  const after = await live();
  return { handles: after.handles - before.handles, bytes: after.bytes - before.bytes, growth: status('VmRSS') - rss };
}

/** Hooks on a leaf that is used again and again, taken off each time; and hooks on results whose owner is freed by hand. */
export async function removedHooks(): Promise<Figures> {
  const round = () => {
    const x = torch.ones([QUARTER], { requiresGrad: true });
    const hook = x.registerHook((gradient) => gradient.add(x));
    x.mul(2).sum().backward();
    hook.remove();
    using y = x.mul(3);
    y.registerHook(() => y);
  };
  round();
  const before = await live();
  for (let i = 0; i < 500; i++) round();
  const after = await live();
  return { handles: after.handles - before.handles, bytes: after.bytes - before.bytes, peak: status('VmHWM') };
}

/** Errors of every kind: in arguments, in the engine, in a hook, in a backward. */
export async function errors(): Promise<Figures> {
  class Broken extends DifferentiableOperation {
    static forward(context: FunctionContext, x: Tensor): Tensor {
      context.saveForBackward(x);
      return x.clone();
    }
    static backward(): Tensor {
      throw new Error('broken');
    }
  }
  const a = torch.ones([64, 64], { requiresGrad: true });
  const b = torch.ones([3, 5]);
  const failing: (() => unknown)[] = [
    () => a.add(b),
    () => a.matmul(b),
    () => torch.cat([a, b, a.clone()]),
    () => a.view(7, 9),
    () => a.sum('nonsense' as never),
    () => a.clone().add({} as never),
    () => torch.stack([a.clone(), 3 as never]),
    () => a.clone().split(-1),
    () => (Broken.apply(a.mul(2)) as Tensor).sum().backward(),
    () => {
      const y = a.mul(2);
      y.registerHook(() => {
        throw new Error('broken');
      });
      y.sum().backward();
    },
    () => a.clone().backward(),
    () => torch.tensor([[1, 2], [3]]),
    () => torch.empty([2 ** 40, 2 ** 10]),
  ];
  const round = () => {
    let thrown = 0;
    for (const work of failing)
      try {
        work();
      } catch {
        thrown++;
      }
    return thrown;
  };
  for (let i = 0; i < 100; i++) round();
  const before = await live();
  const rss = status('VmRSS');
  let thrown = 0;
  for (let i = 0; i < 500; i++) thrown += round();
  const after = await live();
  return {
    calls: 500 * failing.length,
    thrown,
    handles: after.handles - before.handles,
    bytes: after.bytes - before.bytes,
    growth: status('VmRSS') - rss,
  };
}

/** What V8 believes of memory outside its heap comes back when the tensors are gone. */
export async function externalMemory(): Promise<Figures> {
  await settle();
  const before = process.memoryUsage().external;
  let list: unknown[] = Array.from({ length: 64 }, () => torch.ones([QUARTER]));
  const held = torch.memory().bytes.cpu ?? 0;
  list.push(...Array.from({ length: 16 }, () => torch.ones([QUARTER]).asTypedArray()));
  list = [];
  const after = await live();
  return {
    held,
    bytes: after.bytes,
    handles: after.handles,
    external: process.memoryUsage().external - before,
    list: list.length,
  };
}

/** A scope frees at its end what it made, whether or not the collector would have come by. */
export async function scopes(): Promise<Figures> {
  const x = torch.ones([QUARTER]);
  const before = await live();
  let most = 0;
  for (let i = 0; i < 300; i++) {
    const y = torch.scope(() => x.add(1).mul(2).sub(3));
    most = Math.max(most, torch.memory().handles - before.handles);
    y.dispose();
  }
  let thrown = 0;
  try {
    torch.scope(() => {
      x.add(1);
      throw new Error('out');
    });
  } catch {
    thrown++;
  }
  const handles = torch.memory().handles - before.handles;
  return { most, handles, thrown, peak: status('VmHWM') };
}
