/** What a training leaves for TensorBoard, and that TensorBoard itself reads the same values. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { torch } from '../../src/torch/index.js';
import { type LoggedEvent, RunFolder, readEvents, readRecord, SummaryWriter } from '../../src/track/index.js';
import { drawConfusion } from '../../src/train/confusion-svg.js';
import { train } from '../../src/train/index.js';
import { Recorder } from '../../src/train/recorder.js';
import { someValues } from '../../src/train/tracking.js';
import { python, runPython, skipLive } from '../support/python.js';
import { metricsOf, quick, temporaryFolder, tinyFlowers } from './runs.js';

const script = fileURLToPath(new URL('../track/events.py', import.meta.url));
const skipTensorBoard =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import tensorboard, PIL'], { env: python?.environment })
    .status !== 0 &&
    'Python has no tensorboard');

interface Seen {
  scalars: Record<string, [wallTime: number, step: number, value: number][]>;
  images: Record<string, { step: number; width: number; height: number }[]>;
  histograms: Record<string, Record<string, number | number[]>[]>;
  tensors: Record<string, { step: number; text: string[] }[]>;
  hparams: Record<string, unknown>;
  graph: { name: string; op: string }[] | null;
}

it('counts what all logging takes: lines, drawing, waiting for the disk, sessions before', async () => {
  const place = temporaryFolder();
  const busy = (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
  const run = { path: place, log: () => busy(15), warn: () => undefined, flush: () => setTimeout(20) };
  const recorder = new Recorder(run as unknown as RunFolder);
  const { tracking } = recorder;
  const atLeast = (seconds: number) => assert.ok(tracking.seconds >= seconds, `${tracking.seconds} of ${seconds}`);
  recorder.log({ step: 1, kind: 'step', loss: 1 });
  atLeast(0.015);
  tracking.timed(() => busy(10));
  atLeast(0.025);
  await recorder.flush();
  atLeast(0.044);
  tracking.spentBefore(7);
  assert.equal(tracking.seconds, 7);
  tracking.spentBefore(1);
  assert.equal(tracking.seconds, 7);
  await recorder.close();
  fs.rmSync(place, { recursive: true });
});

it('a run that goes on from its beginning tells TensorBoard to forget what came after it', async () => {
  const place = temporaryFolder();
  const run = await RunFolder.create(place, { name: 'again' });
  const eventsOf = async (fromStep?: number): Promise<LoggedEvent[]> => {
    const before = new Set(fs.readdirSync(run.path));
    const recorder = new Recorder(run, fromStep);
    for (const step of [1, 2]) recorder.log({ step, kind: 'step', loss: 1 });
    await recorder.flush();
    // In the files at once: a kill may follow.
    const [name] = fs.readdirSync(run.path).filter((file) => file.startsWith('events') && !before.has(file));
    const events = await readEvents(path.join(run.path, name as string));
    await recorder.close();
    return events;
  };
  const steps = (events: LoggedEvent[]) => events.filter(({ values }) => values.length > 0).map(({ step }) => step);
  const first = await eventsOf();
  assert.deepEqual(steps(first), [1, 2]);
  assert.ok(first.every(({ sessionStart }) => !sessionStart));
  // Its checkpoint was that of step 0.
  const second = await eventsOf(0);
  assert.deepEqual(
    second.filter(({ sessionStart }) => sessionStart).map(({ step }) => step),
    [1],
  );
  assert.deepEqual(steps(second), [1, 2]);
  await run.close();
  fs.rmSync(place, { recursive: true });
});

it('a checkpoint is on the disk only after all that lies before it, in TensorBoard’s files as well', async () => {
  const place = temporaryFolder();
  const training = train({ ...quick, data: await tinyFlowers(place), out: path.join(place, 'runs'), epochs: 2 });
  let looks = 0;
  let folder = '';
  for await (const event of training) {
    if (event.kind === 'checkpoint') folder = path.dirname(path.dirname(event.file));
    if (event.kind !== 'checkpoint' || event.step === 0) continue;
    const names = fs.readdirSync(folder).filter((name) => name.startsWith('events.out'));
    const events = (await Promise.all(names.map((name) => readEvents(path.join(folder, name))))).flat();
    const told = events.flatMap(({ step, values }) => values.map(({ tag }) => `${tag} ${step}`));
    assert.ok(told.includes(`train/loss ${event.step}`), `${event.step}: ${told}`);
    looks++;
  }
  assert.ok(looks >= 2);
  fs.rmSync(place, { recursive: true });
});

describe('TensorBoard files of a training', () => {
  const place = temporaryFolder();
  let run = '';
  let values: (LoggedEvent['values'][number] & { step: number })[] = [];
  before(async () => {
    const data = await tinyFlowers(place);
    ({ folder: run } = await train({ ...quick, data, out: path.join(place, 'runs'), epochs: 3, learningRate: 0.001 }));
    const name = fs.readdirSync(run).find((file) => file.startsWith('events.out')) as string;
    const events = await readEvents(path.join(run, name));
    values = events.flatMap(({ step, values: own }) => own.map((value) => ({ ...value, step })));
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  const tags = (kind: 'scalar' | 'histogram' | 'image' | 'text'): string[] => [
    ...new Set(values.filter((value) => value[kind] !== undefined).map(({ tag }) => tag)),
  ];

  it('hold curves, histograms of weights and gradients, pictures, text and results', () => {
    for (const tag of ['train/loss', 'train/learning rate', 'epoch/validation accuracy', 'result/score'])
      assert.ok(tags('scalar').includes(tag), tag);
    const histograms = tags('histogram');
    assert.ok(histograms.includes('weights/network.0.weight'), histograms.join());
    assert.equal(
      histograms.filter((tag) => tag.startsWith('weights/')).length,
      histograms.filter((tag) => tag.startsWith('gradients/')).length,
    );
    assert.deepEqual(tags('image').sort(), [
      'result/confusion matrix',
      'result/surest mistakes',
      'samples/training, as the network gets them',
    ]);
    assert.match(
      values.find(({ tag }) => tag === 'run/step by step/text_summary')?.text ?? '',
      /^\| look \| 66 pictures/m,
    );
    const scores = values.filter(({ tag }) => tag === 'epoch/validation accuracy').map(({ scalar }) => scalar);
    const wanted = metricsOf(run)
      .filter(({ kind }) => kind === 'epoch')
      .map(({ validationAccuracy }) => Math.fround(validationAccuracy as number));
    assert.deepEqual(scores, wanted);
    const { result } = readRecord(run);
    assert.equal(values.find(({ tag }) => tag === 'result/score')?.scalar, Math.fround(result?.score as number));
    assert.ok((result?.loggingSeconds as number) > 0);
  });

  it('are read by TensorBoard, value for value', { skip: skipTensorBoard }, () => {
    const seen = runPython<Record<string, Seen>>([script, 'read', run])[run] as Seen;
    for (const tag of tags('scalar'))
      assert.deepEqual(
        seen.scalars[tag]?.map(([, step, value]) => [step, value]),
        values.filter((value) => value.tag === tag).map(({ step, scalar }) => [step, scalar]),
        tag,
      );
    for (const tag of tags('histogram'))
      assert.deepEqual(
        seen.histograms[tag]?.map(({ step, num, sum, min, max }) => ({ step, num, sum, min, max })),
        values
          .filter((value) => value.tag === tag)
          .map(({ step, histogram }) => ({
            step,
            num: histogram?.num,
            sum: histogram?.sum,
            min: histogram?.min,
            max: histogram?.max,
          })),
        tag,
      );
    for (const tag of tags('image'))
      assert.deepEqual(
        seen.images[tag]?.map(({ step, width, height }) => [step, width, height]),
        values.filter((value) => value.tag === tag).map(({ step, image }) => [step, image?.width, image?.height]),
        tag,
      );
    const plan = readRecord(run).configuration.plan as { optimisation: Record<string, unknown>; seed: number };
    for (const name of ['learningRate', 'weightDecay', 'batchSize', 'epochs', 'optimizer', 'labelSmoothing'])
      assert.equal(seen.hparams[name], plan.optimisation[name], name);
    assert.deepEqual(seen.hparams.metrics, ['result/score', 'result/loss', 'result/epoch']);
    assert.ok(seen.graph?.some(({ op }) => op === 'Conv2d'));
    assert.match(seen.tensors['result/surest mistakes/text_summary']?.[0]?.text[0] ?? '', /^\| name \| is \|/);
    assert.equal(Object.keys(seen.tensors).filter((tag) => tag.startsWith('precision and recall/')).length, 3);
  });
});

describe('what is logged', () => {
  it('of a large tensor are evenly spaced values, of a small one all', () => {
    const small = torch.arange(100, { dtype: 'float32' });
    assert.deepEqual([...someValues(small)], [...(small.toTypedArray() as Float32Array)]);
    const large = someValues(torch.arange(100_000, { dtype: 'float32' }));
    assert.ok(large.length <= 4096 && large.length > 2000);
    assert.deepEqual([large[0], (large[1] as number) - (large[0] as number)], [0, 25]);
    assert.ok((large.at(-1) as number) > 99_900);
  });

  it('as a figure is SVG or an encoded picture, and nothing else', async () => {
    const place = temporaryFolder();
    const writer = new SummaryWriter(place);
    writer.addFigure(
      'svg',
      drawConfusion(
        [
          [3, 1],
          [0, 2],
        ],
        ['a & <b>', 'c'],
      ),
      4,
    );
    writer.addFigure(
      'jpeg',
      await sharp({ create: { width: 7, height: 5, channels: 3, background: '#123456' } })
        .jpeg()
        .toBuffer(),
    );
    assert.throws(
      () => writer.addFigure('x', 5 as never),
      /addFigure\('x'\): expected SVG as text or the bytes of a picture, got number/,
    );
    await writer.close();
    const [, ...events] = await readEvents(writer.file);
    const sizes = new Map(
      events.map(({ step, values: [one] }) => [one?.tag, [step, one?.image?.width, one?.image?.height]]),
    );
    assert.deepEqual(sizes.get('jpeg'), [0, 7, 5]);
    assert.equal(sizes.get('svg')?.[0], 4);
    assert.ok((sizes.get('svg')?.[1] as number) > 112);
    fs.rmSync(place, { recursive: true });
  });
});
