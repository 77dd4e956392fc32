/** State dicts: to Python and back, bit for bit, in both formats; and one error that says all when they do not fit. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nn, type Tensor, torch } from '../../src/index.js';
import { python, runPython, skipLive } from '../support/python.js';
import { Assorted, assortedInPython, ConvNet } from './networks.js';

const script = fileURLToPath(new URL('../../scripts/golden/nn_state.py', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'praxis-state-'));
after(() => rmSync(folder, { recursive: true }));

function equalStates(a: nn.StateDict, b: nn.StateDict): void {
  assert.deepEqual(Object.keys(a).sort(), Object.keys(b).sort());
  for (const [name, tensor] of Object.entries(a)) {
    assert.equal(tensor.dtype, b[name]?.dtype, name);
    assert.ok(tensor.equal(b[name] as Tensor), name);
  }
}

/** Models with their Python: a transformer and a recurrent network among them. */
const models: readonly [string, () => nn.AnyModule][] = [
  ['Assorted()', () => new Assorted()],
  [
    'nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12), 2)',
    () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12 }), 2) as nn.AnyModule,
  ],
  [
    'nn.GRU(3, 4, num_layers=2, bidirectional=True)',
    () => new nn.GRU(3, 4, { numLayers: 2, bidirectional: true }) as nn.AnyModule,
  ],
  [
    'nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))',
    () =>
      new nn.Sequential(
        new nn.Conv2d(3, 4, 3),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.Flatten(),
        new nn.Linear(16, 2),
      ) as nn.AnyModule,
  ],
];

function drawn(make: () => nn.AnyModule): nn.AnyModule {
  torch.manualSeed(3);
  return make();
}

describe('state dicts and Python', { skip: skipLive }, () => {
  const formats = ['pt'];
  for (const [source, make] of models) {
    test(source, async () => {
      const file = (name: string, format: string): string => path.join(folder, `${name}.${format}`);
      const request = { classes: assortedInPython, model: source };
      const made = runPython<{ names: string[] }>([script], {
        ...request,
        what: 'make',
        files: formats.map((format) => file('python', format)),
      });
      const model = drawn(make);
      assert.deepEqual(Object.keys(model.stateDict()), made.names);
      for (const format of formats) {
        torch.manualSeed(4);
        const loaded = make();
        loaded.loadStateDict(await torch.load<nn.StateDict>(file('python', format)));
        equalStates(loaded.stateDict(), model.stateDict());
        await torch.save(model.stateDict(), file('praxis', format));
      }
      const different = runPython<Record<string, string[]>>([script], {
        ...request,
        what: 'check',
        files: formats.map((format) => file('praxis', format)),
      });
      for (const [name, names] of Object.entries(different)) assert.deepEqual(names, [], name);
    });
  }

  test('safetensors both ways', { skip: !hasSafetensors() && 'this Python has no safetensors' }, async () => {
    const source = models[3]?.[0] as string;
    const make = models[3]?.[1] as () => nn.AnyModule;
    const request = { classes: '', model: source };
    const [theirs, ours] = [path.join(folder, 'python.safetensors'), path.join(folder, 'praxis.safetensors')];
    runPython([script], { ...request, what: 'make', files: [theirs] });
    const model = drawn(make);
    equalStates(await torch.load<nn.StateDict>(theirs), model.stateDict());
    await torch.save(model.stateDict(), ours);
    assert.deepEqual(runPython([script], { ...request, what: 'check', files: [ours] }), { [ours]: [] });
  });
});

function hasSafetensors(): boolean {
  if (python === null) return false;
  return runPython<boolean>([
    '-c',
    'import importlib.util, json; print(json.dumps(importlib.util.find_spec("safetensors") is not None))',
  ]);
}

