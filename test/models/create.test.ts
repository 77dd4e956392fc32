import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, torch } from '../../src/index.js';
import {
  CifarResNet,
  ConvNet,
  ConvNeXt,
  createModel,
  MLP,
  type ModelOptions,
  modelNames,
  modelSpec,
  ResNet,
  VisionTransformer,
} from '../../src/models/index.js';
import { throwsArgument } from '../support/throws.js';

describe('models by name', () => {
  test('each is made, learns all it holds, answers with logits, and has a spec', () => {
    assert.ok(modelNames().length >= 15);
    for (const name of modelNames()) {
      const spec = modelSpec(name);
      for (const text of [spec.summary, spec.when, spec.source]) assert.ok(text.length > 10, name);
      assert.ok(spec.source.includes('http') || name === 'convnet', name);
      const small = { width: 64, depth: name.startsWith('resnet') ? undefined : 1 };
      const kept = Object.entries(small).filter(([option]) => (spec.takes as readonly string[]).includes(option));
      const net = createModel(name, { classes: 3, size: [32, 32], ...Object.fromEntries(kept) } as ModelOptions);
      net.train();
      const logits = net.forward(torch.rand(2, 3, 32, 32));
      assert.deepEqual(logits.shape, [2, 3], name);
      logits.square().sum().backward();
      const unused = net.namedParameters().filter(([, parameter]) => parameter.grad === null);
      assert.deepEqual(
        unused.map(([key]) => key),
        [],
        `${name}: parameters without a gradient`,
      );
      net.eval();
      assert.equal(torch.noGrad(() => net.forward(torch.rand(1, 3, 32, 32))).size(0), 1);
    }
  });

  test('the same seed gives the same weights, a copy and a state dict carry them', () => {
    for (const name of ['convnet', 'resnet-small', 'vit-tiny']) {
      const make = (): nn.Module => {
        torch.manualSeed(5);
        return createModel(name, { classes: 4, width: 64, size: [32, 32] });
      };
      const first = make();
      const second = make();
      for (const [key, value] of first.namedParameters()) assert.ok(torch.equal(value, second.getParameter(key)), key);
      const other = createModel(name, { classes: 4, width: 64, size: [32, 32] });
      other.loadStateDict(first.stateDict());
      const input = torch.rand(2, 3, 32, 32);
      const answer = (net: nn.Module) => torch.noGrad(() => net.eval().forward(input));
      assert.ok(torch.equal(answer(first), answer(other)));
      assert.ok(torch.equal(answer(first), answer(first.deepCopy())));
    }
  });

  test('names are forgiving, options are not', () => {
    assert.equal(modelSpec('ViT_Tiny').name, 'vit-tiny');
    assert.equal(modelSpec('ResNet18').name, 'resnet18');
    throwsArgument(() => createModel('resnet19', { classes: 2 }), /no model 'resnet19'; did you mean 'resnet18'\?/);
    throwsArgument(() => createModel('alexandria', { classes: 2 }), /choose one of mlp, convnet/);
    throwsArgument(() => createModel('convnet', { classes: 0 }), /convnet: classes must be a whole number/);
    throwsArgument(() => createModel('convnet', {} as ModelOptions), /classes must be a whole number/);
    throwsArgument(() => createModel('convnet', { classes: 2, dropout: 0.1 }), /there is no option 'dropout'/);
    throwsArgument(
      () => createModel('resnet18', { classes: 2, dropuot: 0.1 } as ModelOptions),
      /did you mean 'dropout'/,
    );
    throwsArgument(() => createModel('resnet18', { classes: 2, dropout: 1 }), /from 0 to below 1/);
    throwsArgument(() => createModel('resnet18', { classes: 2, width: 8, widths: [1, 2, 3, 4] }), /either width/);
    throwsArgument(() => createModel('resnet18', { classes: 2, widths: [8, 8] }), /widths must be a list of 4 whole/);
    throwsArgument(() => createModel('resnet20', { classes: 2, depth: 21 }), /6n \+ 2/);
    throwsArgument(
      () => createModel('vit-tiny', { classes: 2, size: [100, 100] }),
      /100 × 100 cannot be cut into patches/,
    );
    throwsArgument(() => createModel('vit-tiny', { classes: 2, size: [32] as unknown as [number, number] }), /size/);
    throwsArgument(() => new VisionTransformer({ width: 100, heads: 3 }), /cannot be split into 3 heads/);
    throwsArgument(() => new ResNet({ stem: 'large' as 'cifar' }), /no stem 'large': choose imagenet/);
    throwsArgument(() => new ConvNet({ chanels: 3 } as object), /did you mean 'channels'/);
    throwsArgument(() => new MLP({ inputs: 4, hidden: [0] }), /hidden must be a whole number/);
    throwsArgument(() => new ConvNeXt({ blocks: [1, 2], widths: [8] }), /widths must be a list of 2/);
    assert.doesNotThrow(() => createModel('resnet18', { classes: 2, width: 8, dropout: undefined }));
  });

  test('a picture of another size is refused by a transformer in words', () => {
    const net = createModel('vit-tiny', { classes: 2, size: [32, 32], width: 64, depth: 1 });
    throwsArgument(() => net.forward(torch.rand(1, 3, 48, 48)), /is made for \[n, 3, 32, 32\], got \[1, 3, 48, 48\]/);
  });

  test('residual networks: stems, depths and widths, dropout and averaging shortcuts', () => {
    const net = new ResNet({
      blocks: [1, 2, 1],
      widths: [8, 12, 20],
      stem: { kernel: 5, stride: 2, pool: false },
      averageDown: true,
      zeroInitResidual: true,
      dropout: 0.3,
      classes: 4,
      inputChannels: 1,
    });
    assert.deepEqual((net.conv1 as nn.Conv2d).weight.shape, [8, 1, 5, 5]);
    assert.deepEqual(net.forward(torch.rand(2, 1, 21, 17)).shape, [2, 4]);
    assert.equal(net.layer3.length, 1);
    assert.ok(net.fc instanceof nn.Linear && net.fc.inFeatures === 20);
    const zero = net
      .namedParameters()
      .filter(([key, value]) => key.endsWith('weight') && value.abs().max().item() === 0);
    assert.deepEqual(
      zero.map(([key]) => key),
      ['layer1.0.bn2.weight', 'layer2.0.bn2.weight', 'layer2.1.bn2.weight', 'layer3.0.bn2.weight'],
    );
    const sizes: Record<string, number[]> = {};
    for (const stem of ['imagenet', 'cifar', 'half', 'quarter', 'patch4', 'deep'] as const) {
      const with_ = new ResNet({ blocks: [1], widths: [4], stem, classes: 2 });
      with_.layer1.registerForwardHook((_module, _inputs, output) => {
        sizes[stem] = [...output.shape.slice(2)];
      });
      with_.forward(torch.rand(1, 3, 32, 32));
    }
    assert.deepEqual(sizes, {
      ...{ imagenet: [8, 8], cifar: [32, 32], half: [16, 16], quarter: [8, 8], patch4: [8, 8], deep: [8, 8] },
    });
    const deep = new ResNet({ blocks: [1, 1], widths: [5, 6], stem: 'deep', classes: 2 });
    const shapes = (key: string) =>
      Object.entries(deep.stateDict()).flatMap(([name, { shape }]) =>
        name.startsWith(key) && shape.length > 1 ? [shape] : [],
      );
    assert.deepEqual(shapes('conv1'), [
      [2, 3, 3, 3],
      [2, 2, 3, 3],
      [5, 2, 3, 3],
    ]);
    assert.ok('layer2.0.downsample.1.weight' in deep.stateDict(), 'its shortcuts average');
    const leaves = new ResNet({ blocks: [1, 1], widths: [5, 6], stem: 'deep', averageDown: false });
    assert.ok('layer2.0.downsample.0.weight' in leaves.stateDict());
  });

  test('CIFAR forms have the parameters of the paper', () => {
    const millions = (depth: number): number =>
      new CifarResNet({ depth }).parameters().reduce((sum, parameter) => sum + parameter.numel(), 0) / 1e6;
    // Table 6: 0.27, 0.46, 0.66, 0.85.
    assert.deepEqual(
      [20, 32, 44, 56].map((depth) => millions(depth).toFixed(2)),
      ['0.27', '0.46', '0.66', '0.85'],
    );
    const quarter = new CifarResNet({ depth: 8, width: 4, stem: 'quarter' });
    let side: number | undefined;
    quarter.layer1.registerForwardHook((_module, _inputs, output) => {
      side = output.shape[2];
    });
    assert.deepEqual(quarter.forward(torch.rand(1, 3, 32, 32)).shape, [1, 10]);
    assert.equal(side, 8);
    assert.throws(
      () => new CifarResNet({ stem: 'none' as never }),
      /CifarResNet: there is no stem 'none': choose imagenet, cifar/,
    );
    assert.throws(() => new CifarResNet({ stem: 'deep' }), /CifarResNet: a deep stem is for ResNet; choose quarter/);
    assert.throws(
      () => new CifarResNet({ stem: { kernel: 0, stride: 1, pool: false } }),
      /stem\.kernel must be a whole number/,
    );
  });

  test('the check of an initialisation finds the first weights of the residual networks sound', () => {
    torch.manualSeed(0);
    const net = createModel('resnet-small', { classes: 5, width: 16 });
    const report = nn.init.check(net, { input: torch.randn(8, 3, 64, 64), target: torch.randint(0, 5, [8]) });
    assert.ok(report.ok, String(report));
    assert.ok(Math.abs(report.firstLoss - report.chanceLoss) < 1, `${report}`);
  });
});
