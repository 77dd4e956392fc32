import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runProgram } from '../support/child.js';
import { throwsArgument } from '../support/throws.js';

const handles = () => torch.memory({ collect: true }).handles;
const bytes = () => torch.memory({ collect: true }).bytes.cpu ?? 0;

/** Line of the caller in this file. */
const lineHere = (): number => Number(/memory\.test\.ts:(\d+)/.exec(new Error().stack?.split('\n')[2] ?? '')?.[1]);

describe('torch.memory', () => {
  test('counts tensors, and memory once however many share it', () => {
    const [h, b] = [handles(), bytes()];
    const x = torch.zeros(1000);
    assert.deepEqual([handles() - h, bytes() - b], [1, 4000]);
    const views = [x.at('1:'), x.view(10, 100), x.detach()];
    assert.deepEqual([handles() - h, bytes() - b], [4, 4000]);
    x.dispose();
    assert.deepEqual([handles() - h, bytes() - b], [3, 4000], 'views keep the memory');
    for (const view of views) view.dispose();
    assert.deepEqual([handles() - h, bytes() - b], [0, 0]);
  });

  test('what the program drops is freed', () => {
    const before = handles();
    const work = () => {
      for (let i = 0; i < 500; i++) torch.ones(10).add(i).sum();
    };
    work();
    assert.equal(handles(), before);
  });

  test('a training loop holds on to nothing', () => {
    const w = torch.randn(16, 16, { requiresGrad: true });
    const x = torch.randn(8, 16);
    const step = () => {
      w.grad = null;
      const loss = x.mm(w).relu().pow(2).mean();
      loss.registerHook(() => null);
      loss.backward();
      torch.noGrad(() => w.sub_((w.grad as Tensor).mul(0.01)));
    };
    for (let i = 0; i < 20; i++) step();
    const before = [handles(), bytes()];
    for (let i = 0; i < 500; i++) step();
    assert.deepEqual([handles(), bytes()], before);
  });

  test('3,000 dropped results of 1 MB in a synchronous loop are collected meanwhile', () => {
    const { status, stdout, stderr } = runProgram(`
      const a = torch.zeros(512, 512);
      for (let i = 0; i < 3000; i++) a.add(1);
      console.log(process.resourceUsage().maxRSS / 1024);`);
    assert.equal(status, 0, stderr);
    const peak = Number(stdout);
    // Some 270 MB on a quiet machine, up to 410 on a busy one, where the collector comes late; without it 3 GB.
    assert.ok(peak > 50 && peak < 900, `${peak} MB`);
  });
});

describe('torch.scope', () => {
  test('frees what was made in it, but for what it returns, wherever that is', () => {
    const before = handles();
    const outside = torch.ones(1);
    let lost: Tensor | undefined;
    const result = torch.scope(() => {
      lost = torch.ones(5);
      outside.add_(lost.sum());
      const cyclic: Record<string, unknown> = { list: [torch.ones(1)], map: new Map([['a', torch.ones(2)]]) };
      cyclic.self = cyclic;
      return { cyclic, set: new Set([torch.ones(3)]), number: 5 };
    });
    assert.equal(lost?.isDisposed, true);
    assert.equal(outside.item(), 6);
    const { list, map } = result.cyclic as { list: Tensor[]; map: Map<string, Tensor> };
    assert.deepEqual(
      [list[0]?.item(), map.get('a')?.shape, [...result.set][0]?.shape, result.number],
      [1, [2], [3], 5],
    );
    assert.equal(handles() - before, 4);
    list[0]?.dispose();
    map.get('a')?.dispose();
    outside.dispose();
  });

  test('keeps gradients and what keep() names, through nested scopes', () => {
    const w = torch.ones(2, { requiresGrad: true });
    let kept: Tensor | undefined;
    let inner: Tensor | undefined;
    torch.scope(() => {
      torch.scope(() => {
        w.mul(3).sum().backward();
        kept = torch.keep(torch.full([1], 7));
        inner = torch.ones(1);
      });
      assert.equal(inner?.isDisposed, true);
      assert.equal(kept?.item(), 7);
    });
    assert.equal(kept?.item(), 7);
    assert.deepEqual(w.grad?.toArray(), [3, 3]);
    const free = torch.ones(1);
    assert.equal(torch.keep(free), free, 'outside of any scope it does nothing');
  });

  test('a result of an inner scope belongs to the outer one', () => {
    let passed: Tensor | undefined;
    torch.scope(() => {
      passed = torch.scope(() => torch.ones(1));
      assert.equal(passed.isDisposed, false);
    });
    assert.equal(passed?.isDisposed, true);
  });

  test('frees after an error, and survives a tensor that was disposed already', () => {
    let lost: Tensor | undefined;
    assert.throws(
      () =>
        torch.scope(() => {
          lost = torch.ones(1);
          throw new RangeError('inside');
        }),
      /^RangeError: inside$/,
    );
    assert.equal(lost?.isDisposed, true);
    const gone = torch.scope(() => {
      const x = torch.ones(1);
      x.dispose();
      return x;
    });
    assert.equal(gone.isDisposed, true);
  });

  test('a graph made in it still runs backward', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const loss = torch.scope(() => w.mul(2).exp().sum());
    loss.backward();
    assert.ok(Math.abs((w.grad?.at(0).item() ?? 0) - 2 * Math.exp(2)) < 1e-4);
  });
});

