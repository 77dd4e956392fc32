/** Files of a test, and what is expected of decoding them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { BadSampleError } from '../../../src/data/errors.js';
import { decodePicture } from '../../../src/data/pictures/decode.js';
import { closePictureFiles } from '../../../src/data/pictures/raw.js';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';

export const folder = mkdtempSync(path.join(tmpdir(), 'praxis-decode-'));
after(() => {
  closePictureFiles();
  rmSync(folder, { recursive: true });
});

export const form: PictureForm = { height: 20, width: 30, channels: 3, fit: 'squash', decode: 'exact' };

export function put(name: string, bytes: Uint8Array): PictureLocation {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return { kind: 'file', path: file };
}

/** Red, green and blue in a corner of a decoded picture. */
export function corner(pixels: Uint8Array, where: 'top left' | 'top right' | 'bottom left' | 'bottom right'): number[] {
  const [vertical, horizontal] = where.split(' ');
  const row = vertical === 'top' ? 0 : form.height - 1;
  const column = horizontal === 'left' ? 0 : form.width - 1;
  const at = (row * form.width + column) * 3;
  return [...pixels.subarray(at, at + 3)];
}

export function near(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] as number)) <= tolerance, `${actual} is not near ${expected}`);
  });
}

export const cornersAre = (pixels: Uint8Array, tolerance: number): void => {
  assert.equal(pixels.length, form.height * form.width * 3);
  near(corner(pixels, 'top left'), [220, 200, 90], tolerance);
  near(corner(pixels, 'top right'), [30, 200, 90], tolerance);
  near(corner(pixels, 'bottom left'), [220, 40, 90], tolerance);
  near(corner(pixels, 'bottom right'), [30, 40, 90], tolerance);
};

export const bad = (location: PictureLocation, reason: RegExp, as = form): Promise<void> =>
  assert.rejects(decodePicture(location, as), (error: unknown) => {
    assert.ok(error instanceof BadSampleError, String(error));
    assert.equal(error.file, location.path);
    assert.match(error.reason, reason);
    assert.ok(!error.reason.includes('\n') && error.reason.length < 160, error.reason);
    return true;
  });
