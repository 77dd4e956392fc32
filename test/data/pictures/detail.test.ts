/** How much detail pictures hold: made textures whose power falls as that of photographs does, as they are and enlarged. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { detailBands, detailShare, detailSpectrum } from '../../../src/data/pictures/detail.js';
import { sampleRandom } from '../../../src/data/random.js';

/** Octaves of noise, each of half the size and half the height of the one before. */
async function texture(side: number, seed: number): Promise<Uint8Array> {
  const draws = sampleRandom(seed, side, 0);
  const sum = new Float64Array(side * side).fill(128);
  for (let cells = 4, swing = 64; cells <= side; cells *= 2, swing /= 2) {
    const grid = Uint8Array.from({ length: cells * cells }, () => draws.integer(256));
    const smooth = await sharp(grid, { raw: { width: cells, height: cells, channels: 1 } })
      .resize(side, side, { kernel: 'cubic', fit: 'fill' })
      .raw()
      .toBuffer();
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (swing * ((smooth[i] as number) - 128)) / 128;
  }
  return Uint8Array.from(sum, (value) => Math.max(0, Math.min(255, Math.round(value))));
}

async function resized(grey: Uint8Array, from: number, to: number, quality?: number): Promise<Uint8Array> {
  const made = sharp(grey, { raw: { width: from, height: from, channels: 1 } }).resize(to, to, { fit: 'fill' });
  const out = quality === undefined ? made : sharp(await made.jpeg({ quality }).toBuffer());
  return new Uint8Array(await out.toColourspace('b-w').raw().toBuffer());
}

async function share(side: number, change: (grey: Uint8Array) => Promise<Uint8Array> = async (x) => x, out = side) {
  const spectra: Float64Array[] = [];
  for (let seed = 0; seed < 12; seed++) {
    const spectrum = detailSpectrum(await change(await texture(side, seed)), out);
    assert.ok(spectrum);
    spectra.push(spectrum);
  }
  return detailShare(spectra);
}

describe('detail', () => {
  it('pictures as they are have it down to the last pixel, at every size', async () => {
    for (const side of [48, 64, 128, 256]) assert.ok((await share(side)) >= 0.875, String(side));
  });

  it('enlarged ones have that of the size they came from', async () => {
    for (const [from, least, most] of [
      [16, 16, 32],
      [32, 24, 48],
      // A little of the copies of the spectrum comes through the filter of the enlargement.
      [64, 56, 96],
    ] as const) {
      const found = 128 * (await share(from, (grey) => resized(grey, from, 128), 128));
      assert.ok(found >= least && found <= most, `${from} was taken for ${found}`);
    }
  });

  it('nor does saving them as JPEG bring it back', async () => {
    for (const quality of [40, 75, 95])
      assert.ok((await share(32, (grey) => resized(grey, 32, 128, quality), 128)) <= 0.4, String(quality));
  });

  it('JPEG does not take it away', async () => {
    for (const quality of [50, 75, 95])
      assert.ok((await share(128, (grey) => resized(grey, 128, 128, quality))) > 0.85, String(quality));
  });

  it('a spectrum is shares of the power; flat pictures have none', async () => {
    const spectrum = detailSpectrum(await texture(64, 1), 64) as Float64Array;
    assert.equal(spectrum.length, detailBands);
    assert.ok(Math.abs(spectrum.reduce((a, b) => a + b, 0) - 1) < 1e-9);
    assert.equal(detailSpectrum(new Uint8Array(64 * 64).fill(90), 64), null);
  });

  it('a wave lies in the band of its frequency', () => {
    // Eight and a half waves across 64 pixels: the cosine number 17 of 64, in band 4 of 16.
    const wave = Uint8Array.from({ length: 64 * 64 }, (_, i) =>
      Math.round(128 + 100 * Math.cos((Math.PI * ((i % 64) + 0.5) * 17) / 64)),
    );
    const spectrum = detailSpectrum(wave, 64) as Float64Array;
    assert.ok((spectrum[4] as number) > 0.99, [...spectrum].join(' '));
  });
});
