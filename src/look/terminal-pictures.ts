/**
 * A row of sample pictures in the terminal, as well as it can show them: pixels by Kitty's or iTerm2's protocol, or half blocks in true colour.
 * Sources: https://sw.kovidgoyal.net/kitty/graphics-protocol/, https://iterm2.com/documentation-images.html
 */

import { DataError } from '../data/errors.js';
import { decodePicture } from '../data/pictures/decode.js';
import sharp from '../data/pictures/libvips.js';
import { permutation } from '../data/random.js';
import type { PictureDataset } from '../data/types.js';
import { fit } from './terminal.js';

export type PictureProtocol = 'kitty' | 'iterm' | 'blocks';

/** Cells of a picture; a cell is about twice as high as it is wide. */
const cells = { columns: 14, rows: 7 };
/** Cells between two pictures. */
const gap = 2;
/** Pixels of a cell, where the terminal takes pixels. */
const cell = { width: 12, height: 24 };
/** Pictures that are tried before one is given up: some may be damaged. */
const patience = 40;
/** Kitty takes so many characters at a time. */
const kittyChunk = 4096;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How a terminal can show pictures, by what it says of itself in the environment; null where it cannot, or where nobody may look: a pipe, a
 * log, `NO_COLOR`. Nothing is asked of the terminal, so nothing can hang or be printed by one that does not understand.
 */
export function pictureProtocol(env: Environment, stream: { readonly isTTY?: boolean }): PictureProtocol | null {
  const { TERM = '', TERM_PROGRAM = '', COLORTERM = '' } = env;
  if (stream.isTTY !== true || env.NO_COLOR || env.CI || TERM === 'dumb') return null;
  // Between us and the terminal a multiplexer swallows what it does not know, but true colour goes through where it says so.
  const between = env.TMUX !== undefined || env.STY !== undefined || /^(screen|tmux)/.test(TERM);
  if (!between) {
    if (env.KITTY_WINDOW_ID !== undefined || /kitty|ghostty/.test(TERM) || TERM_PROGRAM === 'ghostty') return 'kitty';
    if (['iTerm.app', 'WezTerm', 'mintty'].includes(TERM_PROGRAM) || env.LC_TERMINAL === 'iTerm2') return 'iterm';
  }
  return /^(truecolor|24bit)$/.test(COLORTERM) ? 'blocks' : null;
}

interface Sample {
  readonly label: string;
  /** RGB, interleaved. */
  readonly data: Uint8Array;
}

/** Samples drawn at random, of each class in turn, the common ones first; damaged and sealed ones are passed over. */
async function drawSamples(dataset: PictureDataset, count: number, side: number, seed: number): Promise<Sample[]> {
  const waiting = new Map<number, number[]>();
  for (const index of permutation(dataset.length, seed, 0))
    try {
      const label = dataset.labels(index)[0];
      if (label === undefined) continue;
      const own = waiting.get(label) ?? [];
      own.push(index);
      waiting.set(label, own);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  const classes = [...waiting].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]);
  const found: Sample[] = [];
  for (let turn = 0, tries = 0; found.length < count && classes.some(([, own]) => own.length > 0); turn++) {
    const [label, own] = classes[turn % classes.length] as [number, number[]];
    const index = own.shift();
    if (index === undefined) continue;
    try {
      const form = { height: side, width: side, channels: 3, fit: 'crop', decode: 'fast' } as const;
      found.push({
        label: dataset.classes[label] as string,
        data: await decodePicture(dataset.location(index), form),
      });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (++tries > patience) break;
    }
  }
  return found;
}

/** Two pixels in each cell: the upper one is the colour of the half block, the lower one that of its ground. */
function inBlocks(samples: readonly Sample[]): string[] {
  const colour = (data: Uint8Array, x: number, y: number): string =>
    [...data.subarray(3 * (y * cells.columns + x), 3 * (y * cells.columns + x) + 3)].join(';');
  return Array.from({ length: cells.rows }, (_, row) =>
    samples
      .map(({ data }) =>
        Array.from(
          { length: cells.columns },
          (_, x) => `\u001b[38;2;${colour(data, x, 2 * row)};48;2;${colour(data, x, 2 * row + 1)}m▀`,
        ).join(''),
      )
      .join(`\u001b[0m${' '.repeat(gap)}`)
      .concat('\u001b[0m'),
  );
}

/** The pictures side by side, as one PNG. */
async function strip(samples: readonly Sample[], side: number): Promise<Buffer> {
  const step = (cells.columns + gap) * cell.width;
  const pictures = samples.map(({ data }, i) => ({
    input: Buffer.from(data),
    raw: { width: side, height: side, channels: 3 as const },
    left: i * step,
    top: 0,
  }));
  const ground = { r: 0, g: 0, b: 0, alpha: 0 };
  return sharp({ create: { width: samples.length * step, height: side, channels: 4, background: ground } })
    .composite(pictures)
    .png()
    .toBuffer();
}

function forKitty(png: Buffer, columns: number): string {
  const text = png.toString('base64');
  const parts = text.match(new RegExp(`.{1,${kittyChunk}}`, 'g')) ?? [];
  return parts
    .map((part, i) => {
      const more = i < parts.length - 1 ? 1 : 0;
      // q=2: the terminal answers nothing, which nobody would read.
      const head = i === 0 ? `a=T,f=100,q=2,c=${columns},r=${cells.rows},m=${more}` : `m=${more}`;
      return `\u001b_G${head};${part}\u001b\\`;
    })
    .join('');
}

const forIterm = (png: Buffer, columns: number): string =>
  `\u001b]1337;File=inline=1;size=${png.length};width=${columns};height=${cells.rows};preserveAspectRatio=0:${png.toString('base64')}\u0007`;

/**
 * Lines that show as many sample pictures as fit side by side, with their classes below; none where not one fits or can be read.
 * @param options `columns`: of the terminal; `seed`: which are drawn
 */
export async function pictureRow(
  dataset: PictureDataset,
  options: { readonly protocol: PictureProtocol; readonly columns?: number; readonly seed?: number },
): Promise<string[]> {
  const { protocol, columns = 100, seed = 0 } = options;
  const each = cells.columns + gap;
  const room = Math.floor((Math.min(columns, 120) + gap) / each);
  const side = protocol === 'blocks' ? cells.columns : cells.rows * cell.height;
  const samples = room < 1 ? [] : await drawSamples(dataset, room, side, seed);
  if (samples.length === 0) return [];
  const labels = samples.map(({ label }) => fit(label, cells.columns).padEnd(each)).join('');
  if (protocol === 'blocks') return [...inBlocks(samples), labels.trimEnd()];
  const png = await strip(samples, side);
  const wide = samples.length * each;
  return [protocol === 'kitty' ? forKitty(png, wide) : forIterm(png, wide), labels.trimEnd()];
}
