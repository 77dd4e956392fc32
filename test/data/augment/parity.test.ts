import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Box } from '../../../src/data/augment/functional/crop.js';
import { resizedCropByWeights } from '../../../src/data/augment/functional/resize.js';
import { augmentFunctional as F } from '../../../src/data/augment/index.js';
import { torch } from '../../../src/torch/index.js';
import { runPython, skipLive } from '../../support/python.js';
import { type Answers, compare } from './torchvision.js';

const script = fileURLToPath(new URL('../../../scripts/golden/augment.py', import.meta.url));
const golden = JSON.parse(readFileSync(new URL('../../golden/augment.json', import.meta.url), 'utf8')) as Answers;

/** Whole pictures are equal bit for bit but where two ways to round meet: hue and blur, one grey level in a few values of a thousand. */
function check(answers: Answers): void {
  const found = compare(answers);
  assert.ok(found.length >= 2 * 2 * 60, `only ${found.length} comparisons`);
  for (const { title, dtype, most, share, size } of found) {
    assert.equal(size, 'equal', title);
    if (dtype === 'float32') assert.ok(most <= 1e-6, `${title}: ${most}`);
    else if (/adjustHue|gaussianBlur/.test(title)) assert.ok(most <= 1 && share < 0.005, `${title}: ${most}, ${share}`);
    else assert.equal(most, 0, title);
  }
}

/** torchvision, where Python has it. */
function torchvision(seed: number, size: string): Answers | string {
  try {
    return runPython<Answers>([script, String(seed), size]);
  } catch (error) {
    const text = String(error);
    if (/ModuleNotFoundError|ImportError/.test(text)) return `Python has no torchvision that can be imported`;
    throw error;
  }
}

describe('operators with given parameters equal torchvision', () => {
  test('the stored cases', () => check(golden));

  for (const [seed, size] of [
    [41, '33x29'],
    [42, '64x64'],
  ] as const)
    test(`live, ${size}`, { skip: skipLive }, (context) => {
      const answers = torchvision(seed, size);
      if (typeof answers === 'string') context.skip(answers);
      else check(answers);
    });
});

describe('resizing as products, which is what accelerators use', () => {
  const boxes: Box[] = [
    { top: 0, left: 0, height: 40, width: 30 },
    { top: 3, left: 5, height: 7, width: 9 },
    { top: 10, left: 2, height: 30, width: 1 },
    { top: 39, left: 29, height: 1, width: 1 },
  ];
  for (const dtype of ['uint8', 'float32'] as const)
    for (const size of [
      [16, 16],
      [64, 50],
      [7, 9],
    ] as const)
      for (const antialias of [true, false])
        test(`${dtype} to ${size.join(' × ')}, antialias ${antialias}`, () => {
          const images = torch.randint(0, 256, [4, 3, 40, 30], { dtype: 'uint8' });
          const input = dtype === 'uint8' ? images : images.to('float32').div(255);
          const one = F.resizedCrop(input, boxes, size, { antialias });
          const other = resizedCropByWeights(input, boxes, size, antialias);
          assert.equal(other.dtype, dtype);
          const most = one.to('float64').sub(other.to('float64')).abs().max().item() as number;
          assert.ok(most <= (dtype === 'uint8' ? 1 : 1e-5), `differs by ${most}`);
        });
});

test('normalisation is equal to torchvision in two steps to 1e-6', () => {
  const images = torch.randint(0, 256, [5, 3, 9, 7], { dtype: 'uint8' });
  const statistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const column = (list: number[]) => torch.tensor(list, { dtype: 'float64' }).view([1, 3, 1, 1]);
  const wanted = images.to('float64').div(255).sub(column(statistics.mean)).div(column(statistics.std));
  for (const memoryFormat of ['contiguous', 'channelsLast'] as const) {
    const input = images.contiguous({ memoryFormat });
    for (const got of [
      F.normalizePictures(input, statistics),
      F.normalizePictures(F.toFloatPictures(input), statistics),
    ]) {
      assert.equal(got.dtype, 'float32');
      assert.ok(got.isContiguous(memoryFormat), 'the memory format is kept');
      assert.ok((got.to('float64').sub(wanted).abs().max().item() as number) < 1e-6);
    }
  }
});
