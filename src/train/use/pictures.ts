/** Whatever a caller calls a picture, in the form that a network takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodePicture } from '../../data/pictures/decode.js';
import { toForm } from '../../data/pictures/fit.js';
import type { PictureForm } from '../../data/types.js';
import { Tensor } from '../../torch/index.js';
import { RunError } from '../errors.js';

/** Bare pixels: rows from top to bottom, channels interleaved, as `sharp(…).raw()` and a canvas give them. */
export interface RawPicture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** A fourth channel, the opacity, is not looked at. */
  readonly channels: 1 | 3 | 4;
}

/** A file's name, the bytes of an encoded picture, bare pixels, or a tensor [C, H, W]: uint8, or floating from 0 to 1. */
export type PictureInput = string | Uint8Array | RawPicture | Tensor;

export const isRawPicture = (input: unknown): input is RawPicture =>
  typeof input === 'object' && input !== null && 'data' in input && 'width' in input && 'height' in input;

function fromRaw({ data, width, height, channels }: RawPicture, form: PictureForm): Uint8Array {
  if (![1, 3, 4].includes(channels) || data.length !== width * height * channels)
    throw new RunError(
      `A picture of ${width} × ${height} pixels with ${channels} channels has ${width * height * channels} bytes, got ${data.length}.`,
    );
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (channels !== 4) return toForm({ data: bytes, width, height, channels }, form);
  const opaque = new Uint8Array(width * height * 3);
  for (let i = 0, from = 0; i < opaque.length; i += 3, from += 4) opaque.set(bytes.subarray(from, from + 3), i);
  return toForm({ data: opaque, width, height, channels: 3 }, form);
}

function fromTensor(picture: Tensor, form: PictureForm): Uint8Array {
  const [channels = 0, height = 0, width = 0] = picture.shape;
  if (picture.ndim !== 3 || ![1, 3].includes(channels))
    throw new RunError(`A picture as a tensor is [1 or 3, height, width], got [${picture.shape.join(', ')}].`);
  const bytes = picture.isFloatingPoint() ? picture.mul(255).round().clamp(0, 255).to('uint8') : picture.to('uint8');
  const data = bytes.cpu().permute(1, 2, 0).contiguous().toTypedArray() as Uint8Array;
  return toForm({ data, width, height, channels }, form);
}

/** The bytes of a file take the way of files, so that they get the same answer. */
async function fromBytes(bytes: Uint8Array, form: PictureForm): Promise<Uint8Array> {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-picture-'));
  const file = path.join(folder, 'picture');
  try {
    writeFileSync(file, bytes);
    return await decodePicture({ kind: 'file', path: file }, form);
  } catch (error) {
    throw new RunError((error as Error).message.replace(file, `A picture of ${bytes.length} bytes`), { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Height × width × channels bytes. @throws BadSampleError, RunError for what is no picture */
export async function pixelsOf(input: PictureInput, form: PictureForm): Promise<Uint8Array> {
  if (typeof input === 'string') return decodePicture({ kind: 'file', path: input }, form);
  if (input instanceof Uint8Array) return fromBytes(input, form);
  if (input instanceof Tensor) return fromTensor(input, form);
  if (isRawPicture(input)) return fromRaw(input, form);
  throw new RunError(
    'A picture is the name of a file, the bytes of one, { data, width, height, channels }, or a tensor [C, H, W].',
  );
}
