import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { BadSampleError } from '../../../src/data/errors.js';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import { pictureFacts } from '../../../src/data/pictures/facts.js';
import { closePictureFiles } from '../../../src/data/pictures/raw.js';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';
import { bmp, claimingPng, cornerColours, frames, height, picture, width } from './odd-pictures.js';

const folder = mkdtempSync(path.join(tmpdir(), 'praxis-decode-'));
after(() => {
  closePictureFiles();
  rmSync(folder, { recursive: true });
});

const form: PictureForm = { height: 20, width: 30, channels: 3, fit: 'squash', decode: 'exact' };

function put(name: string, bytes: Uint8Array): PictureLocation {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return { kind: 'file', path: file };
}

/** Red, green and blue in a corner of a decoded picture. */
function corner(pixels: Uint8Array, where: 'top left' | 'top right' | 'bottom left' | 'bottom right'): number[] {
  const [vertical, horizontal] = where.split(' ');
  const row = vertical === 'top' ? 0 : form.height - 1;
  const column = horizontal === 'left' ? 0 : form.width - 1;
  const at = (row * form.width + column) * 3;
  return [...pixels.subarray(at, at + 3)];
}

function near(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] as number)) <= tolerance, `${actual} is not near ${expected}`);
  });
}

const cornersAre = (pixels: Uint8Array, tolerance: number): void => {
  assert.equal(pixels.length, form.height * form.width * 3);
  near(corner(pixels, 'top left'), [220, 200, 90], tolerance);
  near(corner(pixels, 'top right'), [30, 200, 90], tolerance);
  near(corner(pixels, 'bottom left'), [220, 40, 90], tolerance);
  near(corner(pixels, 'bottom right'), [30, 40, 90], tolerance);
};

const bad = (location: PictureLocation, reason: RegExp, as = form): Promise<void> =>
  assert.rejects(decodePicture(location, as), (error: unknown) => {
    assert.ok(error instanceof BadSampleError, String(error));
    assert.equal(error.file, location.path);
    assert.match(error.reason, reason);
    assert.ok(!error.reason.includes('\n') && error.reason.length < 160, error.reason);
    return true;
  });

