/**
 * From an encoded picture to uint8 pixels of the size asked for. Decoding is libvips's (through sharp), that of ordinary JPEGs libjpeg's where
 * set-up found it; resizing is Pillow's algorithm (`resample.ts`). Runs in worker threads: nothing here imports the engine.
 *
 * What becomes of what: the EXIF orientation is applied; 16 bits become 8; grey becomes RGB; CMYK becomes sRGB through its embedded profile,
 * or a common one where there is none; profiles of RGB and grey pictures are not applied (as in torchvision); transparency is laid on white;
 * of animations and multi-page files the first page counts. The format is told by content, never by the file's extension.
 */
import { readFileSync } from 'node:fs';
import type sharp from 'sharp';
import type { Metadata } from 'sharp';
import { BadSampleError, DataError } from '../errors.js';
import type { PictureForm, PictureLocation } from '../types.js';
import { badReason, endsTooEarly, harmless, speechless } from './bad-reason.js';
import { readBeginning } from './beginning.js';
import { readBmp } from './bmp.js';
import { place, toForm } from './fit.js';
import type { JpegHeader } from './jpeg-header.js';
import { jpegLibrary } from './jpeg-library.js';
import { pixelLimit } from './limits.js';
import { readRaw } from './raw.js';
import type { Box, Pixels } from './resample.js';
import type { PictureFormat } from './sniff.js';

export { pixelLimit } from './limits.js';

/** Loaded when it is needed: that takes a thread a tenth of a second, and where all pictures are plain JPEGs none needs it. */
const libvips = async (): Promise<typeof sharp> => (await import('./libvips.js')).default;

/** Above this, other formats than JPEG are reduced while they are decoded where that can be, so that memory stays bounded. */
const wholeLimit = 16_777_216;

/** JPEGs up to this many pixels are decoded into memory in one go: they can neither take long nor much. */
const plainLimit = 4_194_304;

/** How long one picture may take, in seconds. */
const timeLimit = 60;

/** With `fast`, what a JPEG's decoder leaves is at least this much larger than the picture asked for. */
const fastMargin = 1.5;

/**
 * Decodes a picture and brings it to a form.
 * @returns exactly height × width × channels bytes, rows from top to bottom, channels interleaved
 * @throws BadSampleError when the file cannot be read as a picture, with the reason in plain words
 */
export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  checkForm(form);
  return location.kind === 'raw' ? toForm(readRaw(location), form) : decodeFile(location.path, form);
}

function checkForm(form: PictureForm): void {
  const { height, width } = form;
  for (const [name, side] of Object.entries({ height, width }))
    if (!Number.isInteger(side) || side < 1 || side > 16384)
      throw new DataError(`${name} of a picture is ${side}: an integer from 1 to 16384 was expected`);
}

/** By how much a JPEG's decoder may reduce: 1, 2, 4 or 8. */
function jpegReduction(header: JpegHeader, form: PictureForm): 1 | 2 | 4 | 8 {
  if (form.decode === 'exact') return 1;
  const turned = header.orientation >= 5;
  const width = turned ? header.height : header.width;
  const height = turned ? header.width : header.height;
  const placement = place(width, height, form);
  const { box } = placement;
  const reduction = Math.min((box.right - box.left) / placement.width, (box.bottom - box.top) / placement.height);
  for (const by of [8, 4, 2] as const) if (reduction >= by * fastMargin) return by;
  return 1;
}

async function decodeFile(path: string, form: PictureForm): Promise<Uint8Array> {
  const { format, jpeg, bytes, head } = readBeginning(path);
  if (format === 'bmp') return toForm(readBmp(path), form);
  if (jpeg && jpeg.width * jpeg.height > pixelLimit) throw new BadSampleError(path, tooLarge(jpeg.width, jpeg.height));
  if (jpeg && isPlain(jpeg)) {
    // Decoded and brought to size without a pause: both happen in memory that the next picture takes over.
    const pixels = decodePlain(jpeg, jpegReduction(jpeg, form), () =>
      bytes === head.length ? head : readFileSync(path),
    );
    if (pixels !== null) return toForm(pixels, form);
  }
  const plan = jpeg ? jpegPlan(path, jpeg, form) : await otherPlan(path, format, form);
  return toForm(await decodeByLibvips(path, plan, format), form);
}

async function decodeByLibvips(path: string, plan: Plan, format: PictureFormat): Promise<Pixels> {
  try {
    return await decodeStrictly(plan);
  } catch (cause) {
    // What libvips says may be about another picture that failed at the same moment: what is cut off is never harmless.
    if (!harmless(cause) || endsTooEarly(path, format))
      throw new BadSampleError(path, badReason(path, format, cause), { cause });
  }
  try {
    return await decodeWith(plan, 'error');
  } catch (cause) {
    throw new BadSampleError(path, badReason(path, format, cause), { cause });
  }
}

/** A small upright JPEG, of which nothing is known to need more than decoding. */
const isPlain = ({ components, orientation, width, height }: JpegHeader): boolean =>
  (components === 3 || components === 1) && orientation === 1 && width * height <= plainLimit;

/** Where the last picture was decoded to. */
let scratch = new Uint8Array(0);

