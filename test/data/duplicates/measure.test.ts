/** One look at each picture: the same whoever does it, and the same as libvips says. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { measurePictures } from '../../../src/data/duplicates/measure.js';
import type { PictureMeasurements } from '../../../src/data/duplicates/measurements.js';
import { openSource } from '../../../src/data/open-source.js';
import { quickFacts } from '../../../src/data/pictures/quick-facts.js';
import { sniff } from '../../../src/data/pictures/sniff.js';
import type { PictureDataset } from '../../../src/data/types.js';
import { frames, picture } from '../pictures/odd-pictures.js';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'praxis-measure-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Pictures in which header and library could disagree, by name. */
async function files(): Promise<Record<string, Buffer>> {
  const turned = Object.fromEntries(
    await Promise.all(
      [1, 3, 6, 8].map(async (orientation) => [
        `turned-${orientation}.jpg`,
        await picture().jpeg().withMetadata({ orientation }).toBuffer(),
      ]),
    ),
  ) as Record<string, Buffer>;
  const palette = await picture().png({ palette: true }).toBuffer();
  return {
    ...turned,
    'plain.jpg': await picture().jpeg().toBuffer(),
    'progressive.jpg': await picture().jpeg({ progressive: true }).toBuffer(),
    'grey.jpg': await picture().greyscale().jpeg().toBuffer(),
    'cmyk.jpg': await picture().toColourspace('cmyk').jpeg().toBuffer(),
    'plain.png': await picture().png().toBuffer(),
    'dense.png': await picture().withMetadata({ density: 144 }).png().toBuffer(),
    'turned.png': await picture().png().withMetadata({ orientation: 6 }).toBuffer(),
    'profile.png': await picture().withIccProfile('p3').png().toBuffer(),
    'grey.png': await picture().greyscale().png().toBuffer(),
    'alpha.png': await picture().ensureAlpha(0.5).png().toBuffer(),
    'grey-alpha.png': await picture().greyscale().ensureAlpha(0.5).png().toBuffer(),
    'palette.png': palette,
    'deep.png': await picture().toColourspace('rgb16').png().toBuffer(),
    'interlaced.png': await picture().png({ progressive: true }).toBuffer(),
    'plain.webp': await picture().webp().toBuffer(),
    'frames.gif': await frames().gif().toBuffer(),
    'cut.jpg': (await picture().jpeg().toBuffer()).subarray(0, 400),
    'empty.png': Buffer.alloc(0),
    'page.jpg': Buffer.from('<html></html>'),
  };
}

let made: Record<string, Buffer> = {};
const open = async (): Promise<PictureDataset> => {
  const dataset = await openSource(path.join(scratch, 'odd'));
  assert.equal(dataset.kind, 'pictures');
  return dataset as PictureDataset;
};

before(async () => {
  made = await files();
  for (const name of ['a', 'b']) {
    mkdirSync(path.join(scratch, 'odd', name), { recursive: true });
    for (const [file, bytes] of Object.entries(made)) writeFileSync(path.join(scratch, 'odd', name, file), bytes);
  }
});

describe('measuring pictures', () => {
  it('takes from headers what libvips says, or leaves it to it', async () => {
    const asked: string[] = [];
    for (const [name, bytes] of Object.entries(made)) {
      const kind = sniff(bytes);
      if ('instead' in kind) continue;
      const quick = quickFacts(bytes, kind.format);
      if (!quick) continue;
      asked.push(name);
      const facts = await sharp(bytes, { failOn: 'none' }).metadata();
      assert.deepEqual(
        quick,
        {
          width: facts.autoOrient.width,
          height: facts.autoOrient.height,
          mode: facts.hasAlpha ? `${facts.space} + alpha` : facts.space,
          orientation: facts.orientation ?? 1,
        },
        name,
      );
      assert.equal(facts.pages ?? 1, 1, name);
    }
    for (const name of ['plain.jpg', 'turned-6.jpg', 'grey.jpg', 'plain.png', 'grey-alpha.png', 'interlaced.png'])
      assert.ok(asked.includes(name), `${name} is plain enough`);
    for (const name of ['cmyk.jpg', 'turned.png', 'palette.png', 'deep.png', 'frames.gif'])
      assert.ok(!asked.includes(name), `${name} is not`);
  });

  it('sees the same with threads and without, and tells each picture of its progress', async () => {
    const seen: PictureMeasurements[] = [];
    for (const workers of [0, 2]) {
      const steps: number[] = [];
      seen.push(await measurePictures(await open(), { workers, onProgress: (done) => steps.push(done) }));
      assert.deepEqual(
        steps,
        Array.from({ length: 2 * Object.keys(made).length }, (_, i) => i + 1),
      );
    }
    const [alone, together] = seen as [PictureMeasurements, PictureMeasurements];
    assert.deepEqual(together, alone);
    const reasons = alone.unreadable.map(({ reason }) => reason);
    assert.deepEqual(reasons.slice(0, 3).sort(), [
      'a web page, not a picture (a download that failed?)',
      'empty file',
      'truncated JPEG',
    ]);
    assert.equal(alone.unreadable.length, 6);
  });

  it('stops when asked to, in threads, too, and says what failed there', async () => {
    for (const workers of [0, 1]) {
      const control = new AbortController();
      const stopped = measurePictures(await open(), {
        workers,
        signal: control.signal,
        onProgress: () => control.abort(new Error('enough')),
      });
      await assert.rejects(stopped, /^Error: enough$/);
    }
    const wrong = {
      ...{ kind: 'pictures', name: 'wrong', root: scratch, length: 1, classes: ['a'], multiLabel: false, skipped: [] },
      location: () => ({ kind: 'raw', path: '/dev/null', offset: -1, width: 1, height: 1, channels: 3 }),
    } as unknown as PictureDataset;
    for (const workers of [0, 1])
      await assert.rejects(measurePictures({ ...wrong }, { workers }), /a raw picture of 1 × 1 × 3 cannot be/);
  });
});