const readWell: [string, () => Promise<Uint8Array>, number][] = [
  ['a.jpg', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
  ['progressive.jpg', () => picture().jpeg({ quality: 95, progressive: true }).toBuffer(), 3],
  ['a.png', () => picture().png().toBuffer(), 0],
  ['interlaced.png', () => picture().png({ progressive: true }).toBuffer(), 0],
  ['palette.png', () => picture().png({ palette: true }).toBuffer(), 0],
  ['lossless.webp', () => picture().webp({ lossless: true }).toBuffer(), 0],
  ['lossy.webp', () => picture().webp({ quality: 95 }).toBuffer(), 4],
  ['a.tif', () => picture().tiff({ compression: 'none' }).toBuffer(), 0],
  ['lzw.tiff', () => picture().tiff({ compression: 'lzw' }).toBuffer(), 0],
  ['a.gif', () => picture().gif().toBuffer(), 0],
  ['animated.gif', () => frames().gif().toBuffer(), 0],
  ['animated.webp', () => frames().webp({ lossless: true }).toBuffer(), 0],
  ['a.avif', () => picture().avif({ quality: 90 }).toBuffer(), 4],
  ['sixteen-bit.png', () => picture().toColourspace('rgb16').png().toBuffer(), 1],
  ['sixteen-bit.tif', () => picture().toColourspace('rgb16').tiff({ compression: 'lzw' }).toBuffer(), 1],
  ['float.tif', () => picture().toColourspace('scrgb').tiff({ compression: 'none' }).toBuffer(), 1],
  [
    'garbage-after.jpg',
    async () => Buffer.concat([await picture().jpeg({ quality: 95 }).toBuffer(), Buffer.alloc(999, 7)]),
    3,
  ],
  ['wrong-extension.png', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
  ['no-extension', () => picture().png().toBuffer(), 0],
  ['weiß 花 пример\u0301 .jpg', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
  ['brackets[page=7].jpg', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
  ['brackets[1]', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
  ['folder[2]/x,y="1\'.webp', () => picture().webp({ lossless: true }).toBuffer(), 0],
  ['a.jpg.d/inside.jpg', () => picture().jpeg({ quality: 95 }).toBuffer(), 3],
];

describe('pictures that are read', () => {
  for (const [name, make, tolerance] of readWell)
    it(name, async () => {
      const location = put(name, await make());
      cornersAre(await decodePicture(location, form), tolerance);
      cornersAre(await decodePicture(location, { ...form, decode: 'fast' }), tolerance);
      const facts = await pictureFacts(location);
      assert.deepEqual([facts.width, facts.height], [width, height]);
    });

  it('grey, with alpha, one bit: three equal channels', async () => {
    const grey = await picture().toColourspace('b-w').png().toBuffer();
    const pixels = await decodePicture(put('grey.png', grey), form);
    for (let i = 0; i < pixels.length; i += 3) assert.ok(pixels[i] === pixels[i + 1] && pixels[i] === pixels[i + 2]);
    assert.ok((pixels[0] as number) > 180);
    const oneBit = await decodePicture(
      put('one-bit.tif', await picture().toColourspace('b-w').tiff({ bitdepth: 1 }).toBuffer()),
      form,
    );
    assert.deepEqual(corner(oneBit, 'top left'), [255, 255, 255]);
    assert.deepEqual(corner(oneBit, 'bottom right'), [0, 0, 0]);
    const half = await picture().ensureAlpha(0.5).toColourspace('b-w').png().toBuffer();
    const laid = await decodePicture(put('grey-alpha.png', half), form);
    near(corner(laid, 'bottom right'), [149, 149, 149], 3);
  });

  it('CMYK becomes sRGB, the colours that ink has unharmed', async () => {
    const muted = sharp({ create: { width: 40, height: 40, channels: 3, background: { r: 140, g: 120, b: 100 } } });
    const jpeg = await muted.clone().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    const tiff = await muted.clone().toColourspace('cmyk').tiff({ compression: 'lzw' }).toBuffer();
    for (const location of [put('cmyk.jpg', jpeg), put('cmyk.tif', tiff)]) {
      assert.equal((await pictureFacts(location)).space, 'cmyk');
      near(corner(await decodePicture(location, form), 'top left'), [140, 120, 100], 10);
    }
  });

  it('transparency is laid on white', async () => {
    const clear = await picture().ensureAlpha(0).png().toBuffer();
    const pixels = await decodePicture(put('clear.png', clear), form);
    assert.ok(pixels.every((value) => value === 255));
  });

  it('luma is that of ITU-R 601', async () => {
    const pixels = await decodePicture(put('luma.png', await picture().png().toBuffer()), { ...form, channels: 1 });
    assert.equal(pixels.length, 600);
    assert.equal(pixels[0], Math.round((220 * 299 + 200 * 587 + 90 * 114) / 1000));
  });

  it('a profile of an RGB picture is not applied, as in torchvision', async () => {
    const plain = await picture().png().toBuffer();
    const profiled = await sharp(plain).withMetadata({ icc: 'p3' }).png().toBuffer();
    const stored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    const location = put('p3.png', profiled);
    assert.equal((await pictureFacts(location)).profile, true);
    assert.deepEqual(corner(await decodePicture(location, form), 'top left'), [...stored.subarray(0, 3)]);
  });

  it('EXIF orientations 1 to 8 are applied, by the exact path and the fast one', async () => {
    // Where the stored top left corner is to be seen.
    const seen = [
      'top left',
      'top right',
      'bottom right',
      'bottom left',
      'top left',
      'top right',
      'bottom right',
      'bottom left',
    ] as const;
    const big = await picture().resize(720, 480, { kernel: 'nearest' }).png().toBuffer();
    for (let orientation = 1; orientation <= 8; orientation++) {
      const location = put(
        `orientation-${orientation}.jpg`,
        await sharp(big).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer(),
      );
      for (const decode of ['exact', 'fast'] as const) {
        const pixels = await decodePicture(location, { ...form, decode });
        near(corner(pixels, seen[orientation - 1] as (typeof seen)[number]), [220, 200, 90], 4);
      }
      const facts = await pictureFacts(location);
      assert.equal(facts.orientation, orientation);
      assert.deepEqual([facts.width, facts.height], orientation < 5 ? [720, 480] : [480, 720]);
    }
  });

  it('crop cuts the middle, pad surrounds with black', async () => {
    const location = put('fit.png', await picture().png().toBuffer());
    const cropped = await decodePicture(location, { ...form, height: 20, width: 20, fit: 'crop' });
    near([...cropped.subarray(0, 3)], [220, 200, 90], 0);
    const padded = await decodePicture(location, { ...form, height: 40, width: 30, fit: 'pad' });
    assert.deepEqual(
      [...padded.subarray(0, 30 * 10 * 3)].every((value) => value === 0),
      true,
    );
    near([...padded.subarray(30 * 10 * 3, 30 * 10 * 3 + 3)], [220, 200, 90], 0);
    assert.ok(padded.subarray(30 * 30 * 3).every((value) => value === 0));
  });

  it('a line of 30,000 pixels, and a column', async () => {
    for (const [w, h] of [
      [30000, 1],
      [1, 30000],
    ] as const)
      for (const format of ['png', 'jpeg'] as const) {
        const line = await sharp({ create: { width: w, height: h, channels: 3, background: '#336699' } })
          [format]()
          .toBuffer();
        const location = put(`line-${w}-${h}.${format}`, line);
        for (const decode of ['exact', 'fast'] as const)
          near(corner(await decodePicture(location, { ...form, decode }), 'bottom right'), [0x33, 0x66, 0x99], 2);
      }
  });

  it('169 megapixels are read in little memory', async () => {
    const location = put('large.png', claimingPng(13000, 13000, Buffer.alloc(13000 * (13000 * 3 + 1))));
    const before = process.memoryUsage().rss;
    const pixels = await decodePicture(location, form);
    assert.ok(pixels.every((value) => value === 0));
    assert.ok(process.memoryUsage().rss - before < 200e6);
  });
});

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

describe('files that are named as bad', () => {
  it('cut at every tenth, in every format', async () => {
    const whole: [string, Promise<Uint8Array>][] = [
      ['jpg', picture().jpeg().toBuffer()],
      ['progressive.jpg', picture().jpeg({ progressive: true }).toBuffer()],
      ['png', picture().png().toBuffer()],
      ['webp', picture().webp().toBuffer()],
      ['lossless.webp', picture().webp({ lossless: true }).toBuffer()],
      ['tif', picture().tiff({ compression: 'lzw' }).toBuffer()],
      ['gif', picture().gif().toBuffer()],
      ['avif', picture().avif().toBuffer()],
    ];
    for (const [format, making] of whole) {
      const bytes = await making;
      for (let tenth = 0; tenth < 10; tenth++) {
        const cut = bytes.subarray(0, Math.floor((bytes.length * tenth) / 10));
        const location = put(`cut-${tenth}.${format}`, cut);
        const named = /^(truncated|damaged) (JPEG|PNG|WebP|TIFF|GIF|AVIF)/;
        // The first bytes of a WebP do not tell yet what it is.
        await bad(location, tenth === 0 ? /^empty file$/ : cut.length < 12 ? /^not a picture/ : named);
      }
    }
  });

  it('says truncated where a file ends too early, and damaged where a checksum is wrong', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    await bad(put('cut.jpg', jpeg.subarray(0, jpeg.length - 40)), /^truncated JPEG$/);
    const png = await picture().png().toBuffer();
    await bad(put('cut.png', png.subarray(0, png.length - 60)), /^truncated PNG$/);
    const data = png.indexOf('IDAT');
    const wrong = Buffer.from(png);
    wrong[data + 4 + wrong.readUInt32BE(data - 4)] = (wrong[data + 4 + wrong.readUInt32BE(data - 4)] as number) ^ 255;
    await bad(put('checksum.png', wrong), /^damaged PNG/);
  });

  it('20,000 × 20,000 pixels claimed', async () => {
    await bad(put('bomb.png', claimingPng(20000, 20000, Buffer.alloc(1000))), /more pixels than are read/);
    const jpeg = Buffer.from(await picture().jpeg().toBuffer());
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(20000, frame + 5);
    jpeg.writeUInt16BE(20000, frame + 7);
    await bad(put('bomb.jpg', jpeg), /claims 20000 × 20000 pixels/);
  });

  it('what is no picture', async () => {
    const kinds: [string, string | Uint8Array, RegExp][] = [
      ['empty.jpg', '', /^empty file$/],
      ['zeros.jpg', new Uint8Array(5000), /all zeros/],
      ['page.jpg', '<!DOCTYPE html><html><body>404</body></html>', /web page/],
      ['drawing.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', /SVG/],
      ['document.jpg', '%PDF-1.7', /PDF/],
      ['archive.jpg', 'PK\x03\x04....', /zip/],
      ['text.jpg', 'hello', /not a picture in a known format/],
      ['phone.jpg', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), /HEIC/],
      ['only-a-start.jpg', new Uint8Array([0xff, 0xd8, 0xff]), /truncated JPEG/],
      ['nothing.avif', Buffer.from('\0\0\0\x18ftypavif\0\0\0\0mif1avif', 'latin1'), /damaged AVIF|truncated AVIF/],
    ];
    for (const [name, bytes, reason] of kinds) await bad(put(name, Buffer.from(bytes as Uint8Array)), reason);
  });

  it('missing, a directory, a link in a circle, a name too long', async () => {
    await bad({ kind: 'file', path: path.join(folder, 'nowhere.jpg') }, /^no such file$/);
    mkdirSync(path.join(folder, 'x.jpg'));
    await bad({ kind: 'file', path: path.join(folder, 'x.jpg') }, /^a directory/);
    symlinkSync('loop.jpg', path.join(folder, 'loop.jpg'));
    await bad({ kind: 'file', path: path.join(folder, 'loop.jpg') }, /circle/);
    await bad({ kind: 'file', path: path.join(folder, `${'x'.repeat(300)}.jpg`) }, /too long/);
  });

  it('random damage never crashes, and what comes out has the right size', async () => {
    const sources = [
      await picture().jpeg().toBuffer(),
      await picture().png().toBuffer(),
      await picture().webp().toBuffer(),
      await picture().gif().toBuffer(),
    ];
    let state = 12345;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 120; round++) {
      const bytes = Buffer.from(sources[round % sources.length] as Buffer);
      for (let i = 0; i < 6; i++) bytes[4 + next(bytes.length - 4)] = next(256);
      const location = put('damaged', bytes);
      try {
        assert.equal((await decodePicture(location, form)).length, 1800);
      } catch (error) {
        assert.ok(error instanceof BadSampleError, String(error));
      }
    }
  });
});

describe('bare pixels', () => {
  const planes = Uint8Array.from([1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24]);
  const raw = { kind: 'raw', height: 2, width: 2, channels: 3, layout: 'planes' } as const;
  const two: PictureForm = { ...form, width: 2, height: 2 };
  const interleaved = [1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24];

  it('planes and pixels, at an offset, gzip or not', async () => {
    const file = path.join(folder, 'raw.bin');
    writeFileSync(file, Buffer.concat([Buffer.alloc(5), planes]));
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    assert.deepEqual([...(await decodePicture({ ...raw, path: file, offset: 5 }, two))], interleaved);
    assert.deepEqual(
      [...(await decodePicture({ ...raw, path: `${file}.gz`, offset: 5, gzip: true }, two))],
      interleaved,
    );
    const grey = await decodePicture({ ...raw, path: file, offset: 5, channels: 1, layout: 'pixels' }, two);
    assert.deepEqual([...grey], [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  it('files that end too early, or are no gzip, are named', async () => {
    const file = path.join(folder, 'short.bin');
    writeFileSync(file, planes);
    await assert.rejects(
      decodePicture({ ...raw, path: file, offset: 4 }, two),
      /short\.bin#4: the file ends 4 bytes too early/,
    );
    await assert.rejects(decodePicture({ ...raw, path: file, offset: 0, gzip: true }, two), /damaged gzip file/);
    await assert.rejects(decodePicture({ ...raw, path: `${file}.none`, offset: 0 }, two), /no such file/);
  });
});

it('no file was changed by being read', async () => {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(folder, entry.name));
  const state = (file: string) => [statSync(file).mtimeMs, createHash('sha1').update(readFileSync(file)).digest('hex')];
  const before = files.map(state);
  assert.ok(files.length >= 40);
  for (const file of files) await decodePicture({ kind: 'file', path: file }, form).catch(() => null);
  assert.deepEqual(files.map(state), before);
});

it('a form that cannot be is refused', async () => {
  const location = put('form.png', await picture().png().toBuffer());
  await assert.rejects(decodePicture(location, { ...form, width: 0 }), /width of a picture is 0/);
  await assert.rejects(decodePicture(location, { ...form, height: 1.5 }), /height of a picture is 1.5/);
  assert.equal(cornerColours().length, width * height * 3);
});
