import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import type { PictureForm } from '../../../src/data/types.js';
import { bad, form, near, put } from './expectations.js';
import { bmp } from './odd-pictures.js';

describe('BMP', () => {
  const palette = [
    [90, 200, 220, 0],
    [90, 200, 30, 0],
    [90, 40, 220, 0],
    [90, 40, 30, 0],
  ];
  const two: PictureForm = { ...form, width: 2, height: 2 };
  const corners = [220, 200, 90, 30, 200, 90, 220, 40, 90, 30, 40, 90];
  const rows = (top: readonly number[], bottom: readonly number[], topDown: boolean): Buffer =>
    Buffer.from(topDown ? [...top, ...bottom] : [...bottom, ...top]);
  for (const topDown of [false, true]) {
    const order = topDown ? 'from the top' : 'from the bottom';
    it(`24, 32, 16, 8, 4 and 1 bits, rows ${order}`, async () => {
      const size = { width: 2, height: 2, topDown };
      const t24 = [90, 200, 220, 90, 200, 30, 0, 0];
      const b24 = [90, 40, 220, 90, 40, 30, 0, 0];
      const files: [string, Buffer, number][] = [
        ['24', bmp({ ...size, bits: 24, data: rows(t24, b24, topDown) }), 0],
        [
          '32',
          bmp({
            ...size,
            bits: 32,
            data: rows([90, 200, 220, 0, 90, 200, 30, 0], [90, 40, 220, 0, 90, 40, 30, 0], topDown),
          }),
          0,
        ],
        ['8', bmp({ ...size, bits: 8, palette, data: rows([0, 1, 0, 0], [2, 3, 0, 0], topDown) }), 0],
        ['4', bmp({ ...size, bits: 4, palette, data: rows([0x01, 0, 0, 0], [0x23, 0, 0, 0], topDown) }), 0],
        // 5 bits each: red 27, 4; green 24, 5; blue 11.
        ['16', bmp({ ...size, bits: 16, data: rows16(topDown) }), 4],
      ];
      for (const [name, bytes, tolerance] of files)
        near([...(await decodePicture(put(`${name}-${topDown}.bmp`, bytes), two))], corners, tolerance);
      const oneBit = bmp({
        ...size,
        bits: 1,
        palette: palette.slice(0, 2),
        data: rows([0x40, 0, 0, 0], [0x40, 0, 0, 0], topDown),
      });
      const pixels = await decodePicture(put(`1-${topDown}.bmp`, oneBit), two);
      assert.deepEqual([...pixels], [220, 200, 90, 30, 200, 90, 220, 200, 90, 30, 200, 90]);
    });
  }

  function rows16(topDown: boolean): Buffer {
    const value = (red: number, green: number): number[] => {
      const word = (red << 10) | (green << 5) | 11;
      return [word & 255, word >> 8];
    };
    return rows([...value(27, 24), ...value(4, 24)], [...value(27, 5), ...value(4, 5)], topDown);
  }

  it('run lengths, bit fields', async () => {
    const runs8 = bmp({
      width: 2,
      height: 2,
      bits: 8,
      compression: 1,
      palette,
      data: Buffer.from([1, 2, 1, 3, 0, 0, 0, 2, 0, 1, 0, 1]),
    });
    // An absolute run shorter than three is not legal but read by all.
    near([...(await decodePicture(put('rle8.bmp', runs8), two)).subarray(6)], corners.slice(6), 0);
    const runs4 = bmp({
      width: 2,
      height: 2,
      bits: 4,
      compression: 2,
      palette,
      data: Buffer.from([2, 0x23, 0, 0, 2, 0x01, 0, 1]),
    });
    near([...(await decodePicture(put('rle4.bmp', runs4), two))], corners, 0);
    const fields = bmp({
      width: 1,
      height: 1,
      bits: 32,
      compression: 3,
      masks: [0xff, 0xff00, 0xff0000],
      data: Buffer.from([220, 200, 90, 0]),
    });
    near([...(await decodePicture(put('fields.bmp', fields), { ...two, width: 1, height: 1 }))], [220, 200, 90], 0);
  });

  it('truncated, absurd sizes, runs that never end', async () => {
    const whole = bmp({ width: 40, height: 40, bits: 24, data: Buffer.alloc(120 * 40) });
    for (let tenth = 1; tenth < 10; tenth++)
      await bad(put('cut.bmp', whole.subarray(0, (whole.length * tenth) / 10)), /truncated|known format/);
    await bad(put('huge.bmp', bmp({ width: 20000, height: 20000, bits: 24, data: Buffer.alloc(9) })), /20000 × 20000/);
    await bad(put('negative.bmp', bmp({ width: -4, height: 4, bits: 24, data: Buffer.alloc(99) })), /damaged BMP/);
    await bad(
      put('endless.bmp', bmp({ width: 9, height: 9, bits: 8, compression: 1, palette, data: Buffer.from([9, 1]) })),
      /truncated BMP/,
    );
    await bad(
      put('bits.bmp', bmp({ width: 9, height: 9, bits: 24, compression: 1, data: Buffer.alloc(999) })),
      /damaged BMP/,
    );
  });
});
