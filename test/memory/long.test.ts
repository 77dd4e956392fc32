import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MB, run, skip } from './run.js';

describe('memory over time', { skip, concurrency: 2 }, () => {
  /** Between step 5,000 and step 20,000 nothing may grow but for what V8 keeps for itself. */
  async function flat(t: TestContext, scenario: string): Promise<void> {
    const figures = await run(scenario);
    t.diagnostic(
      `${figures.bytesPerStep.toFixed(0)} bytes per step; at most ${figures.mostHandles} handles and ${(figures.peak / MB).toFixed(0)} MB`,
    );
    assert.ok(figures.last < figures.first / 100, 'it learned');
    // After collecting, to the tensor: a leak of one per thousand steps would be 15.
    assert.equal(figures.handles, 0);
    assert.equal(figures.bytes, 0);
    assert.ok(figures.mostHandles < 60_000, `${figures.mostHandles} handles`);
    // V8's heap settles within 40 MB; what a step saves of its hidden layer alone would be 123.
    assert.ok(figures.bytesPerStep < 4000, `${figures.bytesPerStep} bytes per step`);
    assert.ok(figures.growth < 60 * MB, `${figures.growth / MB} MB`);
    assert.ok(figures.peak < 450 * MB, `${figures.peak / MB} MB`);
  }

  it('is flat in 20,000 steps of training, parameter by parameter', (t) => flat(t, 'trainSingly'));
  it('is flat in 20,000 steps of training, all parameters in one call', (t) => flat(t, 'trainForeach'));

  it('does not grow with worker threads that come and go, ended or terminated', async () => {
    const { said, growth, handles, peak } = await run('workers');
    assert.equal(said, 24);
    // Each worker made 192 MiB of tensors and left them to its end; the allocator keeps some for the next.
    assert.ok(growth < 150 * MB, `${growth / MB} MB after 12 more workers`);
    assert.ok(Math.abs(handles) <= 2);
    assert.ok(peak < 900 * MB, `${peak / MB} MB`);
  });
});

describe('when memory runs out', { skip, concurrency: 2 }, () => {
  // The addresses that are prepared for the heap would be room beyond the limit.
  const limited = (scenario: string): ReturnType<typeof run> =>
    run(scenario, { MALLOC_TRIM_THRESHOLD_: String(64 * 2 ** 20) });

  it('collects what the program has dropped, and then there is room', async () => {
    const { made, failedFirst } = await limited('fitsAfterCollecting');
    assert.equal(made, 10);
    assert.equal(failedFirst, 10);
  });

  it('says what was asked for and what is in use, and goes on working', async () => {
    const { kind, messages, usable, after } = await limited('hopeless');
    assert.equal(kind, true);
    const [first, second, third] = (messages as string).split('\n') as [string, string, string];
    assert.match(first, /536870912 bytes.*empty\(\[536870912\].*1 tensors? holds? 512\.0 MiB on cpu/);
    assert.match(second, /4398046511104 bytes.*zeros\(\[1099511627776\]/);
    assert.match(third, /4294967296 bytes.*ones\(\[1024, 1048576\]/);
    assert.equal(usable, 3);
    assert.equal(after, 2 ** 29);
  });

  it('leaves an output that it could not give memory empty, not pointing beyond its memory', async () => {
    const { message, shape, read, later } = await limited('outputsStayWhole');
    assert.match(message, /2147483648 bytes/);
    assert.equal(shape, '0');
    assert.equal(read, 0);
    assert.equal(later, '0 1 2 3 4');
  });

  it('fills an output after collecting', async () => {
    const { failed, shape, last } = await limited('outputsFitAfterCollecting');
    assert.equal(failed, true);
    assert.equal(shape, String(2 ** 27));
    assert.equal(last, 2 ** 27);
  });

  it('never runs an operator in place a second time', async () => {
    const { kind, first } = await limited('mutationsOnce');
    assert.equal(kind, 'OutOfMemoryError');
    assert.equal(first, 1);
  });
});
