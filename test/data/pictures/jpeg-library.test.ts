import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import { jpegLibrary } from '../../../src/data/pictures/jpeg-library.js';
import { sampleRandom } from '../../../src/data/random.js';
import { bad, form, put } from './expectations.js';

const library = jpegLibrary();

/** Soft shapes with some noise, so that every part of a decoder has something to do. */
async function picture(seed: number, width: number, height: number): Promise<Sharp> {
  const draws = sampleRandom(0, 0, seed);
  const small = Uint8Array.from({ length: 12 * 9 * 3 }, () => draws.integer(256));
  const soft = await sharp(small, { raw: { width: 12, height: 9, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  for (let i = 0; i < soft.length; i++)
    soft[i] = Math.max(0, Math.min(255, (soft[i] as number) + draws.integer(17) - 8));
  return sharp(soft, { raw: { width, height, channels: 3 } });
}

/** A grey JPEG of 8 × 8 in so many scans, at most 127, all of them right: the mean, each coefficient by itself, then one more bit of each. */
function inScans(count: number): Buffer {
  const segment = (marker: number, ...bytes: number[]): number[] => [0xff, marker, 0, bytes.length + 2, ...bytes];
  // One code of one bit: a difference of 0, or the end of a block.
  const table = (kind: number): number[] => segment(0xc4, kind, 1, ...new Array<number>(15).fill(0), 0);
  const scan = (at: number, bits: number): number[] => [...segment(0xda, 1, 1, 0, at, at, bits), 0x7f];
  const coefficients = Array.from({ length: 63 }, (_, i) => i + 1);
  const scans = [scan(0, 0), ...coefficients.map((at) => scan(at, 0x01)), ...coefficients.map((at) => scan(at, 0x10))];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...segment(0xdb, 0, ...new Array<number>(64).fill(1)),
    ...segment(0xc2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0),
    ...[...table(0x00), ...table(0x10)],
    ...scans.slice(0, count).flat(),
    ...[0xff, 0xd9],
  ]);
}

describe('JPEG by libjpeg', { skip: library === null && 'set-up found no libjpeg' }, () => {
  const kinds: readonly [string, JpegOptions, boolean][] = [
    ['4:2:0', { quality: 80 }, false],
    ['4:4:4', { quality: 90, chromaSubsampling: '4:4:4' }, false],
    ['progressive', { quality: 70, progressive: true }, false],
    ['grey', { quality: 80 }, true],
  ];
  for (const [name, options, grey] of kinds)
    it(`${name}: the pixels of libvips, to the bit, at every reduction`, async () => {
      for (const [seed, [width, height]] of [[201, 333] as const, [64, 48] as const, [1, 9] as const].entries()) {
        const made = await picture(seed, width, height);
        const file = put(
          `${name}-${width}.jpg`.replaceAll(':', ''),
          await (grey ? made.toColourspace('b-w') : made).jpeg(options).toBuffer(),
        );
        assert.ok(file.kind === 'file');
        const channels = grey ? 1 : 3;
        for (const by of [1, 2, 4, 8] as const) {
          const columns = Math.floor(width / by);
          const rows = Math.floor(height / by);
          if (columns === 0 || rows === 0) continue;
          const own = new Uint8Array(columns * rows * channels);
          assert.ok(library?.decode(readFileSync(file.path), by, channels, own));
          const read = sharp(by === 1 ? file.path : `${file.path}[shrink=${by}]`);
          const theirs: Buffer = await (grey ? read.extractChannel(0) : read).raw().toBuffer();
          assert.deepEqual(own, new Uint8Array(theirs), `${width} × ${height} by ${by}`);
        }
      }
    });

  it('what is damaged, unusual or endless is refused, and libvips has the word', async () => {
    const bytes = await (await picture(3, 200, 150)).jpeg({ quality: 90 }).toBuffer();
    const rows = new Uint8Array(200 * 150 * 3);
    const sound = (file: Uint8Array) => library?.decode(file, 1, 3, rows);
    assert.equal(sound(bytes), true);
    assert.equal(sound(bytes.subarray(0, bytes.length / 2)), false);
    assert.equal(sound(new Uint8Array(0)), false);
    assert.equal(sound(Buffer.from('not a picture')), false);
    const odd = Buffer.from(bytes);
    odd.writeUInt16BE(0xffd9, Math.floor(bytes.length / 2));
    assert.equal(sound(odd), false);
    assert.equal(library?.decode(bytes, 1, 1, rows.subarray(0, 200 * 150)), false, 'colour asked for as grey');
    assert.equal(library?.decode(bytes, 2, 3, rows), false, 'another size than there is room for');
    await bad(put('half.jpg', bytes.subarray(0, bytes.length / 2)), /truncated JPEG/);
    const call = library?.decode as unknown as (...args: unknown[]) => boolean;
    assert.throws(() => call(bytes, 3, 3, rows), /1, 2, 4 or 8/);
    assert.throws(() => call(bytes.toString(), 1, 3, rows), TypeError);
  });

  it('more scans than any program writes are refused before they take their time', async () => {
    const rows = new Uint8Array(64);
    assert.equal(library?.decode(inScans(60), 1, 1, rows), true);
    assert.deepEqual(new Set(rows), new Set([128]));
    assert.equal(library?.decode(inScans(127), 1, 1, rows), false);
    const pixels = await decodePicture(put('scans.jpg', inScans(127)), form);
    assert.deepEqual(new Set(pixels), new Set([128]), 'libvips reads them all the same');
  });

  it('pictures that are decoded side by side do not mix', async () => {
    const files = await Promise.all(
      Array.from({ length: 12 }, async (_, i) =>
        put(`side-${i}.jpg`, await (await picture(10 + i, 120 + 7 * i, 90 + 5 * i)).jpeg().toBuffer()),
      ),
    );
    const alone: Uint8Array[] = [];
    for (const file of files) alone.push(await decodePicture(file, { ...form, decode: 'fast' }));
    assert.deepEqual(await Promise.all(files.map((file) => decodePicture(file, { ...form, decode: 'fast' }))), alone);
  });

  it('without it, every picture is the same', async () => {
    const file = put('both.jpg', await (await picture(40, 333, 257)).jpeg().toBuffer());
    const own = await decodePicture(file, { ...form, decode: 'fast' });
    const script = `
      import { decodePicture } from './src/data/pictures/decode.js';
      import { jpegLibrary } from './src/data/pictures/jpeg-library.js';
      const pixels = await decodePicture(${JSON.stringify(file)}, ${JSON.stringify({ ...form, decode: 'fast' })});
      console.log(JSON.stringify([jpegLibrary() === null, ...pixels]));`;
    const answer = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, PRAXIS_JPEG: 'libvips' },
    });
    assert.deepEqual(JSON.parse(answer), [true, ...own]);
  });
});
