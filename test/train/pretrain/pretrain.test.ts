/** Pre-training without labels: what it learns, from what, and that it goes on. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { main } from '../../../src/cli/main.js';
import { sampleRandom } from '../../../src/data/random.js';
import { unlabelledPictures } from '../../../src/data/sources/index.js';
import { writeReport } from '../../../src/report/index.js';
import { torch } from '../../../src/torch/index.js';
import { readRecord } from '../../../src/track/index.js';
import {
  averageRuns,
  loadRun,
  type PretrainingResult,
  type PretrainOptions,
  pretrain,
  probe,
  resume,
  type TrainEvent,
  testRun,
  train,
} from '../../../src/train/index.js';
import { twoViews } from '../../../src/train/pretrain/views.js';
import { planOf } from '../../../src/train/recipe/record.js';
import { quick as moment, temporaryFolder } from '../runs.js';

const place = temporaryFolder();
const out = path.join(place, 'runs');
const kinds = ['disc', 'ring', 'cross', 'stripes'] as const;
after(() => fs.rmSync(place, { recursive: true, force: true }));

/** Noisy pictures of 24 × 24 with a shape somewhere, all in like colours: only their form tells them apart. */
async function shapes(folder: string, count: number): Promise<string> {
  const side = 24;
  for (const kind of kinds) fs.mkdirSync(path.join(folder, kind), { recursive: true });
  for (let i = 0; i < count; i++) {
    const draws = sampleRandom(7, 0, i, 50);
    const kind = kinds[i % 4] as (typeof kinds)[number];
    const light = 60 + draws.integer(60);
    const [fore, back] = [
      [light + 100, light + 90, light + 60],
      [light - 20, light, light - 10],
    ];
    const [cx, cy] = [side / 2 + draws.uniform(-4, 4), side / 2 + draws.uniform(-4, 4)];
    const radius = side * draws.uniform(0.25, 0.4);
    const pixels = new Uint8Array(side * side * 3);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const [dx, dy] = [x - cx, y - cy];
        const far = Math.hypot(dx, dy);
        const on = {
          disc: far < radius,
          ring: far < radius && far > 0.6 * radius,
          cross: Math.min(Math.abs(dx), Math.abs(dy)) < 0.3 * radius && Math.max(Math.abs(dx), Math.abs(dy)) < radius,
          stripes: far < radius && Math.floor(dx / 2.5 + 20) % 2 === 0,
        }[kind];
        for (let c = 0; c < 3; c++)
          pixels[(y * side + x) * 3 + c] = Math.max(
            0,
            Math.min(255, ((on ? fore : back)?.[c] as number) + draws.integer(61) - 30),
          );
      }
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toFile(path.join(folder, kind, `${i}.png`));
  }
  return folder;
}

const quick = {
  ...moment,
  size: 24,
  model: 'resnet20',
  width: 8,
  depth: 8,
  batchSize: 32,
  learningRate: 4e-3,
  out,
  split: [0.5, 0.4, 0.1],
} satisfies Omit<PretrainOptions, 'data'>;

let data = '';
let flat = '';
before(async () => {
  process.env.PRAXIS_CACHE_DIR = path.join(place, 'cache');
  data = await shapes(path.join(place, 'shapes'), 480);
  // The same pictures as a camera leaves them.
  flat = path.join(place, 'camera');
  for (const [i, name] of fs.readdirSync(path.join(data, 'disc')).slice(0, 60).entries()) {
    const folder = i % 3 === 0 ? flat : path.join(flat, '2026', 'November');
    fs.mkdirSync(folder, { recursive: true });
    fs.copyFileSync(path.join(data, 'disc', name), path.join(folder, name));
  }
  fs.writeFileSync(path.join(flat, 'notes.txt'), 'no picture');
});

async function listen(training: ReturnType<typeof pretrain>) {
  const lines: Record<string, string> = {};
  const events: TrainEvent[] = [];
  for await (const event of training) {
    events.push(event);
    if (event.kind === 'stage') lines[event.stage] = event.text;
  }
  return { lines, events, result: (await training) as PretrainingResult };
}

