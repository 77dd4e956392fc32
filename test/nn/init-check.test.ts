import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { type Block, ConvNet, deepSizes, eachHidden, kaiming, mlp, ResNet, ViT, weighted } from './init-nets.js';

type Batch = { readonly input: Tensor; readonly target: Tensor };

const vectors = (): Batch => ({ input: torch.randn(64, 20), target: torch.randint(10, [64]) });
const images = (): Batch => ({ input: torch.randn(16, 3, 32, 32), target: torch.randint(10, [16]) });

const codes = (report: nn.init.CheckReport): string[] => report.findings.map((finding) => finding.code);

/** The layer that computes the logits. */
const last = (model: nn.AnyModule): nn.Linear => weighted(model).at(-1) as nn.Linear;

class Tagger extends nn.Module {
  words = new nn.Embedding(50, 16);
  memory = new nn.LSTM(16, 16, { batchFirst: true });
  head = new nn.Linear(16, 10);
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.memory.forward(this.words.forward(x))[0].select(1, -1));
  }
}

/** Residual blocks whose last layer starts at zero, on purpose. */
class Fixup extends nn.Module {
  stem = new nn.Linear(20, 32);
  ups = new nn.ModuleList(Array.from({ length: 6 }, () => new nn.Linear(32, 32)));
  downs = new nn.ModuleList(Array.from({ length: 6 }, () => new nn.Linear(32, 32)));
  head = new nn.Linear(32, 10);
  constructor() {
    super();
    for (const down of this.downs) nn.init.zeros_((down as nn.Linear).weight);
  }
  override forward(input: Tensor): Tensor {
    let x = this.stem.forward(input);
    for (let i = 0; i < this.ups.length; i++)
      x = x.add((this.downs.at(i) as nn.Linear).forward((this.ups.at(i) as nn.Linear).forward(x).relu()));
    return this.head.forward(x);
  }
}

const separable = (): nn.Module => {
  // A depthwise kernel that is the same for all channels makes no copies: each channel sees its own input.
  const depthwise = new nn.Conv2d(8, 8, 3, { padding: 1, groups: 8 });
  nn.init.constant_(depthwise.weight, 1 / 9);
  return new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { stride: 2 }),
    depthwise,
    new nn.ReLU(),
    new nn.Conv2d(8, 16, 1),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1) as unknown as nn.Module,
    new nn.Flatten(),
    new nn.Linear(16, 10),
  );
};

const healthy: Readonly<Record<string, () => [nn.AnyModule, Batch]>> = {
  'a shallow MLP': () => [mlp([20, 32, 10]), vectors()],
  'an MLP of six layers as PyTorch starts it': () => [mlp(deepSizes(20, 64, 6, 10)), vectors()],
  'a deep MLP with Kaiming’s weights': () => [kaiming(mlp(deepSizes(20, 128, 30, 10))), vectors()],
  'a tanh MLP with Xavier’s': () => {
    const net = mlp(deepSizes(20, 64, 5, 10), () => new nn.Tanh());
    eachHidden(net, ({ weight }) => nn.init.xavierUniform_(weight, { gain: nn.init.calculateGain('tanh') }));
    return [net, vectors()];
  },
  'the text’s ConvNet, shallow': () => [new ConvNet(1), images()],
  'the text’s ConvNet, deep': () => [new ConvNet(12), images()],
  'a ResNet': () => [new ResNet(3), images()],
  'a deep ResNet whose blocks start closed': () => [new ResNet(16, true), images()],
  'a shallow Vision Transformer': () => [new ViT(1), images()],
  'a deep Vision Transformer': () => [new ViT(12), images()],
  'residual branches that start at zero': () => [new Fixup(), vectors()],
  'a separable ConvNet with equal depthwise kernels': () => [separable(), images()],
  'words through an LSTM': () => [new Tagger(), { input: torch.randint(50, [32, 7]), target: torch.randint(10, [32]) }],
  'an MLP after initFromData': () => {
    const net = mlp(deepSizes(20, 64, 12, 10));
    const batch = vectors();
    nn.init.initFromData(net, batch.input);
    return [net, batch];
  },
};

