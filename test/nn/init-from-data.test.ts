import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as nn from '../../src/nn/index.js';
import { Tensor, torch } from '../../src/torch/index.js';
import { ConvNet, deepSizes, kaiming, mlp, ResNet, ViT } from './init-nets.js';

/** Standard deviation of each linear and convolutional layer's outputs, measured here, apart from the tool. */
function spreads(model: nn.AnyModule, ...inputs: unknown[]): Map<string, number> {
  const seen = new Map<string, number>();
  const handles = model.namedModules().flatMap(([name, module]) => {
    if (!(module instanceof nn.Linear || module instanceof nn.Conv2d || module instanceof nn.MultiheadAttention))
      return [];
    return module.registerForwardHook((_, __, output) => {
      const tensor = (output instanceof Tensor ? output : output[0]) as Tensor;
      seen.set(name, tensor.detach().flatten().std().item());
    });
  });
  torch.noGrad(() => model.forward(...inputs));
  for (const handle of handles) handle.remove();
  return seen;
}

const everything = (model: nn.AnyModule): Map<string, Tensor> =>
  new Map(Object.entries(model.stateDict()).map(([name, tensor]) => [name, tensor.clone()]));

function assertSame(before: ReadonlyMap<string, Tensor>, model: nn.AnyModule, only: (name: string) => boolean): void {
  let compared = 0;
  for (const [name, tensor] of Object.entries(model.stateDict())) {
    if (!only(name)) continue;
    assert.ok(torch.equal(tensor, before.get(name) as Tensor), name);
    compared++;
  }
  assert.ok(compared > 0);
}

const closeToOne = (report: nn.init.InitFromDataReport): void => {
  for (const layer of report.layers) assert.ok(Math.abs(layer.after - 1) <= 0.05, `${layer.name}: ${layer.after}`);
};

