import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { buildAugmentation, compose, cutmix, normalize, toFloat } from '../../../src/data/augment/index.js';
import { previewAugmentation } from '../../../src/data/preview/index.js';
import { drawSheet } from '../../../src/data/preview/sheet.js';
import { imageFolder } from '../../../src/data/sources/index.js';
import type { PictureDataset } from '../../../src/data/types.js';

const statistics = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };
const plain = compose([toFloat(), normalize(statistics)]);

describe('preview', () => {
  let folder: string;
  let dataset: PictureDataset;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'praxis-preview-'));
    for (const [name, colour] of [
      ['rød & <blå>', '#c81414'],
      ['green', '#14c828'],
    ] as const) {
      mkdirSync(path.join(folder, name));
      for (let i = 0; i < 4; i++)
        await sharp({ create: { width: 40, height: 30, channels: 3, background: colour } })
          .png()
          .toFile(path.join(folder, name, `${i}.png`));
    }
    dataset = imageFolder(folder);
  });
  after(() => rmSync(folder, { recursive: true }));
  const form = { height: 32, width: 48 };

  /** Shares of the sheet that have nearly a colour. */
  async function shareOf(sheet: Buffer, [r, g, b]: readonly [number, number, number]): Promise<number> {
    const { data, info } = await sharp(sheet).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    let found = 0;
    for (let i = 0; i < data.length; i += 3)
      if (
        Math.abs((data[i] as number) - r) +
          Math.abs((data[i + 1] as number) - g) +
          Math.abs((data[i + 2] as number) - b) <
        6
      )
        found++;
    return found / (info.width * info.height);
  }

  test('normalisation is taken back: originals and what enters look the same', async () => {
    const options = { dataset, transform: plain, form, count: 8, epochs: 1 };
    const right = await previewAugmentation({ ...options, statistics });
    const red = await shareOf(right, [200, 20, 20]);
    const green = await shareOf(right, [20, 200, 40]);
    assert.ok(red > 0.1 && Math.abs(red - green) < 0.02, `${red}, ${green}`);
    // Without statistics only the originals have their colours.
    const wrong = await previewAugmentation(options);
    assert.ok(Math.abs((await shareOf(wrong, [200, 20, 20])) / red - 0.5) < 0.05);
  });

  test('a handful of pictures, several epochs, and a file in the format of its name', async () => {
    for (const [name, format] of [
      ['a.png', 'png'],
      ['b.jpg', 'jpeg'],
      ['c.webp', 'webp'],
    ] as const) {
      const out = path.join(folder, name);
      const buffer = await previewAugmentation({ dataset, transform: plain, statistics, form, count: 3, out });
      assert.deepEqual(readFileSync(out), buffer);
      assert.equal((await sharp(buffer).metadata()).format, format);
      rmSync(out);
    }
  });

  test('classes, names and shares of mixed labels stand there, escaped', async () => {
    const out = path.join(folder, 'sheet.svg');
    const transform = compose([plain, cutmix()]);
    const svg = (
      await previewAugmentation({ dataset, transform, statistics, form, count: 8, out, description: 'cut & paste' })
    ).toString();
    rmSync(out);
    assert.ok(svg.includes('rød &amp; &lt;blå&gt;') && svg.includes('green/') && svg.includes('cut &amp; paste'));
    assert.match(svg, />\d+ % (green|rød)/);
    assert.match(svg, />\+ \d+ % (green|rød)/);
    assert.ok(svg.includes('>epoch 2<') && !svg.includes('>epoch 3<'));
  });

  test('the same again, and another with another seed', async () => {
    const transform = buildAugmentation({ steps: [{ name: 'colorJitter', options: { hue: 0.5 } }] }, { statistics });
    const make = (seed: number) => previewAugmentation({ dataset, transform, statistics, form, count: 4, seed });
    const first = await make(1);
    assert.deepEqual(await make(1), first);
    assert.notDeepEqual(await make(2), first);
  });

  test('wrong arguments', async () => {
    const options = { dataset, transform: plain, form };
    await assert.rejects(
      previewAugmentation({ ...options, count: 0 }),
      /count must be an integer from 1 to 200, got 0/,
    );
    await assert.rejects(previewAugmentation({ ...options, out: 'preview.gif' }), /preview\.gif must end in \.png/);
  });
});

test('long names are shortened, control characters do not break the sheet', async () => {
  const svg = drawSheet({
    title: 'x',
    lines: ['word '.repeat(200)],
    heads: ['original'],
    rows: [{ title: 'long'.repeat(50), detail: `a\u0001\u001b${'日本語'.repeat(60)}`, pictures: [] }],
    picture: { width: 100, height: 100 },
  });
  assert.ok(!svg.includes('\u0001') && svg.includes('…'));
  const { width } = await sharp(Buffer.from(svg)).metadata();
  assert.ok((width as number) < 500);
});
