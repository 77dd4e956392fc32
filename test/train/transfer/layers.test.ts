/** Which layers learn how fast, and what stays still while a new head learns. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createModel, headOf } from '../../../src/models/index.js';
import * as nn from '../../../src/nn/index.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { buildOptimizer, buildSchedule } from '../../../src/train/build.js';
import { type Classifier, type Machine, Stepper } from '../../../src/train/compute.js';
import type { OptimisationPlan } from '../../../src/train/plan.js';
import { enterPhase } from '../../../src/train/transfer/freeze.js';
import { layerGroups } from '../../../src/train/transfer/layers.js';
import type { TransferPlan } from '../../../src/train/transfer/plan.js';

const make = (name: string, options: object = {}): Classifier =>
  createModel(name, { classes: 3, ...options }) as unknown as Classifier;
const groupsOf = (model: Classifier, rates: 'layer-decay' | 'discriminative' | 'same') =>
  layerGroups(model.namedParameters() as [string, Tensor][], headOf(model as unknown as nn.Module), rates);

const transfer: TransferPlan = {
  source: 'x',
  file: 'x',
  sha256: 'x',
  newHead: true,
  headEpochs: 2,
  layerRates: 'layer-decay',
  layerDecay: 0.5,
  batchNorm: 'learn',
};
const optimisation: OptimisationPlan = {
  epochs: 6,
  batches: 5,
  batchSize: 4,
  accumulate: 1,
  optimizer: 'adamw',
  learningRate: 0.01,
  weightDecay: 0.1,
  schedule: 'cosine',
  warmupSteps: 4,
  labelSmoothing: 0,
};
const machine: Machine = { device: 'cpu', precision: 'float32', memoryFormat: 'contiguous', threads: 1 };

describe('layers', () => {
  test('are those of timm: embedding, blocks, then norm and head', () => {
    const groups = groupsOf(make('vit-tiny', { size: [32, 32], depth: 12, width: 16 }), 'layer-decay');
    assert.equal(groups.get('cls_token'), 0);
    assert.equal(groups.get('pos_embed'), 0);
    assert.equal(groups.get('patch_embed.proj.weight'), 0);
    assert.equal(groups.get('blocks.0.attn.qkv.weight'), 1);
    assert.equal(groups.get('blocks.11.mlp.fc2.bias'), 12);
    assert.equal(groups.get('norm.weight'), 13);
    assert.equal(groups.get('head.weight'), 13);
  });

  test('a shortcut goes with its block, the stem comes before all', () => {
    const groups = groupsOf(make('resnet18', { width: 4 }), 'layer-decay');
    assert.equal(groups.get('conv1.weight'), 0);
    assert.equal(groups.get('bn1.bias'), 0);
    assert.equal(groups.get('layer2.0.downsample.0.weight'), groups.get('layer2.0.conv1.weight'));
    assert.equal(groups.get('layer4.1.conv2.weight'), 8);
    assert.equal(groups.get('fc.weight'), 9);
    const deep = groupsOf(make('resnet18', { width: 4, stem: 'deep' }), 'layer-decay');
    assert.deepEqual([deep.get('conv1.3.weight'), deep.get('layer1.0.conv1.weight'), deep.get('fc.weight')], [0, 1, 9]);
    const next = groupsOf(make('convnext-atto', { width: 4 }), 'layer-decay');
    assert.equal(next.get('stem.0.weight'), 0);
    assert.equal(next.get('stem.1.weight'), 0);
    assert.ok((next.get('stages.3.blocks.1.mlp.fc1.weight') as number) < (next.get('head.fc.weight') as number));
  });

  test('three groups, the head alone in the last; or one', () => {
    const groups = groupsOf(make('resnet20', { width: 4 }), 'discriminative');
    assert.deepEqual(new Set(groups.values()), new Set([0, 1, 2]));
    assert.deepEqual(
      [...groups].filter(([, group]) => group === 2).map(([name]) => name),
      ['linear.weight', 'linear.bias'],
    );
    assert.equal(groups.get('layer1.0.conv1.weight'), 0);
    assert.equal(groups.get('layer3.2.conv2.weight'), 1);
    assert.deepEqual(new Set(groupsOf(make('resnet20', { width: 4 }), 'same').values()), new Set([0]));
  });

  test('the optimiser gives each its rate, and biases no decay', () => {
    const model = make('resnet20', { width: 4 });
    const optimizer = buildOptimizer(model, optimisation, transfer);
    const rateOf = (name: string): { lr: number; decay: number } => {
      const parameter = new Map(model.namedParameters() as [string, Tensor][]).get(name) as Tensor;
      const group = optimizer.paramGroups.find(({ params }) => params.includes(parameter));
      return { lr: group?.initialLr as number, decay: group?.weightDecay as number };
    };
    assert.deepEqual(rateOf('linear.weight'), { lr: 0.01, decay: 0.1 });
    assert.deepEqual(rateOf('linear.bias'), { lr: 0.01, decay: 0 });
    assert.deepEqual(rateOf('layer3.2.conv1.weight'), { lr: 0.005, decay: 0.1 });
    assert.equal(rateOf('conv1.weight').lr, 0.01 * 0.5 ** 10);
    assert.equal(
      optimizer.paramGroups.reduce((sum, { params }) => sum + params.length, 0),
      model.parameters().length,
    );
  });

  test('the schedule rises for the head, and begins again for all', () => {
    const schedule = buildSchedule(optimisation, transfer);
    const alone = buildSchedule({ ...optimisation, epochs: 4 });
    assert.equal(schedule(9), 1);
    assert.ok(schedule(0) < schedule(3));
    for (let update = 0; update < 20; update++) assert.equal(schedule(10 + update), alone(update));
  });
});

describe('a frozen body', () => {
  const batch = () => {
    torch.manualSeed(3);
    return { input: torch.rand(4, 3, 16, 16), target: torch.tensor([0n, 1n, 2n, 0n]) };
  };
  const states = (model: Classifier, wanted: (name: string) => boolean): Map<string, Tensor> =>
    new Map(
      Object.entries(model.stateDict())
        .filter(([name]) => wanted(name))
        .map(([name, tensor]) => [name, tensor.clone()]),
    );
  const changed = (model: Classifier, before: ReadonlyMap<string, Tensor>): string[] =>
    [...before]
      .filter(([name, tensor]) => !torch.equal(tensor, model.stateDict()[name] as Tensor))
      .map(([name]) => name);

  test('does not move, in weights or statistics, until it is its turn', () => {
    torch.manualSeed(1);
    const model = make('resnet20', { width: 4, depth: 8 });
    const optimizer = buildOptimizer(model, optimisation, transfer);
    const stepper = new Stepper(model, optimizer, machine);
    const all = states(model, () => true);
    stepper.still = enterPhase(model, transfer, 1);
    for (let step = 0; step < 3; step++) stepper.step(batch());
    assert.deepEqual(changed(model, all).sort(), ['linear.bias', 'linear.weight']);
    stepper.still = enterPhase(model, transfer, 2);
    stepper.step(batch());
    const moved = changed(model, all);
    assert.ok(moved.includes('conv1.weight') && moved.includes('bn1.running_mean'));
  });

  test('keeps its statistics afterwards where the plan says so', () => {
    torch.manualSeed(1);
    const model = make('resnet20', { width: 4, depth: 8 });
    const keep = { ...transfer, batchNorm: 'keep' as const };
    const stepper = new Stepper(model, buildOptimizer(model, optimisation, keep), machine);
    const statistics = states(model, (name) => name.includes('running'));
    stepper.still = enterPhase(model, keep, 4);
    stepper.step(batch());
    assert.deepEqual(changed(model, statistics), []);
    assert.ok(model.namedParameters().every(([, parameter]) => parameter.requiresGrad));
  });

  test('leaves a dropout before the head at work', () => {
    const model = make('resnet20', { width: 4, depth: 8, dropout: 0.5 });
    const still = enterPhase(model, transfer, 0);
    assert.ok(still.some((module) => module instanceof nn.BatchNorm2d));
    assert.ok(!still.some((module) => module instanceof nn.Dropout));
  });
});

test('the head of a classifier is its last layer, or there is none', () => {
  assert.equal(headOf(make('vit-tiny', { size: [32, 32] }) as unknown as nn.Module).name, 'head');
  assert.equal(headOf(make('convnext-atto') as unknown as nn.Module).name, 'head.fc');
  assert.equal(headOf(make('convnet', { width: 4, depth: 1 }) as unknown as nn.Module).name, 'network.2');
  const odd = new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2));
  assert.throws(() => headOf(odd), /last layer with weights is 1 \(BatchNorm1d\)/);
});
