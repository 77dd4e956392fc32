import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { BadSampleError } from '../../../src/data/errors.js';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import { pictureFacts } from '../../../src/data/pictures/facts.js';
import { bad, corner, cornersAre, folder, form, near, put } from './expectations.js';
import { claimingPng, frames, height, picture, width } from './odd-pictures.js';

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

  it('a named pipe, without waiting for somebody to write into it', {
    skip: process.platform === 'win32',
  }, async () => {
    const pipe = path.join(folder, 'pipe.jpg');
    execFileSync('mkfifo', [pipe]);
    await bad({ kind: 'file', path: pipe }, /^not a regular file$/);
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
});
