/** Calibration of a finished training: what is written down, what the weights say then, and where it is left alone. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TableNormaliser } from '../../src/data/normalise/index.js';
import { nn, type Tensor, torch } from '../../src/index.js';
import { loadRun, resume, train } from '../../src/train/index.js';
import { type NamedRow, type RowInput, rowsOf } from '../../src/train/use/rows.js';
import { noiseTable } from './noise-table.js';
import { temporaryFolder } from './runs.js';

const settings = {
  split: [0.5, 0.4, 0.1] as [number, number, number],
  ...{ learningRate: 3e-3, batchSize: 32, width: 128, depth: 2, epochs: 25, ema: 'off', labelSmoothing: 0, seed: 4 },
  ...{ precision: 'float32', memoryFormat: 'contiguous', threads: 1, workers: 0, device: 'cpu' },
} as const;

const json = (folder: string, name: string) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
const weightsOf = async (folder: string) =>
  (await torch.load(path.join(folder, 'model.safetensors'))) as Record<string, Tensor>;

describe('calibration of a finished training', () => {
  const place = temporaryFolder();
  let data = '';
  const fit = (options: object = {}) => {
    const training = train({ ...settings, data, out: path.join(place, 'runs'), ...options } as never);
    return training.then(async (result) => {
      const lines: string[] = [];
      for await (const event of training)
        if (event.kind === 'stage' && event.stage === 'select') lines.push(event.text);
      return { ...result, folder: result.folder as string, line: lines.join() };
    });
  };
  before(() => {
    data = noiseTable(place, { rows: 1200, wrong: 0.3 });
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('divides the last layer alone, says so, and is more probable on pictures that it was not fitted to', async () => {
    const plain = await fit({ calibrate: false });
    const { folder, line, score } = await fit();
    assert.doesNotMatch(plain.line, /temperature/);
    assert.equal(json(plain.folder, 'result.json').calibration, undefined);
    const { calibration, loss, validation } = json(folder, 'result.json');
    const { temperature, logLoss, calibrationError } = calibration;
    assert.ok(temperature > 1.1, `labels drawn by lot and learnt by heart make too sure, found ${temperature}`);
    assert.match(
      line,
      /surer than it is right, and is as sure now \(temperature \d\.\d\d\): log loss 0\.\d+ → 0\.\d+, calibration error/,
    );
    assert.ok(
      logLoss.after < logLoss.before && Math.abs(logLoss.before - json(plain.folder, 'result.json').loss) < 1e-6,
    );
    assert.equal(calibrationError.before, json(plain.folder, 'result.json').validation.calibrationError);
    assert.equal(score, plain.score);
    // What is reported is of the weights that are there: fitted to all, a little better than to others.
    assert.ok(loss <= logLoss.after + 1e-3 && Math.abs(validation.logLoss - loss) < 1e-5);
    const [before, now] = [await weightsOf(plain.folder), await weightsOf(folder)];
    const changed = Object.keys(now).filter((key) => !torch.equal(now[key] as Tensor, before[key] as Tensor));
    assert.equal(changed.length, 2, changed.join());
    for (const key of changed)
      assert.ok(
        torch.allclose((now[key] as Tensor).mul(temperature), before[key] as Tensor, { rtol: 1e-5, atol: 1e-7 }),
      );
  });

  it('is what the run answers and writes down, and the same again when it goes on', async () => {
    const whole = await fit({ name: 'whole' });
    const stopped = train({ ...settings, data, out: path.join(place, 'runs'), name: 'stopped' } as never);
    for await (const event of stopped) if (event.kind === 'epoch' && event.epoch === 3) stopped.stop();
    const { folder, state } = await stopped;
    assert.equal(state, 'stopped');
    const again = await resume(folder as string);
    assert.equal(again.state, 'finished');
    const [a, b] = [await weightsOf(whole.folder), await weightsOf(folder as string)];
    for (const key of Object.keys(a)) assert.ok(torch.equal(a[key] as Tensor, b[key] as Tensor), key);
    const rows = fs.readFileSync(path.join(whole.folder, 'validation.jsonl'), 'utf8').trim().split('\n');
    const told = rows.map((text) => JSON.parse(text) as { name: string; target: number; probabilities: number[] });
    const losses = told.map(({ target, probabilities }) => -Math.log(probabilities[target] as number));
    const mean = losses.reduce((sum, one) => sum + one, 0) / losses.length;
    assert.ok(Math.abs(mean - json(whole.folder, 'result.json').loss) < 1e-4);
    // And of the weights in the folder, asked anew.
    const run = await loadRun(whole.folder);
    const all = rowsOf(data, run.rowNormaliser as TableNormaliser);
    for (const { name, probabilities } of told.slice(0, 20)) {
      const row = all.find((one) => path.basename(one.name) === name) as NamedRow;
      const [answer] = await run.predict([row.row as RowInput], { top: 1 });
      assert.ok(Math.abs((answer?.guesses[0]?.probability as number) - Math.max(...probabilities)) < 1e-5, name);
    }
  });

  it('leaves alone what it cannot divide, and too few samples', async () => {
    // Its logits do not follow its last layer.
    class Sharp extends nn.Module {
      body = new nn.Linear(14, 64);
      head = new nn.Linear(64, 3);
      override forward(x: Tensor): Tensor {
        const logits = this.head.call(nn.functional.relu(this.body.call(x) as Tensor)) as Tensor;
        return logits.add(logits.sign().mul(6).detach());
      }
    }
    const { width: _, depth: __, ...rest } = settings;
    const own = train({
      ...rest,
      data,
      out: path.join(place, 'runs'),
      model: new Sharp() as never,
      epochs: 4,
    } as never);
    const { folder } = await own;
    const { calibration, validation } = json(folder as string, 'result.json');
    assert.ok(validation.logLoss > 1.2, 'it is too sure by far, and there would have been much to gain');
    assert.equal(calibration, undefined);
    const few = await fit({ data: noiseTable(place, { rows: 450, wrong: 0.3, seed: 2 }) });
    assert.equal(json(few.folder, 'result.json').calibration, undefined);
  });
});