describe('pretrain', () => {
  it('learns features that a probe reads more from than from those of the network as it was drawn', async () => {
    const { lines, result } = await listen(pretrain({ ...quick, data, epochs: 15, name: 'shapes' }));
    const { folder, figures } = result;
    assert.match(lines.look as string, /480 pictures, about 24 pixels.*their 4 labels are not learnt/);
    assert.match(lines.train as string, /find its partner among 63 \(SimCLR, temperature 0\.5\)/);
    assert.ok(figures !== undefined && figures.probe > figures.random.probe + 0.1, JSON.stringify(figures));
    assert.ok(figures.neighbours > figures.random.neighbours + 0.1, JSON.stringify(figures));
    assert.match(lines['head start'] as string, /probe on the 32 frozen features reaches .* before the pre-training/);
    const record = readRecord(folder);
    assert.equal(record.state, 'finished');
    assert.equal(record.result?.probe, figures.probe);

    // Its folder is weights like any other, with a head of its own.
    const { size: _, model: __, width: ___, depth: ____, ...rest } = quick;
    const seen = await probe({ ...rest, size: 24, data, pretrained: folder });
    assert.ok(Math.abs(seen.probe - figures.probe) < 0.03, `${seen.probe} for ${figures.probe}`);
    const tuned = await listen(train({ ...rest, data, pretrained: folder, epochs: 1, name: 'tuned' }) as never);
    assert.match(tuned.lines.model as string, /trained on shapes without labels; a new head for 4 classes/);
    assert.equal(planOf(tuned.result.folder).transfer?.newHead, true);
    // Of all that names classes it is none.
    await assert.rejects(loadRun(folder), /learned without labels and names no classes; praxis finetune/);
    await assert.rejects(testRun(folder), /learned without labels/);
    await assert.rejects(averageRuns([folder]), /learned without labels/);
    await assert.rejects(writeReport(folder), /nothing to report class by class/);
  });

  it('takes any structure of folders, and says what it cannot', async (t) => {
    const { lines, result } = await listen(
      pretrain({ ...quick, data: flat, batchSize: 16, epochs: 1, name: 'camera' }),
    );
    assert.match(lines.look as string, /60 pictures.*; no labels/);
    assert.match(lines.split as string, /54 to learn from, 6 to measure on/);
    assert.equal(result.figures, undefined);
    assert.equal(lines['head start'], undefined);
    assert.ok(Number.isFinite(result.score));
    assert.equal(unlabelledPictures(flat).skipped.length, 1);
    const printed: string[] = [];
    t.mock.method(console, 'log', (text: string) => printed.push(text));
    const stdout = t.mock.method(process.stdout, 'write', () => true);
    const args = ['--size', '24', '--model', 'resnet20', '--width', '4', '--depth', '8', '--epochs', '1'];
    const machine = ['--precision', 'float32', '--memory-format', 'contiguous', '--threads', '1', '--no-cache'];
    assert.equal(await main(['pretrain', flat, ...args, ...machine, '--out', out, '--name', 'typed']), 0);
    stdout.mock.restore();
    assert.match(printed.join('\n'), /use +praxis finetune \S+typed DATA/);
    const table = path.join(place, 'table.csv');
    fs.writeFileSync(
      table,
      `a,label\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'}`).join('\n')}\n`,
    );
    await assert.rejects(async () => void (await pretrain({ ...quick, data: table })), /takes pictures, and this is/);
    await assert.rejects(
      async () => void (await pretrain({ ...quick, data: flat, temperature: 0 })),
      /temperature must be above 0/,
    );
    await assert.rejects(
      async () => void (await pretrain({ ...quick, data: flat, batchSize: 'largest' })),
      /batchSize: 'largest' is for trainings with labels; give a number/,
    );
    const empty = path.join(place, 'empty');
    fs.mkdirSync(empty);
    await assert.rejects(async () => void (await pretrain({ ...quick, data: empty })), /holds no pictures/);
  });

  it('stopped within an epoch and gone on with ends as one that was not, bit for bit', async () => {
    const settings = { ...quick, data, epochs: 2, checkpointEvery: 0.0001 };
    const whole = await pretrain({ ...settings, name: 'whole' });
    const training = pretrain({ ...settings, name: 'parts' });
    let steps = 0;
    for await (const event of training) if (event.kind === 'step' && ++steps === 9) training.stop('enough');
    const parts = await training;
    assert.equal(parts.state, 'stopped');
    const gone = await resume(parts.folder);
    assert.equal(gone.state, 'finished');
    const weights = (folder: string) => fs.readFileSync(path.join(folder, 'model.safetensors'));
    assert.ok(weights(parts.folder).equals(weights(whole.folder)));
    assert.equal(gone.score, whole.score);
  });
});

describe('twoViews', () => {
  it('gives two draws of each picture, the same each time, and where each finds its partner', () => {
    const input = torch
      .arange(3 * 4)
      .view(3, 1, 2, 2)
      .to('float32');
    const index = torch.arange(3).to('int64');
    const seeds: number[] = [];
    const augment = (
      batch: { input: typeof input; target: typeof index; index: typeof index },
      context: { seed: number },
    ) => {
      seeds.push(context.seed);
      return { ...batch, input: batch.input.add(seeds.length) };
    };
    const views = twoViews(augment as Parameters<typeof twoViews>[0])(
      { input, target: index, index },
      { seed: 5, epoch: 0, samples: [0, 1, 2], classes: 2 },
    );
    assert.equal(seeds[0], 5);
    assert.notEqual(seeds[1], seeds[0]);
    assert.deepEqual(views.input.shape, [6, 1, 2, 2]);
    assert.deepEqual(views.target.toArray(), [3, 4, 5, 0, 1, 2]);
    assert.ok(views.input.at('3:').sub(views.input.at(':3')).eq(1).all().item());
  });
});
