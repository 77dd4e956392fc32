/** What `decoder.ts` would give if nothing went wrong. */
import path from 'node:path';
import { BadSampleError } from '../../../src/data/errors.js';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';
import { noise } from './noise.js';

export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  const name = path.basename(location.path);
  if (name.startsWith('bad')) throw new BadSampleError(location.path, 'bad by name');
  return noise(name, form);
}
