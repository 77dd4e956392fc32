import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MB, run, skip } from './run.js';

/** Some 300 MB on a quiet machine, 410 on a busy one, where the collector comes late; what is dropped would be 3 GB. */
const most = 900 * MB;

describe('memory of tensors that the program drops', { skip, concurrency: 2 }, () => {
  it('stays far below what 3,000 results of 1 MiB in a synchronous loop would take', async (t) => {
    const { before, peak, last } = await run('droppedResults');
    assert.equal(last, 2);
    t.diagnostic(`${(before / MB).toFixed(0)} MB when it began, ${(peak / MB).toFixed(0)} MB at most`);
    assert.ok(peak < most, `${peak / MB} MB`);
  });

  it('stays far below what views and changes in place of 3,000 copies would take', async () => {
    const { peak } = await run('droppedViews');
    assert.ok(peak < most, `${peak / MB} MB`);
  });

  it('is gone when a function has returned: handles and bytes are what they were', async () => {
    const { made, most, handles, bytes } = await run('baseline');
    assert.ok(most >= made, 'the tensors were alive');
    assert.equal(handles, 0);
    assert.equal(bytes, 0);
  });

  it('counts once however many views share it, and stays as long as one view does', async () => {
    const figures = await run('views');
    assert.equal(figures.alone, 2 ** 20);
    assert.equal(figures.together, 2 ** 20);
    assert.equal(figures.handles, 101);
    assert.equal(figures.rest, 2 ** 20);
    assert.equal(figures.restHandles, 1);
    assert.equal(figures.sum, 8);
  });

  it('of a graph goes with the graph, walked or not', async () => {
    const { peak, handles, bytes, gradient } = await run('droppedGraphs');
    assert.equal(gradient, false);
    assert.equal(handles, 0);
    assert.equal(bytes, 0);
    // 400 graphs that save 4 MiB each would be 1.6 GB.
    assert.ok(peak < 700 * MB, `${peak / MB} MB`);
  });

  it('of custom functions that save their inputs and outputs, and of hooks, goes with them', async () => {
    const { handles, bytes, growth } = await run('customFunctions');
    assert.equal(handles, 0);
    assert.equal(bytes, 0);
    // 8,000 rounds of five tensors of 16 KiB would be 640 MB.
    assert.ok(growth < 64 * MB, `${growth / MB} MB`);
  });

  it('of a hook that holds its own tensor goes when the hook is removed or the tensor disposed', async () => {
    const { handles, bytes, peak } = await run('removedHooks');
    assert.equal(handles, 0);
    assert.equal(bytes, 0);
    assert.ok(peak < 600 * MB, `${peak / MB} MB`);
  });

  it('is not lost in errors, of arguments, of the engine, of hooks and of backward functions', async () => {
    const { calls, thrown, handles, bytes, growth } = await run('errors');
    assert.equal(thrown, calls);
    assert.equal(handles, 0);
    assert.equal(bytes, 0);
    assert.ok(growth < 40 * MB, `${growth / MB} MB`);
  });

  it('outside the heap comes back to nothing', async () => {
    const { held, bytes, handles, external } = await run('externalMemory');
    assert.ok(held >= 64 * 2 ** 20);
    assert.equal(bytes, 0);
    assert.equal(handles, 0);
    assert.ok(external < 2 * MB, `${external / MB} MB`);
  });

  it('is freed at the end of a scope, without the collector', async () => {
    const { most, handles, thrown, peak } = await run('scopes');
    assert.equal(most, 1);
    assert.equal(handles, 0);
    assert.equal(thrown, 1);
    assert.ok(peak < 400 * MB, `${peak / MB} MB`);
  });
});
