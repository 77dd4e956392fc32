import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DType, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import { throwsArgument, throwsTorch } from '../support/throws.js';

const old = torch.version.startsWith('1.');
const state = () => ({
  grad: torch.isGradEnabled(),
  inference: torch.isInferenceModeEnabled(),
  autocast: torch.autocastState(),
});
const initial = state();

describe('gradient modes', () => {
  test('noGrad and enableGrad nest and give back what the callback gives', () => {
    const w = torch.ones(1, { requiresGrad: true });
    const seen = torch.noGrad(() => {
      const inside = [w.mul(2).requiresGrad, torch.enableGrad(() => w.mul(2).requiresGrad), torch.isGradEnabled()];
      return torch.noGrad(() => inside);
    });
    assert.deepEqual(seen, [false, true, false]);
    assert.equal(w.mul(2).requiresGrad, true);
    assert.deepEqual(state(), initial);
  });

  test('setGradEnabled gives the state before', () => {
    assert.equal(torch.setGradEnabled(false), true);
    assert.equal(torch.setGradEnabled(true), false);
  });

  test('every mode ends when the callback throws', () => {
    const fail = () => {
      throw new RangeError('inside');
    };
    for (const work of [
      () => torch.noGrad(fail),
      () => torch.noGrad(() => torch.enableGrad(fail)),
      () => torch.inferenceMode(fail),
      () => torch.autocast(fail),
      () => torch.noGrad(() => torch.inferenceMode(() => torch.autocast(fail))),
      () => torch.forkRng(fail),
      () => torch.scope(fail),
    ]) {
      assert.throws(work, /^RangeError: inside$/);
      assert.deepEqual(state(), initial);
    }
  });

  test('asynchronous callbacks are refused, before they run where that can be seen', async () => {
    let ran = 0;
    const async_ = async () => {
      ran++;
      await null;
    };
    const modes: readonly [string, (work: () => unknown) => unknown][] = [
      ['noGrad', torch.noGrad],
      ['enableGrad', torch.enableGrad],
      ['inferenceMode', torch.inferenceMode],
      ['autocast', (work) => torch.autocast(work)],
    ];
    for (const [name, mode] of modes) {
      const message = new RegExp(`^${name}\\(\\) takes a synchronous function`);
      throwsArgument(() => mode(async_), message);
      assert.equal(ran, 0, name);
      throwsArgument(() => mode(() => Promise.resolve(1)), message);
      throwsArgument(() => mode('work' as never), new RegExp(`${name}\\(\\) needs a function to run, got`));
      assert.deepEqual(state(), initial);
    }
    throwsArgument(() => torch.forkRng(() => Promise.resolve(1)), /forkRng\(\) takes a synchronous function/);
    throwsArgument(() => torch.scope(() => Promise.resolve(1)), /scope\(\) takes a synchronous function/);
    throwsArgument(() => torch.scope(5 as never), /scope\(\) needs a function/);
    throwsArgument(() => torch.forkRng(5 as never), /forkRng\(\) needs a function/);
    await null;
  });
});

describe('inference mode', () => {
  test('its tensors stay out of recorded computations', () => {
    const w = torch.ones(2, { requiresGrad: true });
    const x = torch.inferenceMode(() => {
      assert.deepEqual(state(), { ...initial, grad: false, inference: true });
      return w.mul(2);
    });
    assert.deepEqual([x.isInference, x.requiresGrad, x.toArray()], [true, false, [2, 2]]);
    throwsTorch(() => x.mul(w), 'RuntimeError', /Inference tensors cannot be saved for backward/);
    throwsTorch(() => x.add_(1), 'RuntimeError', /Inplace update to inference tensor/);
    assert.equal(x.clone().mul(w).requiresGrad, true);
    assert.deepEqual(state(), initial);
  });

  test('nests, and can be switched off inside', () => {
    const seen = torch.inferenceMode(() => [
      torch.isInferenceModeEnabled(),
      torch.inferenceMode(() => [torch.isInferenceModeEnabled(), torch.isGradEnabled()], false),
      torch.inferenceMode(() => torch.isInferenceModeEnabled()),
      torch.isInferenceModeEnabled(),
    ]);
    assert.deepEqual(seen, [true, [false, true], true, true]);
    assert.deepEqual(state(), initial);
  });
});

