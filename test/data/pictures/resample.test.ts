import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import { luma } from '../../../src/data/pictures/fit.js';
import { resample } from '../../../src/data/pictures/resample.js';
import { sampleRandom } from '../../../src/data/random.js';
import type { PictureForm } from '../../../src/data/types.js';
import { python, runPython, skipLive } from '../../support/python.js';

const folder = mkdtempSync(path.join(tmpdir(), 'praxis-resample-'));
after(() => rmSync(folder, { recursive: true }));

/** Width, height, channels, new width, new height; up, down, odd, extreme, one side only. */
const cases = [
  [500, 667, 3, 128, 128],
  [127, 63, 3, 31, 17],
  [64, 64, 3, 224, 224],
  [37, 91, 3, 37, 45],
  [37, 91, 3, 18, 91],
  [1, 300, 3, 7, 7],
  [300, 1, 3, 7, 7],
  [28, 28, 1, 64, 32],
  [333, 251, 1, 32, 32],
  [5, 4, 3, 1, 1],
  [2, 2, 3, 301, 299],
  [6000, 40, 3, 3, 40],
  [33, 33, 3, 33, 33],
] as const;

function noise(length: number, key: number): Uint8Array {
  const draws = sampleRandom(7, 0, key);
  // Hard edges among the noise: there rounding and overshoot would show.
  return Uint8Array.from({ length }, () => (draws.chance(0.3) ? draws.integer(2) * 255 : draws.integer(256)));
}

const hash = (bytes: Uint8Array): number => {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return sum;
};

describe('resizing', () => {
  it('is what Pillow gave once (golden)', () => {
    // Pillow 12.3: Image.fromarray(uint8 [[…]]).resize(…, Image.BILINEAR)
    const ramp = Uint8Array.from({ length: 5 * 4 }, (_, i) => (i * 53) % 256);
    const pixels = { data: ramp, width: 5, height: 4, channels: 1 };
    assert.deepEqual([...resample(pixels, 3, 2)], [29, 112, 195, 44, 127, 210]);
    assert.deepEqual(
      [...resample(pixels, 7, 5)],
      [
        0, 30, 68, 106, 144, 182, 212, 6, 36, 74, 112, 150, 188, 218, 14, 44, 82, 120, 158, 196, 226, 21, 51, 89, 127,
        165, 203, 233, 27, 57, 95, 133, 171, 209, 239,
      ],
    );
  });

  it('equals Pillow in every pixel, up and down, odd sizes, parts', { skip: python ? false : skipLive }, () => {
    const ours: number[] = [];
    const jobs = cases.map(([width, height, channels, toWidth, toHeight], key) => {
      const data = noise(width * height * channels, key);
      const file = path.join(folder, `${key}.bin`);
      writeFileSync(file, data);
      const box =
        key % 2 === 0
          ? { left: 0, top: 0, right: width, bottom: height }
          : { left: 0.25 * width, top: 0, right: width * 0.9, bottom: height * 0.75 };
      ours.push(hash(resample({ data, width, height, channels }, toWidth, toHeight, box)));
      return { file, width, height, channels, toWidth, toHeight, box: [box.left, box.top, box.right, box.bottom] };
    });
    const theirs = runPython<number[]>(['-c', PILLOW], jobs);
    assert.deepEqual(ours, theirs);
  });

  it('gives the same with and without vector instructions', () => {
    for (const [key, [width, height, channels, toWidth, toHeight]] of cases.entries()) {
      const pixels = { data: noise(width * height * channels, key), width, height, channels };
      assert.deepEqual(
        resample(pixels, toWidth, toHeight),
        resample(pixels, toWidth, toHeight, undefined, { vectors: false }),
      );
    }
  });

  it('luma equals Pillow', { skip: python ? false : skipLive }, () => {
    const data = noise(64 * 64 * 3, 99);
    const file = path.join(folder, 'luma.bin');
    writeFileSync(file, data);
    const theirs = runPython<number>(['-c', PILLOW_LUMA, file]);
    assert.equal(hash(luma({ data, width: 64, height: 64, channels: 3 }).data), theirs);
  });
});

