/** Dropout where the seed text says, on twelve made networks; and what is wrong when a network is evaluated. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createModel } from '../../src/models/index.js';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';

const { functional: F } = nn;

/** Kinds with their layers, `add fc`, in order of the alphabet. */
const said = (model: nn.Module, input?: readonly number[]): string[] =>
  nn
    .dropoutAdvice(model, input === undefined ? {} : { input })
    .map(({ kind, layer }) => `${kind} ${layer}`)
    .sort();

/** A residual block whose shortcut is a 1 × 1 convolution. */
class Residual extends nn.Module {
  conv = new nn.Conv2d(256, 512, 3, { padding: 1 });
  norm = new nn.GroupNorm(1, 512);
  skip = new nn.Conv2d(256, 512, 1);
  pool = new nn.AdaptiveAvgPool2d([1, 1]);
  fc = new nn.Linear(512, 10);
  override forward(x: Tensor): Tensor {
    const y = F.relu(this.norm.call(this.conv.call(x)).add(this.skip.call(x)));
    return this.fc.call(this.pool.call(y).flatten(1));
  }
}

/** Fields in another order than that in which they work. */
class Backwards extends nn.Module {
  last = new nn.Linear(400, 10);
  drop = new nn.Dropout(0.5);
  first = new nn.Linear(16, 400);
  override forward(x: Tensor): Tensor {
    return this.last.call(this.drop.call(F.relu(this.first.call(x))));
  }
}

const cases: readonly { name: string; make: () => nn.Module; input: readonly number[]; expected: readonly string[] }[] =
  [
    {
      name: '1. large fully connected layers without dropout want it, small ones do not',
      make: () =>
        new nn.Sequential(
          new nn.Flatten(),
          new nn.Linear(3072, 512),
          new nn.ReLU(),
          new nn.Linear(512, 256),
          new nn.ReLU(),
          new nn.Linear(256, 10),
        ),
      input: [3, 32, 32],
      expected: ['add 1', 'add 3'],
    },
    {
      name: '2. where it stands before them it is praised',
      make: () =>
        new nn.Sequential(
          new nn.Linear(20, 512),
          new nn.ReLU(),
          new nn.Dropout(0.5),
          new nn.Linear(512, 512),
          new nn.ReLU(),
          new nn.Dropout(0.2),
          new nn.Linear(512, 10),
        ),
      input: [20],
      expected: ['good 2', 'good 5'],
    },
    {
      name: '3. a dropout with p = 0 stands idle',
      make: () => new nn.Sequential(new nn.Linear(20, 512), new nn.ReLU(), new nn.Dropout(0), new nn.Linear(512, 512)),
      input: [20],
      expected: ['add 3'],
    },
    {
      name: '4. not before a general convolution',
      make: () =>
        new nn.Sequential(
          new nn.Conv2d(3, 8, 3),
          new nn.ReLU(),
          new nn.Dropout(0.2),
          new nn.Conv2d(8, 8, 3),
          new nn.Flatten(),
          new nn.Linear(8 * 144, 3),
        ),
      input: [3, 16, 16],
      expected: ['remove 2'],
    },
    {
      name: '5. before a large 1 × 1 convolution it may help',
      make: () =>
        new nn.Sequential(
          new nn.Conv2d(3, 256, 3),
          new nn.ReLU(),
          new nn.Conv2d(256, 512, 1),
          new nn.ReLU(),
          new nn.Conv2d(512, 4, 1),
          new nn.AdaptiveAvgPool2d([1, 1]),
          new nn.Flatten(),
        ),
      input: [3, 8, 8],
      expected: ['consider 2'],
    },
    {
      name: '6. where it stands before a 1 × 1 convolution it is right',
      make: () =>
        new nn.Sequential(new nn.Conv2d(3, 256, 3), new nn.ReLU(), new nn.Dropout(0.1), new nn.Conv2d(256, 512, 1)),
      input: [3, 8, 8],
      expected: ['good 2'],
    },
    {
      name: '7. not before batch normalisation',
      make: () =>
        new nn.Sequential(
          new nn.Linear(20, 300),
          new nn.Dropout(0.5),
          new nn.Linear(300, 300),
          new nn.BatchNorm1d(300),
          new nn.ReLU(),
          new nn.Linear(300, 2),
        ),
      input: [20],
      expected: ['move 1'],
    },
    {
      name: '8. after the last batch normalisation it is fine',
      make: () =>
        new nn.Sequential(
          new nn.Conv2d(3, 64, 3),
          new nn.BatchNorm2d(64),
          new nn.ReLU(),
          new nn.Flatten(),
          new nn.Dropout(0.5),
          new nn.Linear(64 * 36, 100),
        ),
      input: [3, 8, 8],
      expected: ['good 4'],
    },
    {
      name: '9. not after the last layer',
      make: () => new nn.Sequential(new nn.Linear(20, 30), new nn.ReLU(), new nn.Linear(30, 5), new nn.Dropout(0.5)),
      input: [20],
      expected: ['remove 3'],
    },
    {
      name: '10. a shortcut of a residual block is left alone, and so is a small head',
      make: () => new Residual(),
      input: [256, 4, 4],
      expected: [],
    },
    {
      name: '11. the order in which layers work counts, not that of the fields',
      make: () => new Backwards(),
      input: [16],
      expected: ['good drop'],
    },
    {
      name: '12. residual branches with attention want stochastic depth',
      make: () => createModel('vit-tiny', { classes: 3, size: [32, 32], depth: 2 }),
      input: [3, 32, 32],
      expected: ['consider blocks.0'],
    },
  ];