describe('using', () => {
  test('frees at the end of the block', () => {
    let seen: Tensor;
    {
      using x = torch.ones(2);
      seen = x;
      assert.equal(x.sum().item(), 2);
    }
    assert.equal(seen.isDisposed, true);
  });
});

describe('the leak finder', () => {
  afterEach(() => torch.trackLeaks(false));

  test('names the lines that made the oldest live tensors', () => {
    torch.trackLeaks(true);
    const kept: Tensor[] = [];
    const older = lineHere() + 1;
    for (let i = 0; i < 3; i++) kept.push(torch.zeros(100));
    const younger = lineHere() + 1;
    const other = (kept[0] as Tensor).add(1).mul(2);
    const dropped = () => torch.ones(50).add(1);
    dropped();
    const sites = torch.findLeaks();
    assert.match(sites[0]?.where ?? '', new RegExp(`memory\\.test\\.ts:${older}:\\d+$`));
    assert.equal(sites[0]?.tensors, 3);
    // What the collector is told: the elements and a little for each tensor itself.
    assert.ok((sites[0]?.bytes ?? 0) >= 1200 && (sites[0]?.bytes ?? 0) < 4000);
    assert.match(sites[1]?.where ?? '', new RegExp(`memory\\.test\\.ts:${younger}:\\d+$`));
    assert.equal(sites[1]?.tensors, 1);
    assert.equal(sites.length, 2, JSON.stringify(sites));
    assert.ok((sites[0]?.age ?? 0) > (sites[1]?.age ?? 0));
    assert.equal(torch.findLeaks({ top: 1 }).length, 1);
    for (const x of kept) x.dispose();
    assert.equal(torch.findLeaks().length, 1);
    assert.equal(other.at(0).item(), 2);
  });

  test('knows of nothing before it is on', () => {
    throwsArgument(() => torch.findLeaks(), /call torch\.trackLeaks\(true\) before/);
    const early = torch.ones(3);
    torch.trackLeaks(true);
    assert.deepEqual(torch.findLeaks(), []);
    assert.equal(early.sum().item(), 3);
  });
});

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const chosen = Object.keys(process.env).some((name) => name.startsWith('MALLOC_') || name === 'GLIBC_TUNABLES');
const onGlibc = header.glibcVersionRuntime !== undefined && !chosen;

describe('torch.emptyCache', () => {
  test('gives back what is kept: steps fault no memory in, until it is called', { skip: !onGlibc }, () => {
    const { status, stdout, stderr } = runProgram(`
      import { readFileSync } from 'node:fs';
      const resident = () => Number(/^VmRSS:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
      const faults = () => process.resourceUsage().minorPageFault;
      const step = () => torch.scope(() => void torch.ones(64, 1024, 1024).add(1));  // 512 MB
      const faultsOf = () => {
        const before = faults();
        step();
        return faults() - before;
      };
      // Until all places that are wanted lie in the heap, some steps still bring pages of it.
      let within = Infinity;
      for (let i = 0; i < 40 && within >= 100; i++) within = faultsOf();
      const kept = resident();
      torch.emptyCache();
      const left = resident();
      step();
      console.log(JSON.stringify({ within, kept, left, again: resident(), sum: torch.ones(3).sum().item() }));`);
    assert.equal(status, 0, stderr);
    const { within, kept, left, again, sum } = JSON.parse(stdout);
    // Without it each step would bring 131,072 pages of 4 KiB, or 256 of 2 MiB; a step in memory that is kept brings 16.
    assert.ok(within < 100, `${within} faults in the 40th step`);
    assert.ok(kept > 500 && left < kept - 400 && again > 500, `${kept} MB kept, ${left} left, ${again} again`);
    assert.equal(sum, 3);
  });

  test("leaves the heap alone where glibc's own variables are set", { skip: !onGlibc }, () => {
    const { status, stdout, stderr } = runProgram(
      `
      const { engineSettings } = await import('../../src/torch/load.js');
      console.log(engineSettings().some(({ name }) => name === 'heap'));`,
      60,
      { MALLOC_TRIM_THRESHOLD_: '1000000' },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout.trim(), 'false');
  });
});