interface Fault {
  readonly plant: () => [nn.AnyModule, Batch];
  /** What must be named. */
  readonly code: nn.init.FindingCode;
  /** A layer that must be named with it. */
  readonly layer: string;
  readonly optimiser?: string;
}

const planted: Readonly<Record<string, Fault>> = {
  'all weights zero, as in the text': {
    plant: () => {
      const net = mlp([20, 16, 10]);
      for (const { weight, bias } of weighted(net)) {
        nn.init.zeros_(weight);
        nn.init.zeros_(bias as Tensor);
      }
      return [net, vectors()];
    },
    code: 'zeroLayer',
    layer: '0',
    optimiser: 'SGD',
  },
  'one hidden layer of zeros': {
    plant: () => {
      const net = mlp(deepSizes(20, 32, 3, 10));
      nn.init.zeros_((weighted(net)[1] as nn.Linear).weight);
      return [net, vectors()];
    },
    code: 'zeroLayer',
    layer: '2',
  },
  'a convolution of zeros where nothing goes around it': {
    plant: () => {
      const net = new ConvNet(2);
      nn.init.zeros_((net.getSubmodule('network.0') as unknown as nn.Conv2d).weight);
      return [net, images()];
    },
    code: 'zeroLayer',
    layer: 'network.0',
  },
  'all weights one constant, as in the text': {
    plant: () => {
      const net = mlp([20, 16, 10]);
      for (const { weight, bias } of weighted(net)) {
        nn.init.constant_(weight, 0.05);
        nn.init.zeros_(bias as Tensor);
      }
      return [net, vectors()];
    },
    code: 'symmetricUnits',
    layer: '0',
  },
  'one constant convolution in a ConvNet': {
    plant: () => {
      const net = new ConvNet(2);
      const { c1 } = net.getSubmodule('network.1') as Block;
      nn.init.constant_(c1.weight, 0.01);
      nn.init.zeros_(c1.bias as Tensor);
      return [net, images()];
    },
    code: 'symmetricUnits',
    layer: 'network.1.c1',
  },
  'weights far too small in a deep net': {
    plant: () => {
      const net = mlp(deepSizes(20, 64, 10, 10));
      eachHidden(net, ({ weight }) => nn.init.normal_(weight, { std: 0.01 }));
      return [net, vectors()];
    },
    code: 'vanishingActivations',
    layer: '6',
  },
  'weights far too large in a deep net': {
    plant: () => {
      const net = mlp(deepSizes(20, 64, 10, 10));
      eachHidden(net, ({ weight }) => nn.init.normal_(weight));
      return [net, vectors()];
    },
    code: 'explodingActivations',
    layer: '6',
  },
  'a deep net of sigmoids': {
    plant: () => [mlp(deepSizes(20, 64, 12, 10), () => new nn.Sigmoid()), vectors()],
    code: 'vanishingGradients',
    layer: '0',
  },
  'a final layer of zeros under Adam': {
    plant: () => {
      const net = new ConvNet(2);
      nn.init.zeros_(last(net).weight);
      nn.init.zeros_(last(net).bias as Tensor);
      return [net, images()];
    },
    code: 'zeroFinalLayer',
    layer: 'network.3',
    optimiser: 'Adam',
  },
  'units that are all off': {
    plant: () => {
      const net = mlp(deepSizes(20, 32, 2, 10));
      nn.init.constant_((weighted(net)[1] as nn.Linear).bias as Tensor, -100);
      return [net, vectors()];
    },
    code: 'noGradient',
    layer: '2',
  },
  'logits far too large': {
    plant: () => {
      const net = new ViT(2);
      nn.init.normal_(net.head.weight, { std: 2 });
      return [net, images()];
    },
    code: 'firstLossTooHigh',
    layer: 'head',
  },
  'NaN in a weight': {
    plant: () => {
      const net = new ResNet(2);
      torch.noGrad(() => net.head.weight.select(0, 0).fill_(Number.NaN));
      return [net, images()];
    },
    code: 'notFinite',
    layer: 'head',
  },
};

