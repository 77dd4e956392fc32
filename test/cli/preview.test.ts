import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { praxis, type Said } from '../support/command.js';

/** What the command prints, and its exit code. */
const run = (...args: string[]): Promise<Said> => praxis('preview', ...args);

describe('praxis preview', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'praxis-preview-cli-'));
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(folder, 'data', name), { recursive: true });
      for (let i = 0; i < 3; i++)
        await sharp({
          create: { width: 20, height: 20, channels: 3, background: { r: 90 * i, g: 40 + 60 * i, b: 30 * i } },
        })
          .png()
          .toFile(path.join(folder, 'data', name, `${i}.png`));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  test('draws a sheet and says what is on it', async () => {
    const out = path.join(folder, 'sheet.png');
    const data = path.join(folder, 'data');
    const said = await run(data, '--augment', 'strong', '--count', '4', '--size', '24', '--out', out);
    assert.equal(said.err, '');
    assert.match(said.out, /4 pictures of data, strong: randomCrop\(padding 3/);
    assert.equal((await sharp(out).metadata()).format, 'png');
    const cut = await run(data, '--crops', 'cut', '--size', '24', '--out', out);
    assert.match(cut.out, /strong: randomResizedCrop\(size 24/);
    assert.deepEqual(readdirSync(path.join(data, 'a')), ['0.png', '1.png', '2.png'], 'the data is left alone');
  });

  test('a folder that is not there', async () => {
    const out = path.join(folder, 'none.png');
    const said = await run(path.join(folder, 'nowhere'), '--out', out);
    assert.equal(said.code, 1);
    assert.match(said.err, /nowhere: no such file or folder/);
    assert.ok(!existsSync(out));
  });
});
