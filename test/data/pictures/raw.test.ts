import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import type { PictureForm } from '../../../src/data/types.js';
import { folder, form } from './expectations.js';

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