describe('initialisation from data', () => {
  test('30 layers where Kaiming drifts by more than 2: every layer within 5 % of 1, in 3 forward passes', () => {
    torch.manualSeed(7);
    const net = kaiming(mlp(deepSizes(64, 64, 29, 64)));
    const batch = torch.randn(64, 64);
    const drift = [...spreads(net, batch).values()];
    assert.equal(drift.length, 30);
    assert.ok(
      Math.max(...drift) / Math.min(...drift) > 2,
      `Kaiming drifts by ${Math.max(...drift) / Math.min(...drift)}`,
    );

    let passes = 0;
    const counter = net.registerForwardHook(() => {
      passes++;
    });
    const report = nn.init.initFromData(net, batch);
    counter.remove();
    const after = [...spreads(net, batch).values()];
    for (const [i, spread] of after.entries()) assert.ok(Math.abs(spread - 1) <= 0.05, `layer ${i}: ${spread}`);
    closeToOne(report);
    assert.ok(report.worst < 0.001, `${report.worst}`);
    // Three passes per layer would be 90; it is three for all of them.
    assert.equal(passes, 3);
    assert.equal(report.forwardPasses, 3);
    report.layers.forEach((layer, i) => {
      assert.ok(Math.abs(layer.before / (drift[i] as number) - 1) < 1e-3);
    });
  });

  test('a deep plain ConvNet, biases that matter included', () => {
    torch.manualSeed(8);
    const layers: nn.Module[] = [new nn.Conv2d(3, 16, 3, { padding: 1 })];
    for (let i = 0; i < 14; i++) layers.push(new nn.ReLU(), new nn.Conv2d(16, 16, 3, { padding: 1 }));
    layers.push(new nn.ReLU(), new nn.ConvTranspose2d(16, 4, 2, { stride: 2 }) as unknown as nn.Module);
    const net = new nn.Sequential(...layers);
    for (const layer of layers)
      if (layer instanceof nn.Conv2d) nn.init.uniform_(layer.bias as Tensor, { a: -0.8, b: 0.8 });
    const batch = torch.randn(8, 3, 12, 12);
    const biases = everything(net);
    const report = nn.init.initFromData(net, batch);
    assert.equal(report.layers.length, 16);
    closeToOne(report);
    assertSame(biases, net, (name) => name.endsWith('bias'));
  });

  test('residual blocks, batch norm, attention', () => {
    torch.manualSeed(9);
    const images = torch.randn(16, 3, 32, 32);
    for (const net of [new ConvNet(3), new ResNet(4), new ViT(3)]) {
      const report = nn.init.initFromData(net, images);
      closeToOne(report);
      assert.equal(report.forwardPasses, 3);
    }
    const vit = new ViT(2);
    const report = nn.init.initFromData(vit, images);
    // Query, key, value and output projection of each attention layer count as layers of their own.
    const parts = report.layers.filter((layer) => layer.name.startsWith('encoders.0.attention')).map((x) => x.name);
    assert.deepEqual(parts, [
      'encoders.0.attention (query)',
      'encoders.0.attention (key)',
      'encoders.0.attention (value)',
      'encoders.0.attention.out_proj',
    ]);
    vit.eval();
    const measured = spreads(vit, images);
    assert.ok(Math.abs((measured.get('encoders.1.attention') as number) - 1) < 0.01);
  });

  test('attention with keys and values of other sizes, and a transformer from nn', () => {
    torch.manualSeed(10);
    class Cross extends nn.Module<[Tensor, Tensor]> {
      attention = new nn.MultiheadAttention(16, 2, { kdim: 6, vdim: 10, batchFirst: true });
      override forward(x: Tensor, context: Tensor): Tensor {
        return this.attention.forward(x, context.narrow(-1, 0, 6), context)[0];
      }
    }
    const report = nn.init.initFromData(new Cross() as unknown as nn.AnyModule, [
      torch.randn(4, 5, 16),
      torch.randn(4, 7, 10),
    ]);
    assert.equal(report.layers.length, 4);
    closeToOne(report);
    const encoder = new nn.TransformerEncoderLayer(16, 2, { dimFeedforward: 32, batchFirst: true });
    closeToOne(nn.init.initFromData(encoder as unknown as nn.AnyModule, torch.randn(8, 5, 16)));
  });

  test('leaves everything else exactly as it was', () => {
    torch.manualSeed(11);
    const net = new ResNet(2);
    net.blocks.eval();
    let calls = 0;
    net.stem.registerForwardHook(() => {
      calls++;
    });
    const batch = torch.randn(8, 3, 16, 16);
    net.train();
    net.blocks.eval();
    const state = everything(net);
    const modes = net.modules().map((module) => module.training);
    const random = torch.getRngState();
    const parameters = net.parameters();
    nn.init.initFromData(net, batch);
    const tuned = new Set(['stem.weight', 'head.weight']);
    assertSame(state, net, (name) => !(tuned.has(name) || /c[12]\.weight$/.test(name)));
    assert.ok([...state.keys()].some((name) => name.endsWith('running_mean')));
    assert.deepEqual(
      net.modules().map((module) => module.training),
      modes,
    );
    assert.ok(torch.equal(torch.getRngState(), random));
    net.parameters().forEach((parameter, i) => {
      assert.equal(parameter, parameters[i]);
      assert.ok(parameter.requiresGrad && parameter.isLeaf && parameter.grad === null);
    });
    // Hooks of the user ran and are still there; ours are gone.
    const during = calls;
    assert.equal(during, 3);
    net.forward(batch);
    assert.equal(calls, during + 1);
    assert.ok(!Object.hasOwn(net.head, 'forward'));
  });

  test('excepted, frozen, shared, zero and unreached layers are left alone, and it says so', () => {
    torch.manualSeed(12);
    class Odd extends nn.Module {
      trunk = new nn.Linear(8, 8);
      frozen = new nn.Linear(8, 8);
      zero = new nn.Linear(8, 8);
      one = new nn.Linear(8, 8, { bias: false });
      two = new nn.Linear(8, 8, { bias: false });
      unused = new nn.Linear(8, 8);
      memory = new nn.LSTM(8, 8, { batchFirst: true });
      head = new nn.Linear(8, 3);
      override forward(x: Tensor): Tensor {
        const a = this.frozen.forward(this.trunk.forward(x));
        const b = this.two.forward(this.one.forward(a)).add(this.zero.forward(a));
        return this.head.forward(this.memory.forward(b.unsqueeze(1))[0].select(1, 0));
      }
    }
    const net = new Odd();
    net.frozen.requiresGrad_(false);
    nn.init.zeros_(net.zero.weight);
    net.two.weight = net.one.weight;
    const report = nn.init.initFromData(net, torch.randn(32, 8), { except: ['trunk'] });
    const notes = new Map(report.layers.map((layer) => [layer.name, layer.note]));
    assert.match(String(notes.get('trunk')), /excepted/);
    assert.match(String(notes.get('frozen')), /frozen/);
    assert.match(String(notes.get('zero')), /do not vary/);
    assert.match(String(notes.get('two')), /shares its weights with 'one'/);
    assert.match(String(notes.get('unused')), /not reached/);
    assert.match(String(notes.get('memory')), /not one weight/);
    const after = new Map(report.layers.map((layer) => [layer.name, layer.after]));
    for (const name of ['one', 'head']) assert.ok(Math.abs((after.get(name) as number) - 1) < 0.05, name);
    for (const name of ['trunk', 'frozen', 'zero', 'unused', 'memory'])
      assert.equal(report.layers.find((layer) => layer.name === name)?.scale, 1, name);
  });

  test('a layer whose outputs do not follow its weights is put back, and the others still come right', () => {
    torch.manualSeed(13);
    class Standardised extends nn.Linear {
      override forward(x: Tensor): Tensor {
        return x.matmul(this.weight.div(this.weight.norm().mul(0.1)).t());
      }
    }
    const stubborn = new Standardised(16, 16);
    const before = stubborn.weight.detach().clone();
    const net = new nn.Sequential(new nn.Linear(16, 16), stubborn, new nn.Linear(16, 16));
    const report = nn.init.initFromData(net, torch.randn(32, 16));
    assert.match(String(report.layers[1]?.note), /do not follow/);
    assert.ok(torch.equal(stubborn.weight.detach(), before));
    for (const i of [0, 2]) assert.ok(Math.abs((report.layers[i]?.after as number) - 1) < 0.05, `layer ${i}`);
  });

  test('another target, half precision, embeddings, a custom run, several inputs', () => {
    torch.manualSeed(14);
    const net = mlp([16, 32, 32, 8]);
    const halved = nn.init.initFromData(net, torch.randn(64, 16), { target: 0.5 });
    for (const layer of halved.layers) assert.ok(Math.abs(layer.after - 0.5) < 0.02);
    const small = mlp([16, 32, 8]).to('bfloat16');
    closeToOne(nn.init.initFromData(small, torch.randn(64, 16).to('bfloat16')));
    const words = new nn.Sequential(new nn.Embedding(20, 16), new nn.Linear(16, 4));
    closeToOne(nn.init.initFromData(words, torch.randint(20, [16, 5])));
    const twice = mlp([4, 8, 8]);
    closeToOne(
      nn.init.initFromData(twice, [torch.randn(32, 4), 3], { run: ([x]) => twice.forward((x as Tensor).mul(3)) }),
    );
  });

  test('prints a table', () => {
    torch.manualSeed(15);
    const text = String(nn.init.initFromData(mlp([4, 8, 2]), torch.randn(32, 4)));
    assert.match(text, /^layer +kind +before +after +weights\n0 +Linear +0\.\d+ +1\.000 +× 1\.\d+\n2 +Linear/);
    assert.match(text, /3 forward passes$/);
  });

  test('when something fails nothing has changed, and the message says where', () => {
    torch.manualSeed(16);
    class Failing extends nn.Module {
      first = new nn.Linear(4, 4);
      norm = new nn.BatchNorm1d(4);
      passes = 0;
      override forward(x: Tensor): Tensor {
        const y = this.norm.forward(this.first.forward(x));
        if (++this.passes === 2) throw new Error('planted');
        return y;
      }
    }
    const net = new Failing();
    const state = everything(net);
    assert.throws(() => nn.init.initFromData(net, torch.randn(8, 4)), /planted/);
    assertSame(state, net, () => true);
    assert.ok(net.training && !Object.hasOwn(net.first, 'forward'));

    const nan = mlp([4, 4, 4]);
    nn.init.constant_((nan.modules()[3] as nn.Linear).bias as Tensor, Number.POSITIVE_INFINITY);
    assert.throws(() => nn.init.initFromData(nan, torch.randn(8, 4)), /outputs of '2' are not finite/);
    const says = (run: () => unknown, pattern: RegExp): void => {
      assert.throws(run, (error: Error) => pattern.test(error.message) && !error.message.includes('\n'));
    };
    says(() => nn.init.initFromData(net, torch.randn(8, 4), { target: 0 }), /positive number, got 0/);
    says(() => nn.init.initFromData(net, torch.empty(0, 4)), /no elements.*\[0, 4\]/);
    says(() => nn.init.initFromData(net, 'x' as unknown as Tensor), /batch must be/);
    says(() => nn.init.initFromData(new nn.ReLU(), torch.randn(8, 4)), /no layer with weights/);
    says(() => nn.init.initFromData(net, torch.randn(8, 4), { except: ['frist'] }), /no module 'frist'.*first/);
    says(() => nn.init.initFromData({} as nn.AnyModule, torch.randn(8, 4)), /must be a module/);
  });
});
