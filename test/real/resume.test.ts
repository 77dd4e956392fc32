/** Fifty kills at random moments, set-up and going on included; every run ends bit for bit as one that was never killed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sampleRandom } from '../../src/data/random.js';
import { readRecord } from '../../src/track/index.js';
import { inChild, leftBy, onlyRun, quick, temporaryFolder, tinyFlowers } from '../train/runs.js';

const kills = 50;

describe('fifty kills', () => {
  const place = temporaryFolder();
  let data = '';
  before(async () => {
    data = await tinyFlowers(place);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('all end bit for bit as the run that was never killed', async (t) => {
    const { width: _, depth: __, model: ___, ...settings } = quick;
    const options = (out: string) => ({
      ...{ ...settings, data, out: path.join(place, out), epochs: 40, batchSize: 8, accumulate: 2, validateEvery: 4 },
      ...({ augment: 'medium', mixup: 0.4, ema: 0.95, checkpointEvery: 0.0002 } as const),
    });
    const whole = await inChild({ options: options('whole'), dropout: true });
    assert.equal(whole.code, 0, whole.stderr);
    const expected = leftBy(onlyRun(path.join(place, 'whole')));

    const draws = sampleRandom(6, 0, 0, 200);
    let done = 0;
    let runs = 0;
    let early = 0;
    while (done < kills) {
      const out = path.join(place, `run-${runs}`);
      runs += 1;
      let folder: string | undefined;
      for (;;) {
        if (folder === undefined && fs.existsSync(out) && fs.readdirSync(out).length > 0) {
          // Killed before its training began: what resume says is to start again.
          if (readRecord(onlyRun(out)).configuration.plan !== undefined) folder = onlyRun(out);
          else {
            early += 1;
            fs.rmSync(out, { recursive: true });
          }
        }
        const order = folder === undefined ? { options: options(`run-${runs - 1}`) } : { resume: folder };
        const after = folder === undefined && draws.uniform(0, 1) < 0.3 ? 'stage look' : 'stage train';
        const kill = done < kills ? { after, milliseconds: draws.uniform(0, 3000) } : undefined;
        const end = await inChild({ ...order, dropout: true }, kill);
        if (end.signal === 'SIGKILL') {
          done += 1;
          // Killed after its last word.
          if (
            fs.existsSync(out) &&
            fs.readdirSync(out).some((name) => readRecord(path.join(out, name)).state === 'finished')
          )
            break;
        } else {
          assert.equal(end.code, 0, end.stderr);
          break;
        }
      }
      assert.deepEqual(leftBy(onlyRun(out)), expected, `run ${runs} after ${done} kills`);
    }
    t.diagnostic(`${done} kills in ${runs} runs, ${early} of them before the training began; all bit-equal`);
  });
});