describe('the check of an initialisation', () => {
  for (const [name, make] of Object.entries(healthy))
    test(`is silent on ${name}`, () => {
      for (const seed of [1, 2, 3]) {
        torch.manualSeed(seed);
        const [net, batch] = make();
        for (const optimiser of ['SGD', 'AdamW']) {
          const report = nn.init.check(net, batch, { optimiser });
          assert.deepEqual(codes(report), [], `seed ${seed}\n${report}`);
          assert.ok(report.ok);
        }
      }
    });

  for (const [name, { plant, code, layer, optimiser = 'AdamW' }] of Object.entries(planted))
    test(`names ${name}`, () => {
      for (const seed of [1, 2, 3]) {
        torch.manualSeed(seed);
        const [net, batch] = plant();
        const report = nn.init.check(net, batch, { optimiser });
        const finding = report.findings.find((x) => x.code === code);
        assert.ok(finding, `seed ${seed}: ${code} is not among what it found\n${report}`);
        assert.ok(finding.layers.includes(layer), `${layer} is not among ${finding.layers.join(', ')}`);
        assert.ok(!report.ok && finding.severity !== 'note');
        assert.ok(
          finding.message.endsWith('.') &&
            finding.evidence.length > 10 &&
            /nn\.init|look for|SGD/i.test(finding.remedy),
        );
      }
    });

  test('zeros in the final layer: fine with SGD, harmful with an adaptive optimiser, worth a note when it is not said', () => {
    torch.manualSeed(4);
    const net = new ConvNet(2);
    nn.init.zeros_(last(net).weight);
    const batch = images();
    assert.deepEqual(codes(nn.init.check(net, batch, { optimiser: 'SGD' })), []);
    assert.deepEqual(codes(nn.init.check(net, batch, { optimiser: new optim.SGD(net.parameters(), { lr: 0.1 }) })), []);
    for (const optimiser of [
      new optim.AdamW(net.parameters()),
      new optim.RMSprop(net.parameters()),
      new optim.Lion(net.parameters()),
      'adam',
    ])
      assert.deepEqual(codes(nn.init.check(net, batch, { optimiser })), ['zeroFinalLayer']);
    const unsaid = nn.init.check(net, batch);
    assert.deepEqual(codes(unsaid), ['zeroFinalLayer']);
    assert.equal(unsaid.findings[0]?.severity, 'note');
    assert.ok(unsaid.ok);
    assert.ok(last(net).weight.abs().max().item() === 0, 'the zeros are still there');
  });

  test('tells copies that stay copies from those that part', () => {
    torch.manualSeed(5);
    const [all, batch] = (planted['all weights one constant, as in the text'] as Fault).plant();
    assert.match(String(nn.init.check(all, batch)), /get the same gradient: they stay one unit for good/);
    const one = mlp([20, 16, 10]);
    nn.init.constant_((weighted(one)[0] as nn.Linear).weight, 0.05);
    nn.init.zeros_((weighted(one)[0] as nn.Linear).bias as Tensor);
    const report = nn.init.check(one, batch);
    assert.match(String(report), /start as copies/);
    assert.equal(report.layers[0]?.symmetricUnits, 16);
    assert.equal(report.layers[1]?.symmetricUnits, 0);
  });

  test('measures what it says: spread, gradient, first loss', () => {
    torch.manualSeed(6);
    const net = new nn.Sequential(new nn.Linear(6, 5), new nn.Tanh(), new nn.Linear(5, 3));
    const input = torch.randn(40, 6);
    const target = torch.randint(3, [40]);
    const report = nn.init.check(net, { input, target });
    const hidden = (net.modules()[1] as nn.Linear).forward(input);
    const near = (a: number | undefined, b: number): void =>
      assert.ok(Math.abs((a as number) / b - 1) < 1e-5, `${a}, ${b}`);
    near(report.layers[0]?.activation, hidden.std(false).item());
    near(report.layers[0]?.signal, hidden.var([0], { correction: 0 }).mean().sqrt().item());
    const logits = net.forward(input);
    near(report.firstLoss, torch.logSoftmax(logits, 1).gather(1, target.unsqueeze(1)).mean().neg().item());
    near(report.chanceLoss, Math.log(3));
    // d loss / d logits = (softmax − one-hot) / samples
    const gradient = logits
      .softmax(1)
      .sub(torch.zeros(40, 3).scatter(1, target.unsqueeze(1), 1))
      .div(40);
    near(report.layers[1]?.gradient, gradient.norm().item() * Math.sqrt(40));
    near(report.layers[1]?.weightGradient, gradient.t().matmul(hidden.tanh()).square().mean().sqrt().item());
  });

  test('leaves the model exactly as it was', () => {
    torch.manualSeed(7);
    const net = new ResNet(2);
    nn.init.zeros_(net.head.weight);
    const { input, target } = images();
    net.forward(input).sum().backward();
    net.blocks.eval();
    const state = new Map(Object.entries(net.stateDict()).map(([name, tensor]) => [name, tensor.clone()]));
    const gradients = net.parameters().map((parameter) => parameter.grad?.clone() as Tensor);
    const modes = net.modules().map((module) => module.training);
    const random = torch.getRngState();
    nn.init.check(net, { input, target }, { optimiser: 'AdamW' });
    for (const [name, tensor] of Object.entries(net.stateDict()))
      assert.ok(torch.equal(tensor, state.get(name) as Tensor), name);
    net.parameters().forEach((parameter, i) => {
      assert.ok(torch.equal(parameter.grad as Tensor, gradients[i] as Tensor));
    });
    assert.deepEqual(
      net.modules().map((module) => module.training),
      modes,
    );
    assert.ok(torch.equal(torch.getRngState(), random));
    assert.ok(!Object.hasOwn(net.head, 'forward'));
  });

  test('other losses, targets, inputs alone, frozen trunks', () => {
    torch.manualSeed(8);
    const net = mlp([20, 32, 1]);
    const input = torch.randn(64, 20);
    const regression = nn.init.check(net, { input, target: torch.randn(64, 1) });
    assert.ok(regression.ok && regression.firstLoss > 0 && Number.isNaN(regression.chanceLoss));
    const own = nn.init.check(
      net,
      { input, target: torch.randn(64) },
      { loss: (y, t) => y.squeeze(1).sub(t).abs().mean() },
    );
    assert.ok(own.ok && own.firstLoss > 0);
    const alone = nn.init.check(net, input);
    assert.ok(alone.ok && Number.isNaN(alone.firstLoss));
    assert.ok((alone.layers[0]?.gradient as number) > 0);
    const trunk = mlp([20, 32, 10]);
    (trunk.modules()[1] as nn.Linear).requiresGrad_(false);
    assert.ok(nn.init.check(trunk, vectors()).ok);
    const dense = new nn.Sequential(new nn.Conv2d(3, 8, 3, { padding: 1 }), new nn.ReLU(), new nn.Conv2d(8, 5, 1));
    const segmentation = nn.init.check(dense, { input: torch.randn(4, 3, 8, 8), target: torch.randint(5, [4, 8, 8]) });
    assert.ok(segmentation.ok && Math.abs(segmentation.chanceLoss - Math.log(5)) < 1e-12);
  });

  test('warns of a first loss that is too good', () => {
    torch.manualSeed(9);
    const net = new nn.Sequential(new nn.Linear(10, 10));
    const layer = net.modules()[1] as nn.Linear;
    nn.init.eye_(layer.weight);
    const target = torch.randint(10, [64]);
    const input = torch.zeros(64, 10).scatter(1, target.unsqueeze(1), 8);
    assert.deepEqual(codes(nn.init.check(net, { input, target })), ['firstLossTooLow']);
  });

  test('bad input gets one clear sentence', () => {
    const says = (run: () => unknown, pattern: RegExp): void => {
      assert.throws(run, (error: Error) => pattern.test(error.message) && !error.message.includes('\n'));
    };
    const net = mlp([4, 4]);
    const input = torch.randn(8, 4);
    says(() => nn.init.check(net, input, { optimiser: 'wizard' }), /'wizard' is no optimiser/);
    says(() => nn.init.check(net, { input, target: torch.zeros(8, 3) }), /no loss is obvious.*\[8, 4\].*\[8, 3\]/);
    says(() => nn.init.check(net, { input, target: 3 as unknown as Tensor }), /target of the batch must be a Tensor/);
    says(() => nn.init.check(new nn.ReLU(), input), /no layer with weights/);
    says(() => nn.init.check(null as unknown as nn.AnyModule, input), /must be a module, got null/);
  });
});