/** A plain JPEG by libjpeg; null where there is none or it had any doubt, which libvips then has to put into words. */
function decodePlain(header: JpegHeader, by: 1 | 2 | 4 | 8, read: () => Uint8Array): Pixels | null {
  const library = jpegLibrary();
  const width = Math.floor(header.width / by);
  const height = Math.floor(header.height / by);
  if (library === null || width === 0 || height === 0) return null;
  const channels = header.components as 1 | 3;
  const length = width * height * channels;
  if (scratch.length < length) scratch = new Uint8Array(length);
  const data = scratch.subarray(0, length);
  let file: Uint8Array;
  try {
    file = read();
  } catch {
    return null;
  }
  if (!library.decode(file, by, channels, data)) return null;
  return { data, width, height, channels, ...(by === 1 ? {} : { extent: reducedExtent(header, by) }) };
}

/** Fails on any doubt, and with a word about it if there is one to be had. */
async function decodeStrictly(plan: Plan): Promise<Pixels> {
  for (let tries = 1; ; tries++)
    try {
      return await decodeWith(plan, 'warning');
    } catch (cause) {
      if (tries === 5 || !speechless(cause)) throw cause;
    }
}

/** How to have a file decoded. */
interface Plan {
  readonly source: string | Buffer;
  /** Profiles give CMYK its meaning; other pictures are taken without. */
  readonly cmyk: boolean;
  /** A small upright JPEG, of which nothing is known to need more than decoding: each further step costs a tenth of the time. */
  readonly plain?: boolean;
  /** Size to reduce to while decoding. */
  readonly reduced?: { readonly width: number; readonly height: number };
  /** Where the whole picture lies around the pixels that come. */
  readonly extent?: Box;
}

/**
 * What sharp reads: the file, with options for libvips in brackets after its name. A name that itself ends in a bracket would be taken for
 * such options: then sharp is given the bytes.
 */
function sourceOf(path: string, format: PictureFormat, options = ''): string | Buffer {
  if (!path.endsWith(']')) return path + options;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BadSampleError(path, badReason(path, format, cause), { cause });
  }
}

function jpegPlan(path: string, header: JpegHeader, form: PictureForm): Plan {
  const by = path.endsWith(']') ? 1 : jpegReduction(header, form);
  const cmyk = header.components === 4;
  const plain = isPlain(header);
  if (by === 1) return { source: sourceOf(path, 'jpeg'), cmyk, plain };
  return { source: sourceOf(path, 'jpeg', `[shrink=${by}]`), cmyk, plain, extent: reducedExtent(header, by) };
}

/**
 * 333 pixels reduced by 2 are 166.5, of which libvips gives 166: where the whole picture would lie around what it gives, after it is turned
 * upright. Left out of account, that would stretch and shift a picture by up to a pixel.
 */
function reducedExtent({ width, height, orientation }: JpegHeader, by: number): Box {
  const across = width / by;
  const down = height / by;
  const cutRight = across - Math.floor(across);
  const cutBottom = down - Math.floor(down);
  const turned = orientation >= 5;
  // Where the stored right and bottom edges are in the upright picture.
  const atLeft = turned ? orientation === 6 || orientation === 7 : orientation === 2 || orientation === 3;
  const atTop = turned ? orientation === 7 || orientation === 8 : orientation === 3 || orientation === 4;
  const left = atLeft ? -(turned ? cutBottom : cutRight) : 0;
  const top = atTop ? -(turned ? cutRight : cutBottom) : 0;
  return { left, top, right: left + (turned ? down : across), bottom: top + (turned ? across : down) };
}

async function otherPlan(path: string, format: PictureFormat, form: PictureForm): Promise<Plan> {
  const source = sourceOf(path, format);
  let facts: Metadata;
  try {
    facts = await (await libvips())(source, { limitInputPixels: pixelLimit }).metadata();
  } catch (cause) {
    throw new BadSampleError(path, badReason(path, format, cause), { cause });
  }
  const plan = { source, cmyk: facts.space === 'cmyk' };
  const { width, height } = facts.autoOrient;
  if (width * height <= wholeLimit) return plan;
  // Four times the size asked for leaves nothing that could be seen of how it came about.
  const by = Math.floor(Math.min(width / form.width, height / form.height) / 4);
  if (by >= 2) return { ...plan, reduced: { width: Math.ceil(width / by), height: Math.ceil(height / by) } };
  return plan;
}

function tooLarge(width: number, height: number): string {
  return `claims ${width} × ${height} pixels, more than the ${pixelLimit} that are read`;
}

async function decodeWith(plan: Plan, failOn: 'warning' | 'error'): Promise<Pixels> {
  const { plain = false } = plan;
  let pipeline = (await libvips())(plan.source, {
    failOn,
    limitInputPixels: pixelLimit,
    sequentialRead: !plain,
    ignoreIcc: !plan.cmyk,
    autoOrient: !plain,
  });
  if (!plain) pipeline = pipeline.timeout({ seconds: timeLimit }).flatten({ background: '#ffffff' });
  if (plan.reduced) pipeline = pipeline.resize({ ...plan.reduced, fit: 'fill', kernel: 'linear' });
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = { data, width, height, channels: info.channels, ...(plan.extent ? { extent: plan.extent } : {}) };
  return info.channels === 1 || info.channels === 3 ? pixels : firstChannels(pixels);
}

/** Channels beyond what a picture has, as in multispectral files, are left away. */
function firstChannels(pixels: Pixels): Pixels {
  const channels = pixels.channels >= 3 ? 3 : 1;
  const data = new Uint8Array(pixels.width * pixels.height * channels);
  for (let i = 0; i < pixels.width * pixels.height; i++)
    for (let channel = 0; channel < channels; channel++)
      data[i * channels + channel] = pixels.data[i * pixels.channels + channel] as number;
  return { ...pixels, data, channels };
}
