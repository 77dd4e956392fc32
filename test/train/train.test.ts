/** `train()` from a program on pictures: its events, its stop, what it leaves, and what is then done with it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { manifest, openDataset } from '../../src/data/sources/index.js';
import { readRecord } from '../../src/track/index.js';
import { loadRun, type RunResult, resume, type TrainEvent, testRun, train } from '../../src/train/index.js';
import { leftBy, metricsOf, onlyRun, quick, temporaryFolder, tinyFlowers } from './runs.js';

interface Row {
  readonly name: string;
  readonly target: number | readonly number[];
  readonly probabilities: readonly number[];
}

const rowsOf = (folder: string): Row[] =>
  fs
    .readFileSync(path.join(folder, 'validation.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

describe('train()', () => {
  const place = temporaryFolder();
  let data = '';
  let run: RunResult;
  let events: TrainEvent[];
  let count = 0;
  const out = (): string => {
    count += 1;
    return path.join(place, `runs-${count}`);
  };
  before(async () => {
    data = await tinyFlowers(place);
    const training = train({ ...quick, data, out: out(), epochs: 4, averageBest: false, ema: 0.5 });
    run = await training;
    // Begun when all is over: what happened is still told.
    events = [];
    for await (const event of training) events.push(event);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('tells every stage in the order of the text, every step and every epoch, to who listens late, too', () => {
    assert.deepEqual(
      events.filter((event) => event.kind === 'stage').map(({ stage }) => stage),
      ['look', 'split', 'normalise', 'model', 'initialise', 'tune', 'learning rate', 'train', 'select', 'report'],
    );
    const steps = events.filter((event) => event.kind === 'step');
    assert.deepEqual(
      steps.map(({ step }) => step),
      steps.map((_, i) => i + 1),
    );
    assert.equal(steps.length, steps[0]?.steps);
    assert.deepEqual(
      events.filter((event) => event.kind === 'epoch').map(({ epoch }) => epoch),
      [1, 2, 3, 4],
    );
    assert.equal(events.at(-1)?.kind, 'finished');
  });

  it('restores the best epoch, not the last', () => {
    const epochs = metricsOf(run.folder).filter(({ kind }) => kind === 'epoch');
    const best = epochs.reduce((a, b) => {
      const [x, y] = [a.validationAccuracy as number, b.validationAccuracy as number];
      return y > x || (y === x && (b.validationLoss as number) < (a.validationLoss as number)) ? b : a;
    });
    assert.equal(run.score, best.validationAccuracy);
    assert.equal(run.epoch, (best.epoch as number) + 1);
    const rows = rowsOf(run.folder);
    const hits = rows.filter(
      ({ target, probabilities }) => probabilities.indexOf(Math.max(...probabilities)) === target,
    );
    assert.equal(hits.length / rows.length, run.score, 'what was saved is what was measured');
  });

  it('predicts what the validation had found, from the folder alone', async () => {
    const loaded = await loadRun(run.folder);
    const rows = rowsOf(run.folder);
    const found = await loaded.predict(
      rows.map(({ name }) => path.join(data, name)),
      { top: 3, batchSize: 64 },
    );
    for (const [i, row] of rows.entries()) {
      assert.equal(found[i]?.error, undefined);
      for (const { label, probability } of found[i]?.guesses ?? [])
        assert.equal(Number(probability.toPrecision(7)), row.probabilities[loaded.classes.indexOf(label)], row.name);
    }
    const [missing] = await loaded.predict([path.join(data, 'no-such.jpg')]);
    assert.match(missing?.error ?? '', /no-such\.jpg/);
  });

  it('keeps the test part for one test, and writes down a second', async () => {
    const result = await testRun(run.folder);
    assert.equal(result.uses, 1);
    assert.ok(result.samples >= 9);
    const { low, high } = result.intervals.accuracy as { low: number; high: number };
    assert.ok(low <= result.score && result.score <= high && high - low > 0.1, 'ten pictures tell little');
    await assert.rejects(testRun(run.folder), (error: Error) => /again/.test(error.message));
    const again = await testRun(run.folder, { again: true });
    assert.equal(again.uses, 2);
    assert.equal(again.score, result.score);
    const split = JSON.parse(fs.readFileSync(path.join(run.folder, 'split.json'), 'utf8')) as {
      seal: { kind: string }[];
    };
    assert.equal(split.seal.filter(({ kind }) => kind === 'opened').length, 2);
    assert.equal(readRecord(run.folder).result?.testUses, 2);
  });

  it('stop() ends after the step, and resume() ends as if it had not been', async () => {
    const settings = { ...quick, data, epochs: 3, mixup: 0.3 } as const;
    const whole = await train({ ...settings, out: out() });
    const training = train({ ...settings, out: out() });
    for await (const event of training) if (event.kind === 'step' && event.step === 4) training.stop('enough');
    const stopped = await training;
    assert.equal(stopped.state, 'stopped');
    assert.equal(readRecord(stopped.folder).reason, 'enough');
    assert.ok(!fs.existsSync(path.join(stopped.folder, 'model.safetensors')));
    await assert.rejects(loadRun(stopped.folder), /finish the run first \(praxis resume/);
    await assert.rejects(testRun(stopped.folder), /finish the run first/);
    await resume(stopped.folder);
    assert.deepEqual(leftBy(stopped.folder), leftBy(whole.folder));
  });

  it('stop() before the training begins leaves nothing to go on with, and says so', async () => {
    const training = train({ ...quick, data, out: out() });
    const seen: TrainEvent[] = [];
    for await (const event of training) {
      seen.push(event);
      if (event.kind === 'stage' && event.stage === 'split') training.stop('Ctrl-C');
    }
    const { state, folder } = await training;
    assert.equal(state, 'stopped');
    const last = seen.at(-1);
    assert.ok(last?.kind === 'finished' && !last.resumable);
    assert.match(last.text, /Stopped \(Ctrl-C\) before the training began\. Start it again/);
    assert.equal(readRecord(folder).state, 'stopped');
    await assert.rejects(async () => void (await resume(folder)), /before its training began .*start it again/);
  });

  it('stop() within the range test does not wait for its end', async () => {
    const { learningRate: _, ...rest } = quick;
    const training = train({ ...rest, data, out: out(), learningRate: 'find' });
    const shares: number[] = [];
    for await (const event of training) {
      if (event.kind !== 'working' || event.stage !== 'learning rate') continue;
      shares.push(event.share as number);
      training.stop('Ctrl-C');
    }
    assert.equal((await training).state, 'stopped');
    assert.ok(shares.length > 0 && Math.max(...shares) < 0.5, `${shares}`);
  });

  it('ends at its next checkpoint when another process has taken its folder over, and leaves that alone', async () => {
    const place = out();
    const training = train({ ...quick, data, out: place, epochs: 3 });
    const other = JSON.stringify({ pid: 7, host: 'elsewhere', born: '', since: '2026-11-30T00:00:00Z', token: 'abc' });
    const lock = () => path.join(onlyRun(place), 'run.lock');
    const read = async (): Promise<void> => {
      for await (const event of training) {
        if (event.kind === 'epoch') fs.writeFileSync(lock(), other);
      }
    };
    await assert.rejects(read(), /was taken over by process 7 on elsewhere at 2026-11-30/);
    assert.equal(fs.readFileSync(lock(), 'utf8'), other);
    // Its record is the other's now: it does not say that it ended.
    const { state, reason, finished } = readRecord(onlyRun(place));
    assert.deepEqual([state, reason, finished], ['running', undefined, undefined]);
  });

  it('grey pictures, a data set as an object, and bfloat16 as asked for', async () => {
    const dataset = openDataset(data);
    const place = out();
    const { folder, state } = await train({
      ...{ ...quick, data: dataset, out: place, channels: 1, precision: 'bfloat16', clip: 'off', ema: 'off' },
      ...{ labelSmoothing: 0.2, augment: 'light' },
    });
    assert.equal(state, 'finished');
    const plan = readRecord(folder).configuration.plan as { machine: { precision: string }; data: { path: string } };
    assert.equal(plan.machine.precision, 'bfloat16');
    assert.equal(plan.data.path, '');
    await assert.rejects(testRun(folder), /given its data as an object; give it again/);
    assert.equal((await testRun(folder, { data: dataset })).uses, 1);
    const guess = await (await loadRun(folder)).predict(path.join(data, rowsOf(folder)[0]?.name as string));
    assert.equal(guess?.guesses.length, 3);
  });

  it('several labels for each picture, from the manifest to the test', async () => {
    const list = path.join(data, 'labels.csv');
    const rows = openDataset(data);
    const lines = Array.from({ length: rows.length }, (_, i) => {
      const name = rows.sampleName(i);
      return `${name},${[name.split('/')[0], i % 2 === 0 ? 'even' : ''].filter(Boolean).join(';')}`;
    });
    fs.writeFileSync(list, `file,labels\n${lines.join('\n')}\n`);
    const dataset = manifest(list);
    assert.equal(dataset.multiLabel, true);
    const { folder, score, report } = await train({ ...quick, data: list, out: out() });
    fs.rmSync(list);
    assert.ok(score !== undefined && score > 0 && score <= 1);
    assert.ok(report !== undefined && 'meanAveragePrecision' in report);
    assert.equal((rowsOf(folder)[0] as Row & { target: number[] }).target.length, 4);
    const result = await testRun(folder, { data: dataset });
    assert.equal(result.scoreName, 'mean average precision');
    const prediction = await (await loadRun(folder)).predict(path.join(data, rowsOf(folder)[0]?.name as string), {
      top: 4,
    });
    const sum = (prediction?.guesses ?? []).reduce((total, { probability }) => total + probability, 0);
    assert.ok(Math.abs(sum - 1) > 1e-3, 'each class is a question of its own');
  });

  it('a split made before is used; one of other data is refused in a sentence', async () => {
    const splitFile = path.join(run.folder, 'split.json');
    const { folder } = await train({ ...quick, data, out: out(), epochs: 1, splitFile });
    assert.equal(
      readRecord(folder).split?.fingerprint,
      readRecord(run.folder).split?.fingerprint,
      'the same pictures on the same sides',
    );
    const other = path.join(place, 'other');
    fs.cpSync(data, other, { recursive: true });
    fs.renameSync(path.join(other, 'tulip'), path.join(other, 'Tulpe süß'));
    await assert.rejects(
      async () => void (await train({ ...quick, data: other, out: out(), splitFile })),
      (error: Error) => error.message.includes('split') && !error.message.includes('\n'),
    );
    const named = await train({ ...quick, data: other, out: out(), epochs: 1 });
    assert.ok((await loadRun(named.folder)).classes.includes('Tulpe süß'));
  });

  it('data nothing can be learnt from are refused in a sentence that names them', async () => {
    const bare = path.join(place, 'bare');
    const make = (name: string, files: Record<string, number>): string => {
      const root = path.join(bare, name);
      for (const [label, pictures] of Object.entries(files)) {
        fs.mkdirSync(path.join(root, label), { recursive: true });
        const source = fs.readdirSync(path.join(data, 'daisy'));
        for (let i = 0; i < pictures; i++)
          fs.copyFileSync(path.join(data, 'daisy', source[i] as string), path.join(root, label, source[i] as string));
      }
      return root;
    };
    const cases: [string, RegExp][] = [
      [make('one-class', { daisy: 5 }), /one class only \(daisy\)/],
      [make('no-picture', { daisy: 0, tulip: 0 }), /no files/],
      [make('one-each', { daisy: 1, tulip: 1 }), /more in each class are needed|cannot be split|too few/],
      [path.join(bare, 'nowhere'), /no such file or folder/],
    ];
    for (const [root, sentence] of cases)
      await assert.rejects(
        async () => void (await train({ ...quick, data: root, out: out() })),
        (error: Error) => {
          assert.match(error.message, sentence);
          assert.ok(error.message.includes(root) && !error.message.includes('\n'), error.message);
          return true;
        },
      );
    // A class without pictures is told of, and not in the way.
    const place2 = out();
    const empty = make('empty-class', { daisy: 8, tulip: 0 });
    fs.cpSync(path.join(data, 'sunflower'), path.join(empty, 'sunflower'), { recursive: true });
    const training = train({ ...quick, data: empty, out: place2, epochs: 1 });
    const warnings: string[] = [];
    for await (const event of training) if (event.kind === 'warning') warnings.push(event.text);
    assert.equal((await training).state, 'finished');
    assert.ok(
      warnings.some((text) => /tulip/.test(text)),
      `no word of the empty class: ${warnings.join('\n')}`,
    );
    assert.ok(onlyRun(place2));
  });

  it('refuses settings that cannot be, before anything is looked at', () => {
    assert.throws(() => train({ data, epochs: -1 }), /train\(\): epochs must be/);
    assert.throws(() => train({ data, epoch: 3 } as never), /no setting 'epoch'; did you mean epochs\?/);
  });
});
