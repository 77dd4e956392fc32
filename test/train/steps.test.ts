/** The pieces of a training: steps, loss scaling, evaluation, what is best, the search for a fault, the tuning of the machine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataLoader } from '../../src/data/loader/index.js';
import { tensorDataset } from '../../src/data/sources/index.js';
import * as nn from '../../src/nn/index.js';
import { AdamW, SGD } from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { type Classifier, type Machine, Stepper } from '../../src/train/compute.js';
import { evaluate, findFault, tuneMachine } from '../../src/train/index.js';
import { LossScale } from '../../src/train/loss-scale.js';
import { isBetter, Progress, scoreOf, type Validation } from '../../src/train/progress.js';

const machine: Machine = { device: 'cpu', precision: 'float32', memoryFormat: 'contiguous', threads: 1 };

class Net extends nn.Module {
  first = new nn.Linear(6, 8);
  norm = new nn.BatchNorm1d(8);
  drop: nn.Dropout;
  last = new nn.Linear(8, 3);
  constructor(dropout = 0) {
    super();
    this.drop = new nn.Dropout(dropout);
  }
  override forward(x: Tensor): Tensor {
    return this.last.call(this.drop.call(this.norm.call(this.first.call(x)).relu()));
  }
}

class Plain extends nn.Module {
  last = new nn.Linear(6, 3);
  override forward(x: Tensor): Tensor {
    return this.last.call(x);
  }
}

function batchOf(rows: number, seed = 0) {
  torch.manualSeed(seed);
  return { input: torch.randn([rows, 6]), target: torch.randint(0, 3, [rows]) };
}

const numbers = (tensor: Tensor): number[] => [...(tensor.detach().contiguous().toTypedArray() as Float32Array)];
const stateOf = (model: nn.Module) => Object.values(model.stateDict()).map((tensor) => numbers(tensor.double()));

describe('a step', () => {
  const fresh = () => {
    torch.manualSeed(1);
    const model = new Plain() as unknown as Classifier;
    return { model, optimizer: new SGD(model.parameters(), { lr: 0.1 }) };
  };
  const { input, target } = batchOf(12);
  const part = (from: number, to: number) => ({ input: input.at(`${from}:${to}`), target: target.at(`${from}:${to}`) });

  it('of gathered gradients is that of one large batch', () => {
    const one = fresh();
    new Stepper(one.model, one.optimizer as never, machine).step({ input, target });
    const three = fresh();
    const stepper = new Stepper(three.model, three.optimizer as never, machine, { accumulate: 3 });
    assert.deepEqual(
      [part(0, 4), part(4, 8), part(8, 12)].map((batch) => stepper.step(batch).updated),
      [false, false, true],
    );
    for (const [i, values] of stateOf(one.model).entries())
      for (const [j, value] of values.entries())
        assert.ok(Math.abs(value - (stateOf(three.model)[i]?.[j] as number)) < 1e-6);
  });

  it('at the end of an epoch uses what is left, at its full weight', () => {
    const one = fresh();
    new Stepper(one.model, one.optimizer as never, machine).step(part(0, 8));
    const left = fresh();
    const stepper = new Stepper(left.model, left.optimizer as never, machine, { accumulate: 5 });
    stepper.step(part(0, 4));
    stepper.step(part(4, 8));
    assert.equal(stepper.accumulated, 2);
    assert.equal(stepper.flush()?.updated, true);
    assert.equal(stepper.flush(), undefined);
    for (const [i, values] of stateOf(one.model).entries())
      for (const [j, value] of values.entries())
        assert.ok(Math.abs(value - (stateOf(left.model)[i]?.[j] as number)) < 1e-6);
  });

  it('with a NaN, or an infinite gradient, leaves the weights alone, with clipping and without', () => {
    for (const clip of [undefined, 1]) {
      const { model, optimizer } = fresh();
      const before = stateOf(model);
      const stepper = new Stepper(model, optimizer as never, machine, clip === undefined ? {} : { clip });
      const bad = input.clone();
      bad.fill_(Number.NaN);
      assert.equal(stepper.step({ input: bad, target }).finite, false);
      // Finite logits and loss, but gradients beyond float32.
      const large = input.clone().fill_(3e38);
      torch.noGrad(() => model.parameters()[0]?.fill_(0));
      const flat = stateOf(model);
      const outcome = stepper.step({ input: large, target });
      if (!outcome.finite) assert.deepEqual(stateOf(model), flat);
      assert.notDeepEqual(flat, before);
      for (const value of stateOf(model).flat()) assert.ok(Number.isFinite(value));
    }
  });

  it('does not scale gradients where nothing is to be clipped', () => {
    const { model, optimizer } = fresh();
    const free = fresh();
    const outcome = new Stepper(model, optimizer as never, machine, { clip: 1e9 }).step({ input, target });
    const other = new Stepper(free.model, free.optimizer as never, machine).step({ input, target });
    assert.ok(outcome.gradientNorm > 0);
    assert.equal(other.gradientNorm, outcome.gradientNorm);
    assert.deepEqual(stateOf(model), stateOf(free.model));
  });
});

describe('loss scaling', () => {
  const parameterWith = (gradient: number): Tensor => {
    const parameter = torch.zeros([2], { requiresGrad: true });
    parameter.grad = torch.full([2], gradient);
    return parameter;
  };

  it('halves on an overflow, doubles after calm, divides the gradients, and is restored', () => {
    const scale = new LossScale(1024, 3);
    const good = parameterWith(2048);
    assert.equal(scale.unscale([good]), true);
    assert.deepEqual(numbers(good.grad as Tensor), [2, 2]);
    assert.equal(scale.unscale([parameterWith(Number.POSITIVE_INFINITY)]), false);
    assert.equal(scale.factor, 512);
    assert.equal(scale.unscale([parameterWith(Number.NaN)]), false);
    assert.equal(scale.factor, 256);
    for (let i = 0; i < 2; i++) scale.unscale([parameterWith(1)]);
    const copy = new LossScale(1, 3);
    copy.restore(scale.state());
    for (const one of [scale, copy]) {
      one.unscale([parameterWith(1)]);
      assert.equal(one.factor, 512);
    }
  });

  it('never falls below 1', () => {
    const scale = new LossScale(2);
    for (let i = 0; i < 5; i++) scale.unscale([parameterWith(Number.NaN)]);
    assert.equal(scale.factor, 1);
  });
});

describe('what is best', () => {
  const all: Validation[] = [0.2, 0.5, 0.5, 0.9].flatMap((accuracy) =>
    [0.1, 0.7, 2, 40].map((loss) => ({ step: 1, epoch: 1, accuracy, loss })),
  );

  it('is ranked for checkpoints as it is for the record', () => {
    for (const a of all)
      for (const b of all) assert.equal(isBetter(a, b), scoreOf(a) > scoreOf(b), JSON.stringify([a, b]));
  });

  it('is the highest accuracy, then the lowest loss, then the earliest', () => {
    const progress = new Progress();
    progress.validations.push(
      { step: 1, epoch: 1, accuracy: 0.5, loss: 1 },
      { step: 2, epoch: 2, accuracy: 0.6, loss: 2 },
      { step: 3, epoch: 3, accuracy: 0.6, loss: 1 },
      { step: 4, epoch: 4, accuracy: 0.6, loss: 1 },
    );
    assert.equal(progress.best()?.step, 3);
  });

  it('and a spike is three times the median of the last fifty losses', () => {
    const progress = new Progress();
    for (let i = 0; i < 19; i++) assert.equal(progress.note(1, 0, 1), false);
    assert.equal(progress.note(9, 0, 1), false, 'too few to tell');
    assert.equal(progress.note(2.9, 0, 1), false);
    assert.equal(progress.note(3.1, 0, 1), true);
    const copy = new Progress();
    copy.restore(progress.state({}));
    assert.equal(copy.note(3.1, 0, 1), progress.note(3.1, 0, 1));
    assert.deepEqual(copy.state({}), progress.state({}));
  });
});

describe('evaluation', () => {
  it('gives the same numbers for any batch size, and twice', async () => {
    const { input, target } = batchOf(37);
    torch.manualSeed(2);
    const model = new Net(0.5) as unknown as Classifier;
    const classes = ['a', 'b', 'c'];
    const found = [];
    for (const batchSize of [1, 5, 37, 64, 5]) {
      const dataset = tensorDataset({ input, target, classes });
      const loader = new DataLoader({ dataset, batchSize, seed: 0 });
      const evaluation = await evaluate(model, loader, { machine, classes });
      await loader.close();
      assert.ok(evaluation);
      found.push(evaluation);
    }
    const [first] = found as [(typeof found)[number]];
    for (const one of found) {
      assert.equal(one.score, first.score);
      assert.ok(Math.abs(one.loss - first.loss) < 1e-6);
      assert.deepEqual(one.predictions.index, first.predictions.index);
      assert.deepEqual(one.predictions.target, first.predictions.target);
      for (const [i, p] of one.predictions.probabilities.entries())
        assert.ok(Math.abs(p - (first.predictions.probabilities[i] as number)) < 1e-6);
    }
    assert.deepEqual(found[4]?.predictions.probabilities, found[1]?.predictions.probabilities);
    // By hand.
    model.eval();
    const hits = torch.noGrad(() => model.call(input).argmax(1).eq(target).sum().item() as number);
    assert.equal(first.score, Number(hits) / 37);
  });
});

describe('the search for a fault', () => {
  it('leaves no trace', () => {
    torch.manualSeed(3);
    const model = new Net(0.5) as unknown as Classifier;
    const batch = batchOf(8);
    model.eval();
    model.call(batch.input).sum().backward();
    const before = { state: stateOf(model), gradients: model.parameters().map((p) => numbers(p.grad as Tensor)) };
    torch.manualSeed(4);
    const next = numbers(torch.rand([4]));
    torch.manualSeed(4);
    const fault = findFault(model, batch, machine);
    assert.match(fault.sentence, /finite when it is computed again/);
    assert.deepEqual(numbers(torch.rand([4])), next);
    assert.deepEqual(stateOf(model), before.state);
    assert.deepEqual(
      model.parameters().map((p) => numbers(p.grad as Tensor)),
      before.gradients,
    );
    assert.equal(model.training, false);
  });

  it('tells an input, a weight, a layer, a loss and a gradient apart', () => {
    const { input, target } = batchOf(8);
    const nan = input.clone();
    nan.at(0).fill_(Number.NaN);
    const model = new Net() as unknown as Classifier;
    assert.match(findFault(model, { input: nan, target }, machine).sentence, /input holds NaN before any layer/);
    torch.noGrad(() => model.parameters()[0]?.fill_(Number.POSITIVE_INFINITY));
    const weight = findFault(model, { input, target }, machine);
    assert.match(weight.sentence, /weight first\.weight already holds infinity/);
    assert.equal(weight.layer, 'first');

    class Logarithm extends nn.Module {
      inner = new nn.Linear(6, 3);
      override forward(x: Tensor): Tensor {
        return this.inner.call(x).abs().neg().log();
      }
    }
    const layer = findFault(new nn.Sequential(new Logarithm(), new nn.ReLU()) as never, { input, target }, machine);
    assert.equal(layer.layer, '0');
    assert.equal(layer.operator, 'log');

    class Root extends nn.Module {
      inner = new nn.Linear(6, 3);
      override forward(x: Tensor): Tensor {
        return this.inner.call(x).mul(0).sqrt();
      }
    }
    const gradient = findFault(new Root() as never, { input, target }, machine);
    assert.match(gradient.sentence, /gradient of inner\.(weight|bias) holds NaN/);
  });
});

describe('tuning the machine', () => {
  it('leaves no trace: weights, buffers, gradients, optimiser, random numbers, mode', async () => {
    torch.manualSeed(5);
    const model = new Net(0.3) as unknown as Classifier;
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const batch = batchOf(16);
    const stepper = new Stepper(model, optimizer as never, machine);
    stepper.step(batch);
    model.call(batch.input).sum().backward();
    model.eval();
    const look = () => ({
      state: stateOf(model),
      gradients: model.parameters().map((p) => numbers(p.grad as Tensor)),
      optimizer: Object.values(optimizer.state().tensors).map((tensor) => numbers(tensor.double())),
      groups: optimizer.paramGroups.map(({ lr }) => lr),
      training: model.training,
      inner: [...model.namedModules()].map(([, module]) => module.training),
    });
    const before = look();
    torch.manualSeed(6);
    const next = numbers(torch.rand([4]));
    torch.manualSeed(6);
    const tuned = await tuneMachine({
      model,
      optimizer: optimizer as never,
      batches: [batch],
      device: 'cpu',
      seconds: 0.01,
    });
    assert.deepEqual(numbers(torch.rand([4])), next);
    assert.deepEqual(look(), before);
    assert.ok(tuned.trials.length >= 2);
    assert.ok(tuned.gain >= 1);
  });

  const tuneQuickly = (net: nn.Module, options: { half?: boolean } = {}) => {
    const model = net as unknown as Classifier;
    const optimizer = new SGD(model.parameters(), { lr: 0.01 }) as never;
    return tuneMachine({
      ...{ model, optimizer, batches: [batchOf(16)], device: 'cpu', seconds: 0.01, threads: 1 },
      ...options,
    });
  };

  it('refuses a precision whose loss disagrees, however fast it is', async () => {
    // In half precision it gives other numbers, and at once.
    class Liar extends nn.Module {
      inner = new nn.Linear(6, 3);
      override forward(x: Tensor): Tensor {
        const honest = this.inner.call(x);
        if (honest.dtype === 'bfloat16') return honest.mul(9);
        for (let i = 0; i < 2000; i++) this.inner.call(x);
        return honest;
      }
    }
    const tuned = await tuneQuickly(new Liar());
    const half = tuned.trials.find((trial) => trial.machine.precision === 'bfloat16');
    assert.equal(half?.agrees, false);
    assert.ok((half?.perSecond ?? 0) > (tuned.trials[0]?.perSecond ?? Number.POSITIVE_INFINITY));
    assert.equal(tuned.machine.precision, 'float32');
  });

  it('leaves out half precision where it is told to', async () => {
    const tuned = await tuneQuickly(new Net(), { half: false });
    assert.deepEqual([...new Set(tuned.trials.map((trial) => trial.machine.precision))], ['float32']);
  });

  it('looks no further at a precision that is hopelessly slow', async () => {
    let halfSteps = 0;
    // From one step in float32 to the next.
    let [longest, last] = [0, performance.now()];
    class Slow extends nn.Module {
      inner = new nn.Linear(6, 3);
      override forward(x: Tensor): Tensor {
        const begin = performance.now();
        const result = this.inner.call(x);
        if (result.dtype !== 'bfloat16') {
          longest = Math.max(longest, performance.now() - last);
          last = begin;
          return result;
        }
        halfSteps++;
        while (performance.now() - begin < Math.max(2000, 20 * longest));
        return result;
      }
    }
    const tuned = await tuneQuickly(new Slow());
    assert.equal(halfSteps, 1);
    assert.equal(tuned.machine.precision, 'float32');
    const half = tuned.trials.find((trial) => trial.machine.precision === 'bfloat16');
    assert.ok((half?.perSecond ?? Number.NaN) < 16);
  });

  it('tries rearranged convolutions where bfloat16 is the choice, and not elsewhere', async () => {
    class Convolutions extends nn.Module {
      inner = new nn.Conv2d(48, 48, 3, { padding: 1 });
      last = new nn.Linear(48, 3);
      override forward(x: Tensor): Tensor {
        return this.last.call(this.inner.call(x).mean([2, 3]));
      }
    }
    torch.manualSeed(0);
    const batch = { input: torch.randn([8, 48, 4, 4]), target: torch.randint(0, 3, [8]) };
    const tuneWith = (options: Partial<Parameters<typeof tuneMachine>[0]>) => {
      const model = new Convolutions();
      const optimizer = new SGD(model.parameters(), { lr: 0.01 }) as never;
      return tuneMachine({ model, optimizer, batches: [batch], device: 'cpu', seconds: 0.01, threads: 1, ...options });
    };
    const half = await tuneWith({ precision: 'bfloat16' });
    const rearranged = half.trials.filter((trial) => trial.machine.convolutions === 'rearranged');
    assert.equal(rearranged.length, 1);
    assert.equal(rearranged[0]?.machine.memoryFormat, 'channels-last');
    // The very same step from the same weights: the losses are as near as the rounding.
    assert.equal(rearranged[0]?.agrees, true);
    const full = await tuneWith({ precision: 'float32' });
    assert.ok(full.trials.every((trial) => trial.machine.convolutions === undefined));
    const settled = await tuneWith({ precision: 'bfloat16', convolutions: 'rearranged' });
    assert.ok(settled.trials.every((trial) => trial.machine.convolutions === 'rearranged'));
  });
});