describe('round trips here', () => {
  for (const format of ['pt', 'safetensors'])
    test(`the seed text's ConvNet through .${format}`, async () => {
      const file = path.join(folder, `convnet.${format}`);
      const net = new ConvNet({ channels: 4, blocks: 2, classes: 5 });
      await torch.save(net.stateDict(), file);
      const other = new ConvNet({ channels: 4, blocks: 2, classes: 5 });
      const kept = other.parameters();
      assert.deepEqual(other.loadStateDict(await torch.load<nn.StateDict>(file)), {
        missingKeys: [],
        unexpectedKeys: [],
      });
      equalStates(other.stateDict(), net.stateDict());
      assert.deepEqual(other.parameters(), kept);
    });

  test('state shares memory, without history, in the order of PyTorch', () => {
    const layer = new nn.BatchNorm1d(2);
    const state = layer.stateDict({ prefix: 'norm.' });
    assert.deepEqual(Object.keys(state), [
      'norm.weight',
      'norm.bias',
      'norm.running_mean',
      'norm.running_var',
      'norm.num_batches_tracked',
    ]);
    assert.equal(state['norm.weight']?.requiresGrad, false);
    torch.noGrad(() => layer.weight?.fill_(3));
    assert.deepEqual(state['norm.weight']?.toArray(), [3, 3]);
    assert.equal(layer.stateDict({ keepVars: true }).weight, layer.weight);
  });

  test('assign takes the tensors, with their type', () => {
    const layer = new nn.Linear(2, 1);
    const weight = torch.zeros([1, 2], { dtype: 'float64' });
    layer.loadStateDict({ weight, bias: torch.ones([1], { dtype: 'float64' }) }, { assign: true });
    assert.equal(layer.weight.dtype, 'float64');
    weight.add_(2);
    assert.deepEqual(layer.weight.toArray(), [[2, 2]]);
    assert.ok(layer.weight instanceof nn.Parameter && layer.weight.requiresGrad);
  });
});

describe('state dicts that do not fit', () => {
  test('one error lists everything, and nothing is changed', () => {
    const net = new ConvNet({ channels: 2, blocks: 1, classes: 3 });
    const before = net.stateDict();
    const copies = Object.fromEntries(Object.entries(before).map(([name, x]) => [name, x.clone()]));
    const { 'network.0.bias': _, ...rest } = Object.fromEntries(Object.entries(before).map(([n, x]) => [n, x.add(1)]));
    const state = { ...rest, 'network.2.weight': torch.zeros([5, 4, 1, 1]), extra: torch.zeros([1]) };
    assert.throws(
      () => net.loadStateDict(state),
      (error: unknown) => {
        assert.ok(error instanceof nn.StateDictError);
        assert.deepEqual(error.missingKeys, ['network.0.bias']);
        assert.deepEqual(error.unexpectedKeys, ['extra']);
        assert.deepEqual(error.mismatchedKeys, ['network.2.weight']);
        assert.equal(
          error.message,
          [
            'The state dict does not fit ConvNet; nothing was changed.',
            'Missing (1): network.0.bias',
            'Unexpected (1): extra',
            'Wrong shape (1): network.2.weight is [5, 4, 1, 1] but must be [3, 4, 1, 1]',
          ].join('\n'),
        );
        return true;
      },
    );
    equalStates(net.stateDict(), copies);
  });

  test('without strict, what fits is loaded and the rest is told; wrong shapes are still an error', () => {
    const layer = new nn.Linear(2, 1);
    const result = layer.loadStateDict({ weight: torch.ones([1, 2]), other: torch.ones([1]) }, { strict: false });
    assert.deepEqual(result, { missingKeys: ['bias'], unexpectedKeys: ['other'] });
    assert.deepEqual(layer.weight.toArray(), [[1, 1]]);
    assert.throws(() => layer.loadStateDict({ weight: torch.ones([3, 2]) }, { strict: false }), nn.StateDictError);
  });

  test('says when a prefix is all that is wrong, and when a whole checkpoint was passed', () => {
    const layer = new nn.Linear(2, 1);
    const state = { 'module.weight': torch.ones([1, 2]), 'module.bias': torch.ones([1]) };
    assert.throws(() => layer.loadStateDict(state), /would fit without 'module\.'/);
    const checkpoint = { state_dict: state, epoch: 3 } as unknown as nn.StateDict;
    assert.throws(() => layer.loadStateDict(checkpoint), /'state_dict' is not a Tensor.*checkpoint\.state_dict/);
  });

  test('files from before BatchNorm counted batches load', () => {
    const norm = new nn.BatchNorm1d(2);
    const { num_batches_tracked: _, ...old } = norm.stateDict();
    assert.deepEqual(norm.loadStateDict(old).missingKeys, []);
  });

  test('a Map will do, and single numbers of one dimension', () => {
    class Gain extends nn.Module {
      gain = new nn.Parameter(torch.ones([]));
    }
    const net = new Gain();
    net.loadStateDict(new Map([['gain', torch.tensor([5])]]));
    assert.equal(net.gain.item(), 5);
  });
});
