/** Mean and deviation of the channels against NumPy, and of the training part alone. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import {
  type ChannelMeasurement,
  channelCurves,
  channelsJson,
  compareStatistics,
  drawHistograms,
  histogramLines,
  imagenetStatistics,
  measureChannels,
  statisticsOf,
} from '../../../src/data/normalise/index.js';
import { sampleRandom } from '../../../src/data/random.js';
import { imageFolder, subset } from '../../../src/data/sources/index.js';
import { splitDataset } from '../../../src/data/split/index.js';
import type { PictureDataset } from '../../../src/data/types.js';
import { near, reference, skipWithout, temporaryFolder } from './reference.js';

const side = 16;
const form = { height: side, width: side } as const;

/** Pixels of their own for every seed, the three channels apart. */
function pixels(seed: number, channels = 3): Uint8Array {
  const draws = sampleRandom(seed, 0, 0, 30);
  return Uint8Array.from({ length: side * side * channels }, (_, i) =>
    Math.min(255, Math.floor(draws.uniform() ** (1 + (i % channels)) * (200 + 40 * (i % channels)))),
  );
}

const write = (file: string, data: Uint8Array, channels: 1 | 3 = 3): Promise<unknown> =>
  sharp(data, { raw: { width: side, height: side, channels } })
    .png()
    .toFile(file);

/** PNG files of the right size, so that their pixels are known; class a even, class b odd numbers. */
async function makeFolder(count: number): Promise<string> {
  const root = path.join(temporaryFolder(), 'pictures');
  for (const name of ['a', 'b']) mkdirSync(path.join(root, name), { recursive: true });
  for (let i = 0; i < count; i++) await write(fileOf(root, i), pixels(i));
  return root;
}
const fileOf = (root: string, i: number): string =>
  path.join(root, i % 2 === 0 ? 'a' : 'b', `${String(i).padStart(3, '0')}.png`);

const measure = (dataset: PictureDataset, workers = 0): Promise<ChannelMeasurement> =>
  measureChannels(dataset, { form, workers, cache: false, batchSize: 7 });

const plain = ({ mean, std }: ChannelMeasurement) => ({ mean, std });

/** `numpy.mean` and `numpy.std` of the first 20 pictures, as float64 in 0…1. */
const golden = {
  mean: [0.3931556372549017, 0.30999923406862473, 0.2781081495098011],
  std: [0.22631217328599254, 0.2788121161533114, 0.3120927912927883],
};

