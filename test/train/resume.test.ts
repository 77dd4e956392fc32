/** A run that is killed goes on, and ends as if nothing had happened: the same weights and the same numbers, bit for bit. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sampleRandom } from '../../src/data/random.js';
import { resume } from '../../src/train/index.js';
import { inChild, leftBy, onlyRun, quick, temporaryFolder, tinyFlowers } from './runs.js';

describe('resume', () => {
  const place = temporaryFolder();
  let data = '';
  before(async () => {
    data = await tinyFlowers(place);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('ends bit for bit the same after kills, with augmentation, mixup, growing pictures, dropout, averages, gathered gradients', async () => {
    const { width: _, depth: __, model: ___, ...settings } = quick;
    const options = (out: string) => ({
      ...{ ...settings, data, out: path.join(place, out), epochs: 6, batchSize: 8, accumulate: 2, validateEvery: 3 },
      ...({
        augment: 'medium',
        mixup: 0.4,
        ema: 0.9,
        checkpointEvery: 0.0001,
        patience: 9,
        progressive: 'on',
      } as const),
    });
    const whole = await inChild({ options: options('whole'), dropout: true });
    assert.equal(whole.code, 0, whole.stderr);
    const expected = leftBy(onlyRun(path.join(place, 'whole')));
    assert.ok(expected.metrics.some(({ kind }) => kind === 'validation'));

    const draws = sampleRandom(5, 0, 0, 30);
    const first = await inChild({ options: options('killed'), dropout: true }, { after: 'step 2', milliseconds: 20 });
    assert.equal(first.signal, 'SIGKILL', first.stderr);
    const folder = onlyRun(path.join(place, 'killed'));
    // In a step, a save, a validation; between epochs; soon after going on.
    for (const where of ['step', 'checkpoint', 'epoch', 'stage', 'step']) {
      const end = await inChild(
        { resume: folder, dropout: true },
        { after: where, milliseconds: draws.uniform(0, 50) },
      );
      assert.ok(end.signal === 'SIGKILL' || end.code === 0, end.stderr);
      if (end.code === 0) break;
    }
    if (!fs.existsSync(path.join(folder, 'result.json'))) {
      const last = await inChild({ resume: folder, dropout: true });
      assert.equal(last.code, 0, last.stderr);
    }
    assert.deepEqual(leftBy(folder), expected);
  });

  it('says what to do where the training had not begun, is finished, or is no run', async () => {
    const out = path.join(place, 'early');
    const end = await inChild({ options: { ...quick, data, out } }, { after: 'stage split', milliseconds: 0 });
    assert.equal(end.signal, 'SIGKILL', end.stderr);
    if (fs.existsSync(out) && fs.readdirSync(out).length > 0)
      await assert.rejects(
        async () => void (await resume(onlyRun(out))),
        /ended before its training began .*start it again\.$/,
      );
    await assert.rejects(async () => void (await resume(place)), /is not a run folder/);
    await assert.rejects(
      async () => void (await resume(onlyRun(path.join(place, 'whole')))),
      /is finished .*nothing to go on with/,
    );
  });
});