describe('dropout advice', () => {
  for (const { name, make, input, expected } of cases)
    test(name, () => assert.deepEqual(said(make(), input), [...expected].sort()));

  test('without an input the order in which layers were made is taken', () => {
    const [first] = cases;
    assert.deepEqual(said((first as (typeof cases)[number]).make()), ['add 1', 'add 3']);
  });

  test('stochastic depth that is there, and ResNets, are left alone', () => {
    assert.deepEqual(
      said(createModel('vit-tiny', { classes: 3, size: [32, 32], depth: 2, dropPath: 0.1 }), [3, 32, 32]),
      [],
    );
    assert.deepEqual(said(createModel('resnet20', { classes: 3 }), [3, 32, 32]), []);
  });

  test('gives reasons and remedies, leaves the model as it was, and says what does not fit', () => {
    const net = new nn.Sequential(new nn.Linear(64, 1000), new nn.Dropout(0.5), new nn.Linear(1000, 100));
    const modes = net.modules().map(({ training }) => training);
    const [add, good] = nn.dropoutAdvice(net, { input: torch.zeros(3, 64) });
    assert.match(add?.message as string, /fully connected layer with 64,000 weights/);
    assert.equal(add?.remedy, 'Put nn.Dropout(0.2) before it.');
    assert.equal(good?.kind, 'good');
    assert.deepEqual(
      net.modules().map(({ training }) => training),
      modes,
    );
    assert.throws(() => nn.dropoutAdvice(net, { input: [63] }), /Sequential cannot take an input of shape \[2, 63\]/);
    assert.equal(nn.dropoutAdvice(net, { large: 70_000 }).filter(({ kind }) => kind === 'add').length, 0);
  });
});

describe('evaluation', () => {
  /** Calls dropout as a function and forgets its mode. */
  class Forgets extends nn.Module<[Tensor], Tensor> {
    fc = new nn.Linear(8, 8);
    inner: nn.Module<[Tensor], Tensor>;
    constructor(inner: nn.Module<[Tensor], Tensor>) {
      super();
      this.inner = inner;
    }
    override forward(x: Tensor): Tensor {
      return this.inner.call(this.fc.call(x));
    }
  }
  class Lucky extends nn.Module<[Tensor], Tensor> {
    override forward(x: Tensor): Tensor {
      return F.dropout(x, { p: 0.5, training: true });
    }
  }
  class Hidden extends nn.Module<[Tensor], Tensor> {
    readonly parts = new Map([['drop', new nn.Dropout(0.5)]]);
    override forward(x: Tensor): Tensor {
      return (this.parts.get('drop') as nn.Dropout).forward(x);
    }
  }
  class Counts extends nn.Module<[Tensor], Tensor> {
    seen = new nn.Buffer(torch.zeros(1));
    override forward(x: Tensor): Tensor {
      this.seen.add_(1);
      return x;
    }
  }
  const input = (): Tensor => {
    torch.manualSeed(3);
    return torch.randn(4, 8);
  };
  const found = (net: nn.Module<[Tensor], Tensor>): string[] =>
    nn.checkEvaluation(net, input()).map(({ kind, layer }) => `${kind} ${layer}`);

  test('a model in train mode is named, with the layers that mind', () => {
    const net = new Forgets(
      new nn.Sequential(new nn.Dropout(0.5), new nn.BatchNorm1d(8)) as unknown as nn.Module<[Tensor], Tensor>,
    );
    assert.deepEqual(nn.layersInTrainMode(net), ['inner.0', 'inner.1']);
    const [finding] = nn.checkEvaluation(net, input());
    assert.equal(finding?.kind, 'mode');
    assert.match(finding?.message as string, /^Forgets is in train mode: inner\.0, inner\.1 would/);
    assert.match(finding?.remedy as string, /model\.eval\(\)/);
    net.eval();
    assert.deepEqual(found(net), []);
    (net.inner as unknown as nn.Sequential).children()[1]?.train();
    assert.deepEqual(found(net), ['mode inner.1']);
  });

  test('what does not look at its mode is found by what it does', () => {
    assert.deepEqual(found(new Forgets(new Lucky()).eval()), ['random inner']);
    assert.deepEqual(found(new Forgets(new Hidden()).eval()), ['random inner']);
    assert.deepEqual(found(new Forgets(new Counts()).eval()), ['state inner']);
    const batch = new nn.BatchNorm1d(8, { trackRunningStats: false }) as unknown as nn.Module<[Tensor], Tensor>;
    assert.deepEqual(found(new Forgets(batch).eval()), ['batch inner']);
  });

  test('the model, its buffers and the random numbers stay as they were', () => {
    const net = new Forgets(new Counts());
    torch.manualSeed(8);
    const next = torch.rand(1).item();
    torch.manualSeed(8);
    nn.checkEvaluation(net, torch.ones(2, 8));
    assert.equal(torch.rand(1).item(), next);
    assert.equal((net.inner as Counts).seen.item(), 0);
    assert.ok(net.training && net.inner.training);
    assert.throws(() => nn.checkEvaluation(net, torch.ones(1, 8)), /at least two samples/);
  });
});