describe('decoding with resizing', () => {
  const photo = async (width: number, height: number): Promise<string> => {
    const small = noise(Math.ceil(width / 8) * Math.ceil(height / 8) * 3, width);
    const file = path.join(folder, `${width}x${height}.jpg`);
    const jpeg = await sharp(small, {
      raw: { width: Math.ceil(width / 8), height: Math.ceil(height / 8), channels: 3 },
    })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .jpeg({ quality: 90 })
      .toBuffer();
    writeFileSync(file, jpeg);
    return file;
  };
  const form: PictureForm = { height: 128, width: 128, channels: 3, fit: 'squash', decode: 'exact' };

  it('exact: equals what Pillow decodes and resizes; fast: what it decodes reduced', {
    skip: python ? false : skipLive,
  }, async () => {
    for (const [width, height] of [
      [500, 667],
      [667, 500],
      [1600, 1203],
      [401, 399],
      [130, 120],
    ] as const) {
      const file = await photo(width, height);
      for (const decode of ['exact', 'fast'] as const) {
        const reduction = Math.min(width / 128, height / 128);
        const by = decode === 'exact' ? 1 : ([8, 4, 2].find((step) => reduction >= step * 1.5) ?? 1);
        const out = path.join(folder, 'theirs.bin');
        runPython(['-c', PILLOW_DECODE, file, String(by), out]);
        const theirs = readFileSync(out);
        const ours = await decodePicture({ kind: 'file', path: file }, { ...form, decode });
        let inside = 0;
        let edge = 0;
        ours.forEach((value, i) => {
          const difference = Math.abs(value - (theirs[i] as number));
          const last = Math.floor(i / 3) % 128 === 127 || i >= 127 * 128 * 3;
          if (last) edge = Math.max(edge, difference);
          else inside = Math.max(inside, difference);
        });
        assert.ok(inside <= 1, `${decode} ${width}×${height}: differs by up to ${inside}`);
        // Of a size that does not divide, libvips leaves out the last fraction of a pixel; Pillow makes it up from padding.
        assert.ok(edge <= (by === 1 ? 1 : 40), `${decode} ${width}×${height}: differs by up to ${edge} at the edge`);
      }
    }
  });

  it('fast is not shifted against exact, whichever way a picture of odd size is turned', async () => {
    const upright = readFileSync(await photo(397, 293));
    for (let orientation = 1; orientation <= 8; orientation++) {
      const file = path.join(folder, `turned-${orientation}.jpg`);
      writeFileSync(file, await sharp(upright).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer());
      const small: PictureForm = { ...form, height: 48, width: 48 };
      const exact = await decodePicture({ kind: 'file', path: file }, small);
      const fast = await decodePicture({ kind: 'file', path: file }, { ...small, decode: 'fast' });
      let sum = 0;
      for (let i = 0; i < exact.length; i++) sum += Math.abs((exact[i] as number) - (fast[i] as number));
      assert.ok(sum / exact.length < 2, `orientation ${orientation}: differs by ${sum / exact.length} on average`);
    }
  });

  it('fast stays near exact', async () => {
    const file = await photo(1600, 1203);
    const exact = await decodePicture({ kind: 'file', path: file }, form);
    const fast = await decodePicture({ kind: 'file', path: file }, { ...form, decode: 'fast' });
    let sum = 0;
    for (let i = 0; i < exact.length; i++) sum += Math.abs((exact[i] as number) - (fast[i] as number));
    assert.ok(sum > 0, 'the fast path was not taken');
    assert.ok(sum / exact.length < 1, String(sum / exact.length));
  });
});

const HASH = `
def digest(a):
    s = 0
    for b in a.tobytes():
        s = (s * 31 + b) & 0xffffffff
    return s
`;
const PILLOW = `
import json, sys
import numpy as np
from PIL import Image
${HASH}
out = []
for j in json.load(sys.stdin):
    a = np.fromfile(j['file'], dtype=np.uint8).reshape(j['height'], j['width'], j['channels'])
    i = Image.fromarray(a[:, :, 0] if j['channels'] == 1 else a)
    out.append(digest(np.asarray(i.resize((j['toWidth'], j['toHeight']), Image.BILINEAR, box=j['box']))))
print(json.dumps(out))
`;
const PILLOW_LUMA = `
import json, sys
import numpy as np
from PIL import Image
${HASH}
a = np.fromfile(sys.argv[1], dtype=np.uint8).reshape(64, 64, 3)
print(json.dumps(digest(np.asarray(Image.fromarray(a).convert('L')))))
`;
const PILLOW_DECODE = `
import json, sys
import numpy as np
from PIL import Image
i = Image.open(sys.argv[1])
w, h = i.size
by = int(sys.argv[2])
if by > 1:
    i.draft('RGB', (w // by, h // by))
np.asarray(i.convert('RGB').resize((128, 128), Image.BILINEAR, box=(0, 0, w / by, h / by))).tofile(sys.argv[3])
print('null')
`;