describe('autocast', () => {
  const a = torch.ones(4, 4);

  test('products in the half type, the rest in float32', () => {
    const [product, power, sum] = torch.autocast(() => [a.mm(a), a.exp(), a.add(a)]);
    assert.deepEqual([product?.dtype, power?.dtype, sum?.dtype], ['bfloat16', 'float32', 'float32']);
    assert.equal(a.mm(a).dtype, 'float32');
    assert.deepEqual(state(), initial);
  });

  test('options before or after the callback, enabled, nested', () => {
    const type = () => a.mm(a).dtype;
    assert.equal(torch.autocast({ enabled: false }, type), 'float32');
    assert.equal(torch.autocast(type, { dtype: 'bfloat16' }), 'bfloat16');
    if (!old) assert.equal(torch.autocast({ dtype: 'float16' }, type), 'float16');
    else assert.throws(() => torch.autocast({ dtype: 'float16' }, type), /Bfloat16/);
    assert.deepEqual(state(), initial);
    const nested = torch.autocast(() => [
      type(),
      torch.autocast({ enabled: false }, type),
      type(),
      torch.autocastState(),
    ]);
    assert.deepEqual(nested, ['bfloat16', 'float32', 'bfloat16', { enabled: true, dtype: 'bfloat16' }]);
    throwsArgument(() => torch.autocast({ dtype: 'bfloat17' as DType }, type), /'bfloat17'; did you mean 'bfloat16'/);
    assert.throws(() => torch.autocast({ device: 'gpu' }, type), /gpu/);
    assert.deepEqual(state(), initial);
  });

  test('gradients come back in the type of the weights', () => {
    const w = torch.ones([4, 4], { requiresGrad: true });
    const loss = torch.autocast(() => a.mm(w).float().sum());
    loss.backward();
    assert.deepEqual([w.grad?.dtype, w.grad?.at(0, 0).item()], ['float32', 4]);
  });

  test('weights are converted once, and anew after the block', () => {
    const w = torch.ones([2, 2], { requiresGrad: true });
    const x = torch.ones(2, 2);
    const stale = torch.autocast(() => {
      const first = x.mm(w).at(0, 0).item();
      torch.noGrad(() => w.mul_(3));
      return [first, x.mm(w).at(0, 0).item()];
    });
    assert.deepEqual(stale, [2, 2], 'within the block the converted weight is kept');
    assert.equal(
      torch.autocast(() => x.mm(w).at(0, 0).item()),
      6,
    );
    const fresh = torch.autocast({ cacheEnabled: false }, () => {
      const first = x.mm(w).at(0, 0).item();
      torch.noGrad(() => w.mul_(2));
      return [first, x.mm(w).at(0, 0).item()];
    });
    assert.deepEqual(fresh, [6, 12]);
    // A nested block must not throw away the cache of the outer one, nor leave its own behind.
    const nested = torch.autocast(() => {
      x.mm(w);
      torch.autocast(() => x.mm(w));
      torch.noGrad(() => w.mul_(2));
      return x.mm(w).at(0, 0).item();
    });
    assert.deepEqual([nested, torch.autocast(() => x.mm(w).at(0, 0).item())], [12, 24]);
  });

  test('the cache holds no tensors afterwards', () => {
    const before = native.memory().handles;
    torch.autocast(() => a.mm(torch.ones([4, 4], { requiresGrad: true })));
    torch.memory({ collect: true });
    assert.ok(native.memory().handles <= before);
  });
});