describe('measureChannels', () => {
  test('by hand', () => {
    const counts = new Float64Array(256);
    counts[0] = 3;
    counts[255] = 1;
    const { mean, std } = statisticsOf([counts]);
    assert.deepEqual(mean, [0.25]);
    near(std, [Math.sqrt(3) / 4], 1e-15, 'deviation');
  });

  test('as NumPy, written down', async () => {
    const measured = await measure(imageFolder(await makeFolder(20)));
    near(measured.mean, golden.mean, 1e-13, 'mean');
    near(measured.std, golden.std, 1e-13, 'deviation');
  });

  test('as NumPy, live', { skip: skipWithout('numpy') }, async () => {
    const pictures = Array.from({ length: 20 }, (_, i) => [...pixels(i)]);
    const theirs = reference<{ mean: number[]; std: number[] }>('channels', { pictures, shape: [20, side, side, 3] });
    near(theirs.mean, golden.mean, 1e-13, 'what is written down');
    const measured = await measure(imageFolder(await makeFolder(20)));
    near(measured.mean, theirs.mean, 1e-12, 'mean');
    near(measured.std, theirs.std, 1e-12, 'deviation');
  });

  test('every pixel counts once, whatever the number of workers', async () => {
    const dataset = imageFolder(await makeFolder(20));
    const seen: [number, number][] = [];
    const alone = await measureChannels(dataset, {
      form,
      workers: 0,
      cache: false,
      batchSize: 7,
      onProgress: (done, all) => seen.push([done, all]),
    });
    assert.deepEqual(seen, [
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    for (const channel of alone.counts)
      assert.equal(
        channel.reduce((sum, count) => sum + count, 0),
        20 * side * side,
      );
    const among = await measure(dataset, 2);
    assert.deepEqual(among.counts, alone.counts);
    assert.deepEqual(plain(among), plain(alone));
  });

  test('only the training part flows in', async () => {
    const root = await makeFolder(40);
    const split = await splitDataset(imageFolder(root), { seed: 3, duplicates: false });
    const before = await measure(split.train);
    const trained = new Set(Array.from({ length: split.train.length }, (_, i) => split.train.sampleName(i)));
    let changed = 0;
    for (let i = 0; i < 40; i++) {
      const file = fileOf(root, i);
      if (trained.has(path.relative(root, file).split(path.sep).join('/'))) continue;
      await write(file, new Uint8Array(side * side * 3).fill(255));
      changed++;
    }
    assert.equal(changed, split.validation.length + split.test.length);
    assert.deepEqual(await measure(split.train), before);
    const [first] = trained;
    await write(path.join(root, first as string), new Uint8Array(side * side * 3).fill(255));
    assert.notDeepEqual((await measure(split.train)).mean, before.mean);
  });

  test('the test part is not measured', async () => {
    const dataset = imageFolder(await makeFolder(40));
    const split = await splitDataset(dataset, { duplicates: false });
    await assert.rejects(measure(split.test), /sealed test part/);
    await assert.rejects(measure(dataset), /sealed test part/);
  });

  test('what cannot be read is left out by name', async () => {
    const root = await makeFolder(6);
    writeFileSync(fileOf(root, 3), 'not a picture');
    const dataset = imageFolder(root);
    const measured = await measure(dataset);
    assert.equal(measured.pictures, 5);
    assert.deepEqual(
      measured.skipped.map(({ name }) => name),
      ['b/003.png'],
    );
    const good = Array.from({ length: 6 }, (_, i) => i).filter((i) => dataset.sampleName(i) !== 'b/003.png');
    assert.deepEqual(plain(await measure(subset(dataset, good))), plain(measured));
    for (let i = 0; i < 6; i++) writeFileSync(fileOf(root, i), 'not a picture');
    await assert.rejects(measure(imageFolder(root)), { name: 'DataError' });
  });

  test('a channel that is the same everywhere is named', async () => {
    const root = await makeFolder(2);
    const flat = pixels(5).map((value, i) => (i % 3 === 1 ? 90 : value));
    for (const i of [0, 1]) await write(fileOf(root, i), flat);
    await assert.rejects(measure(imageFolder(root)), /channel 1 has the same value in every pixel of all 2 pictures/);
  });

  test('grey pictures have one channel', async () => {
    const root = await makeFolder(4);
    const all: number[] = [];
    for (let i = 0; i < 4; i++) {
      const data = pixels(i, 1);
      all.push(...data);
      await write(fileOf(root, i), data, 1);
    }
    const measured = await measureChannels(imageFolder(root), {
      form: { ...form, channels: 1 },
      workers: 0,
      cache: false,
    });
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    near(measured.mean, [mean / 255], 1e-13, 'mean');
    assert.equal(measured.counts.length, 1);
    assert.match(histogramLines(measured)[0] as string, /^luma {2}mean 0\.\d{4}/);
  });
});

describe('compareStatistics', () => {
  test('says when pictures differ much from those of the weights', () => {
    assert.equal(compareStatistics(imagenetStatistics, imagenetStatistics), undefined);
    const { mean, std } = imagenetStatistics;
    const near = { mean: mean.map((x) => x + 0.1), std: std.map((x) => x * 1.4) };
    assert.equal(compareStatistics(near, imagenetStatistics), undefined);
    const dark = { mean: [0.485, 0.3, 0.406], std };
    const sentence = compareStatistics(dark, imagenetStatistics);
    assert.match(sentence ?? '', /channel 1: mean 0\.300 against 0\.456/);
    assert.doesNotMatch(sentence ?? '', /channel [02]/);
    for (const factor of [1.6, 1 / 1.6])
      assert.match(
        compareStatistics({ mean, std: std.map((x) => x * factor) }, imagenetStatistics) ?? '',
        /channel 2: .*deviation/,
      );
  });
});

describe('histograms', () => {
  const counts = [1, 2, 3].map((channel) =>
    Float64Array.from({ length: 256 }, (_, value) => (channel * value) % 97 ** channel),
  );
  const measured = { counts, ...statisticsOf(counts) };

  test('curves have the area 1; afterwards the mean 0 and the deviation 1', () => {
    for (const after of [false, true])
      for (const [channel, { x, y }] of channelCurves(measured, after).entries()) {
        const width = (x[1] as number) - (x[0] as number);
        const area = y.reduce((sum, share) => sum + share * width, 0);
        near([area], [1], 1e-9, 'area');
        const mean = x.reduce((sum, middle, i) => sum + middle * (y[i] as number) * width, 0);
        const square = x.reduce((sum, middle, i) => sum + (middle - mean) ** 2 * (y[i] as number) * width, 0);
        // A bin is eight values wide, which rounds a little.
        near([mean], [after ? 0 : (measured.mean[channel] as number)], 0.01, 'mean');
        near([Math.sqrt(square)], [after ? 1 : (measured.std[channel] as number)], 0.01, 'deviation');
      }
  });

  test('lines of text and a picture', async () => {
    const lines = histogramLines(measured);
    assert.equal(lines.length, 3);
    assert.match(lines[0] as string, /^red {4}mean 0\.\d{4} {2}deviation 0\.\d{4} {2}0▕[ ▁▂▃▄▅▆▇█]{32}▏1$/);
    const svg = await drawHistograms(measured, { title: 'Flowers & <leaves>' });
    for (const text of ['before', 'after', 'red', 'green', 'blue', 'Flowers &amp; &lt;leaves&gt;'])
      assert.ok(svg.includes(text), text);
    const { data, info } = await sharp(Buffer.from(svg)).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [840, 380]);
    // Something of each channel's colour is there.
    for (const [r, g, b] of [
      [220, 38, 38],
      [5, 150, 105],
      [37, 99, 235],
    ] as const) {
      let found = 0;
      for (let i = 0; i < data.length; i += info.channels)
        if (Math.abs((data[i] ?? 0) - r) + Math.abs((data[i + 1] ?? 0) - g) + Math.abs((data[i + 2] ?? 0) - b) < 30)
          found++;
      assert.ok(found > 100, `${r},${g},${b}: ${found} pixels`);
    }
    await assert.rejects(drawHistograms(measured, { width: Number.NaN }), /width is a number of pixels/);
  });

  test('what is stored fits JSON', () => {
    const stored = { ...measured, pictures: 4, skipped: [] };
    const whole = { height: 4, width: 4, channels: 3, fit: 'squash', decode: 'fast' } as const;
    const back = JSON.parse(JSON.stringify(channelsJson(stored, { form: whole, classes: ['a'] })));
    assert.deepEqual(back.mean, measured.mean);
    assert.deepEqual(back.counts[2], [...(counts[2] as Float64Array)]);
  });
});
