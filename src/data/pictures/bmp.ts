/** BMP, which the libvips that comes with sharp does not read. */
import { BadSampleError } from '../errors.js';
import type { Pixels } from './resample.js';

/** @throws BadSampleError */
export function readBmp(path: string, _pixelLimit: number): Pixels {
  throw new BadSampleError(path, 'BMP is not read yet');
}
