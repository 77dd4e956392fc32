/** Event files: their bytes are PyTorch's, and TensorBoard itself reads the values that were logged. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { event, fileVersion, scalarValue, summary } from '../../src/track/tensorboard/events.js';
import { readEvents, SummaryWriter } from '../../src/track/tensorboard/index.js';
import { crc32c, frame } from '../../src/track/tensorboard/records.js';
import { histogramOf, pixelsOf } from '../../src/track/tensorboard/values.js';
import { python, runPython, skipLive } from '../support/python.js';

const script = fileURLToPath(new URL('events.py', import.meta.url));
const skipTensorBoard =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import tensorboard, PIL'], { env: python?.environment })
    .status !== 0 &&
    'Python has no tensorboard');

/** What PyTorch's SummaryWriter wrote for the two events of the first test (scripted in events.py). */
const goldenScalar =
  'GAAAAAAAAACjf0siCQAAEPBcSNpBGg1icmFpbi5FdmVudDoynFNyNiIAAAAAAAAAeBE9/QkAABDwXEjaQRCHrUsqEwoRCgpsb3NzL3RyYWluFc3MzD0ufgDz';

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-events-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const inner = (name: string) => path.join(folder, name);

interface Seen {
  scalars: Record<string, [wallTime: number, step: number, value: number][]>;
  images: Record<string, { step: number; width: number; height: number; pixels: number[] }[]>;
  histograms: Record<string, Record<string, number | number[]>[]>;
  tensors: Record<string, { step: number; text: string[]; floats: number[]; shape: number[] }[]>;
  hparams: Record<string, unknown>;
  graph: { name: string; op: string; inputs: string[]; shape: number[] | null }[] | null;
}

/** What TensorBoard reads from some folders; Python begins once for all of them. */
function seen(...names: string[]): Seen[] {
  const found = runPython<Record<string, Seen>>([script, 'read', ...names.map(inner)]);
  return names.map((name) => found[inner(name)] as Seen);
}

function ourScalar(): string {
  const time = 1763800000.25;
  return Buffer.concat([
    frame(event(time, 0, fileVersion())),
    frame(event(time, 1234567, summary(scalarValue('loss/train', 0.1)))),
  ]).toString('base64');
}

describe('bytes', () => {
  test('a scalar is written as PyTorch writes it, byte for byte', () => {
    assert.equal(ourScalar(), goldenScalar);
  });

  test('the same, asked today', { skip: skipTensorBoard }, () => {
    assert.equal(ourScalar(), runPython<string>([script, 'scalar']));
  });

  test('CRC-32C of the RFC', () => {
    // RFC 3720, B.4
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  });
});

describe('values', () => {
  test('histograms have the buckets of PyTorch', { skip: skipTensorBoard }, () => {
    torch.manualSeed(3);
    const cases: number[][] = [
      [0],
      [1, 1, 1],
      [-1e-13, 1e-13, 0, 5],
      [-3, -2.5, 1e9, 1e-12, -1e-12],
      [...(torch.randn(5000, { dtype: 'float64' }).toTypedArray() as Float64Array)],
      [...(torch.rand(5000, { dtype: 'float64' }).mul(-1e-3).toTypedArray() as Float64Array)],
    ];
    // On the limits themselves, where a logarithm may go either way.
    let limit = 1e-12;
    const edges: number[] = [];
    for (; edges.length < 700; limit *= 1.1) edges.push(limit, -limit);
    cases.push(edges);
    const answers = runPython<Record<string, number | number[]>[]>([script, 'histogram'], cases);
    for (const [i, values] of cases.entries()) {
      const theirs = answers[i] as Record<string, number | number[]>;
      const { notFinite, ...ours } = histogramOf(values) as NonNullable<ReturnType<typeof histogramOf>>;
      assert.equal(notFinite, 0);
      for (const name of ['min', 'max', 'num', 'bucketLimit', 'bucket'] as const)
        assert.deepEqual(ours[name], theirs[name], name);
      for (const name of ['sum', 'sumSquares'] as const) {
        const wanted = theirs[name] as number;
        assert.ok(Math.abs(ours[name] - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), name);
      }
    }
  });

  test('a histogram counts what is finite', () => {
    const histogram = histogramOf([1, Number.NaN, 2, Number.POSITIVE_INFINITY]);
    assert.deepEqual([histogram?.num, histogram?.notFinite, histogram?.min, histogram?.max], [2, 2, 1, 2]);
    assert.equal(
      histogram?.bucket.reduce((a, b) => a + b),
      2,
    );
    assert.equal(histogramOf([Number.NaN]), null);
  });

  test('images are cut, not rounded, and stand in rows of eight', () => {
    const image = torch.tensor([
      [
        [0, 0.5, 1],
        [-1, 2, 0.999],
      ],
    ]);
    const pixels = pixelsOf(image, 'CHW', 'test');
    assert.deepEqual([pixels.width, pixels.height, pixels.channels], [3, 2, 3]);
    assert.deepEqual(
      [...pixels.data].filter((_, i) => i % 3 === 0),
      [0, 127, 255, 0, 255, 254],
    );
    const many = pixelsOf(torch.zeros([10, 3, 4, 5]), 'NCHW', 'test');
    assert.deepEqual([many.width, many.height], [40, 8]);
    assert.throws(
      () => pixelsOf(torch.zeros([2, 4, 5]), 'CHW', "addImage('x')"),
      /addImage\('x'\): an image has 1, 3 or 4/,
    );
    assert.throws(() => pixelsOf(torch.zeros([4, 5]), 'CHW', 'x'), /is not CHW/);
  });
});

