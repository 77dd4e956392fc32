import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { openSource } from '../../src/data/open-source.js';
import type { PictureDataset } from '../../src/data/types.js';
import { pictureProtocol, pictureRow } from '../../src/look/terminal-pictures.js';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'praxis-terminal-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const colours = { red: [200, 20, 30], blue: [10, 30, 220] } as const;

/** A class of red and a class of blue pictures, and a damaged one in each. */
async function open(): Promise<PictureDataset> {
  for (const [name, [r, g, b]] of Object.entries(colours)) {
    const folder = path.join(scratch, 'colours', name);
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < 4; i++)
      await sharp({ create: { width: 40, height: 30, channels: 3, background: { r, g, b } } })
        .png()
        .toFile(path.join(folder, `${i}.png`));
    writeFileSync(path.join(folder, 'damaged.png'), 'no picture');
  }
  return (await openSource(path.join(scratch, 'colours'))) as PictureDataset;
}

/** Control characters as letters, to be matched. */
const readable = (text: string): string => text.replaceAll('\u001b', '␛').replaceAll('\u0007', '␇');

describe('pictures in the terminal', () => {
  let dataset: PictureDataset;
  before(async () => {
    dataset = await open();
  });

  it('knows terminals by their environment, and shows nothing where nobody looks', () => {
    const on = { isTTY: true };
    const cases: [Record<string, string>, string | null][] = [
      [{ TERM: 'xterm-kitty' }, 'kitty'],
      [{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'kitty'],
      [{ TERM: 'xterm-ghostty' }, 'kitty'],
      [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app', COLORTERM: 'truecolor' }, 'iterm'],
      [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, 'iterm'],
      [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'blocks'],
      [{ TERM: 'tmux-256color', TMUX: '/tmp/x', KITTY_WINDOW_ID: '1', COLORTERM: '24bit' }, 'blocks'],
      [{ TERM: 'screen', TERM_PROGRAM: 'iTerm.app' }, null],
      [{ TERM: 'xterm-256color' }, null],
      [{ TERM: 'xterm-kitty', NO_COLOR: '1' }, null],
      [{ TERM: 'xterm-kitty', CI: 'true' }, null],
      [{ TERM: 'dumb', COLORTERM: 'truecolor' }, null],
      [{}, null],
    ];
    for (const [env, expected] of cases) assert.equal(pictureProtocol(env, on), expected, JSON.stringify(env));
    assert.equal(pictureProtocol({ TERM: 'xterm-kitty' }, {}), null, 'a pipe');
  });

  it('in half blocks: each class in turn, in its own colour, whole ones only', async () => {
    const lines = await pictureRow(dataset, { protocol: 'blocks', columns: 50, seed: 1 });
    assert.equal(lines.length, 8);
    assert.equal(lines[7], 'blue            red             blue');
    for (const line of lines.slice(0, 7)) {
      const [blue, red] = [`38;2;10;30;220;48;2;10;30;220m▀`, `38;2;200;20;30;48;2;200;20;30m▀`];
      assert.equal(line.split(blue).length - 1, 28);
      assert.equal(line.split(red).length - 1, 14);
      assert.ok(line.endsWith('\u001b[0m'), 'the colour ends with the line');
    }
    assert.deepEqual(await pictureRow(dataset, { protocol: 'blocks', columns: 10 }), []);
    assert.equal((await pictureRow(dataset, { protocol: 'blocks', columns: 200 }))[7]?.split(/\s+/).length, 7);
  });

  it('as pixels: a PNG in pieces for Kitty, whole for iTerm2', async () => {
    const [row = '', labels] = await pictureRow(dataset, { protocol: 'kitty', columns: 100 });
    const kitty = readable(row);
    assert.equal(labels?.split(/\s+/).length, 6);
    const pieces = [...kitty.matchAll(/␛_G([^;]*);([^␛]*)␛\\/g)];
    assert.equal(pieces.map(([whole]) => whole).join(''), kitty);
    assert.match(pieces[0]?.[1] ?? '', /^a=T,f=100,q=2,c=96,r=7,m=[01]$/);
    pieces.forEach(([, head, part = ''], i) => {
      assert.ok(part.length <= 4096);
      assert.ok(head?.endsWith(`m=${i < pieces.length - 1 ? 1 : 0}`));
    });
    const png = Buffer.from(pieces.map(([, , part]) => part).join(''), 'base64');
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [6 * 16 * 12, 7 * 24, 4]);
    const at = (x: number): number[] => [...data.subarray(4 * x, 4 * x + 4)];
    assert.deepEqual(
      [at(5), at(16 * 12 + 5)],
      [
        [...colours.blue, 255],
        [...colours.red, 255],
      ],
    );
    assert.equal(at(14 * 12 + 3)[3], 0, 'nothing between them');

    const [iterm = ''] = await pictureRow(dataset, { protocol: 'iterm', columns: 100 });
    const [, size, text = ''] =
      /^␛\]1337;File=inline=1;size=(\d+);width=96;height=7;preserveAspectRatio=0:([\w+/=]+)␇$/.exec(readable(iterm)) ??
      [];
    assert.deepEqual(Buffer.from(text, 'base64'), png);
    assert.equal(Number(size), png.length);
  });
});
