/** Leaves a file beside each picture that it begins to decode. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';
import { noise } from './noise.js';

export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  writeFileSync(`${location.path}.begun`, '');
  return noise(path.basename(location.path), form);
}