class Net extends nn.Module {
  first = new nn.Conv2d(3, 4, 3, { padding: 1 });
  relu = new nn.ReLU();
  body = new nn.Sequential(new nn.Conv2d(4, 4, 1), new nn.Flatten());
  head = new nn.Linear(64, 2);
  override forward(x: Tensor): Tensor {
    const features = this.relu.call(this.first.call(x));
    return this.head.call(this.body.call(features.add(1)) as Tensor);
  }
}

describe('SummaryWriter', () => {
  test('TensorBoard reads what was logged', { skip: skipTensorBoard }, async () => {
    const writer = new SummaryWriter(inner('all'));
    for (let step = 0; step < 50; step++)
      writer.addScalar('loss/train', 1 / (step + 1), step, { wallTime: 1000 + step });
    writer.addScalar('accuracy', torch.tensor(0.25), 7);
    writer.addScalar('odd', Number.NaN, 2 ** 40);
    writer.addScalars('parts', { train: 1, validation: 2 }, 3);
    torch.manualSeed(1);
    const weights = torch.randn([40, 30]);
    writer.addHistogram('weights', weights, 4);
    const picture = torch.randint(0, 256, [3, 9, 7], { dtype: 'uint8' });
    writer.addImage('sample', picture, 5);
    picture.zero_();
    writer.addImages('samples', torch.rand([9, 1, 4, 4]), 6);
    writer.addText('notes', '# Größe\n*fine*', 8);
    writer.addHparams({ lr: 0.1, layers: 0, optimizer: 'AdamW', ema: false }, { 'best/accuracy': 0.9 });
    writer.addPrCurve('pr', [0, 1, 1, 0], [0.1, 0.9, 0.4, 0.6], 9);
    writer.addGraph(new Net(), torch.zeros([2, 3, 4, 4]));
    await writer.close();
    const [found, partTrain, partValidation] = seen('all', 'all/parts_train', 'all/parts_validation') as [
      Seen,
      Seen,
      Seen,
    ];
    assert.deepEqual(
      found.scalars['loss/train'],
      Array.from({ length: 50 }, (_, step) => [1000 + step, step, Math.fround(1 / (step + 1))]),
    );
    assert.deepEqual(
      found.scalars.accuracy?.map((x) => x.slice(1)),
      [[7, 0.25]],
    );
    assert.equal(found.scalars['best/accuracy']?.[0]?.[2], Math.fround(0.9));
    assert.equal(found.scalars.odd?.[0]?.[1], 2 ** 40);
    assert.ok(Number.isNaN(Number(found.scalars.odd?.[0]?.[2])));
    assert.equal(partTrain.scalars.parts?.[0]?.[2], 1);
    assert.equal(partValidation.scalars.parts?.[0]?.[2], 2);
    const { notFinite: _, ...wanted } = histogramOf(weights.toTypedArray() as Float32Array) as never as {
      notFinite: number;
    };
    assert.deepEqual(found.histograms.weights, [{ step: 4, ...wanted }]);
    torch.manualSeed(1);
    torch.randn([40, 30]);
    const same = torch.randint(0, 256, [3, 9, 7], { dtype: 'uint8' });
    const [image] = found.images.sample ?? [];
    assert.deepEqual([image?.width, image?.height, image?.step], [7, 9, 5]);
    assert.deepEqual(image?.pixels, [...(same.permute([1, 2, 0]).contiguous().toTypedArray() as Uint8Array)]);
    assert.deepEqual([found.images.samples?.[0]?.width, found.images.samples?.[0]?.height], [32, 8]);
    assert.deepEqual(found.tensors['notes/text_summary']?.[0]?.text, ['# Größe\n*fine*']);
    assert.deepEqual(found.hparams, {
      lr: 0.1,
      layers: 0,
      optimizer: 'AdamW',
      ema: false,
      metrics: ['best/accuracy'],
      types: { lr: 3, layers: 3, optimizer: 1, ema: 2 },
      status: 1,
    });
    assert.deepEqual(found.tensors.pr?.[0]?.shape, [6, 127]);
    assert.deepEqual(found.tensors.pr?.[0]?.floats.slice(0, 1), [2]);
    assert.deepEqual(found.graph, [
      { name: 'input/0', op: 'input', inputs: [], shape: [2, 3, 4, 4] },
      { name: 'Net/first', op: 'Conv2d', inputs: ['input/0'], shape: [2, 4, 4, 4] },
      { name: 'Net/relu', op: 'ReLU', inputs: ['Net/first'], shape: [2, 4, 4, 4] },
      { name: 'Net/body/0', op: 'Conv2d', inputs: ['Net/relu'], shape: [2, 4, 4, 4] },
      { name: 'Net/body/1', op: 'Flatten', inputs: ['Net/body/0'], shape: [2, 64] },
      { name: 'Net/head', op: 'Linear', inputs: ['Net/body/1'], shape: [2, 2] },
      { name: 'output', op: 'output', inputs: ['Net/head'], shape: [2, 2] },
    ]);
  });

  test('a run that goes on voids what lay beyond', { skip: skipTensorBoard }, async () => {
    const first = new SummaryWriter(inner('resumed'), { filenameSuffix: '.1' });
    for (let step = 0; step < 10; step++) first.addScalar('loss', step, step);
    await first.close();
    const second = new SummaryWriter(inner('resumed'), { purgeStep: 5, filenameSuffix: '.2' });
    for (let step = 5; step < 8; step++) second.addScalar('loss', 100 + step, step);
    await second.close();
    assert.deepEqual(
      seen('resumed')[0]?.scalars.loss?.map((x) => x.slice(1)),
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [5, 105],
        [6, 106],
        [7, 107],
      ],
    );
  });

  test('our own reader gives back what was logged, and stops at a torn end', async () => {
    const writer = new SummaryWriter(inner('own'));
    writer.addScalar('a', 0.5, 1);
    writer.addText('t', 'hello', 2);
    writer.addHistogram('h', [1, 2, 3], 3);
    writer.addImage('i', torch.zeros([1, 2, 2]), 4);
    await writer.close();
    const events = await readEvents(writer.file);
    assert.equal(events[0]?.fileVersion, 'brain.Event:2');
    assert.deepEqual(
      events.slice(1).map(({ step, values }) => [step, values[0]?.tag]),
      [
        [1, 'a'],
        [2, 't/text_summary'],
        [3, 'h'],
        [4, 'i'],
      ],
    );
    assert.equal(events[1]?.values[0]?.scalar, 0.5);
    assert.equal(events[2]?.values[0]?.text, 'hello');
    assert.deepEqual([events[3]?.values[0]?.histogram?.num, events[3]?.values[0]?.histogram?.sum], [3, 6]);
    assert.deepEqual([events[4]?.values[0]?.image?.width, events[4]?.values[0]?.image?.height], [2, 2]);
    const whole = readFileSync(writer.file);
    for (let cut = 1; cut < 40; cut++) {
      truncateSync(writer.file, whole.length - cut);
      assert.equal((await readEvents(writer.file)).length, 4);
    }
    const flipped = Buffer.from(whole);
    flipped[60] = (flipped[60] as number) ^ 1;
    writeFileSync(writer.file, flipped);
    await assert.rejects(readEvents(writer.file), /is damaged: .* has a wrong checksum/);
    appendFileSync(writer.file, 'x');
  });

  test('wrong arguments are refused with a sentence', () => {
    const writer = new SummaryWriter(inner('wrong'));
    assert.throws(
      () => writer.addScalar('x', torch.zeros([2]) as never),
      /addScalar\('x'\): expected one number, got a tensor of shape \[2\]/,
    );
    assert.throws(() => writer.addScalar('x', 'y' as never), /expected a number, got string/);
    assert.throws(() => writer.addScalar('x', 1, 0.5), /A step must be an integer, got 0.5/);
    assert.throws(() => writer.addHistogram('x', []), /there are no values/);
    assert.throws(() => writer.addHparams({ a: [] as never }, {}), /'a' must be a number/);
    assert.throws(() => writer.addPrCurve('x', [1], [2]), /probabilities from 0 to 1, got 2/);
  });

  test('a folder that cannot be written costs one warning', async () => {
    const warnings: string[] = [];
    writeFileSync(inner('file'), '');
    const writer = new SummaryWriter(path.join(inner('file'), 'below'), {
      onWarning: (sentence) => warnings.push(sentence),
    });
    for (let i = 0; i < 5; i++) {
      writer.addScalar('x', i, i);
      await writer.flush();
    }
    await writer.close();
    assert.equal(warnings.length, 2, warnings.join());
    assert.match(warnings[0] as string, /cannot be written: .* is not a folder; use another one; the run goes on/);
    assert.match(warnings[1] as string, /6 records could not be written and are lost/);
  });

  test('the files are named as TensorBoard looks for them', async () => {
    const writer = new SummaryWriter(inner('names'));
    await writer.close();
    assert.match(readdirSync(inner('names')).join(), /^events\.out\.tfevents\.\d{10}\./);
  });
});
