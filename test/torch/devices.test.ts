import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { torch } from '../../src/torch/index.js';
import { throwsArgument } from '../support/throws.js';

describe('threads', () => {
  const before = torch.getNumThreads();
  after(() => torch.setNumThreads(before));

  test('are set and read', () => {
    torch.setNumThreads(1);
    assert.equal(torch.getNumThreads(), 1);
    torch.setNumThreads(2);
    assert.equal(torch.getNumThreads(), 2);
    assert.deepEqual(torch.ones(64, 64).mm(torch.ones(64, 64)).at(0, 0).item(), 64);
    assert.ok(torch.getNumInteropThreads() >= 1);
  });

  test('mistakes', () => {
    throwsArgument(() => torch.setNumThreads(0), /threads must be between 1 and/);
    throwsArgument(() => torch.setNumThreads(1.5), /must be an integer, got/);
    throwsArgument(() => torch.setNumThreads('2' as never), /must be an integer, got a string/);
    throwsArgument(() => torch.setNumThreads(1e9), /threads must be between/);
  });
});

describe('switches', () => {
  const names = [
    'deterministic',
    'deterministicWarnOnly',
    'benchmarkCudnn',
    'allowTf32Matmul',
    'allowTf32Cudnn',
    'oneDnn',
  ] as const;

  for (const name of names)
    test(`${name} can be turned and turned back`, () => {
      const before = torch.getSwitch(name);
      assert.equal(torch.setSwitch(name, !before), before);
      assert.equal(torch.getSwitch(name), !before);
      torch.setSwitch(name, before);
      assert.equal(torch.getSwitch(name), before);
    });

  test('deterministic algorithms are asked for and given up again', () => {
    torch.useDeterministicAlgorithms(true, { warnOnly: true });
    assert.deepEqual([torch.getSwitch('deterministic'), torch.getSwitch('deterministicWarnOnly')], [true, true]);
    torch.useDeterministicAlgorithms(false);
    assert.deepEqual([torch.getSwitch('deterministic'), torch.getSwitch('deterministicWarnOnly')], [false, false]);
  });

  test('flushDenormal changes what the processor makes of tiny numbers', () => {
    const tiny = torch.tensor([1e-310], { dtype: 'float64' });
    torch.setSwitch('flushDenormal', true);
    const flushed = tiny.mul(1).item();
    torch.setSwitch('flushDenormal', false);
    assert.deepEqual([flushed, tiny.mul(1).item()], [0, 1e-310]);
  });

  test('unknown ones are named', () => {
    throwsArgument(() => torch.getSwitch('turbo' as never), /no engine switch 'turbo'/);
    throwsArgument(() => torch.setSwitch('turbo' as never, true), /no engine switch 'turbo'/);
    throwsArgument(() => torch.getSwitch('flushDenormal' as never), /no engine switch 'flushDenormal' to read/);
  });
});

describe('an engine without accelerators says so', {
  skip: torch.cuda.isAvailable() || torch.mps.isAvailable(),
}, () => {
  test('asking is no error', () => {
    assert.deepEqual([torch.cuda.isAvailable(), torch.cuda.deviceCount(), torch.mps.deviceCount()], [false, 0, 0]);
    assert.equal(torch.bestDevice(), 'cpu');
    assert.match(torch.cuda.whyNot() ?? '', /cuda|CUDA/);
    assert.match(torch.mps.whyNot() ?? '', /built without mps|no such device/);
    torch.cuda.emptyCache();
  });

  test('using is one sentence', () => {
    const clear = /torch\.cuda: .*(built without cuda|no such device|CUDA library could not be loaded)/;
    throwsArgument(() => torch.cuda.synchronize(), clear);
    throwsArgument(() => torch.cuda.memoryStats(), clear);
    throwsArgument(() => torch.cuda.resetPeakMemoryStats(), clear);
    throwsArgument(() => torch.cuda.currentStream(), clear);
    throwsArgument(() => torch.cuda.withStream(null as never, () => 1), clear);
    const none = /no accelerator of type cuda/;
    throwsArgument(() => torch.cuda.currentDevice(), none);
    throwsArgument(() => torch.cuda.setDevice(0), none);
    throwsArgument(() => new torch.Stream(), none);
    throwsArgument(() => new torch.Event(), none);
    throwsArgument(() => new torch.Stream({ device: 'cpu' }), /no accelerator of type cpu/);
    assert.throws(() => new torch.Stream({ device: 'quux' }), /quux/);
    assert.throws(
      () => torch.ones(1).cuda(),
      (error: Error) => /cuda/i.test(error.message) && error.message.length < 300,
    );
    assert.throws(() => torch.ones(1).to('cuda:1'), /cuda/i);
  });
});

describe('the meta device', () => {
  test('has shapes and types but no numbers', () => {
    const x = torch.zeros([3, 4], { device: 'meta' });
    assert.deepEqual([x.mm(torch.zeros([4, 5], { device: 'meta' })).shape, x.device], [[3, 5], 'meta']);
    assert.throws(() => x.toArray(), /meta/i);
    assert.throws(() => x.sum().item(), /meta/i);
  });
});
