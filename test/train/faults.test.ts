/** What goes wrong within a run: numbers that are no numbers, pictures that break, disks that fill, folders that vanish. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { readRecord } from '../../src/track/index.js';
import { loadLast, resume, type TrainEvent, train } from '../../src/train/index.js';
import { withTinyDisk } from '../track/disk.js';
import { metricsOf, onlyRun, quick, temporaryFolder, tinyFlowers } from './runs.js';

/** Breaks so many of its forward passes in training, from when it is told to. */
class Sick extends nn.Module {
  broken = 0;
  override forward(x: Tensor): Tensor {
    if (!this.training || this.broken === 0) return x.mul(1);
    this.broken -= 1;
    return x.mul(Number.NaN);
  }
}

class SickNet extends nn.Module {
  sick = new Sick();
  layers = new nn.Sequential(
    new nn.Conv2d(3, 4, 3, { stride: 2 }),
    this.sick,
    new nn.Flatten(),
    new nn.Linear(4 * 49, 3),
  );
  override forward(x: Tensor): Tensor {
    return this.layers.call(x) as Tensor;
  }
}

const { width: _width, depth: _depth, model: _model, ...settings } = quick;

describe('faults of a run', () => {
  const place = temporaryFolder();
  let data = '';
  let count = 0;
  const out = (): string => {
    count += 1;
    return path.join(place, `runs-${count}`);
  };
  /** A copy of the pictures that a test may harm. */
  const ownCopy = (): string => {
    count += 1;
    const folder = path.join(place, `copy-${count}`);
    fs.cpSync(data, folder, { recursive: true });
    return folder;
  };
  before(async () => {
    data = await tinyFlowers(place);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  async function eventsOf(training: AsyncIterable<TrainEvent>, onEvent: (event: TrainEvent) => void) {
    const events: TrainEvent[] = [];
    for await (const event of training) {
      events.push(event);
      onEvent(event);
    }
    return events;
  }

  it('a NaN that passes costs a rollback and half the rate; its layer, operator and pictures are named', async () => {
    const model = new SickNet();
    const training = train({ ...settings, data, out: out(), epochs: 3, schedule: 'constant', warmup: 0, model });
    const events = await eventsOf(training, (event) => {
      // Once in the step, once in the search for the layer.
      if (event.kind === 'step' && event.step === 4 && event.learningRate === 0.01) model.sick.broken = 2;
    });
    const rollbacks = events.filter((event) => event.kind === 'rollback');
    assert.equal(rollbacks.length, 1);
    const { text } = rollbacks[0] as { text: string };
    assert.match(text, /Step \d: the first NaN comes out of layer sick \(Sick\), operator mul; batch: .*\.jpg/);
    assert.match(text, /Back to step \d with half the learning rate/);
    const { folder, state } = await training;
    assert.equal(state, 'finished');
    const lines = metricsOf(folder).filter(({ kind }) => kind === 'step');
    assert.equal(lines.at(-1)?.learningRate, 0.005);
    assert.deepEqual(
      lines.map(({ step }) => step),
      lines.map((_, i) => i + 1),
      'no step is told twice',
    );
    const line = metricsOf(folder).find(({ kind }) => kind === 'rollback') as Record<string, unknown>;
    assert.equal(line.layer, 'sick');
    assert.equal((line.files as string[]).length, 16);
  });

  it('a NaN that stays ends the run after two rollbacks, with the good checkpoint intact', async () => {
    const model = new SickNet();
    const place = out();
    const training = train({ ...settings, data, out: place, epochs: 3, clip: 'off', model });
    const events: TrainEvent[] = [];
    await assert.rejects(async () => {
      for await (const event of training) {
        events.push(event);
        if (event.kind === 'step' && event.step === 4) model.sick.broken = Number.POSITIVE_INFINITY;
      }
    }, /Step \d: the first NaN .* again after the learning rate was halved twice\. .* The last good checkpoint is .*last\.safetensors\.$/);
    assert.equal(events.filter(({ kind }) => kind === 'rollback').length, 2);
    const folder = onlyRun(place);
    assert.equal(readRecord(folder).state, 'failed');
    const { state } = await loadLast(path.join(folder, 'checkpoints'));
    for (const tensor of Object.values(state.model)) assert.ok(tensor.isfinite().all().item());
    // When what was wrong is mended, the run goes on from there.
    model.sick.broken = 0;
    assert.equal((await resume(folder, { model })).state, 'finished');
  });

  it('a weight that was broken is never saved', async () => {
    const model = new SickNet();
    const training = train({ ...settings, data, out: out(), epochs: 3, checkpointEvery: 1e-6, model });
    const events = await eventsOf(training, (event) => {
      const weight = model.layers.parameters()[0] as Tensor;
      if (event.kind === 'step' && event.step === 4 && !events4.has(model)) {
        events4.add(model);
        torch.noGrad(() => weight.fill_(Number.NaN));
      }
    });
    const rollbacks = events.filter((event) => event.kind === 'rollback');
    assert.equal(rollbacks.length, 1);
    assert.match((rollbacks[0] as { text: string }).text, /the weight layers\.0\.weight already holds NaN/);
    assert.equal((await training).state, 'finished');
  });
  const events4 = new WeakSet<object>();

  it('a picture that breaks within the run is named and left out', async () => {
    const copy = ownCopy();
    const place = out();
    const training = train({ ...quick, data: copy, out: place, epochs: 3 });
    let broken = '';
    const events = await eventsOf(training, (event) => {
      if (event.kind !== 'epoch' || event.epoch !== 1) return;
      const split = JSON.parse(fs.readFileSync(path.join(onlyRun(place), 'split.json'), 'utf8')) as {
        parts: { train: string[] };
      };
      broken = split.parts.train[0] as string;
      fs.writeFileSync(path.join(copy, broken), 'no picture any more');
    });
    assert.equal((await training).state, 'finished');
    const warnings = events.filter((event) => event.kind === 'warning').map(({ text }) => text);
    assert.ok(
      warnings.some((text) => text.includes(broken) && /could not be read and is left out/.test(text)),
      `${broken}: ${warnings.join('\n')}`,
    );
  });

  it('data that vanish end the run in a sentence; it goes on where they are now', async () => {
    const copy = ownCopy();
    const moved = `${copy}-moved`;
    const place = out();
    const training = train({ ...quick, data: copy, out: place, epochs: 4 });
    await assert.rejects(
      async () => {
        for await (const event of training) if (event.kind === 'epoch' && event.epoch === 1) fs.renameSync(copy, moved);
      },
      (error: Error) => error.message.includes(path.basename(copy)) && !error.message.includes('\n'),
    );
    const folder = onlyRun(place);
    assert.equal(readRecord(folder).state, 'failed');
    await assert.rejects(
      async () => void (await resume(folder)),
      (error: Error) => error.message.includes(copy) && /where they are now/.test(error.message),
    );
    const { state } = await resume(folder, { data: moved });
    assert.equal(state, 'finished');
  });

  it('of two at once in one folder the second is refused', async () => {
    const place = out();
    const training = train({ ...quick, data, out: place });
    let refusal: Error | undefined;
    for await (const event of training)
      if (event.kind === 'step' && refusal === undefined)
        refusal = await resume(onlyRun(place)).then(
          () => new Error('it was let in'),
          (error: unknown) => error as Error,
        );
    assert.match(refusal?.message ?? '', /is in use by this process since .*\.$/);
    assert.equal((await training).state, 'finished');
  });

  it('a full disk ends the run in a sentence, with the checkpoint of before intact', async (t) => {
    const mounted = await withTinyDisk(360, async (disk) => {
      await assert.rejects(
        async () => void (await train({ ...quick, data, out: disk, depth: 2, epochs: 6 })),
        (error: Error) => /disk .*full|no space/i.test(error.message) && !error.message.includes('\n'),
      );
      // Read elsewhere: a file that is mapped into memory would hold the disk.
      const copy = path.join(place, 'rescued');
      fs.cpSync(path.join(onlyRun(disk), 'checkpoints'), copy, { recursive: true });
      const { state, refused } = await loadLast(copy);
      assert.deepEqual(refused, []);
      assert.ok(state.step >= 0);
    });
    if (!mounted) t.skip('this machine does not let us mount a small disk');
  });

  it('a disk that becomes read-only ends the run in a sentence; writable again, the run goes on', async (t) => {
    const mounted = await withTinyDisk(4000, async (disk) => {
      const remount = (way: string) => spawnSync('mount', ['-o', `remount,${way}`, disk]).status === 0;
      let done = false;
      let failure: Error | undefined;
      try {
        // Refused while a file is being written: tried again at the next step.
        for await (const event of train({ ...quick, data, out: disk, epochs: 12 }))
          if (event.kind === 'step' && event.step >= 4 && !done) done = remount('ro');
      } catch (error) {
        failure = error as Error;
      }
      if (!done) return t.skip('this machine does not let us make a disk read-only');
      assert.ok(failure !== undefined && /read-only/.test(failure.message), String(failure));
      assert.ok(!failure.message.includes('\n'));
      remount('rw');
      assert.equal((await resume(onlyRun(disk))).state, 'finished');
      // Checkpoints that are mapped into memory would hold the disk.
      torch.memory({ collect: true });
    });
    if (!mounted) t.skip('this machine does not let us mount a small disk');
  });

  it('a place for runs that cannot be written is named', async () => {
    const file = path.join(place, 'a-file');
    fs.writeFileSync(file, '');
    await assert.rejects(
      async () => void (await train({ ...quick, data, out: path.join(file, 'runs') })),
      (error: Error) => error.message.includes(file) && !error.message.includes('\n'),
    );
  });

  it('a run folder that is removed under the run does not leave it hanging', async () => {
    const place = out();
    const training = train({ ...quick, data, out: place, epochs: 3 });
    let removed = false;
    const events: TrainEvent[] = [];
    const ended = await (async () => {
      for await (const event of training) {
        events.push(event);
        if (event.kind === 'epoch' && !removed) {
          removed = true;
          const folder = onlyRun(place);
          // The run may be writing into it meanwhile.
          for (let tries = 0; fs.existsSync(folder) && tries < 100; tries++)
            try {
              fs.rmSync(folder, { recursive: true });
            } catch {}
          assert.ok(!fs.existsSync(folder));
        }
      }
      return await training;
    })().catch((error: Error) => error);
    if (ended instanceof Error) assert.match(ended.message, /runs-\d+.*\.$/s);
    else assert.ok(fs.existsSync(path.join(ended.folder, 'model.safetensors')));
  });
});
